"""What the report says in words."""

from collections.abc import Sequence
from typing import Final

from scenarios.habib.beside import CURRENCY
from scenarios.habib.data import HOMES, HOMES_A_PHASE
from scenarios.habib.eight_hours import RULE, sky
from scenarios.habib.methods import METHODS
from scenarios.habib.study import START, START_ELSE, Found
from scenarios.microgrid.plant import CARRIED_W, EFFICIENCY, Microgrid
from scenarios.report.judged import Claim
from scenarios.report.quantity import decimal, money, percent, plural

DEFINITIONS: Final = (
    (
        "Cost",
        "Import paid for at the day-ahead price with charges and tax, less export at the day-ahead "
        "price. What the battery holds less at the end counts half-way between the mean prices of "
        "import and export. At the market's price: the bare day-ahead price for both.",
    ),
    (
        "Fuzzy, steady relay",
        "Beyond the paper: the same rules with hysteresis about one half and half an hour at least "
        "between two switchings that rules ask for; safety comes first.",
    ),
    (
        "Always connected",
        "A yardstick: the relay never opens, and in each cycle the battery takes or gives what the "
        "building has left or lacked when it began. By the minute: with cycles of a minute.",
    ),
    ("Island", "The relay is open: the battery takes whatever the balance leaves."),
    (
        "Mean |ΔSoC| a cycle",
        "How far the state of charge moves in ten minutes. Its change: by how much that differs "
        "from a cycle to the next, 0 for any even slope.",
    ),
    (
        "Outside the window",
        "Share of minutes with a charge below 50 or above 90 %, eq. (5), by more than a tenth of a "
        "per cent.",
    ),
    (
        "Overloaded",
        "Share of minutes in which an island asks more than 4 kW of the inverter, eq. (4). On the "
        "grid it keeps to 4 kW itself.",
    ),
    (
        "Curtailed",
        "Production that islands could not take: beyond 4 kW the island's frequency makes the PV "
        "inverters give less. Load that could not be served is in the files.",
    ),
    ("Cycles", "Energy into and out of the cells over twice their capacity."),
)
"""Terms and what they mean."""


def lead(found: Found, claims: Sequence[Claim]) -> str:
    """Return the result in some sentences."""
    held = sum(claim.verdict == "holds" for claim in claims)
    part = sum(claim.verdict == "holds in part" for claim in claims)
    smooth, paid, market = (
        found.gap(each, "fuzzy", "rules").difference
        for each in ("soc_step", "cost", "cost_at_market")
    )
    fuzzy, rules = (found.breaking(each)["over-charge"].chance for each in ("fuzzy", "rules"))
    return (
        f"In {plural(found.held.buildings.around.homes, 'test')} of eight hours the fuzzy rules "
        f"move the charge by {percent(abs(smooth.value), 2)} a cycle "
        f"{'less' if smooth.value < 0 else 'more'} than the SoC rules and break the upper limit in "
        f"{percent(fuzzy.value, 2)} of the cycles instead of {percent(rules.value, 2)}. A test "
        f"costs {money(abs(paid.value), CURRENCY)} {'less' if paid.value < 0 else 'more'} with "
        f"charges on import, {money(abs(market.value), CURRENCY, 3)} "
        f"{'less' if market.value < 0 else 'more'} at the bare market's price. Of {len(claims)} "
        f"claims {held} hold on these data, {part} in part, {len(claims) - held - part} not."
    )


def days_note(found: Found) -> str:
    """Return how the two days were chosen, and what they are."""
    about, pair = sky(found.held), found.pair
    told = ", ".join(
        f"{name} {start.day} {start:%B %Y} (clearness {about.clearness[row]:.2f}, variability "
        f"{about.variability[row]:.0f}, production below load in "
        f"{percent(float(about.below_share[row]), 0)} of the minutes)"
        for name, row, start in (
            (name, row, found.held.one(row).grid.start)
            for name, row in (("sunny", pair.sunny), ("partly cloudy", pair.cloudy))
        )
    )
    nearest = "" if pair.met else " No day meets the second rule here: the nearest is shown."
    return (
        f"{RULE} That is {told}.{nearest} The charge begins at {percent(START['sunny'], 0)} on the "
        f"sunny day and at {percent(START['cloudy'], 0)} on the other, as the paper's text has it."
    )


def long_note(found: Found) -> str:
    """Return what to know when reading the tables of many days."""
    around = found.month.around
    days = found.month.grid.count / 1440
    return (
        f"Two days prove nothing. {plural(found.held.buildings.around.homes, 'test')} are "
        f"{plural(around.homes, 'building')} on {plural(found.held.days, 'day')}, all begun at "
        f"{percent(START_ELSE, 0)}; the longer runs go on day and night. A building of "
        f"{plural(HOMES, 'home')} uses {around.load_w.mean() * 24 / 1000:.0f} and its panels make "
        f"{around.pv_w.mean() * 24 / 1000:.0f} kWh a day in these {days:.0f} days."
    )


def breaks_note(found: Found) -> str:
    """Return what to know when reading the table of broken limits."""
    worst = max(found.broken, key=lambda each: each.longest_min)
    return (
        "Counted are cycles in which the limit held by what the controller knew when it decided: "
        "the charge, and the balance of the minute before. The interval draws the days anew, with "
        "all their buildings, for these share their weather. A violation that goes on over cycles "
        f"counts once. The longest of all lasted {worst.longest_min:.0f} minutes: {worst.kind} "
        f"under {METHODS[worst.method].label} with cycles of {worst.cycle_min} minutes."
    )


def differences(found: Found) -> list[str]:
    """Return what differs between the paper and this study, as far as it can be known."""
    limits = Microgrid()
    return [
        "The paper draws its membership functions and prints no figures for them: ours are chosen "
        "from its text and kept in a file with the reasons. Figure 5 above shows what comes of it.",
        "It ran the SoC rules and the fuzzy rules on different days; here both have the same days.",
        "Its flowchart of the SoC rules is only drawn: island inside the window while eq. (4) and "
        "(5) hold by what is measured, outside of it back with the 6 A that the text names.",
        f"A building is {plural(HOMES_A_PHASE, 'home')} on each phase, so that demand exceeds the "
        "sun on a partly cloudy day only, as the text has it. The paper's load profile is unknown.",
        f"Efficiency is {percent(EFFICIENCY, 0)} each way, with converter: the paper's 4.5 kW of "
        "battery are then its 4 kW of inverter. Eq. (2) counts charge without loss; here losses "
        "count. Voltage is 48 V throughout, as in the paper.",
        f"An island's inverter carries up to {CARRIED_W / 1000:g} kW, what three of 3.5 kVA do; "
        f"beyond {limits.power_max_w / 1000:g} kW it counts as overloaded. The paper tells of "
        f"control by frequency and prints no droop: ours is {decimal(limits.droop_hz, 0)} Hz at "
        "4 kW, on the grid around a generated frequency. That the set-point's fluctuation is small "
        "beside it, as the paper saw, follows from these choices.",
        "A battery leaves its window in physics only at 20 and 100 %: the paper's limits are the "
        "manager's, and breaking them is counted, not hindered.",
        "Prices are Germany's day-ahead ones of the same hours (the paper's market); rules see "
        "their place in the day's band. What charges come on import the paper does not say."
        if any("Germany" in line for line in found.month.provenance)
        else "Prices are generated; the paper fetched the market's.",
        "The paper's day is 10:00 to 18:00 on its own clock and latitude; the sun here is British.",
    ]
