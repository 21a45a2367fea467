"""What Becchi 2024 claims, beside what came out here: each claim, whether it holds, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scenarios.prosumer.speed import Speed
from scenarios.prosumer.study import DAY_H, Case, Forecast, Outcome, Stretch, gain
from scenarios.report.judged import Claim, Verdict
from scenarios.report.quantity import decimal, money, percent

COMPARABLE: Final = 0.9
"""A gain is comparable to the optimiser's from this share on."""
PAPER_SPEEDUP: Final = 20.0
"""How many times faster than the MILP the paper's rules are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the study came to."""

    outcomes: Mapping[str, Outcome]
    """By the names of their cases."""
    speed: Speed
    """Times of plans."""
    currency: str
    """Of all amounts."""

    def of(
        self,
        method: str,
        forecast: Forecast = "perfect",
        *,
        stretch: Stretch = "year",
        horizon_h: int | None = None,
    ) -> Outcome:
        """Return a run's outcome."""
        return self.outcomes[_case(method, forecast, stretch, horizon_h).name]

    def gain(
        self,
        method: str,
        forecast: Forecast = "perfect",
        *,
        stretch: Stretch = "year",
        horizon_h: int | None = None,
    ) -> float:
        """Return what a run brings beyond no controller. [currency]"""
        return gain(self.outcomes, _case(method, forecast, stretch, horizon_h))

    def share(self, method: str, best: str, forecast: Forecast = "perfect") -> float:
        """Return a run's yearly gain over another's, 0 where that gains nothing."""
        most = self.gain(best, forecast)
        return self.gain(method, forecast) / most if most > 0 else 0.0

    def money(self, amount: float) -> str:
        """Return an amount as it is shown."""
        return money(amount, self.currency, 1)

    @property
    def searched(self) -> bool:
        """Whether searches were compared, too."""
        return any(each.case.stretch == "month" for each in self.outcomes.values())


def _case(method: str, forecast: Forecast, stretch: Stretch, horizon_h: int | None) -> Case:
    kept = {} if horizon_h is None else {"horizon_h": horizon_h}
    return Case(method=method, forecast=forecast, stretch=stretch, **kept)


def claims(found: Found) -> list[Claim]:
    """Return every claim of the paper that the study can answer."""
    judged = [_better(found), _longer(found), _worse(found), _rescued(found), _comparable(found)]
    if found.searched:
        judged.append(_searches(found))
    return [*judged, _faster(found), _peaks(found), _ageing(found)]


def _judged(*, holds: bool, partly: bool = False) -> Verdict:
    return "holds" if holds else "holds in part" if partly else "does not hold"


def _better(found: Found) -> Claim:
    rules = found.gain("rules")
    return Claim(
        text="With perfect forecasts the rules bring more than no controller.",
        printed="the rules' curves lie above the one without controller (Fig. 2)",
        ours=f"{found.money(rules)} more in the year",
        verdict=_judged(holds=rules > 0),
        reason=f"Without controller the cash flow is {found.money(found.of('none').cash_flow)}.",
    )


def _longer(found: Found) -> Claim:
    long, short = found.gain("rules"), found.gain("rules", horizon_h=DAY_H)
    far, near = (
        found.gain("rules", "imperfect", horizon_h=horizon_h) for horizon_h in (None, DAY_H)
    )
    return Claim(
        text="Knowing 72 hours ahead brings more than knowing 24.",
        printed="the 72-hour curve lies above (Fig. 2)",
        ours=f"{found.money(long)} against {found.money(short)}",
        verdict=_judged(holds=long > short),
        reason="The horizon tells how much a day's surplus need not leave in the battery for the "
        f"next days. With imperfect forecasts it is {found.money(far)} against "
        f"{found.money(near)}.",
    )


def _worse(found: Found) -> Claim:
    bare = found.gain("rules_no_countermeasures", "imperfect")
    return Claim(
        text="With imperfect forecasts and no counter-measures no controller is better.",
        printed="a drastic decrease, below the case without controller (Fig. 3)",
        ours=f"{found.money(bare)} against no controller",
        verdict=_judged(holds=bare < 0),
        reason="What the plan does not foresee, the rules alone neither store nor serve.",
    )


def _rescued(found: Found) -> Claim:
    bare = found.gain("rules_no_countermeasures", "imperfect")
    all_of = found.gain("rules", "imperfect")
    trading = found.gain("rules_trade", "imperfect")
    return Claim(
        text="The counter-measures rescue imperfect forecasts.",
        printed="satisfactory results again (Fig. 4)",
        ours=f"from {found.money(bare)} to {found.money(all_of)} against no controller",
        verdict=_judged(holds=all_of > 0, partly=all_of > bare),
        reason=f"They make up for {found.money(all_of - bare)} of what bad forecasts cost. No "
        "controller needs no forecast. Rules that weigh all hours ahead gain "
        f"{found.money(found.gain('rules_worth', 'imperfect'))} with the same forecasts, "
        f"{found.money(trading)} if they may trade.",
    )


