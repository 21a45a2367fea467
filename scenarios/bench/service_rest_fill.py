"""A store as a fleet leaves it after a month, written by the database itself."""

from typing import Final

from sqlalchemy import Connection, insert, text

from aggregator.service.store.channels import BATTERY_POWER, GRID, LOAD, PV, SOC
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, homes, homes_now, settlements
from aggregator.service.store.telemetry import DAY_MS, MINUTE_MS, QUARTER_MS

CHANNELS: Final = (BATTERY_POWER, SOC, LOAD, PV, GRID)
"""What is written of each home."""
_ROLLUPS: Final = (
    ("telemetry_1min", MINUTE_MS, (SOC,)),
    ("telemetry_15min", QUARTER_MS, CHANNELS),
    ("telemetry_1day", DAY_MS, CHANNELS),
)
_RAW_MINUTES: Final = 120
_AT_ONCE: Final = 20
_COUNTED: Final = (
    "(WITH RECURSIVE t(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM t WHERE k < :last) "
    "SELECT k FROM t)"
)


def fill(store: Store, *, homes_count: int, days: int, end_ms: int) -> int:
    """Write homes and what was measured in them until ``end_ms``; return the rows of measurements.

    Minutes are of one quantity, quarter-hours and days of five, and the last two hours are as they
    were told.

    Parameters
    ----------
    store : Store
        With its tables, empty.
    homes_count : int
        Homes.
    days : int
        Days until the end.
    end_ms : int
        The end, a midnight. [ms]
    """
    with store.write() as connection:
        _write_homes(connection, homes_count, end_ms)
    rows = 0
    for first in range(1, homes_count + 1, _AT_ONCE):
        with store.write() as connection:
            for home in range(first, min(first + _AT_ONCE, homes_count + 1)):
                rows += _measure(connection, home, days=days, end_ms=end_ms)
    with store.write() as connection:
        connection.execute(text("ANALYZE"))
    return rows


def _measure(connection: Connection, home: int, *, days: int, end_ms: int) -> int:
    """Write one home's measurements; return how many rows they are."""
    rows = 0
    for table, size_ms, channels in _ROLLUPS:
        bins = days * DAY_MS // size_ms
        for channel in channels:
            given = {
                "home": home,
                "channel": channel,
                "first": end_ms - bins * size_ms,
                "size": size_ms,
            }
            columns = ":home, :channel, :first + k * :size, :size, :first + (k + 1) * :size"
            rows += _insert(connection, table, columns, bins=bins, given=given)
    for channel in CHANNELS:
        first_ms = end_ms - _RAW_MINUTES * MINUTE_MS
        given = {"home": home, "channel": channel, "first": first_ms, "size": MINUTE_MS}
        columns = ":home, :first + (k + 1) * :size, :channel, :size"
        rows += _insert(connection, "telemetry", columns, bins=_RAW_MINUTES, given=given)
    return rows


def _insert(
    connection: Connection, table: str, columns: str, *, bins: int, given: dict[str, int]
) -> int:
    """Write bins whose figures differ from bin to bin."""
    value = "((k * 7919 + :home * 104729) % 1000)"
    # names and columns are ours
    chosen = f"SELECT {columns}, {value} - 10, {value} + 10, {value} + 0.5, {value} FROM "  # noqa: S608
    counted = "generate_series(0, CAST(:last AS bigint)) AS t(k)"
    if connection.dialect.name == "sqlite":
        counted = _COUNTED
    else:
        for name in given:
            chosen = chosen.replace(f":{name}", f"CAST(:{name} AS bigint)")
    statement = text(f"INSERT INTO {table} {chosen}{counted}")
    connection.execute(statement, given | {"last": bins - 1})
    return bins


def _write_homes(connection: Connection, homes_count: int, end_ms: int) -> None:
    """Write homes, how they are now, a month's settlements and some alarms."""
    numbers = range(1, homes_count + 1)
    connection.execute(
        insert(homes),
        [
            {
                "number": number,
                "id": f"home-{number:05}",
                "name": f"House {number}",
                "group_name": f"street-{number % 20}",
                "created_ms": end_ms,
            }
            for number in numbers
        ],
    )
    connection.execute(
        insert(homes_now),
        [
            {
                "home_number": number,
                "online": True,
                "status_ms": end_ms,
                "heard_ms": end_ms,
                "end_ms": end_ms,
                "soc": number % 100 / 100,
                "battery_power_w": number % 3000 - 1500.0,
                "load_w": number % 900 + 0.5,
                "pv_w": number % 2000 + 0.5,
                "grid_power_w": number % 4000 - 2000.0,
            }
            for number in numbers
        ],
    )
    _write_books(connection, numbers, end_ms)


def _write_books(connection: Connection, numbers: range, end_ms: int) -> None:
    """Write a month's settlements and some alarms."""
    connection.execute(
        insert(settlements),
        [
            {
                "interval_number": end_ms // 1_800_000 - ago,
                "start_ms": end_ms - ago * 1_800_000,
                "commitment_wh": 400_000,
                "delivered_wh": 395_000 + ago,
                "price_micro_per_mwh": 85_000_000,
                "imbalance_price_micro_per_mwh": 120_000_000,
                "revenue_micro": 33_000_000,
                "fee_micro": 1_000_000,
                "loss_micro": 0,
            }
            for ago in range(1, 48 * 30 + 1)
        ],
    )
    connection.execute(
        insert(alarms),
        [
            {
                "kind": "silent gateway",
                "home_number": number,
                "state": "raised",
                "severity": "warning",
                "line": f"home-{number:05} was not heard of for 10 minutes",
                "raised_ms": end_ms,
            }
            for number in numbers[::50]
        ],
    )
