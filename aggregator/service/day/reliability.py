"""The step ``reliability`` (Censor): how far a battery can be counted on, from how it did."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from aggregator.service.day.desk import Desk
from aggregator.service.day.fleet import homes_in_use
from aggregator.service.day.made import Made, Rows, ms, span_ms
from aggregator.service.store.channels import SOC
from aggregator.service.store.tables import commands, devices, reliability, telemetry_15min
from contracts.timegrid import TimeGrid

HALF_LIFE_DAYS: Final = 14.0
"""After so long a day counts half. [d]"""
LOOK_BACK_DAYS: Final = 60
"""Days that are looked at: older ones count less than a twentieth."""
PRIOR_DAYS: Final = 1.0
"""Good days that a battery begins with."""
PRIOR_ORDERS: Final = 5.0
"""Orders carried out that a battery begins with."""
FAILED: Final = ("refused", "aborted")
"""States of a command that device or gateway would not carry out, or not to its end."""
MISSED: Final = ("unanswered", "expired")
"""States of a command that nobody carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How a battery did on a day."""

    day: date
    """Which."""
    disconnected_ms: int
    """How long nothing was heard of it. [ms]"""
    length_ms: int
    """How long the day was. [ms]"""
    failures: int
    """Orders that it refused or gave up."""
    missed: int
    """Orders that it did not answer."""
    orders: int
    """All orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityInputs:
    """How batteries did, up to a day."""

    day: date
    """The day."""
    records: dict[int, tuple[Record, ...]]
    """By home, oldest first; days before a home was heard of are left out."""


def gather_reliability(desk: Desk, day: date) -> ReliabilityInputs:
    """Read how batteries did."""
    desk.require_told(day)
    days = [day - timedelta(days=back) for back in reversed(range(LOOK_BACK_DAYS))]
    grids = {each: desk.grid(each) for each in days}
    with desk.store.read() as connection:
        numbers = _with_battery(connection)
        began = _heard_first(connection, numbers, span_ms(grids[day])[1])
        covered = {each: _covered_ms(connection, grids[each]) for each in days}
        orders = {each: _orders(connection, grids[each]) for each in days}
    return ReliabilityInputs(
        day=day,
        records={
            number: tuple(
                _record(
                    grids[each], each, covered[each].get(number, 0), orders[each].get(number, {})
                )
                for each in days
                if number in began and began[number] < span_ms(grids[each])[1]
            )
            for number in numbers
        },
    )


def _with_battery(connection: Connection) -> list[int]:
    query = select(devices.c.home_number).where(devices.c.kind == "battery", ~devices.c.retired)
    known = set(connection.execute(query).scalars())
    return [home.number for home in homes_in_use(connection) if home.number in known]


def _heard_first(connection: Connection, numbers: list[int], before_ms: int) -> dict[int, int]:
    """Return when each home was first heard of, of those that were before a time."""
    columns = telemetry_15min.c
    query = (
        select(columns.home_number, func.min(columns.start_ms))
        .where(columns.home_number.in_(numbers), columns.channel_number == SOC)
        .where(columns.start_ms < before_ms)
        .group_by(columns.home_number)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _covered_ms(connection: Connection, grid: TimeGrid) -> dict[int, int]:
    begin_ms, end_ms = span_ms(grid)
    columns = telemetry_15min.c
    query = (
        select(columns.home_number, func.sum(columns.covered_ms))
        .where(columns.home_number.in_(select(devices.c.home_number)))
        .where(columns.channel_number == SOC)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        .group_by(columns.home_number)
    )
    return {number: int(covered) for number, covered in connection.execute(query)}


def _orders(connection: Connection, grid: TimeGrid) -> dict[int, dict[str, int]]:
    begin_ms, end_ms = span_ms(grid)
    columns = commands.c
    query = (
        select(columns.home_number, columns.state, func.count())
        .where(columns.asked_ms >= begin_ms, columns.asked_ms < end_ms)
        .group_by(columns.home_number, columns.state)
    )
    found: dict[int, dict[str, int]] = {}
    for number, state, count in connection.execute(query):
        found.setdefault(number, {})[state] = count
    return found


def _record(grid: TimeGrid, day: date, covered_ms: int, orders: dict[str, int]) -> Record:
    length_ms = ms(grid.end) - ms(grid.start)
    failures = sum(orders.get(state, 0) for state in FAILED)
    missed = sum(orders.get(state, 0) for state in MISSED)
    return Record(
        day=day,
        disconnected_ms=max(length_ms - covered_ms, 0),
        length_ms=length_ms,
        failures=failures,
        missed=missed,
        orders=failures + missed + orders.get("done", 0),
    )


def score(records: tuple[Record, ...], day: date) -> float:
    """Return how far a battery can be counted on, 0..1.

    Parameters
    ----------
    records : tuple of Record
        How it did.
    day : date
        The day that it is scored at.

    Notes
    -----
    The product of two estimates: the part of the time that it is connected, and the part of orders
    that it carries out while it is. Each is the mean of a beta distribution that begins with a few
    good trials, to which days add theirs with a weight that halves in `HALF_LIFE_DAYS`. So one bad
    day of a new battery weighs more than one of a battery that has always been there, and what is
    long past is forgiven.
    """
    there = trials = PRIOR_DAYS
    carried = orders = PRIOR_ORDERS
    for each in records:
        weight = 0.5 ** ((day - each.day).days / HALF_LIFE_DAYS)
        trials += weight
        there += weight * (1 - each.disconnected_ms / each.length_ms)
        orders += weight * each.orders
        carried += weight * (each.orders - each.failures - each.missed)
    return there / trials * (carried / orders)


def make_reliability(inputs: ReliabilityInputs) -> Made:
    """Score every battery that was ever heard of."""
    rows: list[dict[str, object]] = []
    for number, records in inputs.records.items():
        if not records:
            continue
        last = records[-1]
        rows.append(
            {
                "home_number": number,
                "day": inputs.day.isoformat(),
                "score": round(score(records, inputs.day), 6),
                "failures": last.failures,
                "disconnected_ms": last.disconnected_ms,
                "missed": last.missed,
            }
        )
    scores = [float(str(row["score"])) for row in rows]
    told = f"mean {sum(scores) / len(scores):.3f}, least {min(scores):.3f}" if scores else "none"
    return Made(
        line=f"{len(rows)} batteries scored: {told}",
        rows=[
            Rows(
                table=reliability,
                replaces=reliability.c.day == inputs.day.isoformat(),
                rows=rows,
            )
        ],
    )
