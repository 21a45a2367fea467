"""What was measured in a home, in a resolution that fits the span."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from msgspec import json
from pydantic import BaseModel, ConfigDict

from aggregator.service.registry.writing import home_number
from aggregator.service.store.channels import CHANNELS, Channel
from aggregator.service.store.series import SeriesLists, read_series
from aggregator.service.store.store import Store
from aggregator.service.store.telemetry import DAY_MS, MINUTE_MS, QUARTER_MS

RAW_MOST_MS: Final = 2 * 3_600_000
"""Longest span that is shown as it was told, unless asked for. [ms]"""
BINS_MOST: Final = 1500
"""Bins that a picture has use for; a longer span is shown in larger ones."""
CHANNEL_OF_NAME: Final[dict[str, Channel]] = {each.name: each for each in CHANNELS}
"""By what requests call them."""

ChannelName = StrEnum("ChannelName", {name: name for name in CHANNEL_OF_NAME})  # type: ignore[misc] # names from data
"""What can be asked for, such as ``storage.State of charge``."""


class Resolution(StrEnum):
    """How fine a series is."""

    AUTO = "auto"
    """As fits the span."""
    RAW = "raw"
    """As the gateway told it."""
    MINUTE = "1min"
    """Minutes."""
    QUARTER = "15min"
    """Quarter-hours."""
    DAY = "1day"
    """Days of UTC."""


SIZE_MS: Final = {
    Resolution.MINUTE: MINUTE_MS,
    Resolution.QUARTER: QUARTER_MS,
    Resolution.DAY: DAY_MS,
}
"""Size of the bins. [ms]"""


class Series(BaseModel):
    """A series; its lists have one entry per period or bin in which something was measured."""

    model_config = ConfigDict(frozen=True)

    home: str
    """Whose."""
    channel: str
    """Of what."""
    unit: str
    """In what."""
    resolution: Resolution
    """How fine, never ``auto``."""
    start_ms: list[int]
    """When each begins. [ms]"""
    covered_ms: list[int]
    """How long was measured in each. [ms]"""
    mean: list[float]
    """Mean over what was measured; powers into a thing are positive, production too."""
    low: list[float]
    """Least."""
    high: list[float]
    """Greatest."""
    last: list[float]
    """Latest."""
    next_ms: int | None
    """Where to go on, as ``from_ms``, where there is more than was asked for at once. [ms]"""


@dataclass(frozen=True, slots=True)
class SeriesReader:
    """Reads series, each from a range of a primary key."""

    store: Store
    """The database."""

    def read(
        self,
        home: str,
        channel: Channel,
        span_ms: tuple[int, int],
        *,
        resolution: Resolution,
        limit: int,
    ) -> str:
        """Return a `Series` as JSON; the database wrote its lists.

        Parameters
        ----------
        home : str
            Whose.
        channel : Channel
            Of what.
        span_ms : tuple of int
            From and until. [ms]
        resolution : Resolution
            How fine.
        limit : int
            Entries at most.

        Raises
        ------
        RegistryAbsentError
            Where the home is unknown.
        """
        chosen = choose(span_ms[1] - span_ms[0]) if resolution is Resolution.AUTO else resolution
        with self.store.look() as connection:
            found = read_series(
                connection,
                home,
                channel.number,
                start_ms=span_ms[0],
                end_ms=span_ms[1],
                size_ms=SIZE_MS.get(chosen),
                most=limit,
            )
            if not found.count:
                home_number(connection, home)  # says so where there is no such home
        return _json(home, channel, chosen, found)


def choose(span_ms: int) -> Resolution:
    """Return the finest resolution that a picture of a span has use for.

    Parameters
    ----------
    span_ms : int
        Length. [ms]
    """
    if span_ms <= RAW_MOST_MS:
        return Resolution.RAW
    for resolution, size_ms in SIZE_MS.items():
        if span_ms <= size_ms * BINS_MOST:
            return resolution
    return Resolution.DAY


def _json(home: str, channel: Channel, resolution: Resolution, found: SeriesLists) -> str:
    """Return a `Series` as JSON."""
    head = {"home": home, "channel": channel.name, "unit": channel.unit, "resolution": resolution}
    lists = (
        f'"{each.name}":{"null" if (told := getattr(found, each.name)) is None else told}'
        for each in fields(found)
        if each.name != "count"
    )
    return f"{json.encode(head).decode()[:-1]},{','.join(lists)}}}"
