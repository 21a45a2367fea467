"""What the report says in words."""

from collections.abc import Sequence
from typing import Final

from scenarios.prosumer.beside import Found
from scenarios.prosumer.study import Study
from scenarios.report.judged import Claim
from scenarios.report.quantity import percent, plural

DEFINITIONS: Final = (
    (
        "Cash flow",
        "Export sold at the market's price, less import paid for at that price and charges. What "
        "the battery holds more at the end than at the start counts half-way between the mean "
        "prices of export and import of the last 72 hours. The curves are without it.",
    ),
    (
        "Gain",
        "Cash flow less that of no controller in the same hours: there the battery stores what is "
        "left over and gives what is missing as long as it can.",
    ),
    (
        "Gain after ageing",
        "The same, less what eq. (9) charges for the ageing beyond that without controller.",
    ),
    (
        "Of MILP, same rights",
        "Gain over that of the MILP with the same forecast and the same rights: one that may "
        "charge from the grid and sell what is stored, or one that may not.",
    ),
    (
        "Rules of the paper",
        "Section II.B: slots of surplus and of demand, the dearest hours first, targets, and five "
        "counter-measures against bad forecasts.",
    ),
    (
        "Rules by worth",
        "Beyond the paper: the worth of a stored Wh in all hours ahead decides the hour that "
        "begins. No solver either.",
    ),
    (
        "Ageing",
        "Eq. (9): lost capacity over 20 % times the battery's price. By use: cycles counted by "
        "rainflow. By time: temperature (25 °C) and state of charge.",
    ),
)
"""Terms and what they mean."""


def lead(found: Found, claims: Sequence[Claim]) -> str:
    """Return the result in some sentences."""
    held = sum(claim.verdict == "holds" for claim in claims)
    part = sum(claim.verdict == "holds in part" for claim in claims)
    share = percent(found.share("rules", "milp_no_trade"), 0)
    return (
        f"With perfect forecasts the paper's rules bring {found.money(found.gain('rules'))} more "
        f"than no controller, {share} of what an optimiser with the same rights brings; with "
        f"imperfect ones {found.money(found.gain('rules', 'imperfect'))}. Rules by the worth of "
        f"stored energy bring {found.money(found.gain('rules_worth'))}, and "
        f"{found.money(found.gain('rules_trade'))} if they may trade. Of {len(claims)} claims "
        f"{held} hold on these data, {part} in part, {len(claims) - held - part} not."
    )


def year_note(study: Study) -> str:
    """Return what to know when reading the year's table."""
    battery = study.battery
    return (
        "Every hour a new plan of 72 hours. Battery "
        f"{float(battery.bank.capacity_wh[0]) / 1000:g} kWh, "
        f"{float(battery.bank.power_max_w[0]) / 1000:g} kW at the cells, "
        f"{percent(float(battery.bank.charge_efficiency[0]), 0)} each way, charge above "
        f"{percent(float(battery.bank.soc_min[0]), 0)}, price {battery.price:,.0f}; plans reckon "
        f"{battery.wear_price_per_mwh:.1f} per MWh into or out of the cells for ageing. "
        "CPU is the mean of all plans of the run, with what the machine did beside it."
    )


def month_note(study: Study) -> str:
    """Return what to know when reading the month's table."""
    budget = study.budget
    each = (
        plural(budget.evaluations, "candidate")
        if budget.seconds is None
        else f"{budget.seconds:g} s"
    )
    return (
        "Searches are too slow for a year of hourly plans. GA and PSO have the same budget, "
        f"{each} for a plan, {budget.population} at a time, of which one begins as "
        "self-consumption. All methods begin with the battery in the middle of its window."
    )


def differences(study: Study, found: Found) -> list[str]:
    """Return what differs between the paper and this study, as far as it can be known."""
    series, year = study.series, slice(study.begin, study.begin + study.hours)
    load_wh, pv_wh = (float(each[:, year].sum()) for each in (series.load_wh, series.pv_wh))
    none = found.of("none")
    days = study.hours / 24
    return [
        f"The home uses {load_wh / 1e3:,.0f} kWh and makes {pv_wh / 1e3:,.0f} kWh in {days:g} "
        f"days; without controller it imports {none.import_wh / 1e3:,.0f} and exports "
        f"{none.export_wh / 1e3:,.0f} kWh. The paper names Ausgrid's data, not the home, and does "
        "not say how southern seasons meet Italian prices.",
        "The paper prints no table, only curves: directions and orders are compared, not amounts.",
        "It prints neither the battery's power nor its price nor its efficiencies; ours are above. "
        "Efficiency is constant here, for all planners and for what then happens.",
        "All plans know the prices of all their hours, as the paper's do. A market publishes "
        "tomorrow's at about one o'clock: --prices published shows what that costs."
        if study.known == "all"
        else "Plans know the prices that the market has published, and expect the last known day's "
        "again after that.",
        "What charges are added to an hour's price is said above; the paper gives their share of "
        "the bill only. --charges flat shows the other reading.",
        "Energy and ageing are one objective in money here; the paper's searches have two without "
        "names.",
        "Its forecasts come from a network of its own; how wrong they are it does not print. "
        "Ours learn from the home's own past, production too.",
        "The MPC of Couraud 2021 decides within one market interval at one price. It belongs to "
        "the minutes of an hour; asked for the hours ahead it does what no controller does, "
        f"a gain of {found.money(found.gain('mpc'))} here.",
    ]
