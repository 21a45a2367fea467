"""What Habib 2023 claims, beside what came out here: each claim, whether it holds, and why not."""

from typing import Final

import numpy as np

from scenarios.habib.breaks import Estimate
from scenarios.habib.data import VAT
from scenarios.habib.study import START, Found, Shown
from scenarios.microgrid.model import CYCLE_S
from scenarios.microgrid.violations import runs, violations
from scenarios.report.judged import Claim, Verdict
from scenarios.report.quantity import decimal, money, percent, plural

CURRENCY: Final = "EUR"
AROUND: Final = 0.05
"""Within so much of a state of charge is around it."""
AIMED: Final = 0.75
"""Where the paper says that its rules work."""
FIRST_MIN: Final = 360
"""The first six hours. [min]"""
SHORT_MIN: Final = 60
"""An island up to so long is short. [min]"""
DEAR: Final = 0.5
"""Place in the day's band from which a price is called high."""


def claims(found: Found) -> list[Claim]:
    """Return every claim of the paper that the study can answer."""
    return [
        _crosses(found),
        _blind(found),
        _connected(found),
        _respected(found),
        _around(found),
        _dear(found),
        _smoother(found),
        _upper(found),
        _prevents(found),
        _cheaper(found),
        _islanding(found),
        _quick(found),
    ]


def _judged(*, holds: bool, partly: bool = False) -> Verdict:
    return "holds" if holds else "holds in part" if partly else "does not hold"


def _between(estimate: Estimate, digits: int = 2) -> str:
    """Return a share with its interval."""
    low, high = (percent(each, digits) for each in (estimate.low, estimate.high))
    return f"{percent(estimate.value, digits)} ({low} to {high})"


def _times(shown: Shown, kind: str) -> int:
    return sum(each.kind == kind for each in violations(shown.trace))


def _crosses(found: Found) -> Claim:
    rules = found.shown["sunny", "rules"]
    times = _times(rules, "over-charge")
    longest = max((v.steps for v in violations(rules.trace) if v.kind == "over-charge"), default=0)
    return Claim(
        text="Under the SoC rules the charge crosses the upper limit several times on a sunny day.",
        printed="several crossings of 90 % in eight hours (Fig. 10)",
        ours=f"{plural(times, 'crossing')}, the longest of {plural(longest, 'minute')}",
        verdict=_judged(holds=times >= 2, partly=times == 1),
        reason="The rules act again only when a cycle has ended; above the limit they feed back "
        "with 6 A until the next decision. Fuzzy rules cross it "
        f"{plural(_times(found.shown['sunny', 'fuzzy'], 'over-charge'), 'time')} on the same day.",
    )


