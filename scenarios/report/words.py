"""The page's sentences: what happened, what is shown, what the figures mean."""

from scenarios.report.clock import day_name, local_date, zone_name
from scenarios.report.figures import Figures, maybe_number, number, whole
from scenarios.report.quantity import MICRO, kwh, money, money_micro, percent, plural
from scenarios.report.series import FleetSeries, HomeSeries, promised_runs
from scenarios.simulation.fleet_day import FleetDay

DEFINITIONS = (
    (
        "Mean export error",
        "Σ|delivered − promised| / Σ promised over the half-hours with a promise. The paper finds "
        "less than 10 % on data of its own.",
    ),
    (
        "Promised, delivered",
        "Net export of all members, homes and plant: what the market bought of a half-hour the day "
        "before, and what the contract then counted from the members' reports.",
    ),
    (
        "Revenue",
        "Per half-hour: promised energy × day-ahead price − |deviation| × imbalance price, rounded "
        "down. A negative one is taken from the aggregator's bond and listed as loss. This is the "
        "paper's rule: at a negative imbalance price a deviation earns. Export that nobody had "
        "promised is neither paid nor charged.",
    ),
    (
        "Credit",
        "What the contract pays a member: its part of a half-hour's exports times that revenue "
        "after the aggregator's fee.",
    ),
    (
        "Bill reduction",
        "As in the paper: what the homes would pay with neither panels nor batteries, less what "
        "they pay for their "
        "net import per half-hour. Import that other members' export matches costs the network's "
        "share of the price. A battery that charges from the grid raises a bill, but not without a "
        "credit to expect for it.",
    ),
    (
        "Self-consumption rate",
        "Part of the homes' consumption that did not come from the grid in that minute, but from "
        "their own panels or battery.",
    ),
    (
        "Self-supplied time",
        "Part of all home-minutes in which a home imported nothing (up to 1 W).",
    ),
    (
        "SoCᴬ, and homes aim at it",
        "The state of charge that the aggregator plans for the fleet. In the half-hours marked "
        "with a dot every home steers towards it. In sold half-hours homes share the promise, and "
        "the aggregator lets them go some way below the plan for it; in all others a home follows "
        "its own surplus and demand.",
    ),
    (
        "Surplus without batteries",
        "Production less load as they came: what the fleet would have exported, had no battery "
        "moved.",
    ),
    (
        "Plan: proved",
        "The solver showed that no plan is cheaper. Otherwise gap(x): none is cheaper by more "
        "than x.",
    ),
)
"""Terms and their meaning."""


def heading(day: FleetDay) -> str:
    """Return the page's first line."""
    return f"{plural(day.fleet.homes, 'home')} on {day_name(day.data.market_grid)}"


def source_label(day: FleetDay) -> str:
    """Return the words that say whether anything was measured."""
    if day.data.source == "generated":
        return "GENERATED DATA, nothing measured"
    return "REAL DATA"


def lead(day: FleetDay, figures: Figures) -> str:
    """Return in plain words what happened."""
    homes = plural(day.fleet.homes, "home")
    paid, panels, nothing = (
        money(number(figures, name), day.data.currency)
        for name in ("bill", "bill_panels_alone", "bill_baseline")
    )
    before = (
        f"The homes' retail bills came to {paid}; with their panels alone to {panels}, with "
        f"neither panels nor batteries to {nothing}."
    )
    promised = sum(1 for delivery in day.deliveries if delivery.commitment_wh)
    if not promised:
        return f"{homes} and the aggregator's plant promised the market nothing this day. {before}"
    error = percent(maybe_number(figures, "mean_export_error"))
    return (
        f"{homes} and the aggregator's plant promised the market "
        f"{kwh(number(figures, 'committed_wh'))} over {plural(promised, 'half-hour')} and "
        f"delivered {kwh(number(figures, 'delivered_wh'))}, with a mean error of {error}. "
        f"{_revenue(day, figures)} {before}"
    )


def _revenue(day: FleetDay, figures: Figures) -> str:
    """Return who got how much of the revenue."""
    currency = day.data.currency
    total, homes, plant, fee = (
        money_micro(amount_micro, currency)
        for amount_micro in (
            whole(figures, "revenue_micro"),
            homes_micro(day),
            plant_micro(day),
            whole(figures, "fee_micro"),
        )
    )
    lost_micro = whole(figures, "loss_micro")
    worth_telling = lost_micro >= MICRO // 200
    lost = f" (and lost {money_micro(lost_micro, currency)} of the bond)" if worth_telling else ""
    return (
        f"That earned {total}{lost}: {homes} for the homes, {plant} for the plant, {fee} for the "
        "aggregator."
    )


def homes_micro(day: FleetDay) -> int:
    """Return the homes' credits. [micro]"""
    return int(day.payment.credits_micro[:-1].sum())


def plant_micro(day: FleetDay) -> int:
    """Return the plant's credit. [micro]"""
    return int(day.payment.credits_micro[-1])


def fleet_note(day: FleetDay, series: FleetSeries) -> str:
    """Return how to read the main chart."""
    runs = len(promised_runs(series.promised))
    slots = plural(int(series.promised.sum()), "half-hour")
    span = f"{slots} in {plural(runs, 'stretch', 'stretches')}"
    promised = (
        f"Outlined: what was promised the day before ({span}, shaded). Solid: what was delivered. "
        if runs
        else "Nothing was promised this day. "
    )
    return (
        f"{promised}Grey: net export that nobody had promised and nobody pays for. Below zero the "
        f"fleet imported. The forecast behind the promise is wrong by "
        f"{percent(day.rules.forecast_error, 0)} on purpose. Times are local, "
        f"{zone_name(day.data.market_grid)}."
    )


def homes_note(homes: tuple[HomeSeries, ...]) -> str:
    """Return which homes are shown and why."""
    chosen = ", ".join(
        f"home {home.home + 1} has the {home.why} ({home.ratio:.2f})" for home in homes
    )
    return (
        f"Chosen by the day's ratio of PV to load: {chosen}. Shaded: half-hours with a promise. "
        "Grid power above zero is import, below it export."
    )


def home_heading(home: HomeSeries) -> str:
    """Return the heading of one home's chart."""
    return f"Home {home.home + 1}: the {home.why} ratio of PV to load, {home.ratio:.2f}"


def earned_note(day: FleetDay) -> str:
    """Return how revenue is shared."""
    return (
        f"The contract keeps {percent(day.rules.fee_bp / 10_000, 0)} of a half-hour's revenue for "
        "the aggregator and shares the rest by exports. Apart from that, a home's bill falls by "
        "what its panels and battery save it and rises by what its battery buys to keep the "
        "promise."
    )


def command(day: FleetDay) -> str:
    """Return the command that makes this day again."""
    rules = day.rules
    data = " --data FOLDER" if day.data.source == "real" else ""
    return (
        f"gridpact demo --date {local_date(day.data.market_grid)} --homes {day.fleet.homes} "
        f"--t-sc {rules.report_s // 60} --forecast-error {rules.forecast_error:g} "
        f"--seed {rules.seed}{data}"
    )


def command_note(day: FleetDay) -> str:
    """Return what the command needs."""
    if day.data.source == "real":
        return "FOLDER holds the real series, laid out as docs/data.md says."
    return "With --data it runs on real series, or on your own; docs/data.md says how."
