"""Market days: local days of 23, 24 or 25 hours (§4)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(utc: datetime, zone: ZoneInfo, *, days: int = 0) -> tuple[datetime, datetime]:
    """Return begin and end, in UTC, of the local day of a time, or of one some days later."""
    date = utc.astimezone(zone).date() + timedelta(days=days)
    begin, end = (
        datetime.combine(each, time(), tzinfo=zone).astimezone(UTC)
        for each in (date, date + timedelta(days=1))
    )
    return begin, end


def same_hour_before(utc: datetime, zone: ZoneInfo, *, days: int) -> datetime:
    """Return the same local time of an earlier day, in UTC.

    Where the clock skipped that time on the earlier day, it is the time an hour on; where it showed
    it twice, the first.
    """
    local = utc.astimezone(zone)
    earlier = datetime.combine(local.date() - timedelta(days=days), local.time(), tzinfo=zone)
    return earlier.replace(fold=0).astimezone(UTC)


def at_local(utc: datetime, moment: time, zone: ZoneInfo) -> datetime:
    """Return when a local time of day comes next, at or after a time, in UTC."""
    local = utc.astimezone(zone)
    for days in (0, 1):
        found = datetime.combine(local.date() + timedelta(days=days), moment, tzinfo=zone)
        if found.astimezone(UTC) >= utc:
            break
    return found.astimezone(UTC)
