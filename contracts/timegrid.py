"""The one description of time: equal slots on the UTC line (§4)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGrid:
    """Describe ``count`` slots ``[start + i·step, start + (i+1)·step)``.

    Raises
    ------
    ValueError
        If ``start`` is not an aware UTC time on a whole step, or a number is not positive.
    """

    start: datetime
    """Beginning of slot 0, aware, UTC, a whole multiple of ``step_s`` since 1970."""
    step_s: int
    """Length of a slot. [s]"""
    count: int
    """Number of slots."""

    def __post_init__(self) -> None:
        if self.start.tzinfo != UTC:
            msg = f"grid start {self.start} is not in UTC; convert it with .astimezone(UTC)"
            raise ValueError(msg)
        if self.step_s <= 0 or self.count <= 0:
            msg = f"grid needs a positive step and count, got {self.step_s} s × {self.count}"
            raise ValueError(msg)
        if self.start.timestamp() % self.step_s:
            msg = f"grid start {self.start} is not on a whole {self.step_s} s step"
            raise ValueError(msg)

    @classmethod
    def local_day(cls, day: date, *, zone: str = "Europe/London", step_s: int = 1800) -> "TimeGrid":
        """Return the grid of a local calendar day: 23, 24 or 25 hours long.

        Parameters
        ----------
        day : date
            The local day.
        zone : str
            IANA name of the market's time zone.
        step_s : int
            Slot length. [s]
        """
        tz = ZoneInfo(zone)
        start = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
        after = day + timedelta(days=1)
        end = datetime(after.year, after.month, after.day, tzinfo=tz).astimezone(UTC)
        return cls(start=start, step_s=step_s, count=_count(end - start, step_s))

    @property
    def end(self) -> datetime:
        """End of the last slot."""
        return self.start + timedelta(seconds=self.step_s * self.count)

    @property
    def step_h(self) -> float:
        """Length of a slot. [h]"""
        return self.step_s / 3600

    @property
    def first_interval(self) -> int:
        """Number of slot 0 on the ledger: seconds since 1970 over the step."""
        return int(self.start.timestamp()) // self.step_s

    @property
    def intervals(self) -> range:
        """Numbers of all slots on the ledger."""
        return range(self.first_interval, self.first_interval + self.count)

    def starts(self) -> list[datetime]:
        """Return the beginning of every slot."""
        return [self.start + timedelta(seconds=self.step_s * i) for i in range(self.count)]

    def split(self, step_s: int) -> "TimeGrid":
        """Return the same span in slots of ``step_s``, which must divide it. [s]"""
        return TimeGrid(
            start=self.start, step_s=step_s, count=_count(self.end - self.start, step_s)
        )

    def shifted(self, seconds: int) -> "TimeGrid":
        """Return the grid moved by ``seconds``, a multiple of the step. [s]"""
        return TimeGrid(
            start=self.start + timedelta(seconds=seconds), step_s=self.step_s, count=self.count
        )


def _count(span: timedelta, step_s: int) -> int:
    """Return how many steps fill a span, which must be whole."""
    span_s = int(span.total_seconds())
    if step_s <= 0:
        msg = f"grid needs a positive step, got {step_s} s"
        raise ValueError(msg)
    if span_s % step_s:
        msg = f"{step_s} s does not divide a span of {span_s} s"
        raise ValueError(msg)
    return span_s // step_s
