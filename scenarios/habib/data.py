"""Buildings with the paper's microgrid, minute by minute: real series put together, or generated.

Habib 2023, section 3.1: 6.3 kWp of panels, three phases whose loads follow a residential building,
and hourly prices of the day ahead.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from hems.fuzzy.edge import PriceBand
from scenarios.data.calendar import REAL_FIRST_DAY, local_midnight, minute_grid
from scenarios.data.files.homes import HOMES_IN_FILE, home_loads_w
from scenarios.data.files.prices import GERMANY_FILE, germany_day_ahead
from scenarios.data.files.pv import PV_FILE, PV_SYSTEMS, pv_per_unit
from scenarios.data.files.tables import on_grid
from scenarios.data.fleet_data import MARKET_ZONE
from scenarios.data.models.homes import generated_loads_w
from scenarios.data.models.prices import generated_prices
from scenarios.data.models.pv import generated_pv
from scenarios.data.models.streams import remembered
from scenarios.errors import ScenarioInputError
from scenarios.microgrid.measures import Tariff
from scenarios.microgrid.model import Surroundings
from scenarios.microgrid.plant import LOAD_MAX_W, PV_RATING_W

PHASES: Final = 3
HOMES_A_PHASE: Final = 2
"""Homes on each phase, a choice: in the paper demand exceeds the sun on a partly cloudy day and not
on a sunny one, which takes more than a home on each."""
HOMES: Final = PHASES * HOMES_A_PHASE
"""Homes of a building."""
BUILDINGS_MAX: Final = HOMES_IN_FILE // HOMES
"""Buildings that the real homes make."""
MONTH_DAYS: Final = 30
YEAR: Final = 2019
"""Whose prices are complete."""
PRICE_ZONE: Final = "Europe/Berlin"
"""Whose days the market sells."""
VAT: Final = 0.19
CHARGES_PER_MWH: Final = 190.0
"""Network, levies and taxes of a German household of 2020, rounded: an assumption. [EUR/MWh]"""
FREQUENCY_SPREAD_HZ: Final = 0.02
"""Standard deviation of a large grid's frequency, an assumption. [Hz]"""
FREQUENCY_DECAY_MIN: Final = 5.0
"""Decay of its correlation, likewise. [min]"""
HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """What happens around some buildings over some days."""

    around: Surroundings
    """Minutes."""
    price_per_mwh: FloatArray
    """Day-ahead price, shape (buildings, minutes). [EUR/MWh]"""
    charges_per_mwh: float
    """On top of it for import, before tax. [EUR/MWh]"""
    source: Literal["real", "generated"]
    """Where load and production come from."""
    provenance: tuple[str, ...]
    """The same in words."""

    @property
    def grid(self) -> TimeGrid:
        """Minutes."""
        return self.around.grid

    @property
    def tariff(self) -> Tariff:
        """What the buildings pay and get."""
        paid = (self.price_per_mwh + self.charges_per_mwh) * (1 + VAT)
        return Tariff(import_per_mwh=paid, export_per_mwh=self.price_per_mwh)

    @property
    def market(self) -> Tariff:
        """The bare market's price for both."""
        return Tariff(import_per_mwh=self.price_per_mwh, export_per_mwh=self.price_per_mwh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the data.

    Raises
    ------
    ScenarioInputError
        If there are no such buildings or days.
    """

    folder: Path | None
    """Folder of real series; None generates."""
    buildings: int = BUILDINGS_MAX
    """How many."""
    days: int = MONTH_DAYS
    """Days of the month."""
    seed: int = 0
    """Of what is generated, the grid's frequency always."""
    charges_per_mwh: float = CHARGES_PER_MWH
    """On top of the market's price for import, before tax. [EUR/MWh]"""

    def __post_init__(self) -> None:
        for name, most in (("buildings", BUILDINGS_MAX), ("days", MONTH_DAYS)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                msg = f"{name} is {value}, must be in 1..{most}: the real homes make no more"
                raise ScenarioInputError(msg)


def month(asked: Asked) -> Buildings:
    """Return the buildings' month: real minutes of a folder, or generated ones without it.

    Raises
    ------
    DataError
        If a file is missing or broken.
    """
    last = REAL_FIRST_DAY + timedelta(days=asked.days - 1)
    grid = minute_grid(last, history_days=asked.days - 1)
    if asked.folder is None:
        return _generated(asked, grid, asked.buildings)
    phases_w = home_loads_w(
        asked.folder, home_set="bootstrap", homes=asked.buildings * HOMES, grid=grid
    )
    system = np.arange(asked.buildings) % PV_SYSTEMS
    return _buildings(
        asked,
        grid,
        load_w=_load_w(phases_w),
        pv_w=pv_per_unit(asked.folder, grid)[system] * PV_RATING_W,
        source="real",
        provenance=(
            "real series of different places and years, combined: no source has all of one day",
            f"load: {HOMES_A_PHASE} homes of four measured UK houses' minutes on each of three "
            f"phases, at most {LOAD_MAX_W:g} W a phase, May and June 2019 dated 364 days later",
            f"PV: one of six UK systems per building, minutes of July dated to the same days, "
            f"times {PV_RATING_W:g} W; {PV_FILE}",
        ),
    )


def year(asked: Asked, buildings: int) -> Buildings:
    """Return generated minutes of some buildings' year, under real prices where there is a folder.

    Raises
    ------
    DataError
        If a file is missing or broken.
    """
    start, end = (local_midnight(date(each, 1, 1)) for each in (YEAR, YEAR + 1))
    grid = TimeGrid(start=start, step_s=60, count=int((end - start).total_seconds()) // 60)
    return _generated(asked, grid, buildings)


def _generated(asked: Asked, grid: TimeGrid, buildings: int) -> Buildings:
    seed = asked.seed
    told = (
        f"load and PV generated by Gridpact's own models with seed {seed}: nothing there was "
        "measured",
        f"load: {HOMES_A_PHASE} homes on each of three phases, at most {LOAD_MAX_W:g} W a phase",
        f"PV: clear sky at 52° N under generated cloud, times {PV_RATING_W:g} W",
    )
    return _buildings(
        asked,
        grid,
        load_w=_load_w(generated_loads_w(seed, buildings * HOMES, grid)),
        pv_w=generated_pv(seed, buildings, grid).homes * PV_RATING_W,
        source="generated",
        provenance=told,
    )


def _load_w(homes_w: FloatArray) -> FloatArray:
    """Return buildings' loads from those of their homes; a phase's load follows up to its most."""
    phases_w = homes_w.reshape(-1, PHASES, HOMES_A_PHASE, homes_w.shape[1]).sum(axis=2)
    total_w: FloatArray = np.minimum(phases_w, LOAD_MAX_W).sum(axis=1)
    return total_w


def _buildings(
    asked: Asked,
    grid: TimeGrid,
    *,
    load_w: FloatArray,
    pv_w: FloatArray,
    source: Literal["real", "generated"],
    provenance: tuple[str, ...],
) -> Buildings:
    """Return buildings under the prices and the frequency of their days."""
    price_per_mwh, level = _prices(asked, grid)
    market = (
        f"Germany day-ahead of the same hours; {GERMANY_FILE}"
        if asked.folder is not None
        else f"GB-like day-ahead prices, generated with seed {asked.seed}"
    )
    return Buildings(
        around=Surroundings(
            grid=grid,
            load_w=load_w,
            pv_w=pv_w,
            price_level=np.broadcast_to(level, load_w.shape),
            deviation_hz=np.broadcast_to(_frequency(asked.seed, grid.count), load_w.shape),
        ),
        price_per_mwh=np.broadcast_to(price_per_mwh, load_w.shape),
        charges_per_mwh=asked.charges_per_mwh,
        source=source,
        provenance=(
            *provenance,
            f"prices: {market}; import adds {asked.charges_per_mwh:g} EUR/MWh and {VAT:.0%} tax, "
            "export earns the price itself",
            f"the grid's frequency: generated, {FREQUENCY_SPREAD_HZ * 1000:g} mHz around nominal",
        ),
    )


def _prices(asked: Asked, grid: TimeGrid) -> tuple[FloatArray, FloatArray]:
    """Return each minute's price [EUR/MWh] and its place in its market day's band, 0..1."""
    hours = _market_hours(grid)
    if asked.folder is None:
        halves = generated_prices(asked.seed, hours.split(HOUR_S // 2)).day_ahead_per_mwh
        by_hour = halves.reshape(-1, 2).mean(axis=1)
    else:
        by_hour = on_grid(germany_day_ahead(asked.folder), hours, name=GERMANY_FILE)
    zone = ZoneInfo(PRICE_ZONE)
    day = np.array([start.astimezone(zone).toordinal() for start in hours.starts()])
    level = np.empty(by_hour.size)
    for each in np.unique(day):
        where = day == each
        level[where] = PriceBand.of(by_hour[where]).level(by_hour[where])
    begin = int((grid.start - hours.start).total_seconds()) // 60
    minutes = slice(begin, begin + grid.count)
    return np.repeat(by_hour, 60)[minutes], np.repeat(level, 60)[minutes]


def _market_hours(grid: TimeGrid) -> TimeGrid:
    """Return the hours of all days of the market that the minutes touch."""
    zone = ZoneInfo(PRICE_ZONE)
    first = grid.start.astimezone(zone).date()
    last = (grid.end - timedelta(seconds=1)).astimezone(zone).date() + timedelta(days=1)
    start, end = (
        datetime(each.year, each.month, each.day, tzinfo=zone).astimezone(UTC)
        for each in (first, last)
    )
    return TimeGrid(start=start, step_s=HOUR_S, count=int((end - start).total_seconds()) // HOUR_S)


def _frequency(seed: int, minutes: int) -> FloatArray:
    """Return how far the grid's frequency is from nominal. [Hz]"""
    memory = int(8 * FREQUENCY_DECAY_MIN)
    normals = np.random.default_rng([seed, 50]).standard_normal(minutes + memory)
    drawn = remembered(normals, decay_steps=FREQUENCY_DECAY_MIN, memory_steps=memory)
    return FREQUENCY_SPREAD_HZ * drawn[memory:]


def local_clock(grid: TimeGrid, minute: int) -> datetime:
    """Return a minute's local time at the buildings."""
    return (grid.start + timedelta(minutes=minute)).astimezone(ZoneInfo(MARKET_ZONE))
