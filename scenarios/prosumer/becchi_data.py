"""The paper's prosumer over 2022: real series put together, or generated ones.

Becchi 2024, §III.A: 3000 kWh a year from the database of Ausgrid, panels of 3 kWp that would make
1100 kWh/kWp, the Italian single price (PUN) of 2022, and charges of 40 to 50 % of the bill.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.data.files.homes import AUSGRID_FILE, ausgrid_home
from scenarios.data.files.prices import italy_day_ahead
from scenarios.data.files.tables import on_grid
from scenarios.data.models.homes import generated_loads_w
from scenarios.data.models.prices import generated_prices
from scenarios.data.models.pv import generated_pv
from scenarios.prosumer.series import HOUR_S, ProsumerSeries

YEAR: Final = 2022
DAY_H: Final = 24
ZONE: Final = "Europe/Rome"
LOAD_WH_PER_YEAR: Final = 3_000_000.0
PV_WH_PER_YEAR: Final = 3 * 1_100_000.0
CHARGES_SHARE: Final = 0.45
"""Charges over the bill; the paper says 40 to 50 %."""
HISTORY_DAYS: Final = 62
"""Days before the year, from which forecasters learn."""
AHEAD_DAYS: Final = 3
"""Days after it, into which the last plans look."""
AUSGRID_FIRST: Final = date(2011, 7, 2)
"""The Saturday that stands for Saturday 1 January 2022: half a year away, as the seasons are."""
SYDNEY: Final = timezone(timedelta(hours=10))
"""Standard time."""
AUSGRID_DAYS: Final = 364
"""Whole weeks of the file, so that weekdays stay where days before or after the year repeat it."""
PUN_MEAN, PUN_LEAST = 304.0, 10.0
"""Of 2022, for generated prices. [EUR/MWh]"""
Charges = Literal["proportional", "flat"]
"""Whether charges grow with the hour's price or are the same for each kWh; the paper is silent."""


def becchi_series(
    folder: Path | None,
    *,
    seed: int = 0,
    charges: Charges = "proportional",
    charges_share: float = CHARGES_SHARE,
) -> ProsumerSeries:
    """Return the paper's prosumer, some weeks before and a few days after its year included.

    Parameters
    ----------
    folder : Path | None
        Folder of real series; None generates.
    seed : int
        Of what is generated.
    charges : Charges
        How charges go on top of the market's price.
    charges_share : float
        Charges over the bill, 0..1.

    Raises
    ------
    DataError
        If a file is missing or broken.
    """
    grid = becchi_grid()
    in_year = _in_year(grid)
    load, pv, price, provenance = _generated(grid, seed) if folder is None else _real(folder, grid)
    load_wh = load * (LOAD_WH_PER_YEAR / load[in_year].sum())
    import_price = _with_charges(price, load_wh * in_year, charges, charges_share)
    return ProsumerSeries(
        grid=grid,
        zone=ZONE,
        load_wh=load_wh[None],
        pv_wh=pv[None] * (PV_WH_PER_YEAR / pv[in_year].sum()),
        import_price_per_mwh=import_price[None],
        export_price_per_mwh=price[None],
        currency="EUR",
        source="generated" if folder is None else "real",
        provenance=(*provenance, _charges_told(charges, charges_share)),
    )


