"""Homes by the thousand: a CSV file out of the registry, and into it, as a whole or not at all."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from sqlalchemy import BindParameter, Connection, and_, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from aggregator.service.registry.bodies import HomeBody
from aggregator.service.registry.errors import (
    RegistryConflictError,
    RegistryError,
    RegistryInputError,
)
from aggregator.service.registry.kinds import HOME, Entry, Version
from aggregator.service.registry.writing import Edit, find, keep_versions
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes, tariffs

FIELDS: Final = tuple(HomeBody.model_fields)
"""What is configured of a home, a column each."""
COLUMNS: Final = ("id", "version", "retired", *FIELDS)
"""The columns of a file; an import needs ``id`` and may leave out any other."""
_EMPTY: Final = {name: field.default for name, field in HomeBody.model_fields.items()}
_TRUTH: Final = {"true": True, "false": False, "": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did."""

    new: int
    """Homes that were not there."""
    changed: int
    """Homes that have another version now."""
    unchanged: int
    """Homes that were so already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A line of a file, checked."""

    body: HomeBody
    """What the home shall be."""
    retired: bool
    """Whether it shall be out of use."""
    version: int | None
    """The version that the change is for; None where there is no home yet."""

    def differs(self, now: Entry | None) -> bool:
        """Return whether a home as it is now is another one."""
        return now is None or (now.body, now.retired) != (self.body, self.retired)

    def values(self) -> dict[str, object]:
        """Return the home's columns."""
        return self.body.model_dump(mode="json") | {"retired": self.retired}


def export_homes(store: Store) -> str:
    """Return every home, retired ones too, as CSV.

    Parameters
    ----------
    store : Store
        The store.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    with store.read() as connection:
        for row in connection.execute(select(homes).order_by(homes.c.id)).mappings():
            writer.writerow(
                str(row[name]).lower() if name == "retired" else row[name] for name in COLUMNS
            )
    return out.getvalue()


def import_homes(
    store: Store, text: str, *, who: str, at_ms: int, comment: str = "", keep: bool = True
) -> Imported:
    """Make the registry's homes what a file says, each that differs in a new version.

    A column that is left out stays as it is; an empty cell is the default. With a column
    ``version`` a line is for that version alone, and for a new home where it is empty.

    Parameters
    ----------
    store : Store
        The store.
    text : str
        CSV; its first line names the columns.
    who : str
        Who imports.
    at_ms : int
        When. [ms]
    comment : str
        Why, for the history.
    keep : bool
        Whether to write it; else it is only tried.

    Raises
    ------
    RegistryInputError
        Where a line cannot be; nothing is written.
    RegistryConflictError
        Where a home is of another version than its line; nothing is written.
    """
    lines = _lines(text)
    with store.write() if keep else store.read() as connection:
        there = {
            row["id"]: HOME.entry(row["id"], row)
            for row in connection.execute(select(homes)).mappings()
        }
        usable = set(connection.scalars(select(tariffs.c.id).where(tariffs.c.retired.is_(False))))
        versions = []
        for number, told in lines.items():
            try:
                thing = find(connection, HOME, told["id"])
                wanted = _wanted(told, there.get(told["id"]), usable)
            except RegistryError as error:
                msg = f"line {number}: {error}; nothing was imported"
                raise type(error)(msg) from error
            edit = Edit(who=who, at_ms=at_ms, version=wanted.version, comment=comment)
            if wanted.differs(there.get(told["id"])):
                versions.append(edit.of(thing, wanted.values()))
        if keep and versions:
            _write(connection, versions, there)
    new = sum(each.key not in there for each in versions)
    changed = len(versions) - new
    return Imported(new=new, changed=changed, unchanged=len(lines) - len(versions))


def _lines(text: str) -> dict[int, dict[str, str]]:
    """Return the cells of each line, by the line's number and the column's name."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    found: dict[int, dict[str, str]] = {}
    first_of: dict[str, int] = {}
    try:
        names = next(reader, [])
        unknown = [name for name in names if name not in COLUMNS]
        if unknown or "id" not in names or len(set(names)) < len(names):
            said = f"the columns are {', '.join(names)[:200]!r}"
            msg = f"line 1: {said}; give id and any of {', '.join(COLUMNS[1:])}, each once"
            raise RegistryInputError(msg)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(names):
                msg = f"{len(cells)} cells under {len(names)} columns; give one for each"
                raise _at(reader.line_num, msg)
            told = dict(zip(names, cells, strict=True))
            first = first_of.setdefault(told["id"], reader.line_num)
            if first != reader.line_num:
                msg = f"home {told['id']!r} is in line {first} already; leave one out"
                raise _at(reader.line_num, msg)
            found[reader.line_num] = told
    except csv.Error as error:
        raise _at(reader.line_num, f"is no CSV ({error}); mend it") from error
    return found


