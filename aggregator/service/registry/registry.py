"""Homes, devices and tariffs; every change is a new version, and none is ever overwritten."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select

from aggregator.service.registry.bodies import Body, DeviceBody, HomeBody, TariffBody
from aggregator.service.registry.errors import RegistryInputError
from aggregator.service.registry.kinds import DEVICE, HOME, TARIFF, Entry, Kind, Version
from aggregator.service.registry.writing import Edit, entry_of, find, home_number, write_version
from aggregator.service.store.store import Store
from aggregator.service.store.tables import configurations, devices, homes, tariffs


@dataclass(frozen=True, slots=True)
class Registry:
    """What is configured, in the store.

    A key is ``home-7`` for a home, ``home-7/storage`` for a device, ``day-night`` for a tariff.
    A change is for one version: whoever read an older one is refused, and nobody's change is lost.
    A home that was heard of and never configured has version 0.
    """

    store: Store
    """The store."""

    def put(self, key: str, body: Body, edit: Edit) -> Version:
        """Configure a thing anew, or another version of it; one that was retired is back.

        Parameters
        ----------
        key : str
            Its name.
        body : HomeBody or DeviceBody or TariffBody
            What it shall be, whole.
        edit : Edit
            Who, when, and of which version.

        Raises
        ------
        RegistryInputError
            Where the name cannot be one, or a home's tariff is unknown.
        RegistryAbsentError
            Where there is nothing to change, or no home for a device.
        RegistryConflictError
            Where it is of another version.
        """
        kind = _kind_of(body)
        with self.store.write() as connection:
            if isinstance(body, HomeBody):
                _require_tariff(connection, key, body)
            values = body.model_dump(mode="json") | {"retired": False}
            return write_version(connection, find(connection, kind, key), values, edit)

    def retire(self, kind: Kind, key: str, edit: Edit) -> Version:
        """Take a thing out of use; it stays readable, and what it measured stays.

        Parameters
        ----------
        kind : Kind
            What it is.
        key : str
            Its name.
        edit : Edit
            Who, when, and of which version.

        Raises
        ------
        RegistryAbsentError
            Where there is nothing to retire.
        RegistryConflictError
            Where it is of another version.
        """
        with self.store.write() as connection:
            thing = find(connection, kind, key)
            values = entry_of(connection, thing).body.model_dump(mode="json") | {"retired": True}
            return write_version(connection, thing, values, edit)

    def get(self, kind: Kind, key: str) -> Entry:
        """Return what is configured now.

        Parameters
        ----------
        kind : Kind
            What it is.
        key : str
            Its name.

        Raises
        ------
        RegistryAbsentError
            Where there is none of that name.
        """
        with self.store.read() as connection:
            return entry_of(connection, find(connection, kind, key))

    def homes(self, *, after: str = "", limit: int) -> list[Entry]:
        """Return homes by their ids.

        Parameters
        ----------
        after : str
            Id to go on after.
        limit : int
            At most so many.
        """
        return self._page(HOME, homes.c.id > after, limit)

    def tariffs(self, *, after: str = "", limit: int) -> list[Entry]:
        """Return tariffs by their ids.

        Parameters
        ----------
        after : str
            Id to go on after.
        limit : int
            At most so many.
        """
        return self._page(TARIFF, tariffs.c.id > after, limit)

    def devices(self, home: str, *, after: str = "", limit: int) -> list[Entry]:
        """Return a home's devices by their ids.

        Parameters
        ----------
        home : str
            The home.
        after : str
            Id to go on after.
        limit : int
            At most so many.

        Raises
        ------
        RegistryAbsentError
            Where the home is unknown.
        """
        with self.store.read() as connection:
            number = home_number(connection, home)
        of_home = and_(devices.c.home_number == number, devices.c.id > after)
        return self._page(DEVICE, of_home, limit, prefix=f"{home}/")

    def history(
        self,
        kind: Kind,
        key: str,
        *,
        before: int | None = None,
        at_ms: int | None = None,
        limit: int,
    ) -> list[Version]:
        """Return the versions of a thing, newest first.

        Parameters
        ----------
        kind : Kind
            What it is.
        key : str
            Its name.
        before : int, optional
            Version to go on after.
        at_ms : int, optional
            Those made until then, so that the first is the one that was in force. [ms]
        limit : int
            At most so many.
        """
        of = and_(configurations.c.kind == kind.name, configurations.c.key == key)
        if before is not None:
            of = and_(of, configurations.c.version < before)
        if at_ms is not None:
            of = and_(of, configurations.c.changed_ms <= at_ms)
        newest = configurations.c.version.desc()
        query = select(configurations).where(of).order_by(newest).limit(limit)
        with self.store.read() as connection:
            return [Version(**row) for row in connection.execute(query).mappings()]

    def _page(
        self, kind: Kind, where: ColumnElement[bool], limit: int, *, prefix: str = ""
    ) -> list[Entry]:
        query = select(kind.table).where(where).order_by(kind.table.c.id).limit(limit)
        with self.store.look() as connection:
            rows = connection.execute(query).mappings().all()
        return [kind.entry(prefix + row["id"], row) for row in rows]


def _kind_of(body: Body) -> Kind:
    """Return what a body is of."""
    match body:
        case HomeBody():
            return HOME
        case DeviceBody():
            return DEVICE
        case TariffBody():
            return TARIFF


def _require_tariff(connection: Connection, key: str, body: HomeBody) -> None:
    """Raise where a home's tariff is unknown or retired."""
    if body.tariff_id is None:
        return
    of_tariff = select(tariffs.c.retired).where(tariffs.c.id == body.tariff_id)
    if connection.scalar(of_tariff) is not False:
        msg = f"home {key!r}: tariff {body.tariff_id!r} is unknown or retired; configure it first"
        raise RegistryInputError(msg)


def changed_fields(versions: Sequence[Version]) -> list[list[str]]:
    """Return, for all but the last of ``versions``, what it changed of the one after it.

    Parameters
    ----------
    versions : Sequence[Version]
        Newest first, none missing.
    """
    return [
        sorted(name for name in new.body.keys() | old.body.keys() if _differs(name, new, old))
        for new, old in itertools.pairwise(versions)
    ]


def _differs(name: str, new: Version, old: Version) -> bool:
    return new.body.get(name) != old.body.get(name)