def becchi_grid() -> TimeGrid:
    """Return the hours of the year, of the weeks before and of the days after."""
    first = datetime(YEAR, 1, 1, tzinfo=ZoneInfo(ZONE)) - timedelta(days=HISTORY_DAYS)
    last = datetime(YEAR + 1, 1, 1, tzinfo=ZoneInfo(ZONE)) + timedelta(days=AHEAD_DAYS)
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    return TimeGrid(start=start, step_s=HOUR_S, count=int((end - start).total_seconds()) // HOUR_S)


def year_begin(series: ProsumerSeries) -> int:
    """Return the first hour of the year in the series."""
    return int(np.searchsorted(series.day, date(YEAR, 1, 1).toordinal()))


def year_hours(series: ProsumerSeries) -> int:
    """Return the hours of the year."""
    after = date(YEAR + 1, 1, 1).toordinal()
    return int(np.searchsorted(series.day, after)) - year_begin(series)


def _in_year(grid: TimeGrid) -> BoolArray:
    zone = ZoneInfo(ZONE)
    return np.array([start.astimezone(zone).year == YEAR for start in grid.starts()])


def _with_charges(
    price: FloatArray, weights: FloatArray, charges: Charges, share: float
) -> FloatArray:
    """Return what import costs, so that charges are their share of a bill without panels."""
    if charges == "proportional":
        return price / (1 - share)
    return price + float(np.average(price, weights=weights)) * share / (1 - share)


def _charges_told(charges: Charges, share: float) -> str:
    how = {"proportional": "in proportion to the hour's price", "flat": "the same for each kWh"}
    return f"import: that price and charges of {share:.0%} of the bill, {how[charges]}"


def _real(
    folder: Path, grid: TimeGrid
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Return consumption, production, price and where they come from."""
    load_wh, pv_wh = _ausgrid_wh(folder, grid)
    return (
        load_wh,
        pv_wh,
        on_grid(italy_day_ahead(folder), grid, name="PUN"),
        (
            "one Ausgrid home, its seasons turned round, under the Italian price of 2022: measured "
            "series that never met",
            "load and PV: Ausgrid's solar home 12, July 2011 to June 2012, dated half a year "
            "later so that winter is winter and weekdays stay, scaled to "
            f"{LOAD_WH_PER_YEAR / 1e3:.0f} and {PV_WH_PER_YEAR / 1e3:.0f} kWh a year",
            "export: PUN of 2022, hour by hour; before and after the year its own prices, the "
            "home's days repeated",
        ),
    )


def _ausgrid_wh(folder: Path, grid: TimeGrid) -> tuple[FloatArray, FloatArray]:
    """Return consumption and production of the grid's hours. [Wh]

    Standard time of Sydney becomes standard time of Rome. Both put their clocks forward for the
    same half of the shifted year, but for some days.
    """
    begin = datetime(AUSGRID_FIRST.year, AUSGRID_FIRST.month, AUSGRID_FIRST.day, tzinfo=SYDNEY)
    begin_rome = datetime(YEAR, 1, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    frame = ausgrid_home(folder)
    half_hours = TimeGrid(
        start=begin.astimezone(UTC), step_s=HOUR_S // 2, count=AUSGRID_DAYS * DAY_H * 2
    )
    ahead_h = int((grid.start - begin_rome).total_seconds()) // HOUR_S
    place = (ahead_h + np.arange(grid.count)) % (AUSGRID_DAYS * DAY_H)
    load_wh, pv_wh = (
        on_grid(frame[name], half_hours, name=AUSGRID_FILE).reshape(-1, 2).mean(axis=1)[place]
        for name in ("load_w", "pv_w")
    )
    return load_wh, pv_wh


def _generated(
    grid: TimeGrid, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Return the same of the project's own models, which know Great Britain."""
    minutes, half_hours = grid.split(60), grid.split(1800)
    load_wh = generated_loads_w(seed, 1, minutes)[0].reshape(-1, 60).mean(axis=1)
    pv_wh = generated_pv(seed, 1, minutes).homes[0].reshape(-1, 60).mean(axis=1)
    market = generated_prices(seed, half_hours).day_ahead_per_mwh.reshape(-1, 2).mean(axis=1)
    price = np.maximum(market * (PUN_MEAN / market.mean()), PUN_LEAST)
    return (
        load_wh,
        pv_wh,
        price,
        (
            f"generated by Gridpact's own models with seed {seed}: nothing here was measured",
            f"load and PV: one home and the sun at 52° N, scaled to {LOAD_WH_PER_YEAR / 1e3:.0f} "
            f"and {PV_WH_PER_YEAR / 1e3:.0f} kWh a year",
            f"export: GB-like day-ahead prices scaled to PUN's mean of 2022, {PUN_MEAN:g} EUR/MWh",
        ),
    )
