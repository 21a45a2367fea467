"""The service in one process: the store, a broker where none is configured, and its parts."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from sqlalchemy import func, select

from aggregator.service.alone import make_folder, only_ones
from aggregator.service.credentials import (
    BROKER_PASSWORD,
    BROKER_USERS,
    SERVICE,
    BrokerUsers,
    new_secret,
    remove_secret,
    secret_file,
    write_secret,
)
from aggregator.service.errors import ServiceConfigError
from aggregator.service.ingest.ingest import Ingest, Listener
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.settings import BrokerSettings, ServiceSettings
from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import Store, open_store
from aggregator.service.store.tables import tokens
from aggregator.service.store.telemetry import write_channels
from devices.clock import Clock

if TYPE_CHECKING:
    from fastapi import APIRouter

    from aggregator.service.rest.day import DayView

ADMIN_TOKEN: Final = "admin.token"  # noqa: S105 -- a file's name
"""File with the operator's token that the first start makes."""
_TLS: Final = "tls"
"""Folder of the built-in broker's certificates."""
_HEARD_S: Final = 5.0
"""How long the start waits for the broker. [s]"""
_LOOK_S: Final = 0.02
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
    """What hears the gateways, once it was started; it also publishes for other parts."""
    listeners: list[Listener] = field(default_factory=list)
    """Who is told of each batch in the store; must not wait."""
    day: "DayView | None" = None
    """Reads market days, where a part does."""
    routers: "list[APIRouter]" = field(default_factory=list)
    """More routes for the REST interface, of parts that come before it."""
    checks: dict[str, Callable[[], None]] = field(default_factory=dict)
    """More that readiness looks at, likewise; raises where it does not work."""

    def now_ms(self) -> int:
        """Return the present. [ms]"""
        return round(self.clock.utc().timestamp() * 1000)

    def heard(self, batch: object) -> None:
        """Tell the listeners."""
        for each in self.listeners:
            each(batch)  # type: ignore[arg-type] # a Batch


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
    "ingest": PartPlace(place="aggregator.service.serve:IngestPart"),
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


class IngestPart:
    """Hears the gateways.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: House) -> None:
        self._ingest = house.ingest = Ingest(
            house.settings,
            store=house.store,
            clock=house.clock,
            tell=house.tell,
            listener=house.heard,
        )

    async def start(self) -> None:
        """See `Part`; where the broker answers, it hears from then on."""
        self._ingest.start()
        try:
            async with asyncio.timeout(_HEARD_S):
                while not self._ingest.counts().connected:  # noqa: ASYNC110 -- another thread's
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            pass  # the broker is away; it is tried again and again

    async def stop(self) -> None:
        """See `Part`."""
        await asyncio.to_thread(self._ingest.stop)

    def check(self) -> None:
        """See `Part`."""
        self._ingest.check()


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
    parts: list[Part] = []
    if not settings.broker.host:
        settings = await asyncio.to_thread(with_built_in, settings, clock=clock)
        parts.append(_BrokerPart(settings, tell))
    house = House(settings=settings, store=store, clock=clock, tell=tell)
    return parts + [make(house) for make in makers]


def prepared_store(settings: ServiceSettings, *, clock: Clock, tell: Tell) -> Store:
    """Return the store with the tables of this version; the first time, with a token in a file.

    Raises
    ------
    ServiceConfigError
        If the folder cannot be made or the token not be written, or the tables are of a newer
        version.
    StoreUnavailableError
        If the database does not answer.
    """
    make_folder(settings.folder)
    store = open_store(settings.database_url, password_file=settings.store.password_file)
    try:
        migrate(store)
        with store.write() as connection:
            write_channels(connection)
        with store.read() as connection:
            known = connection.execute(select(func.count()).select_from(tokens)).scalar()
        if not known:
            path = settings.folder / ADMIN_TOKEN
            _make_token(store, path, at_ms=round(clock.utc().timestamp() * 1000))
            tell(f"first start: the operator's token is in {path}")
    except BaseException:
        store.close()
        raise
    return store


def _make_token(store: Store, path: Path, *, at_ms: int) -> None:
    remove_secret(path)  # of a database that is gone
    with secret_file(path) as write:  # a token that cannot be told is not made
        _, secret = TokenBook(store).make("admin", "operator", who=SERVICE, at_ms=at_ms)
        write(secret)


def with_built_in(settings: ServiceSettings, *, clock: Clock) -> ServiceSettings:
    """Return settings that lead to the built-in broker, whose secrets are made the first time.

    Raises
    ------
    ServiceConfigError, DeviceConfigError
        If files cannot be written.
    """
    from devices.adapter.certificates import files_in, make_certificates  # noqa: PLC0415 -- an extra

    folder = settings.folder
    files = files_in(folder / _TLS)
    if not files.certificate.exists():
        hosts = tuple(dict.fromkeys(("127.0.0.1", "localhost", socket.gethostname())))
        make_certificates(folder / _TLS, hosts=hosts, now=clock.utc() - timedelta(minutes=5))
    password = folder / BROKER_PASSWORD
    if not password.exists():
        (folder / BROKER_USERS).unlink(missing_ok=True)
        secret = new_secret()
        BrokerUsers(folder / BROKER_USERS).add(SERVICE, secret)
        write_secret(password, secret)
    ours = settings.broker
    return replace(
        settings,
        broker=BrokerSettings(
            host="127.0.0.1",
            port=ours.port_used,
            ca_file=files.ca,
            user=SERVICE,
            password_file=password,
            topic_root=ours.topic_root,
            protocol="3.1.1",
            keepalive_s=ours.keepalive_s,
            listen=ours.listen,
        ),
    )


class _BrokerPart:
    def __init__(self, settings: ServiceSettings, tell: Tell) -> None:
        from aggregator.service.broker import BuiltInBroker  # noqa: PLC0415 -- an extra
        from devices.adapter.certificates import files_in  # noqa: PLC0415 -- an extra

        self._settings, self._tell = settings.broker, tell
        self._broker = BuiltInBroker(
            settings.broker,
            users=settings.folder / BROKER_USERS,
            tls=files_in(settings.folder / _TLS),
        )

    async def start(self) -> None:
        await self._broker.start()
        ours = self._settings
        where = f"{ours.listen}:{ours.port_used}"
        self._tell(f"built-in broker at {where}, its authority in {ours.ca_file}")

    async def stop(self) -> None:
        await self._broker.stop()

    def check(self) -> None:
        pass


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
