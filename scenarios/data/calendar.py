"""The spans of time a fleet's data cover."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.timegrid import TimeGrid
from scenarios.data.fleet_data import MARKET_STEP_S, MARKET_ZONE, MINUTE_S
from scenarios.errors import DataRequestError

LEDGER_YEARS = (1971, 2100)
"""Years whose days can be dated: a ledger counts seconds since 1970."""
REAL_FIRST_DAY = date(2020, 5, 11)
"""First market day that the real set covers."""
REAL_LAST_DAY = date(2020, 6, 9)
"""Last market day that the real set covers."""


def default_day() -> date:
    """Return a market day inside the real set with two whole days of history: a Wednesday."""
    return date(2020, 5, 20)


def market_grid(day: date) -> TimeGrid:
    """Return the half-hours of a local market day."""
    if not LEDGER_YEARS[0] <= day.year <= LEDGER_YEARS[1]:
        msg = f"day {day} cannot be dated on a ledger; ask for one of {LEDGER_YEARS[0]} to 2100"
        raise DataRequestError(msg)
    return TimeGrid.local_day(day, zone=MARKET_ZONE, step_s=MARKET_STEP_S)


def minute_grid(day: date, *, history_days: int) -> TimeGrid:
    """Return the minutes of a local market day and of the local days before it.

    Raises
    ------
    DataRequestError
        If ``history_days`` is negative.
    """
    if history_days < 0:
        msg = f"history_days is {history_days}, must be >= 0"
        raise DataRequestError(msg)
    start = local_midnight(day - timedelta(days=history_days))
    end = market_grid(day).end
    return TimeGrid(
        start=start, step_s=MINUTE_S, count=int((end - start).total_seconds()) // MINUTE_S
    )


def local_midnight(day: date) -> datetime:
    """Return the beginning of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(MARKET_ZONE)).astimezone(UTC)


def require_fleet(*, homes: int, seed: int) -> None:
    """Raise unless there is a home, and the seed is one that NumPy takes."""
    if homes < 1:
        msg = f"homes is {homes}, must be >= 1"
        raise DataRequestError(msg)
    if seed < 0:
        msg = f"seed is {seed}, must be >= 0"
        raise DataRequestError(msg)
