"""The file that lists a fleet's members."""

import csv
from collections.abc import Sequence
from pathlib import Path

import click

from contracts.commands.options import checked_address
from contracts.promise import Member

MEMBER_COLUMNS = ("account", "capacity_wh", "grid_power_w")
"""What each row says of a member."""
METER_COLUMN = "meter"
"""May be left out: the key of the member's meter, which then signs each of its reports."""


def read_members(path: Path) -> list[Member]:
    """Read members from CSV.

    Raises
    ------
    click.ClickException
        In one line with the row, if the file is missing or a row cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in MEMBER_COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                msg = f"{path}: no column {missing[0]}; give {', '.join(MEMBER_COLUMNS)}"
                raise click.ClickException(msg)
            numbered = [(rows.line_num, _member(path, rows.line_num, row)) for row in rows]
    except OSError as error:
        msg = f"{path}: {error.strerror}; name a readable file"
        raise click.ClickException(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} is not CSV in UTF-8 ({error}); save it as such"
        raise click.ClickException(msg) from error
    if not numbered:
        msg = f"{path} lists no members; give a row for each"
        raise click.ClickException(msg)
    _require_once(path, numbered)
    return [member for _, member in numbered]


def _member(path: Path, line: int, row: dict[str, str | None]) -> Member:
    """Return the member of one row, whose missing cells are None."""
    account, capacity_wh, grid_power_w = (row[name] for name in MEMBER_COLUMNS)
    if account is None or capacity_wh is None or grid_power_w is None:
        msg = f"{path}, row {line}: cells are missing; give {', '.join(MEMBER_COLUMNS)}"
        raise click.ClickException(msg)
    meter = (row.get(METER_COLUMN) or "").strip()
    try:
        return Member(
            account=checked_address(account.strip()),
            capacity_wh=_whole("capacity_wh", capacity_wh, "Wh"),
            grid_power_w=_whole("grid_power_w", grid_power_w, "W"),
            meter=checked_address(meter) if meter else None,
        )
    except ValueError as error:
        msg = f"{path}, row {line}: {error}"
        raise click.ClickException(msg) from error


def _whole(name: str, cell: str, unit: str) -> int:
    """Return the whole number in a cell."""
    try:
        return int(cell)
    except ValueError as error:
        msg = f"{name} is {cell!r}; give whole {unit}"
        raise ValueError(msg) from error


def _require_once(path: Path, numbered: Sequence[tuple[int, Member]]) -> None:
    """Raise for an account that is listed twice."""
    first: dict[str, int] = {}
    for line, member in numbered:
        if first.setdefault(member.account, line) != line:
            before = first[member.account]
            msg = f"{path}, row {line}: {member.account} is in row {before} too; list it once"
            raise click.ClickException(msg)
