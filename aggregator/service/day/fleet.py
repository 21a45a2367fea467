"""The fleet's homes as the planner and the accountant see them, out of the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import ColumnElement, Connection, func, select

from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import span_ms
from aggregator.service.store.channels import GRID
from aggregator.service.store.tables import (
    devices,
    homes,
    reliability,
    tariffs,
    telemetry_15min,
)
from aggregator.virtual_battery import VirtualBattery, aggregate
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank

SOC_UNKNOWN: Final = 0.5
"""State of charge of a battery that has told none, where no other has told one either."""
_DEFAULTS: Final = {
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "soc_min": 0.0,
    "soc_max": 1.0,
}
_RATINGS: Final = ("capacity_wh", "power_max_w", *_DEFAULTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """One battery as it is configured."""

    home_number: int
    """Whose."""
    capacity_wh: float
    """Usable energy. [Wh]"""
    power_max_w: float
    """Rated power. [W]"""
    charge_efficiency: float
    """Cells over terminals."""
    discharge_efficiency: float
    """Terminals over cells."""
    soc_min: float
    """Least state of charge."""
    soc_max: float
    """Greatest state of charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home in use."""

    number: int
    """Its number in the store."""
    id: str
    """Its gateway's id."""
    account: str | None
    """Its address on the ledger, where one is configured."""
    tariff_id: str | None
    """What it pays by."""


def homes_in_use(connection: Connection) -> list[Home]:
    """Return the homes that are not retired, by their numbers."""
    return _homes(connection, ~homes.c.retired)


def homes_of(connection: Connection, grid: TimeGrid) -> list[Home]:
    """Return whose accounts a day has: homes in use, and who was taken out during it or since."""
    begin_ms, end_ms = span_ms(grid)
    columns = telemetry_15min.c
    # the key begins with the home: with their numbers the database goes from range to range
    told = (
        select(columns.home_number)
        .where(columns.home_number.in_(select(homes.c.number).where(homes.c.retired)))
        .where(columns.channel_number == GRID)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
    )
    return _homes(connection, ~homes.c.retired | homes.c.number.in_(told))


def _homes(connection: Connection, chosen: ColumnElement[bool]) -> list[Home]:
    columns = homes.c
    query = select(columns.number, columns.id, columns.account, columns.tariff_id)
    found = connection.execute(query.where(chosen).order_by(columns.number))
    return [Home(**row) for row in found.mappings()]


def batteries(connection: Connection) -> list[Battery]:
    """Return the batteries in use whose capacity and power are configured, by home."""
    columns = devices.c
    query = (
        select(columns.home_number, *(columns[name] for name in _RATINGS))
        .join(homes, homes.c.number == columns.home_number)
        .where(columns.kind == "battery", ~columns.retired, ~homes.c.retired)
        .where(columns.capacity_wh > 0, columns.power_max_w.is_not(None))
        .order_by(columns.home_number, columns.id)
    )
    return [
        Battery(
            **({**row} | {name: least for name, least in _DEFAULTS.items() if row[name] is None})
        )
        for row in connection.execute(query).mappings()
    ]


def latest_scores(connection: Connection, before: date) -> dict[int, float]:
    """Return each home's latest reliability score of a day before ``before``."""
    columns = reliability.c
    last = (
        select(columns.home_number, func.max(columns.day).label("day"))
        .where(columns.day < before.isoformat())
        .group_by(columns.home_number)
        .subquery()
    )
    query = select(columns.home_number, columns.score).join(
        last, (last.c.home_number == columns.home_number) & (last.c.day == columns.day)
    )
    return {row.home_number: row.score for row in connection.execute(query)}


def virtual_battery(
    bank: Sequence[Battery], *, soc: Mapping[int, float], scores: Mapping[int, float]
) -> VirtualBattery:
    """Return the batteries as one that the planner may count on.

    Parameters
    ----------
    bank : sequence of Battery
        The batteries.
    soc : mapping of int to float
        State of charge by home; the mean of those stands in for one that is missing.
    scores : mapping of int to float
        Reliability by home, 0..1: of a battery that is there three days out of four, three
        quarters of capacity and power are counted on. A battery without a score counts whole.

    Raises
    ------
    StepInputError
        If nothing is left to count on.
    """
    share = np.array([scores.get(each.home_number, 1.0) for each in bank])
    counted = [each for each, part in zip(bank, share, strict=True) if part > 0]
    if not counted:
        msg = "no battery can be counted on; configure capacity_wh and power_max_w of batteries"
        raise StepInputError(msg)
    part = share[share > 0]
    columns = {name: np.array([getattr(each, name) for each in counted]) for name in _RATINGS}
    for name in ("capacity_wh", "power_max_w"):
        columns[name] = columns[name] * part
    try:
        ratings = BatteryBank(**columns)
    except ValueError as error:
        msg = f"batteries cannot be planned with: {error}; mend their configuration"
        raise StepInputError(msg) from error
    mean_soc = float(np.mean(list(soc.values()))) if soc else SOC_UNKNOWN
    held = np.array([soc.get(each.home_number, mean_soc) for each in counted])
    return aggregate(ratings, held * ratings.capacity_wh)


def import_prices(
    connection: Connection, fleet: Sequence[Home], grid: TimeGrid, *, zone: str, default: float
) -> FloatArray:
    """Return what import costs each home, shape (homes, slots). [currency/MWh]

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    fleet : sequence of Home
        The homes.
    grid : TimeGrid
        The day.
    zone : str
        Zone of the tariffs' times.
    default : float
        For homes without a tariff. [currency/MWh]
    """
    columns = tariffs.c
    known = {row.id: row.terms for row in connection.execute(select(columns.id, columns.terms))}
    place = ZoneInfo(zone)
    minutes = [
        local.hour * 60 + local.minute
        for local in (start.astimezone(place) for start in grid.starts())
    ]
    flat = np.full(grid.count, default)
    series = {name: _tariff(terms["periods"], minutes) for name, terms in known.items()}
    rows = [series.get(home.tariff_id or "", flat) for home in fleet]
    return np.stack(rows) if rows else np.zeros((0, grid.count))


def _tariff(periods: Sequence[Mapping[str, float]], minutes: Sequence[int]) -> FloatArray:
    """Return a tariff's price at minutes of the day; the last period goes over midnight."""
    starts = np.array([period["start_minute"] for period in periods])
    prices = np.array([period["import_price_per_mwh"] for period in periods], dtype=np.float64)
    found: FloatArray = prices[np.searchsorted(starts, np.array(minutes), side="right") - 1]
    return found
