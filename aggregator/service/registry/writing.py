"""How a version gets into the store: the thing, its history and who did it, all or none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.bodies import NAME_PATTERN
from aggregator.service.registry.errors import (
    RegistryAbsentError,
    RegistryConflictError,
    RegistryInputError,
)
from aggregator.service.registry.kinds import DEVICE, HOME, Entry, Kind, Version
from aggregator.service.store.tables import configurations, homes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Who changes what version, and when."""

    who: str
    """The token's id."""
    at_ms: int
    """When. [ms]"""
    version: int | None
    """The version that is changed; None where nothing may be there yet."""
    comment: str = ""
    """Why."""

    def of(self, thing: "Thing", values: Mapping[str, object]) -> Version:
        """Return the version that it makes of a thing.

        Parameters
        ----------
        thing : Thing
            What is changed.
        values : Mapping
            All its columns but those that name it.
        """
        return Version(
            kind=thing.kind.name,
            key=thing.key,
            version=1 if self.version is None else self.version + 1,
            body=values,
            changed_ms=self.at_ms,
            changed_by=self.who,
            comment=self.comment,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something by its name, whether it is there or not."""

    kind: Kind
    """What it is."""
    key: str
    """Its name."""
    named: dict[str, object]
    """The columns that name it."""

    @property
    def here(self) -> ColumnElement[bool]:
        """What its row fulfils."""
        return and_(*(self.kind.table.c[name] == value for name, value in self.named.items()))

    def absent(self) -> RegistryAbsentError:
        """Return what to raise where it is not there."""
        msg = f"{self.kind.name} {self.key!r} is unknown; configure it first"
        return RegistryAbsentError(msg)


def find(connection: Connection, kind: Kind, key: str) -> Thing:
    """Return a thing by its name.

    Parameters
    ----------
    connection : Connection
        To the store.
    kind : Kind
        What it is.
    key : str
        Its name.

    Raises
    ------
    RegistryInputError
        Where it cannot be a name.
    RegistryAbsentError
        Where the home of a device is unknown.
    """
    parts = key.split("/") if kind is DEVICE else [key]
    expected = 2 if kind is DEVICE else 1
    if len(parts) != expected or not all(re.fullmatch(NAME_PATTERN, part) for part in parts):
        msg = f"{kind.name} {key!r} is no name; use letters, digits, '.', '_' and '-', up to 64"
        raise RegistryInputError(msg)
    if kind is not DEVICE:
        return Thing(kind=kind, key=key, named={"id": key})
    named = {"home_number": home_number(connection, parts[0]), "id": parts[1]}
    return Thing(kind=kind, key=key, named=named)


def home_number(connection: Connection, home: str) -> int:
    """Return a home's number in the store.

    Parameters
    ----------
    connection : Connection
        To the store.
    home : str
        Its id.

    Raises
    ------
    RegistryAbsentError
        Where it is unknown.
    """
    number: int | None = connection.scalar(select(homes.c.number).where(homes.c.id == home))
    if number is None:
        msg = f"home {home!r} is unknown; configure it first"
        raise RegistryAbsentError(msg)
    return number


def entry_of(connection: Connection, thing: Thing) -> Entry:
    """Return what is configured of a thing.

    Parameters
    ----------
    connection : Connection
        To the store.
    thing : Thing
        The thing.

    Raises
    ------
    RegistryAbsentError
        Where it is not there.
    """
    row = connection.execute(select(thing.kind.table).where(thing.here)).mappings().one_or_none()
    if row is None:
        raise thing.absent()
    return thing.kind.entry(thing.key, row)


def write_version(
    connection: Connection, thing: Thing, values: dict[str, object], edit: Edit
) -> Version:
    """Write a thing's next version.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    thing : Thing
        What is changed.
    values : dict
        All its columns but those that name it.
    edit : Edit
        Who changes which version, and when.

    Raises
    ------
    RegistryAbsentError
        Where it is not there to be changed.
    RegistryConflictError
        Where it is of another version.
    """
    if edit.version is None:
        _begin(connection, thing, values, edit.at_ms)
    else:
        _advance(connection, thing, values, edit.version)
    version = edit.of(thing, values)
    keep_versions(connection, [version])
    return version


def keep_versions(connection: Connection, versions: Sequence[Version]) -> None:
    """Write versions into the history, and who made them into the audit log.

    Parameters
    ----------
    connection : Connection
        In the transaction in which the things themselves are changed.
    versions : sequence of Version
        New ones.
    """
    connection.execute(insert(configurations), [version.row() for version in versions])
    record(connection, *map(_deed, versions))


def _deed(version: Version) -> Deed:
    return Deed(
        at_ms=version.changed_ms,
        who=version.changed_by,
        action="retire" if version.body["retired"] else "configure",
        target=f"{version.kind} {version.key}",
        detail={"version": version.version, "comment": version.comment},
    )


def _begin(
    connection: Connection, thing: Thing, values: dict[str, object], created_ms: int
) -> None:
    """Write the first version."""
    row = thing.named | values | {"version": 1}
    if thing.kind is HOME:
        row["created_ms"] = created_ms
    try:
        connection.execute(insert(thing.kind.table).values(row))
    except IntegrityError as error:
        msg = f"{thing.kind.name} {thing.key!r} is there already; read its version, change that"
        raise RegistryConflictError(msg) from error


def _advance(connection: Connection, thing: Thing, values: dict[str, object], version: int) -> None:
    """Write the version after ``version``, unless it is another one by now."""
    table = thing.kind.table
    same = and_(thing.here, table.c.version == version)
    next_one = update(table).where(same).values(values | {"version": version + 1})
    if connection.execute(next_one).rowcount:
        return
    now = connection.scalar(select(table.c.version).where(thing.here))
    if now is None:
        raise thing.absent()
    msg = (
        f"{thing.kind.name} {thing.key!r} is of version {now}, not {version}; "
        "read it again, then decide"
    )
    raise RegistryConflictError(msg)
