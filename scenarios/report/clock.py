"""Minutes of the market day as a reader's clock shows them: the market's local time.

Charts count minutes since the local midnight that begins the day, so that a day on which the clock
changes is drawn 23 or 25 hours long, and label them with local time.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.timegrid import TimeGrid
from scenarios.data.fleet_data import MARKET_ZONE

_ZONE = ZoneInfo(MARKET_ZONE)


def local_date(grid: TimeGrid) -> date:
    """Return the market's calendar day."""
    return grid.start.astimezone(_ZONE).date()


def day_name(grid: TimeGrid) -> str:
    """Return the day in words, such as ``Wednesday 20 May 2020``."""
    day = local_date(grid)
    return f"{day:%A} {day.day} {day:%B %Y}"


def minutes_in(grid: TimeGrid) -> int:
    """Return the length of the day in minutes."""
    return grid.split(60).count


def minute_names(grid: TimeGrid, step_min: int = 1) -> dict[int, str]:
    """Return the local time of every ``step_min``-th minute and of the day's end."""
    return {minute: _name(grid, minute) for minute in range(0, minutes_in(grid) + 1, step_min)}


def slot_names(grid: TimeGrid) -> dict[int, str]:
    """Return ``14:30–15:00`` for each interval, by the minute in its middle."""
    step_min = grid.step_s // 60
    return {
        start + step_min // 2: f"{_name(grid, start)}–{_name(grid, start + step_min)}"
        for start in range(0, minutes_in(grid), step_min)
    }


def hour_marks(grid: TimeGrid, every_h: int) -> dict[int, str]:
    """Return the local times to label on an axis: every ``every_h``-th hour and the day's end."""
    last = minutes_in(grid)
    marks = {
        minute: f"{_local(grid, minute):%H:%M}"
        for minute in range(0, last, 60)
        if _local(grid, minute).hour % every_h == 0
    }
    return marks | {last: "24:00"}


def zone_name(grid: TimeGrid) -> str:
    """Return the market's zone with its offset, or both offsets when the clock changes."""
    first, last = (
        f"{moment:%Z}" for moment in (_local(grid, 0), _local(grid, minutes_in(grid) - 1))
    )
    return f"{MARKET_ZONE}, {first}" + ("" if first == last else f" then {last}")


def _local(grid: TimeGrid, minute: int) -> datetime:
    return (grid.start + timedelta(minutes=minute)).astimezone(_ZONE)


def _name(grid: TimeGrid, minute: int) -> str:
    """Return a minute's local time, with its zone on a day whose hours may come twice."""
    if minute == minutes_in(grid):
        return "24:00"
    changes = _local(grid, 0).utcoffset() != _local(grid, minutes_in(grid) - 1).utcoffset()
    return f"{_local(grid, minute):%H:%M %Z}" if changes else f"{_local(grid, minute):%H:%M}"