def _comparable(found: Found) -> Claim:
    same, all_rights = found.share("rules", "milp_no_trade"), found.share("rules", "milp")
    worth = found.share("rules_worth", "milp_no_trade")
    trade = found.share("rules_trade", "milp")
    return Claim(
        text="The rules' cash flow is comparable to that of the MILP.",
        printed="the curves of a year lie together (Fig. 5b)",
        ours=f"{percent(same, 0)} of the MILP's gain with the same rights, {percent(all_rights, 0)}"
        " of that of a MILP that may trade",
        verdict=_judged(holds=same >= COMPARABLE, partly=same >= COMPARABLE / 2),
        reason="The paper does not say whether its optimisers may charge from the grid or sell "
        "what is stored; its rules do neither, so the same rights are the fair reading. The rules "
        "look at one slot at a time: they keep nothing for a dearer slot later and store what the "
        "next slot needs without asking whether selling it earns more. By the worth of stored "
        "energy in all hours ahead, as fast and without a solver, "
        f"{percent(worth, 0)} are reached without trade and {percent(trade, 0)} with it.",
    )


def _searches(found: Found) -> Claim:
    def month(method: str) -> float:
        return found.gain(method, stretch="month")

    rules, genetic, swarm = month("rules"), month("ga_no_trade"), month("pso_no_trade")
    better = rules > max(genetic, swarm)
    days = found.of("rules", stretch="month").days
    return Claim(
        text="The rules do better than a genetic algorithm and a particle swarm.",
        printed="both lie below after 30 days (Fig. 5a)",
        ours=f"in {days:.0f} days rules {found.money(rules)}, GA {found.money(genetic)}, PSO "
        f"{found.money(swarm)} with the same rights",
        verdict=_judged(holds=better, partly=rules > min(genetic, swarm)),
        reason=f"With trade the GA gains {found.money(month('ga'))}, the PSO "
        f"{found.money(month('pso'))}, the MILP {found.money(month('milp'))}. A search has the "
        f"stated budget for each plan of 72 hours ({decimal(found.speed.ga_ms)} and "
        f"{decimal(found.speed.pso_ms)} ms here), begins beside self-consumption and would come "
        "closer with more.",
    )


def _faster(found: Found) -> Claim:
    speed = found.speed
    times = speed.speedup_rules_milp
    return Claim(
        text="The rules are around twenty times faster than the MILP.",
        printed="x 20",
        ours=f"x {times:.0f}: {speed.rules_ms:.3f} ms against {speed.milp_ms:.2f} ms a plan",
        verdict=_judged(holds=times >= PAPER_SPEEDUP, partly=times > 1),
        reason="That is the compiled rules, which studies use, against a MILP whose relaxation "
        "comes first and nearly always is the answer. The rules of a gateway, not compiled, take "
        f"{speed.rules_numpy_ms:.3f} ms: x {speed.speedup_rules_numpy_milp:.1f}. Against a MILP "
        "that always branches, as the name of the method has it, "
        f"{speed.milp_binaries_ms:.0f} ms, the factor is "
        f"{speed.speedup_rules_milp_binaries:,.0f}.",
    )


def _peaks(found: Found) -> Claim:
    none, rules, milp = (found.of(method) for method in ("none", "rules", "milp"))

    def shown(outcome: Outcome) -> str:
        peaks = (outcome.import_peak_wh, outcome.export_peak_wh)
        return " and ".join(decimal(each / 1000, 2) for each in peaks)

    lower = rules.import_peak_wh < none.import_peak_wh, rules.export_peak_wh < none.export_peak_wh
    return Claim(
        text="The rules shave peaks of import and export.",
        printed="facilitate peak shaving",
        ours=f"greatest hours of import and export {shown(rules)} kWh, without controller "
        f"{shown(none)} kWh",
        verdict=_judged(holds=all(lower), partly=any(lower)),
        reason="No rule of the paper limits power: where peaks fall, they fall by the way. A MILP "
        f"that trades makes them worse: {shown(milp)} kWh.",
    )


def _ageing(found: Found) -> Claim:
    none, rules, milp = (found.of(method) for method in ("none", "rules", "milp"))

    def cost(outcome: Outcome) -> float:
        return outcome.cycle_cost + outcome.calendar_cost

    return Claim(
        text="The rules do not cause excessive degradation.",
        printed="verified with eq. (9), no figure",
        ours=f"{found.money(cost(rules))} a year by eq. (9), {found.money(cost(none))} without "
        "controller",
        verdict=_judged(holds=cost(rules) <= 1.1 * cost(none)),
        reason=f"Most of it is time, not use: {found.money(rules.calendar_cost)} of it by the "
        f"calendar at {percent(rules.capacity_loss, 2)} of capacity a year. A MILP that trades "
        f"costs {found.money(cost(milp))}, its {milp.cycles:.0f} cycles included.",
    )