def _blind(found: Found) -> Claim:
    usual, quick = (
        found.breaking("rules", minutes)["over-charge"] for minutes in (CYCLE_S // 60, 1)
    )
    fuzzy = found.breaking("fuzzy")["over-charge"]
    return Claim(
        text="That is because the manager is offline during the cycle.",
        printed="control actions are updated only after the end of each cycle",
        ours=f"the limit breaks in {_between(usual.chance)} of ten-minute cycles in which it held, "
        f"in {_between(quick.chance)} of cycles of a minute",
        verdict=_judged(
            holds=quick.chance.high < usual.chance.low,
            partly=quick.chance.value < usual.chance.value,
        ),
        reason=f"Over {plural(found.held.buildings.around.homes, 'test')} with their 95 % "
        f"intervals. Under the fuzzy rules, which discharge before the limit is reached, it is "
        f"{_between(fuzzy.chance)}.",
    )


def _connected(found: Found) -> Claim:
    share = found.shown["cloudy", "fuzzy"].figures["island_share"]
    everywhere = found.mean("trials", "fuzzy")["island_share"]
    return Claim(
        text="On a partly cloudy day the fuzzy manager stays mostly on the grid.",
        printed="grid-connected mode mostly applied (Fig. 13b)",
        ours=f"{percent(1 - share, 0)} of the time on the grid",
        verdict=_judged(holds=share < 0.5, partly=share <= 0.6),
        reason=f"Over all tests {percent(1 - everywhere, 0)}. At a medium or high price and a "
        "medium charge Table A1 opens the relay while production and load are near each other.",
    )


def _respected(found: Found) -> Claim:
    shown = found.shown["cloudy", "fuzzy"]
    window = _times(shown, "over-charge") + _times(shown, "over-discharge")
    overloads = [v for v in violations(shown.trace) if v.kind == "overload"]
    minutes = sum(each.steps for each in overloads)
    return Claim(
        text="On that day both constraints are respected.",
        printed="(4) and (5) were respected during the 8 h test",
        ours=f"(5) is broken {plural(window, 'time')}, (4) {plural(len(overloads), 'time')}, "
        f"{plural(minutes, 'minute')} in all",
        verdict=_judged(holds=not window and not overloads, partly=not window or not overloads),
        reason="Homes measured by the minute switch on kettles and ovens while they are an island; "
        "the paper's load followed a profile. An island's overload over all tests comes in "
        f"{_between(found.breaking('fuzzy')['overload'].chance)} of the cycles.",
    )


def _around(found: Found) -> Claim:
    shown = found.shown["cloudy", "fuzzy"].figures["soc_mean"]
    month = found.mean("month", "fuzzy")["soc_mean"]
    rules = found.mean("month", "rules")["soc_mean"]
    near = [abs(each - AIMED) <= AROUND for each in (shown, month)]
    return Claim(
        text="The fuzzy rules operate the battery around 75 %.",
        printed="SoC around 75 % (Fig. 15)",
        ours=f"{percent(shown, 0)} on the partly cloudy day, {percent(month, 0)} in the mean of "
        "all the month",
        verdict=_judged(holds=all(near), partly=any(near)),
        reason=f"The SoC rules rest at {percent(rules, 0)}. Where the membership functions lie is "
        "our choice, made after this very sentence; the start on that day is "
        f"{percent(START['cloudy'], 0)}.",
    )


def _dear(found: Found) -> Claim:
    shown = found.shown["cloudy", "fuzzy"]
    level, island = shown.buildings.around.price_level[0], ~shown.trace.flows.closed[0]
    dear = level >= DEAR
    high, low = (float(island[where].mean()) if where.any() else None for where in (dear, ~dear))
    both = high is not None and low is not None
    begins, ends = runs(island)
    longest = int((ends - begins).max(initial=0))
    mainly, short = both and (high or 0.0) > (low or 0.0), longest <= SHORT_MIN
    return Claim(
        text="Islands are short and come mainly when electricity is dear.",
        printed="short islanding times, mainly at a high price (Fig. 12, 13)",
        ours=f"of the dear hours {percent(high, 0)} as an island, of the cheap ones "
        f"{percent(low, 0)}; the longest island lasts {plural(longest, 'minute')}",
        verdict=_judged(holds=mainly and short, partly=mainly or short),
        reason="Dear is the upper half of the day's band. At a low price and less than a high "
        "charge every rule of Table A1 closes the relay; at a high charge it opens it where "
        f"production and load are near each other. Short is up to {SHORT_MIN} minutes."
        if both
        else "All hours of this test lie in one half of the day's band: it cannot be told.",
    )


def _smoother(found: Found) -> Claim:
    steps = {
        (sky, method): found.shown[sky, method].figures["soc_step"]
        for sky in START
        for method in ("fuzzy", "rules")
    }
    gap = found.gap("soc_step", "fuzzy", "rules")
    fuzzy, rules = (found.mean(found.longest, method)["soc_step"] for method in ("fuzzy", "rules"))
    days = [steps[sky, "fuzzy"] < steps[sky, "rules"] for sky in START]
    return Claim(
        text="The fuzzy rules control the charge more smoothly.",
        printed="relatively smoother, on both days (Fig. 15, 19)",
        ours="mean |ΔSoC| a cycle "
        + ", ".join(
            f"{sky} {percent(steps[sky, 'fuzzy'], 2)} against {percent(steps[sky, 'rules'], 2)}"
            for sky in START
        ),
        verdict=_judged(
            holds=all(days) and gap.difference.high < 0 and fuzzy < rules, partly=any(days)
        ),
        reason=f"Over all tests {percent(gap.difference.value, 2)} a cycle "
        f"({percent(gap.difference.low, 2)} to {percent(gap.difference.high, 2)}), smaller in "
        f"{percent(gap.less_share, 0)} of them. Day and night in the whole {found.longest} it is "
        f"{percent(fuzzy, 2)} against {percent(rules, 2)}: the fuzzy rules trade by price at "
        "night, when the SoC rules rest at their lower limit.",
    )


def _upper(found: Found) -> Claim:
    trace = found.shown["sunny", "fuzzy"].trace
    soc = trace.soc[0, 1 : FIRST_MIN + 1]
    near = float((np.abs(soc - trace.microgrid.soc_max) <= AROUND).mean())
    return Claim(
        text="On a sunny day the charge varies around the upper limit for six hours.",
        printed="around 90 % during the first six hours (Fig. 19)",
        ours=f"within 5 % of it in {percent(near, 0)} of these hours, "
        f"{percent(float(soc.mean()), 0)} in the mean",
        verdict=_judged(holds=near >= 0.8, partly=near >= 0.4),
        reason=f"Begun at {percent(START['sunny'], 0)}. By Table A1 a high charge discharges at "
        "a medium and a high price, and at a low one with a great surplus, until the medium charge "
        "has the greater say: about 80 %. Only sun that nothing else takes could hold 90 %.",
    )


def _prevents(found: Found) -> Claim:
    fuzzy, rules = (found.breaking(each)["overload"] for each in ("fuzzy", "rules"))
    return Claim(
        text="The manager connects to the grid before the inverter is overloaded.",
        printed="connected as a preventive action when production drops (Fig. 20)",
        ours=f"overload comes in {_between(fuzzy.chance)} of the cycles all the same, under the "
        f"SoC rules in {_between(rules.chance)}",
        verdict=_judged(
            holds=fuzzy.chance.high < 0.01, partly=fuzzy.chance.value < rules.chance.value
        ),
        reason="What is measured when a cycle begins is prevented always; what comes within the "
        f"cycle is not. Half of the overloads last {plural(round(fuzzy.median_min), 'minute')} or "
        f"less, the worst asks {decimal(fuzzy.worst / 1000, 1)} kW too much.",
    )


def _cheaper(found: Found) -> Claim:
    paid, market = (found.gap(each, "fuzzy", "rules") for each in ("cost", "cost_at_market"))
    cheaper = [each.difference.high < 0 for each in (paid, market)]
    fuzzy, rules = (found.mean(found.longest, method) for method in ("fuzzy", "rules"))
    days = fuzzy["days"]
    return Claim(
        text="The dynamic price as an input saves energy cost.",
        printed="cost savings are targeted; no amount is printed",
        ours=f"against the SoC rules a test costs {_euros(paid.difference)} with charges on import "
        f"and {_euros(market.difference)} at the bare market's price",
        verdict=_judged(holds=all(cheaper), partly=any(cheaper)),
        reason=f"In the {found.longest} a day costs "
        f"{money(fuzzy['cost'] / days, CURRENCY)} against "
        f"{money(rules['cost'] / days, CURRENCY)}, and "
        f"{money(fuzzy['cost_at_market'] / days, CURRENCY, 3)} against "
        f"{money(rules['cost_at_market'] / days, CURRENCY, 3)} at the market's price. Table "
        "A1 buys at the day's low price and sells at its high one. That pays where the spread is "
        "all there is, not where charges come on top of import; two conversions lose a fifth. "
        f"{_even_told(found)}",
    )


def _even_told(found: Found) -> str:
    """Return at which charges both controllers cost the same; costs are linear in them."""
    fuzzy, rules = (found.mean(found.longest, method) for method in ("fuzzy", "rules"))
    more_mwh = (fuzzy["import_wh"] - rules["import_wh"]) / 1e6 * (1 + VAT)
    charges = found.month.charges_per_mwh
    even = charges - (fuzzy["cost"] - rules["cost"]) / more_mwh if more_mwh else -1.0
    if even < 0:
        return "No charges make both cost the same."
    return (
        f"Both would cost about the same at charges of {even:.0f} EUR/MWh instead of {charges:g}."
    )


def _euros(estimate: Estimate) -> str:
    low, high = (money(each, CURRENCY, 3) for each in (estimate.low, estimate.high))
    return f"{money(estimate.value, CURRENCY, 3)} ({low} to {high})"


def _islanding(found: Found) -> Claim:
    names = ("rules", "fuzzy", "connected", "connected_minute")
    by = {name: found.mean(found.longest, name) for name in names}
    cost = {name: each["cost"] / each["days"] for name, each in by.items()}
    less = [cost[name] < cost["connected"] for name in ("rules", "fuzzy")]
    return Claim(
        text="Islanding is an effective control command.",
        printed="its efficacy was demonstrated",
        ours=f"in the {found.longest} a day costs {money(cost['rules'], CURRENCY)} with the SoC "
        f"rules and {money(cost['fuzzy'], CURRENCY)} with the fuzzy ones; with a relay that never "
        f"opens and a battery that follows the balance {money(cost['connected'], CURRENCY)}",
        verdict=_judged(holds=all(less), partly=any(less)),
        reason="What an island saves is that its battery follows the balance by the minute, where "
        "a set-point holds for ten: a battery that does so on the grid costs "
        f"{money(cost['connected_minute'], CURRENCY)}. Islands bring overloads "
        f"({percent(by['rules']['overload_share'], 1)} and "
        f"{percent(by['fuzzy']['overload_share'], 1)} of the time) that the grid would carry.",
    )


def _quick(found: Found) -> Claim:
    took = found.decision_us["fuzzy"]
    return Claim(
        text="No significant calculation time is needed.",
        printed="no figure",
        ours=f"{took:.0f} µs for a decision of one building, {found.decision_us['rules']:.0f} µs "
        "by the SoC rules",
        verdict=_judged(holds=took < CYCLE_S * 1e6 / 1000),
        reason="A cycle is ten minutes. Time on the wire to the inverter, of which the paper "
        "warns, is not in it.",
    )
