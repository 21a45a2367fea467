"""What a comparison says in words: who earns most, and by what."""

from dataclasses import dataclass

from scenarios.prosumer.my_home import NONE, Comparison, Earned
from scenarios.prosumer.series import ProsumerSeries
from scenarios.report.quantity import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One part of what a controller earns beyond another."""

    about: str
    """What differs."""
    amount: float
    """By how much it earns more. [currency]"""


def reasons(best: Earned, other: Earned, currency: str) -> tuple[Reason, ...]:
    """Return why one earns more than another, the greatest part first; they add up to all of it."""
    pays, paid, gets, got = (
        money(price, currency, 3)
        for price in (best.import_price, other.import_price, best.export_price, other.export_price)
    )
    parts = (
        Reason(
            about=f"it imports {best.import_kwh:,.0f} kWh instead of {other.import_kwh:,.0f}",
            amount=(other.import_kwh - best.import_kwh) * other.import_price,
        ),
        Reason(
            about=f"it pays {pays} for a kWh instead of {paid}",
            amount=best.import_kwh * (other.import_price - best.import_price),
        ),
        Reason(
            about=f"it exports {best.export_kwh:,.0f} kWh instead of {other.export_kwh:,.0f}",
            amount=(best.export_kwh - other.export_kwh) * other.export_price,
        ),
        Reason(
            about=f"it gets {gets} for a kWh instead of {got}",
            amount=best.export_kwh * (best.export_price - other.export_price),
        ),
        Reason(
            about=f"its battery does {best.full_cycles:,.1f} full cycles instead of "
            f"{other.full_cycles:,.1f}, and ages",
            amount=other.ageing_cost - best.ageing_cost,
        ),
        Reason(about="what its battery holds at the end", amount=best.left - other.left),
    )
    return tuple(sorted(parts, key=lambda part: -abs(part.amount)))


def verdict(found: Comparison, currency: str) -> tuple[str, ...]:
    """Return who earns most of those that know no more than a home does, and why."""
    best, none = found.best(trades=False), found.of(NONE, knows_all=False)
    days = found.hours / 24
    if best.controller == NONE:
        lines = [
            f"Keep plain self-consumption: over {days:.0f} days no controller earns more "
            "than that with forecasts it would have had."
        ]
        second = max(
            (e for e in found.earned if not e.knows_all and not e.trades and e is not none),
            key=lambda each: each.net,
        )
        lines.append(_beside(second, none, currency))
    else:
        lines = [
            f"Best: {best.controller} ({best.about}). Over {days:.0f} days it earns "
            f"{money(best.net - none.net, currency)} more than plain self-consumption.",
            *_why(best, none, currency),
        ]
    trading = found.best(trades=True)
    if trading.trades:
        lines.append(
            f"Free to buy and sell, {trading.controller} earns "
            f"{money(trading.net - none.net, currency)} more than self-consumption: ask whether "
            "your feed-in contract allows export from the battery."
        )
    lines.append(
        "The battery itself, under self-consumption and its ageing paid for, is worth "
        f"{money(none.net - found.without_battery, currency)} over these days."
    )
    return (*lines, *_foresight(found, currency), *_misses(found))


def _beside(other: Earned, none: Earned, currency: str) -> str:
    return (
        f"Next is {other.controller}, {money(none.net - other.net, currency)} behind: "
        + "; ".join(_parts(other, none, currency))
        + "."
    )


def _why(best: Earned, none: Earned, currency: str) -> tuple[str, ...]:
    return ("Why: " + "; ".join(_parts(best, none, currency)) + ".",)


def _parts(best: Earned, other: Earned, currency: str) -> list[str]:
    return [
        f"{part.about} ({'+' if part.amount > 0 else ''}{money(part.amount, currency)})"
        for part in reasons(best, other, currency)
        if abs(part.amount) >= 0.005
    ]


def _foresight(found: Comparison, currency: str) -> tuple[str, ...]:
    """Return what is left to be earned by better forecasts, where the optimum was run."""
    best, none = found.best(trades=False), found.of(NONE, knows_all=False)
    bounds = [e for e in found.earned if e.controller == "optimum"]
    if not bounds:
        return ()
    most, got = bounds[0].net - none.net, best.net - none.net
    if got >= most:
        return ("Nothing is left to be earned by knowing more.",)
    return (
        "Who knew all load, production and prices and planned by the optimum would earn "
        f"{money(most, currency)} more than self-consumption, of which {got / most:.0%} "
        "is reached.",
    )


def _misses(found: Comparison) -> tuple[str, ...]:
    """Return how far forecasts were off."""
    parts = [
        f"{name} by {errors[0]:.0%} of it an hour ahead and {errors[-1]:.0%} a day ahead"
        for name, errors in found.forecast_errors.items()
    ]
    return (f"Forecasts missed {', '.join(parts)}.",) if parts else ()


def table(found: Comparison, currency: str) -> tuple[str, ...]:
    """Return the comparison as lines for a terminal."""
    head = (
        f"{'controller':16} {'knows':9} {'net':>10} {'cash flow':>10} {'ageing':>8} "
        f"{'import':>10} {'export':>10} {'cycles':>7} {'peak':>8}"
    )
    unit = (
        f"{'':26} {currency:>10} {currency:>10} {currency:>8} {'kWh':>10} {'kWh':>10} {'':7} "
        f"{'W':>8}"
    )
    bare = f"{'no battery':26} {found.without_battery:10.2f} {found.without_battery:10.2f}"
    rows = [
        f"{each.controller:16} {'all' if each.knows_all else 'its past':9} {each.net:10.2f} "
        f"{each.cash_flow:10.2f} {each.ageing_cost:8.2f} {each.import_kwh:10,.0f} "
        f"{each.export_kwh:10,.0f} {each.full_cycles:7.0f} {each.peak_import_w:8,.0f}"
        for each in found.earned
    ]
    return (head, unit, bare, *rows)


def lines(found: Comparison, series: ProsumerSeries) -> tuple[str, ...]:
    """Return all that a terminal shows."""
    return (
        *series.provenance,
        "",
        *table(found, series.currency),
        "",
        *verdict(found, series.currency),
    )
