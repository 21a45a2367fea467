"""What the paper claims, beside what came out here: each claim, whether it holds, and why not."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from scenarios.couraud import paper
from scenarios.couraud.results import Result
from scenarios.report.judged import Claim, Verdict
from scenarios.report.quantity import money, percent, plural

Results = Mapping[int, Result]
ALMOST: Final = 0.6
"""A ratio up to this is "almost half"."""
DOUBLED: Final = paper.CONSUMPTION_RATE[4] / paper.CONSUMPTION_RATE[5]
"""A ratio from this on is "doubled": it is the paper's own."""


def claims(results: Results, currency: str) -> list[Claim]:
    """Return every claim of section IV and V that the six scenarios can answer.

    Parameters
    ----------
    results : Mapping[int, Result]
        All scenarios' by the paper's number.
    currency : str
        Of their amounts.
    """
    return [each(results, currency) for each in _CLAIMS]


def sensitivity(folder: Path) -> list[Claim]:
    """Return the claims that sweeps below a folder judged, none where there are no sweeps.

    Parameters
    ----------
    folder : Path
        Holds a folder sweep-NAME with a results.json for each sweep.
    """
    found = []
    for path in sorted(folder.glob("sweep-*/results.json")):
        sweep = json.loads(path.read_text())
        asked = sweep["points"][0]["figures"]["asked"]
        size = f"{plural(asked['days'], 'day')} of {plural(asked['homes'], 'home')}"
        about = f"{sweep['about']} {size}."
        found += [
            Claim(
                text=about,
                printed=str(claim["paper"]),
                ours=str(claim["here"]),
                verdict=str(claim["verdict"]),
                reason=str(claim["because"]),
            )
            for claim in sweep["claims"]
        ]
    return found


def _first(results: Results, _: str) -> Claim:
    totals = {number: result.total for number, result in results.items()}
    order = sorted(totals, key=lambda number: -totals[number])
    printed = sorted(paper.TABLE_II, key=lambda number: -paper.TABLE_II[number].total)
    return Claim(
        text="The framework, scenario 4, brings the greatest total revenue.",
        printed=" > ".join(str(number) for number in printed),
        ours=" > ".join(str(number) for number in order),
        verdict="holds" if order[0] == 4 else "does not hold",
        reason="The order of the others is the paper's, too."
        if order == printed
        else "The order of the others differs: see the table.",
    )


def _over(other: int, wanted: float, what: str) -> Callable[[Results, str], Claim]:
    def claim(results: Results, currency: str) -> Claim:
        four, they = results[4], results[other]
        # Over nothing or a loss there is no share: it is all more, or all less.
        endless = np.inf if four.total > they.total else -np.inf
        more = four.total / they.total - 1 if they.total > 0 else endless

        def pounds(amount: float) -> str:
            return money(amount, currency, 0)

        return Claim(
            text=f"Scenario 4 earns {_pc(wanted)} more than scenario {other}, {what}.",
            printed=f"+{_pc(wanted)}",
            ours=f"{_signed(more)}",
            verdict=_sized(more, wanted),
            reason=f"Bills fall by {pounds(four.bill_reduction)} against "
            f"{pounds(they.bill_reduction)}, the market brings {pounds(four.market_net)} against "
            f"{pounds(they.market_net)}, net of imbalance and of the {pounds(they.site_bill)} that "
            "the central site pays for its own draw, from the plant over the wire or from the "
            "grid.",
        )

    return claim


def _signed(share: float) -> str:
    return ("+" if share >= 0 else "") + _pc(share)


def _pc(share: float) -> str:
    return percent(share, 0)


def _sized(found: float, wanted: float) -> Verdict:
    if found >= wanted:
        return "holds"
    return "holds in part" if found > 0 else "does not hold"


def _consumption(results: Results, _: str) -> Claim:
    before, after = results[5].supply, results[4].supply
    ratio = after.own_rate / before.own_rate if before.own_rate else np.inf
    printed = paper.CONSUMPTION_RATE
    return Claim(
        text="The self-consumption rate doubles from PV alone (5) to the framework (4).",
        printed=f"{_pc(printed[5])} to {_pc(printed[4])}, x {printed[4] / printed[5]:.2f}",
        ours=f"{_pc(before.own_rate)} to {_pc(after.own_rate)}, x {ratio:.2f}",
        verdict="holds" if ratio >= DOUBLED else _sized(ratio - 1, DOUBLED - 1),
        reason=f"The homes' panels make {before.production_ratio:.2f} times what the homes use: PV "
        f"alone supplies {_pc(before.own_rate)}, not {_pc(printed[5])}; batteries that serve their "
        f"homes only (1) reach {_pc(results[1].supply.own_rate)}. In scenario 4 they also sell "
        "and follow the plan. If a minute's import counts against the home even where it "
        f"charges the battery, it is {_pc(after.no_import_rate)}; with what the portfolio's own "
        f"sources supply over the wire, {_pc(after.fleet_rate)}.",
    )


