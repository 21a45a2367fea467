"""The fleet as it is now, in one answer: ten thousand homes as lists."""

import gzip
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping, bindparam, select

from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, homes, homes_now

SILENT_MS: Final = 300_000
"""A gateway tells each minute; after five without a word it is silent. [ms]"""
FRESH_S: Final = 1.0
"""How long a view is shown again. [s]"""
_BUILD_SHARE: Final = 20
"""At most this part of the time is spent on building views, however large the fleet is."""

_SHOWN: Final = (
    "online",
    "heard_ms",
    "soc",
    "battery_power_w",
    "load_w",
    "pv_w",
    "grid_power_w",
)

Health = Literal["ok", "silent", "offline", "unknown", "alarm"]
"""``alarm``: it has one that is not resolved; ``unknown``: it was never heard of."""


class HomeNow(BaseModel):
    """A home as it is now; null is what is not known."""

    model_config = ConfigDict(frozen=True)

    health: Health
    """How it is."""
    online: bool | None
    """What the gateway or the broker said last."""
    heard_ms: int | None
    """When its last telemetry came. [ms]"""
    end_ms: int | None
    """The end of the period that the figures are of. [ms]"""
    soc: float | None
    """State of charge, 0..1."""
    battery_power_w: float | None
    """Mean power of the battery, > 0 charges. [W]"""
    load_w: float | None
    """Mean consumption. [W]"""
    pv_w: float | None
    """Mean production. [W]"""
    grid_power_w: float | None
    """Mean power at the grid connection, > 0 imports. [W]"""


class Fleet(BaseModel):
    """The homes in use, by their ids; every list has one entry per home."""

    model_config = ConfigDict(frozen=True)

    as_of_ms: int | None
    """When the newest of it came. [ms]"""
    ids: list[str]
    """Ids."""
    names: list[str]
    """What people call them."""
    groups: list[str]
    """Groups, empty for none."""
    health: list[Health]
    """How they are."""
    heard_ms: list[int | None]
    """When their last telemetry came. [ms]"""
    soc: list[float | None]
    """State of charge, 0..1."""
    battery_power_w: list[int | None]
    """Mean power of the battery in the last period, > 0 charges. [W]"""
    load_w: list[int | None]
    """Mean consumption. [W]"""
    pv_w: list[int | None]
    """Mean production. [W]"""
    grid_power_w: list[int | None]
    """Mean power at the grid connection, > 0 imports. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A view, ready to be sent."""

    body: bytes
    """As JSON."""
    packed: bytes
    """The same, with gzip."""
    etag: str
    """Another one when anything differs."""


@dataclass(slots=True)
class FleetView:
    """Shows the fleet; one view serves everybody who asks within a second."""

    store: Store
    """The database."""
    _shown: Shown | None = None
    _until_s: float = 0.0
    _turn: Lock = field(default_factory=Lock)

    def show(self, now_ms: int) -> Shown:
        """Return the fleet as it is now.

        Parameters
        ----------
        now_ms : int
            The time. [ms]
        """
        with self._turn:
            began_s = time.monotonic()
            if self._shown is None or began_s >= self._until_s:
                self._shown = _pack(self.read(now_ms))
                ended_s = time.monotonic()
                self._until_s = ended_s + max(FRESH_S, _BUILD_SHARE * (ended_s - began_s))
            return self._shown

    def read(self, now_ms: int) -> Fleet:
        """Return the fleet, read afresh.

        Parameters
        ----------
        now_ms : int
            The time. [ms]
        """
        query = (
            select(
                *(homes.c.number, homes.c.id, homes.c.name, homes.c.group_name),
                *(homes_now.c[name] for name in _SHOWN),
            )
            .select_from(homes.outerjoin(homes_now, homes_now.c.home_number == homes.c.number))
            .where(homes.c.retired.is_(False))
            .order_by(homes.c.id)
        )
        with self.store.read() as connection:
            rows = connection.execute(query).all()
            troubled = set(connection.scalars(_TROUBLED))
        # columns, since ten thousand rows one by one take three times as long
        columns = list(zip(*rows, strict=True)) or [()] * (4 + len(_SHOWN))
        numbers, ids, names, groups, online, heard_ms, soc, *powers = columns
        battery_power_w, load_w, pv_w, grid_power_w = map(_whole, powers)
        return Fleet(
            as_of_ms=max(filter(None, heard_ms), default=None),
            ids=list(ids),
            names=list(names),
            groups=list(groups),
            health=[
                health_of(told, last_ms, now_ms, alarmed=number in troubled)
                for number, told, last_ms in zip(numbers, online, heard_ms, strict=True)
            ],
            heard_ms=list(heard_ms),
            soc=[None if share is None else round(share, 4) for share in soc],
            battery_power_w=battery_power_w,
            load_w=load_w,
            pv_w=pv_w,
            grid_power_w=grid_power_w,
        )


_TROUBLED: Final = select(alarms.c.home_number).where(
    alarms.c.state.in_(("raised", "acknowledged")), alarms.c.home_number.is_not(None)
)


_ROW: Final = (
    select(
        homes,
        homes_now,
        _TROUBLED.where(alarms.c.home_number == homes.c.number).exists().label("alarmed"),
    )
    .select_from(homes.outerjoin(homes_now, homes_now.c.home_number == homes.c.number))
    .where(homes.c.id == bindparam("home"))
)


def home_row(connection: Connection, home: str) -> RowMapping | None:
    """Return the row of one home, its latest figures and whether it is ``alarmed``; or None.

    Parameters
    ----------
    connection : Connection
        To the store.
    home : str
        Its id; a retired one's too.
    """
    return connection.execute(_ROW, {"home": home}).mappings().one_or_none()


def home_now(row: RowMapping, now_ms: int) -> HomeNow:
    """Return one home as it is now.

    Parameters
    ----------
    row : RowMapping
        See `home_row`.
    now_ms : int
        The time. [ms]
    """
    told = {name: row[name] for name in HomeNow.model_fields if name != "health"}
    health = health_of(row["online"], row["heard_ms"], now_ms, alarmed=row["alarmed"])
    return HomeNow(health=health, **told)


def health_of(online: bool | None, heard_ms: int | None, now_ms: int, *, alarmed: bool) -> Health:
    """Return how a home is.

    Parameters
    ----------
    online : bool or None
        What the gateway or the broker said last.
    heard_ms : int or None
        When its last telemetry came. [ms]
    now_ms : int
        The time. [ms]
    alarmed : bool
        Whether it has an alarm that is not resolved.
    """
    if alarmed:
        return "alarm"
    if online is False:
        return "offline"
    if heard_ms is None:
        return "unknown"
    return "ok" if now_ms - heard_ms <= SILENT_MS else "silent"


def _whole(powers_w: Iterable[float | None]) -> list[int | None]:
    return [None if power_w is None else round(power_w) for power_w in powers_w]


def _pack(fleet: Fleet) -> Shown:
    body = fleet.model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # a time stamp would make the same view another one
    return Shown(body=body, packed=gzip.compress(body, compresslevel=5, mtime=0), etag=etag)
