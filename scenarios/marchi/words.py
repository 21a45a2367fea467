"""What the report says in words."""

from collections.abc import Sequence
from typing import Final

from scenarios.marchi import cases, paper
from scenarios.marchi.beside import winner
from scenarios.marchi.study import MIDDLE, PAPERS, Found, Study
from scenarios.report.judged import Claim
from scenarios.report.quantity import decimal, money, percent

DEFINITIONS: Final = (
    (
        "Policies",
        "1 and 2 set a target for the day's import at midnight, from the day's own or the day "
        "before's load and production. 3 holds a target of the month. 4 follows a fixed series of "
        "powers. 5 does what periods of the day allow.",
    ),
    (
        "Peak",
        "The highest hourly mean of what the meter imports, in a month or in the year.",
    ),
    (
        "Cost",
        "The year's import times the price of energy, and each month's peak times the price of "
        "peaks over 12. Nothing is paid for export. The battery itself is not in it.",
    ),
    (
        "Optimum",
        "The dispatch of least cost that knows the whole year, by a linear program over its 8,760 "
        "hours; its battery has the conversion losses, window and power of the policies' battery "
        "but no inner resistance, so no policy can do better. Lowest possible: the same where only "
        "peaks cost.",
    ),
    (
        "Daily plan",
        "The same program made anew each midnight for the day that begins, which it knows, and the "
        "month's peak so far, which is owed. A stored kWh that is left counts half of the dearest "
        "import of the day. Shown is what comes of it when the policies' battery plays it.",
    ),
    (
        "Bound",
        "No dispatch brings more through the battery, at whatever cost: charging and discharging "
        "share each hour.",
    ),
    (
        "SAM of 2020 and of 2025",
        "The paper's engine, and today's. Today peak shaving reacts to the real load, keeps no "
        "margin of 3 %, and ageing by use and by time add up.",
    ),
    (
        "Full cycles",
        "Equivalent full cycles: energy out of the cells over the battery's capacity.",
    ),
)
"""Terms and what they mean."""
WISH_NOTE: Final = (
    "The paper names five power series for policy 4 and does not say which its tables show. Its "
    '"12 daily-hours" are taken as 7 to 19 h, "12 am" as noon.'
)
REAL: Final = "Rooms and school of a recorded campus, scaled to the paper's figures"
DRAWN: Final = "Drawn data: nothing was measured"


def label(study: Study) -> str:
    """Return what kind of data it is."""
    return REAL if study.source == "real" else DRAWN


def lead(found: Found, claims: Sequence[Claim]) -> str:
    """Return the result in some sentences."""
    held = sum(claim.verdict == "holds" for claim in claims)
    part = sum(claim.verdict == "holds in part" for claim in claims)
    shown = {n: found.matrix[PAPERS, cases.SHOWN_WINDOW, n] for n in paper.POLICIES}
    low = min(shown, key=lambda number: shown[number].peak_kw)
    much = max(shown, key=lambda number: shown[number].delivered_mwh)
    bill = found.bills[MIDDLE]
    best = winner(found, MIDDLE)
    return (
        f"PV alone leaves a peak of {decimal(max(found.peaks[PAPERS, 2]))} kW. Of the five "
        f"policies, number {low} lowers it most, to {decimal(shown[low].peak_kw)} kW, where "
        f"{decimal(found.best[cases.SHOWN_WINDOW].peak_kw)} kW is possible; policy {much} moves "
        f"most energy, {decimal(shown[much].delivered_mwh, 1)} MWh. At the middle prices policy "
        f"{best} is the cheapest and reaches "
        f"{percent(bill.share(bill.by_policy[PAPERS][best]), 0)} of the "
        f"{money(bill.pv - bill.best, 'EUR', 0)} a year that the battery could save; a plan of "
        f"one day at a time, {percent(bill.share(bill.carried), 0)}. Of {len(claims)} claims "
        f"{held} hold, {part} in part, {len(claims) - held - part} not."
    )


def wins(found: Found) -> str:
    """Return which policy wins at which prices, and why."""
    won = {pair: winner(found, pair) for pair in found.study.pairs}
    told = []
    for number in sorted(set(won.values())):
        pairs = [pair for pair in found.study.pairs if won[pair] == number]
        ratios = [peak / energy * 1000 for energy, peak in pairs]
        span = (
            f"{min(ratios):,.0f} to {max(ratios):,.0f}" if len(ratios) > 1 else f"{ratios[0]:,.0f}"
        )
        told.append(
            f"Policy {number} is the cheapest where a kW of peak costs {span} times what a kWh does"
        )
    return (
        ". ".join(told)
        + ". A policy that fills the battery with any PV and holds it back for peaks takes from "
        "the load what it could have used, and has no room for the surplus that is then exported; "
        "one that takes only surplus and gives it away at once is empty when the peak comes. "
        f"The optimum's own plan, played to the policies' battery, brings {_played(found)} of its "
        "saving: the rest goes to the cells' resistance, cold and age, of which it knows nothing."
    )


def _played(found: Found) -> str:
    """Return what is left of the optimum's saving when the policies' battery plays its plan."""
    shares = [bill.share(bill.best_carried) for bill in found.bills.values()]
    low, high = percent(min(shares), 0), percent(max(shares), 0)
    return low if low == high else f"{low} to {high}"


def derivation(study: Study) -> list[str]:
    """Return where load, production and cars come from."""
    load = (
        "Load: the paper's series is not public. Its stand-in has what the paper prints, 250 MWh a "
        "year, a highest hour of 64.1 kW and monthly peaks of 55.1 kW on average; the months' "
        "proportions follow policy 3's targets."
    )
    shape = (
        "Its shape is that of halls of residence and an engineering school on Réunion in 2021, "
        "recorded every ten minutes, without the canteen's cooking; each month is moved and "
        "stretched to its peak and mean. docs/dispatch-inputs.md says it in full."
        if study.source == "real"
        else "Its shape is drawn: days of the paper's four kinds, working or not, in summer or "
        "not, with a seeded spread. docs/dispatch-inputs.md says it in full."
    )
    return [
        load,
        shape,
        f"Production: {decimal(float(study.pv_w.sum()) / 1e6)} MWh a year of 64.34 kWp on three "
        "roofs in Brescia, through pvlib; clouds are drawn unless the folder holds a weather.csv. "
        "The paper took PVGIS' series.",
        "Cars: every day, "
        + (
            "18.2 kWh each, the energy of the measured curve that the paper quotes."
            if study.reading == "curve"
            else "6.6 kWh each, 50 to 80 % of 22 kWh."
        )
        + " The paper's text allows both; --cars chooses.",
    ]


def differences() -> list[str]:
    """Return what differs between the paper and this study, and what it leaves open."""
    return [
        "The battery, 25.2 kWh and 13.8 kW, is charged by PV alone and stands on the DC side, as "
        "at the campus. Its cells are SAM's lithium iron phosphate, not the maker's.",
        "The PV output, the load and the room's temperature (20 °C) are ours; figures that hang on "
        "single hours, such as policy 3's peak, cannot be expected to agree.",
        "Policy 5's periods begin at the first hour that the paper names and end after the last.",
        "The paper says of policy 4's life "
        f'"{paper.LEFT_OR_LOST_4}", and not whether that is lost or left: it is not judged.',
        "Its cycles count SAM's turns of no depth; here are equivalent full cycles.",
        "Cost = E p_e + P p_p / 12 is taken with each month's peak, summed over the year; with the "
        "highest alone, as printed, a year would pay for one month of it.",
    ]
