"""Measurements into the store."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Insert, Table, insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from aggregator.service.store.bulk import Row, copy_rows, insert_rows
from aggregator.service.store.channels import CHANNELS
from aggregator.service.store.tables import (
    answers,
    channels,
    homes,
    homes_now,
    refusals,
    rollups_due,
    telemetry,
    telemetry_1day,
    telemetry_1min,
    telemetry_15min,
)

MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 900_000
DAY_MS: Final = 86_400_000
ROLLUPS: Final[Mapping[int, Table]] = {
    MINUTE_MS: telemetry_1min,
    QUARTER_MS: telemetry_15min,
    DAY_MS: telemetry_1day,
}
"""Tables by the size of their bins, in the order in which they are made. [ms]"""

_MARK: Final = (
    # an update, though it changes nothing: it waits for a roll-up that is under way with the bin
    "ON CONFLICT (size_ms, start_ms, home_number) DO UPDATE SET taken = excluded.taken"
)
_FIGURES: Final = ("end_ms", "soc", "battery_power_w", "load_w", "pv_w", "grid_power_w", "dropped")
_NEWER: Final = "homes_now.end_ms IS NULL OR excluded.end_ms >= homes_now.end_ms"
_NOW: Final = "ON CONFLICT (home_number) DO UPDATE SET heard_ms = excluded.heard_ms, " + ", ".join(
    f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE homes_now.{name} END"
    for name in _FIGURES
)
_STATUS: Final = (
    "ON CONFLICT (home_number) DO UPDATE SET online = excluded.online, "
    "status_ms = excluded.status_ms"
)
_REFUSED: Final = (
    "ON CONFLICT (reason, sender) DO UPDATE SET count = refusals.count + excluded.count, "
    "last_ms = excluded.last_ms, example = excluded.example"
)


def bin_start_ms(end_ms: int, size_ms: int) -> int:
    """Return where the bin starts that a period belongs to which ends at ``end_ms``. [ms]"""
    return (end_ms - 1) // size_ms * size_ms


def write_channels(connection: Connection) -> None:
    """Write down what the numbers of channels mean, for whoever reads the store without us."""
    known = set(connection.execute(select(channels.c.number)).scalars())
    missing = [each for each in CHANNELS if each.number not in known]
    if missing:
        connection.execute(
            insert(channels),
            [
                {
                    "number": each.number,
                    "device": each.device,
                    "details": each.details,
                    "quantity": each.quantity.value,
                    "unit": each.unit,
                }
                for each in missing
            ],
        )


def numbers_of(
    connection: Connection, ids: Collection[str], *, now_ms: int, admit: bool
) -> dict[str, int]:
    """Return the numbers of homes by their id; those that nobody knows are missing.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    ids : collection of str
        Whose.
    now_ms : int
        The present. [ms]
    admit : bool
        Whether a home that is heard of for the first time is entered.
    """
    # in one order, for two ingests that enter the same ones must not wait for each other
    wanted = sorted(ids)
    if admit and wanted:
        fresh = _ignoring(connection, homes)
        connection.execute(fresh, [{"id": each, "created_ms": now_ms} for each in wanted])
    found = connection.execute(select(homes.c.id, homes.c.number).where(homes.c.id.in_(wanted)))
    return {row.id: row.number for row in found}


def write_measurements(connection: Connection, rows: Sequence[Row]) -> int:
    """Write rows of `telemetry`, mark their bins; return how many were not there before.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    rows : sequence of tuple
        Columns of `telemetry` in their order, in our signs.
    """
    if not rows:
        return 0
    new = copy_rows(connection, telemetry, rows)
    told = {row[:2] for row in rows}  # by home and end, which the rows of a message share
    marks = {(bin_start_ms(end_ms, MINUTE_MS), home) for home, end_ms in told}
    mark_due(connection, [(MINUTE_MS, start_ms, home) for start_ms, home in sorted(marks)])
    return new


def mark_due(connection: Connection, bins: Sequence[tuple[int, int, int]]) -> None:
    """Mark bins (size, start, home) to be rolled up; in order, so that no two writers block."""
    insert_rows(connection, rollups_due, [(*each, False) for each in bins], _MARK)


def write_now(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the latest of homes: rows of `homes_now` whose status is left as it is."""
    insert_rows(connection, homes_now, sorted(rows), _NOW)


def write_status(connection: Connection, online: Mapping[int, bool], *, now_ms: int) -> None:
    """Write which homes said that they are online or not."""
    nothing = (None,) * 8
    rows = [(number, told, now_ms, *nothing) for number, told in sorted(online.items())]
    insert_rows(connection, homes_now, rows, _STATUS)


def write_answers(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write acknowledgements and outcomes; one whose id was there before is left out."""
    if rows:
        connection.execute(_ignoring(connection, answers), list(rows))


def write_refusals(connection: Connection, rows: Sequence[Row]) -> None:
    """Add to the counts of refusals: rows of `refusals`."""
    insert_rows(connection, refusals, sorted(rows), _REFUSED)


def _ignoring(connection: Connection, table: Table) -> Insert:
    if connection.dialect.name == "sqlite":
        return sqlite_insert(table).on_conflict_do_nothing()
    return postgres_insert(table).on_conflict_do_nothing()
