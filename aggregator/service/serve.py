"""The service in one process: the store, a broker where none is configured, and its parts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from aggregator.service.alone import only_ones
from aggregator.service.errors import ServiceConfigError
from aggregator.service.first_start import prepared_store, with_built_in
from aggregator.service.ingest.ingest import Ingest
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import Store
from aggregator.service.store.watch import StoreWatch
from devices.clock import Clock

if TYPE_CHECKING:
    from fastapi import APIRouter

    from aggregator.service.rest.day import DayView

_WATCH_S: Final = 1.0
"""How often it is looked whether everything still runs. [s]"""


@dataclass(slots=True, kw_only=True)
class House:
    """What the parts share."""

    settings: ServiceSettings
    """What the service is told."""
    store: Store
    """The database, with the tables of this version."""
    clock: Clock
    """The present."""
    tell: Tell
    """Takes lines for the log."""
    ingest: Ingest | None = None
    """What hears the gateways, where this process does."""
    day: "DayView | None" = None
    """Reads market days, where a part does."""
    routers: "list[APIRouter]" = field(default_factory=list)
    """More routes for the REST interface, of parts that come before it."""
    checks: dict[str, Callable[[], None]] = field(default_factory=dict)
    """More that readiness looks at, likewise; raises where it does not work."""

    def now_ms(self) -> int:
        """Return the present. [ms]"""
        return round(self.clock.utc().timestamp() * 1000)


class Part(Protocol):
    """Something that runs as long as the service does."""

    async def start(self) -> None:
        """Begin; raises `ServiceError` where it cannot."""

    async def stop(self) -> None:
        """End in good order."""

    def check(self) -> None:
        """Raise what ended it, if anything has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPlace:
    """Where a part is made."""

    place: str
    """``module:function``; the function takes the `House` and returns a `Part`."""
    table: str | None = None
    """Its table in service.toml, which it reads by `ServiceSettings.table`."""
    more_tables: tuple[str, ...] = ()
    """Others of its tables."""
    alone: bool = True
    """Whether it may run once in a folder; a part that hears, once under each name."""


PARTS: Final[Mapping[str, PartPlace]] = {
    "ingest": PartPlace(place="aggregator.service.ingest.part:IngestPart"),
    "keeper": PartPlace(place="aggregator.service.store.keeper:KeeperPart"),
    "day": PartPlace(
        place="aggregator.service.day.part:DayPart",
        table="day",
        more_tables=("prices", "imbalance", "weather", "ledger"),
    ),
    "commands": PartPlace(place="aggregator.service.commands.part:CommandsPart", table="commands"),
    "alarms": PartPlace(place="aggregator.service.alarms.part:AlarmsPart", table="alarms"),
    "rest": PartPlace(
        place="aggregator.service.rest.part:RestPart",
        table="rest",
        more_tables=("page",),
        alone=False,
    ),
}
"""By name, in the order in which they are started: whoever adds a part adds it here."""


def known_tables() -> tuple[str, ...]:
    """Return the tables of service.toml that parts read."""
    own = [part.table for part in PARTS.values() if part.table is not None]
    return (*own, *(name for part in PARTS.values() for name in part.more_tables))


async def serve(
    settings: ServiceSettings,
    stopped: asyncio.Event,
    *,
    clock: Clock,
    tell: Tell,
    only: Sequence[str] = (),
) -> None:
    """Run the service until ``stopped``.

    Parameters
    ----------
    settings : ServiceSettings
        What it is told.
    stopped : asyncio.Event
        Ends it.
    clock : Clock
        The present.
    tell : callable
        Takes lines for the log.
    only : sequence of str
        Names of `PARTS`; all of them where none is given.

    Raises
    ------
    ServiceError
        If something cannot be started, or ended by itself.
    """
    names = only or tuple(PARTS)
    makers = [_part(name) for name in names]
    ours = settings.ingest.name
    alone = [f"{name}.{ours}" if name == "ingest" else name for name in names if PARTS[name].alone]
    with only_ones(settings.folder, alone):
        store = await asyncio.to_thread(prepared_store, settings, clock=clock, tell=tell)
        running: list[Part] = []
        try:
            for part in await _made(makers, settings, store, clock=clock, tell=tell):
                running.append(part)
                await part.start()
            tell(f"serving {', '.join(names)} from {store.name}")
            await _watch(running, stopped)
        finally:
            for part in reversed(running):
                await part.stop()
            await asyncio.to_thread(store.close)
    tell("stopped")


async def _made(
    makers: "Sequence[Callable[[House], Part]]",
    settings: ServiceSettings,
    store: Store,
    *,
    clock: Clock,
    tell: Tell,
) -> list[Part]:
    """Return all parts; they have read their settings, and none has begun."""
    parts: list[Part] = [StoreWatch(store, tell)]
    if not settings.broker.host:
        from aggregator.service.broker import BrokerPart  # noqa: PLC0415 -- an extra

        settings = await asyncio.to_thread(with_built_in, settings, clock=clock)
        parts.append(BrokerPart(settings, tell))
    house = House(settings=settings, store=store, clock=clock, tell=tell)
    return parts + [make(house) for make in makers]


def _part(name: str) -> Callable[[House], Part]:
    if name not in PARTS:
        msg = f"{name} is no part; give {', '.join(PARTS)}"
        raise ServiceConfigError(msg)
    module, _, function = PARTS[name].place.partition(":")
    return cast("Callable[[House], Part]", getattr(import_module(module), function))


async def _watch(running: Sequence[Part], stopped: asyncio.Event) -> None:
    """Return once ``stopped``, or raise what ended a part."""
    while not stopped.is_set():
        for part in running:
            part.check()
        try:
            async with asyncio.timeout(_WATCH_S):
                await stopped.wait()
        except TimeoutError:
            continue