def _time(results: Results, _: str) -> Claim:
    before, after = results[5].supply, results[4].supply
    printed = paper.SUPPLIED_TIME
    more = after.own_time - before.own_time
    reached = after.own_time >= printed[4]
    return Claim(
        text="Homes supply themselves in far more of the time than with PV alone.",
        printed=f"{_pc(printed[5])} to {_pc(printed[4])}",
        ours=f"{_pc(before.own_time)} to {_pc(after.own_time)}",
        verdict="holds" if reached else _sized(more, printed[4] - printed[5]),
        reason="Batteries that serve their homes only (1) reach "
        f"{_pc(results[1].supply.own_time)}. In scenario 4 they are emptied into the market and "
        "take up the plant's surplus through the homes' meters: without any import are "
        f"{_pc(after.no_import_time)} of the minutes; "
        "with half-hours in which the portfolio buys nothing from outside, "
        f"{_pc(after.fleet_time)}.",
    )


def _owned(results: Results, _: str) -> Claim:
    rate = results[4].supply.fleet_rate
    return Claim(
        text="More than 60 % of the consumption is supplied by sources that the aggregator owns.",
        printed=f"> {_pc(paper.OWNED_SUPPLY)}",
        ours=f"{_pc(rate)}",
        verdict="holds" if rate > paper.OWNED_SUPPLY else "does not hold",
        reason="Consumption that the portfolio as a whole, with its plant, did not buy in the same "
        f"half-hour. Home by home and without the plant it is {_pc(results[4].supply.own_rate)}.",
    )


def _error(results: Results, _: str) -> Claim:
    error = results[4].export_error
    others = " and ".join(
        f"{percent(results[number].export_error)} in scenario {number}" for number in (2, 3)
    )
    return Claim(
        text="Delivered export misses the commitments by less than 10 % on average at 5 min.",
        printed=f"< {_pc(paper.EXPORT_ERROR)}",
        ours="nothing was sold" if error is None else f"{percent(error)}",
        verdict="holds" if error is not None and error < paper.EXPORT_ERROR else "does not hold",
        reason=f"It is {others}, where one battery holds all that is stored.",
    )


def _payback(results: Results, currency: str) -> Claim:
    one, four = results[1].total, results[4].total
    ratio = one / four if four > 0 else np.inf
    printed = paper.TABLE_II[1].total / paper.TABLE_II[4].total
    plant = results[4].plant_value
    without = f"x {one / (four - plant):.2f}" if four > plant else "no gain at all"
    verdict: Verdict = "holds in part" if ratio < 1 else "does not hold"
    return Claim(
        text="The framework pays back in almost half the years of batteries alone (1).",
        printed=f"9 over 17 years, x {printed:.2f}",
        ours=f"x {ratio:.2f}",
        verdict="holds" if ratio <= ALMOST else verdict,
        reason="The homes' assets are the same, so this is the ratio of the totals whatever they "
        "cost. But scenario 4 also has the plant, whose cost is left out as in the paper: sold "
        f"alone it fetches {money(plant, currency, 0)} at the day-ahead price. Less that, the "
        f"ratio is {without}.",
    )


def _peaks(results: Results, _: str) -> Claim:
    before, after = (np.median(results[number].peak_to_average) for number in (5, 4))
    peaks = f"{before:.0f} to {after:.0f}, the median"
    return Claim(
        text="Homes' peak-to-average ratio stays of the order that it had before batteries.",
        printed="comparable; 3 of 70 homes much higher",
        ours=peaks,
        verdict="holds" if after <= 2 * before else "does not hold",
        reason="Greatest minute of import over mean import. A home that stores for the fleet "
        "imports more on average and at the battery's full power at times.",
    )


_CLAIMS: Final = (
    _first,
    _over(2, paper.OVER_CENTRAL, "which sells all from one place"),
    _over(3, paper.OVER_WIRE, "which keeps the assets away from the homes"),
    _payback,
    _consumption,
    _time,
    _owned,
    _error,
    _peaks,
)
