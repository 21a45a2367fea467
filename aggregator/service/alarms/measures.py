"""What is measured for the rules: a row a home, read at once, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, FromClause, and_, func, select

from aggregator.service.alarms.rules import METER, SILENT, SOC, TEMPERATURE
from aggregator.service.store.channels import CHANNELS
from aggregator.service.store.tables import devices, homes, homes_now, telemetry

FloatArray: TypeAlias = NDArray[np.float64]
"""NaN where something is not known."""
IntArray: TypeAlias = NDArray[np.int64]
"""Numbers of homes."""
_WARMTH: Final = "Temperature"
_FRESH_MS: Final = 300_000
"""Figures that were measured longer ago say nothing of now. [ms]"""
_AHEAD_MS: Final = 60_000
"""How far ahead of ours the clock of another process of the service may be. [ms]"""


def temperature_channel() -> int | None:
    """Return the number of the channel of batteries' temperatures; None where there is none."""
    found = (each.number for each in CHANNELS if each.quantity.value == _WARMTH)
    return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """What is known of homes in use; every array of shape (homes,)."""

    number: IntArray
    """Their numbers in the store."""
    heard_ms: FloatArray
    """When their last telemetry came. [ms]"""
    end_ms: FloatArray
    """Until when their latest figures were measured, by the gateway's clock. [ms]"""
    soc: FloatArray
    """State of charge, 0..1."""
    battery_power_w: FloatArray
    """Battery's power, > 0 charges. [W]"""
    load_w: FloatArray
    """Consumption. [W]"""
    pv_w: FloatArray
    """Production. [W]"""
    grid_power_w: FloatArray
    """Power at the grid connection, > 0 imports. [W]"""
    soc_min: FloatArray
    """Lower end of the battery's window, 0..1."""
    soc_max: FloatArray
    """Its upper end, 0..1."""
    temperature_c: FloatArray
    """The battery's temperature. [°C]"""


_NAMES: Final = tuple(each.name for each in fields(Homes))


def read_homes(connection: Connection, *, warmth: int | None) -> Homes:
    """Return what is known of all homes in use.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    warmth : int, optional
        Number of the channel of temperatures; None where there is none.
    """
    now = homes_now.c
    windows = _windows()
    joined: FromClause = homes.outerjoin(homes_now, now.home_number == homes.c.number)
    joined = joined.outerjoin(windows, windows.c.home_number == homes.c.number)
    asked = [  # as Homes has them
        homes.c.number,
        now.heard_ms,
        now.end_ms,
        now.soc,
        now.battery_power_w,
        now.load_w,
        now.pv_w,
        now.grid_power_w,
        windows.c.soc_min,
        windows.c.soc_max,
    ]
    if warmth is not None:
        told = telemetry.c
        latest = and_(
            told.home_number == homes.c.number,
            told.end_ms == now.end_ms,
            told.channel_number == warmth,
        )
        joined = joined.outerjoin(telemetry, latest)
        asked.append(told.last)
    query = select(*asked).select_from(joined).where(homes.c.retired.is_(False))
    found = connection.execute(query)
    rows = found.cursor.fetchall()  # plain tuples: ten thousand rows a look
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(asked))
    columns = list(table.T)
    if warmth is None:
        columns.append(np.full(len(rows), np.nan))
    known = dict(zip(_NAMES, columns, strict=True))
    return Homes(**known | {"number": known["number"].astype(np.int64)})  # type: ignore[arg-type] # as _NAMES says


def _windows() -> FromClause:
    """Return the windows of charge of homes' batteries, the wider where there are several."""
    return (
        select(
            devices.c.home_number,
            func.min(devices.c.soc_min).label("soc_min"),
            func.max(devices.c.soc_max).label("soc_max"),
        )
        .where(devices.c.kind == "battery", devices.c.retired.is_(False))
        .group_by(devices.c.home_number)
        .subquery()
    )


def measured(
    seen: Homes, now_ms: int, *, since_ms: int = 0, silent_s: float = 0.0
) -> Mapping[str, FloatArray]:
    """Return what the rules of homes measure, each of shape (homes,); see `rules`.

    Parameters
    ----------
    seen : Homes
        What is known.
    now_ms : int
        The present. [ms]
    since_ms : int
        Since when gateways could be heard; see `aggregator.service.alarms.listening`. [ms]
    silent_s : float
        Silence that is shorter is not counted from before ``since_ms``; and figures that were
        measured longer ago, five minutes at least, say nothing of now. [s]
    """
    fresh_ms = max(_FRESH_MS, 1000 * silent_s)
    # both: what a gateway kept for hours comes now, and a clock may be ahead
    fresh = (now_ms - seen.heard_ms <= fresh_ms) & (now_ms - seen.end_ms <= fresh_ms)
    low = np.where(np.isnan(seen.soc_min), 0.0, seen.soc_min)
    high = np.where(np.isnan(seen.soc_max), 1.0, seen.soc_max)
    outside = np.maximum(low - seen.soc, seen.soc - high)
    # §3: grid = load + battery - pv; production that nobody tells counts as none
    pv_w = np.where(np.isnan(seen.pv_w), 0.0, seen.pv_w)
    gap_w = np.abs(seen.grid_power_w - (seen.load_w + seen.battery_power_w - pv_w))
    return {
        TEMPERATURE: np.where(fresh, seen.temperature_c, np.nan),
        SOC: np.where(fresh, outside, np.nan),
        SILENT: _silence_s(seen.heard_ms, now_ms, since_ms=since_ms, silent_s=silent_s),
        METER: np.where(fresh, gap_w, np.nan),
    }


def _silence_s(heard_ms: FloatArray, now_ms: int, *, since_ms: int, silent_s: float) -> FloatArray:
    """Return for how long nothing came, not known where nobody could have heard it. [s]"""
    ahead = heard_ms > now_ms + _AHEAD_MS  # written before our clock was set back
    heard_ms = np.where(ahead, since_ms, heard_ms)
    known = ((heard_ms >= since_ms) & ~ahead) | (now_ms - since_ms > 1000 * silent_s)
    return np.where(known, (now_ms - heard_ms) / 1000, np.nan)