def _at(line: int, msg: str) -> RegistryInputError:
    return RegistryInputError(f"line {line}: {msg}; nothing was imported")


def _wanted(told: Mapping[str, str], now: Entry | None, usable: set[str]) -> Wanted:
    """Return what a line asks for, of a home as it is now."""
    key = told["id"]
    values = dict(_EMPTY) if now is None else now.body.model_dump()
    kept = values["tariff_id"]
    values |= {name: told[name] or _EMPTY[name] for name in FIELDS if name in told}
    try:
        body = HomeBody.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        says = first["msg"].removeprefix("Value error, ")
        msg = f"home {key!r}: {name} is {first['input']!r:.80}: {says}"
        raise RegistryInputError(msg) from error
    if body.tariff_id not in {None, kept, *usable}:
        msg = f"home {key!r}: tariff {body.tariff_id!r} is unknown or retired; configure it first"
        raise RegistryInputError(msg)
    retired = told.get("retired", "" if now is None else str(now.retired)).lower()
    if retired not in _TRUTH:
        msg = f"home {key!r}: retired is {told['retired']!r:.80}; give true or false"
        raise RegistryInputError(msg)
    return Wanted(body=body, retired=_TRUTH[retired], version=_version(told, now))


def _version(told: Mapping[str, str], now: Entry | None) -> int | None:
    """Return the version that a line is for, or raise where the home is of another."""
    there = None if now is None else now.version
    given = told.get("version")
    if given is None or given == ("" if there is None else str(there)):
        return there
    said, is_of = given or "none, for a new home", "is not there" if now is None else f"is {there}"
    msg = (
        f"home {told['id']!r}: the file's version is {said:.40}, the registry's {is_of}; "
        "export it again, then decide"
    )
    raise RegistryConflictError(msg)


def _write(connection: Connection, versions: Sequence[Version], known: Collection[str]) -> None:
    """Write homes by the thousand, a statement for all rather than some for each."""
    new = [
        {"id": each.key, "version": each.version, "created_ms": each.changed_ms, **each.body}
        for each in versions
        if each.key not in known
    ]
    others = [
        {"of_id": each.key, "of_version": each.version - 1, "version": each.version, **each.body}
        for each in versions
        if each.key in known
    ]
    same = and_(homes.c.id == bindparam("of_id"), homes.c.version == bindparam("of_version"))
    told: dict[str, BindParameter[object]] = {
        name: bindparam(name) for name in ("version", "retired", *FIELDS)
    }
    try:
        if new:
            connection.execute(insert(homes), new)
        advance = update(homes).where(same).values(told)
        done = connection.execute(advance, others).rowcount if others else 0
    except IntegrityError as error:
        raise _overtaken() from error
    if done != len(others):
        raise _overtaken()
    keep_versions(connection, versions)


def _overtaken() -> RegistryConflictError:
    return RegistryConflictError(
        "somebody changed a home meanwhile; nothing was imported, try again"
    )
