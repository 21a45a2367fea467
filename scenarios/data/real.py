"""Combine the real files, of different places and years, into one fleet."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.data.calendar import (
    REAL_FIRST_DAY,
    REAL_LAST_DAY,
    market_grid,
    minute_grid,
    require_fleet,
)
from scenarios.data.files import prices
from scenarios.data.files.homes import (
    DATED_LATER,
    HOME_FILES,
    LOCAL,
    HomeSet,
    home_loads_w,
)
from scenarios.data.files.pv import PV_FILE, crest_pv_per_unit, pv_per_unit
from scenarios.data.files.tables import on_grid
from scenarios.data.files.wind import WIND_FILE, wind_per_unit
from scenarios.data.fleet_data import (
    PLANT_PV_RATING_W,
    PLANT_WIND_RATING_W,
    PV_RATING_RANGE_W,
    FleetData,
    plant_scale,
)
from scenarios.errors import DataRequestError

__all__ = ["HomeSet", "load_fleet_data"]


def load_fleet_data(
    folder: Path,
    *,
    day: date,
    homes: int = 70,
    seed: int = 0,
    history_days: int = 2,
    home_set: HomeSet = "bootstrap",
) -> FleetData:
    """Return a fleet of real homes, real sun, real wind and real prices.

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    day : date
        Local market day, 2020-05-11 to 2020-06-09.
    homes : int
        The first so many of 70.
    seed : int
        Draws each home's PV system and rating, and the plant's system.
    history_days : int
        Local days of minutes before the market day; fewer at the window's beginning.
    home_set : {"bootstrap", "crest"}
        Homes resampled from measured minutes with the six PV systems, or homes of the CREST model
        with its own irradiance.

    Raises
    ------
    DataError
        If a file is missing or broken, has a gap on the day, or does not hold what is asked.
    """
    require_fleet(homes=homes, seed=seed)
    _require_window(day)
    grid = minute_grid(day, history_days=min(history_days, (day - REAL_FIRST_DAY).days))
    sun = _draw_sun(homes, seed=seed, home_set=home_set)
    provenance = _provenance(grid, sun, seed=seed, home_set=home_set)
    return _combine(folder, (grid, market_grid(day)), sun, home_set, provenance=provenance)


def _require_window(day: date) -> None:
    """Raise unless the day is one that the real files are dated to."""
    if not REAL_FIRST_DAY <= day <= REAL_LAST_DAY:
        msg = (
            f"real data cover {REAL_FIRST_DAY} to {REAL_LAST_DAY}, not {day}; "
            "choose a day inside, or use the generator"
        )
        raise DataRequestError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sun:
    """Which PV system each home and the plant have."""

    system: IntArray
    """Row of the PV file, shape (homes,)."""
    rating_w: FloatArray
    """Rating, shape (homes,). [W]"""
    plant_system: int
    """Row of the PV file that the plant has."""


def _draw_sun(homes: int, *, seed: int, home_set: HomeSet) -> _Sun:
    """Draw systems and ratings from streams of their own: home i's do not depend on ``homes``."""
    systems, ratings, plant = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)
    )
    count = 1 if home_set == "crest" else 6
    return _Sun(
        system=systems.integers(count, size=homes),
        rating_w=ratings.uniform(*PV_RATING_RANGE_W, size=homes),
        plant_system=int(plant.integers(count)),
    )


def _combine(
    folder: Path,
    grids: tuple[TimeGrid, TimeGrid],
    sun: _Sun,
    home_set: HomeSet,
    *,
    provenance: tuple[str, ...],
) -> FleetData:
    """Read all files on the grids of minutes and of slots, and put them together."""
    grid, slots = grids
    homes = sun.system.size
    scale = plant_scale(homes)
    per_unit = (crest_pv_per_unit if home_set == "crest" else pv_per_unit)(folder, grid)
    day_ahead = prices.gb_day_ahead(folder)
    agile = prices.gb_agile_import(folder)
    system_sell = prices.gb_imbalance(folder)["system_sell_gbp_per_mwh"]
    return FleetData(
        minute_grid=grid,
        market_grid=slots,
        load_w=home_loads_w(folder, home_set=home_set, homes=homes, grid=grid),
        pv_w=per_unit[sun.system] * sun.rating_w[:, np.newaxis],
        plant_pv_w=per_unit[sun.plant_system] * PLANT_PV_RATING_W * scale,
        plant_wind_w=wind_per_unit(folder, grid) * PLANT_WIND_RATING_W * scale,
        day_ahead_price_per_mwh=on_grid(day_ahead, slots, name=prices.GB_DAY_AHEAD_FILE),
        import_price_per_mwh=on_grid(agile, slots, name=prices.GB_AGILE_FILE),
        imbalance_price_per_mwh=on_grid(system_sell, slots, name=prices.GB_IMBALANCE_FILE),
        pv_rating_w=sun.rating_w,
        source="real",
        provenance=provenance,
    )


def _provenance(grid: TimeGrid, sun: _Sun, *, seed: int, home_set: HomeSet) -> tuple[str, ...]:
    """Say what was combined of what."""
    homes, file, shift = sun.system.size, HOME_FILES[home_set], DATED_LATER
    measured, sunlight = {
        "bootstrap": (
            "resampled from measured minutes of four UK houses",
            f"one of six UK systems per home, July days 1-30 dated from 2020-05-11 on; {PV_FILE}",
        ),
        "crest": (
            "of the CREST 2.2 model",
            f"one irradiance for all, of the CREST set, dated as the homes; {file}",
        ),
    }[home_set]
    plant_pv = f"PV system {sun.plant_system}" if home_set == "bootstrap" else "PV"
    first_day = grid.start.astimezone(LOCAL).date() - shift
    low_w, high_w = PV_RATING_RANGE_W
    scale = plant_scale(homes)
    return (
        "real series of different places and years, combined: no source has all of one day",
        f"homes: the first {homes} of 70 {measured}, {first_day} on dated {shift.days} days later; "
        f"{file}",
        f"PV: {sunlight}; ratings {low_w:g}-{high_w:g} W drawn with seed {seed}",
        f"plant: {PLANT_PV_RATING_W * scale:g} W of {plant_pv} and {PLANT_WIND_RATING_W * scale:g} "
        f"W of a 5 MW turbine, same month, day and UTC time of 2021; {WIND_FILE}",
        "prices: GB day-ahead, Octopus Agile import (region A, with VAT) and system imbalance of "
        "the day itself",
    )
