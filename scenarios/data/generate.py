"""Generate a fleet without any data: homes, sun, wind and prices of the project's own models."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.calendar import market_grid, minute_grid, require_fleet
from scenarios.data.fleet_data import (
    PLANT_PV_RATING_W,
    PLANT_WIND_RATING_W,
    FleetData,
    plant_scale,
)
from scenarios.data.home_minutes import HomeMinutes
from scenarios.data.models.homes import generated_loads_w
from scenarios.data.models.prices import generated_prices
from scenarios.data.models.pv import GeneratedPv, generated_pv
from scenarios.data.models.wind import generated_wind

BLOCK_HOMES = 250
"""Homes drawn together; each further block has a seed of its own, under the same weather.

It bounds the memory that drawing takes, and does not show in fleets of one block.
"""


def generated_homes(
    *, day: date, homes: int, part: range, seed: int = 0, history_days: int = 2
) -> Iterator[HomeMinutes]:
    """Yield some homes of a generated fleet in blocks, in their order.

    Parameters
    ----------
    day, homes, seed, history_days
        As for `generate_fleet_data`, whose rows these are, to the bit: a block that holds one of
        the homes is drawn whole.
    part : range
        Which homes.
    """
    require_fleet(homes=homes, seed=seed)
    grid = minute_grid(day, history_days=history_days)
    for number in range(part.start // BLOCK_HOMES, -(-part.stop // BLOCK_HOMES)):
        first = number * BLOCK_HOMES
        rows = min(BLOCK_HOMES, homes - first)
        load_w, pv_w = np.empty((rows, grid.count)), np.empty((rows, grid.count))
        _fill(load_w, pv_w, grid, seed=seed, number=number)
        cut = slice(max(part.start - first, 0), part.stop - first)
        yield HomeMinutes(load_w=load_w[cut], pv_w=pv_w[cut])


def generated_surroundings(
    *, day: date, homes: int, seed: int = 0, history_days: int = 2
) -> FleetData:
    """Return a generated fleet's plant and prices, with one home that uses and makes nothing."""
    require_fleet(homes=homes, seed=seed)
    grid = minute_grid(day, history_days=history_days)
    # A block's sun is computed together, plant and homes: alone, it would differ in rounding.
    pv = generated_pv(seed, min(homes, BLOCK_HOMES), grid)
    nothing_w = np.zeros((1, grid.count))
    return _surrounded(
        (grid, market_grid(day)),
        nothing_w,
        nothing_w,
        replace(pv, rating_w=pv.rating_w[:1]),
        homes=homes,
        seed=seed,
    )


def generate_fleet_data(
    *, day: date, homes: int = 70, seed: int = 0, history_days: int = 2
) -> FleetData:
    """Return a generated fleet.

    Parameters
    ----------
    day : date
        Any local market day, also one of 23 or 25 hours.
    homes : int
        Size of the fleet.
    seed : int
        Same seed, same bytes. Neither a home nor the prices depend on how many homes there are, and
        a day's minutes are the same as market day and as history.
    history_days : int
        Local days of minutes before the market day.

    Raises
    ------
    DataRequestError
        If a number is out of range.
    """
    require_fleet(homes=homes, seed=seed)
    grid = minute_grid(day, history_days=history_days)
    load_w, pv_w = np.empty((homes, grid.count)), np.empty((homes, grid.count))
    drawn: list[GeneratedPv] = []
    for first in range(0, homes, BLOCK_HOMES):
        block = slice(first, min(first + BLOCK_HOMES, homes))
        drawn.append(
            _fill(load_w[block], pv_w[block], grid, seed=seed, number=first // BLOCK_HOMES)
        )
    return _surrounded(
        (grid, market_grid(day)),
        load_w,
        pv_w,
        replace(drawn[0], rating_w=np.concatenate([pv.rating_w for pv in drawn])),
        homes=homes,
        seed=seed,
    )


def _surrounded(
    grids: tuple[TimeGrid, TimeGrid],
    load_w: FloatArray,
    pv_w: FloatArray,
    sun: GeneratedPv,
    *,
    homes: int,
    seed: int,
) -> FleetData:
    """Put plant and prices of a fleet of ``homes`` around the rows of some."""
    grid, slots = grids
    prices, scale = generated_prices(seed, slots), plant_scale(homes)
    return FleetData(
        minute_grid=grid,
        market_grid=slots,
        load_w=load_w,
        pv_w=pv_w,
        plant_pv_w=sun.plant * PLANT_PV_RATING_W * scale,
        plant_wind_w=generated_wind(seed, grid) * PLANT_WIND_RATING_W * scale,
        day_ahead_price_per_mwh=prices.day_ahead_per_mwh,
        import_price_per_mwh=prices.agile_import_per_mwh,
        imbalance_price_per_mwh=prices.imbalance_per_mwh,
        pv_rating_w=sun.rating_w,
        source="generated",
        provenance=_provenance(homes=homes, seed=seed),
    )


def _fill(
    load_w: FloatArray, pv_w: FloatArray, grid: TimeGrid, *, seed: int, number: int
) -> GeneratedPv:
    """Draw the homes of block ``number`` into its rows; return its PV."""
    homes, own_seed = load_w.shape[0], seed
    if number:
        state = np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint64)
        own_seed = int(state[0])
    load_w[:] = generated_loads_w(own_seed, homes, grid)
    pv = generated_pv(own_seed, homes, grid, weather_seed=seed)
    pv_w[:] = pv.homes * pv.rating_w[:, np.newaxis]
    # Only what is small: the rest would hold the memory that blocks save.
    return replace(pv, homes=np.empty((0, 0)))


def _provenance(*, homes: int, seed: int) -> tuple[str, ...]:
    """Say that nothing here was measured."""
    return (
        f"generated by Gridpact's own models with seed {seed}: nothing here was measured",
        f"homes: {homes}, switched appliances calibrated to statistics of real UK homes",
        "PV: clear sky at 52° N under generated cloud that the region shares",
        f"plant: {PLANT_PV_RATING_W * plant_scale(homes):.0f} W of PV, "
        f"{PLANT_WIND_RATING_W * plant_scale(homes):.0f} W of wind in the same weather",
        "prices: GB-like day-ahead, Octopus Agile's formula on it, imbalance with the quantiles of "
        "the real one",
    )
