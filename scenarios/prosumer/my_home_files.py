"""A user's three files as one prosumer's hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from scenarios.errors import DataFormatError
from scenarios.prosumer.own_series import (
    Hourly,
    Reading,
    common_hours,
    read_prices,
)
from scenarios.prosumer.own_series_ausgrid import ZONE, is_ausgrid, read_any
from scenarios.prosumer.own_series_times import zone_of
from scenarios.prosumer.series import HOUR_S, ProsumerSeries

LEAST_H: Final = 72
"""Hours that the files must share: a day of history and two to live through. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a home's series are and how they are read."""

    load: Path
    """Consumption."""
    pv: Path
    """Production."""
    prices: Path
    """Prices of import and export, or one."""
    load_reading: Reading = field(default_factory=Reading)
    """How consumption is read."""
    pv_reading: Reading = field(default_factory=Reading)
    """How production is read."""
    price_reading: Reading = field(default_factory=Reading)
    """How prices are read."""
    zone: str | None = None
    """IANA name of the home's zone."""
    customer: int | None = None
    """Which of Ausgrid's customers, where a file is of theirs."""
    feed_in_per_mwh: float | None = None
    """What export earns, always; None: the file's, or the market's. [currency/MWh]"""
    charges_per_mwh: float | None = None
    """What goes on top of the market's price for import; None: the file has the price of import.
    [currency/MWh]"""
    currency: str = "EUR"
    """Of the prices."""


def read_home(files: Files) -> ProsumerSeries:
    """Return a home's hours, those that all its files hold.

    Raises
    ------
    DataError
        If a file is missing or broken, leaves something open, or the files share too few hours.
    """
    zone = files.zone
    if zone is not None:
        zone_of(zone)
    load = read_any(files.load, "load", files.load_reading, customer=files.customer)
    pv = read_any(files.pv, "pv", files.pv_reading, customer=files.customer)
    if zone is None and is_ausgrid(files.load):
        zone = ZONE
    imported, exported, told = _prices(files)
    names = [path.name for path in (files.load, files.pv, files.prices)]
    hours = common_hours([load, pv, imported], names=names, least=LEAST_H)
    start = datetime.fromtimestamp(hours.start * HOUR_S, UTC)
    grid = TimeGrid(start=start, step_s=HOUR_S, count=len(hours))
    return ProsumerSeries(
        grid=grid,
        zone=zone or "UTC",
        load_wh=load.within(hours)[None],
        pv_wh=pv.within(hours)[None],
        import_price_per_mwh=imported.within(hours)[None],
        export_price_per_mwh=exported.within(hours)[None],
        currency=files.currency,
        source="real",
        provenance=_provenance(hours, zone, (*load.told, *pv.told, *told)),
    )


def _prices(files: Files) -> tuple[Hourly, Hourly, tuple[str, ...]]:
    """Return prices of import and export, and where they come from."""
    read = read_prices(files.prices, files.price_reading)
    imported, exported, told = read.imported, read.exported, read.imported.told
    if exported is not None:
        told = (*told, *exported.told)
    elif files.charges_per_mwh is not None:
        exported = imported
        told = (*told, "export earns that price, the market's")
    if files.feed_in_per_mwh is not None:
        exported = replace(imported, values=np.full(imported.values.size, files.feed_in_per_mwh))
        told = (*told, f"export earns {files.feed_in_per_mwh / 1e3:g} {files.currency}/kWh always")
    if exported is None:
        msg = (
            f"{files.prices.name} has one price; say what export earns with --feed-in 0.08/kWh, "
            "or, of a market's price, what import costs on top with --charges 0.12/kWh"
        )
        raise DataFormatError(msg)
    if files.charges_per_mwh is not None:
        imported = replace(imported, values=imported.values + files.charges_per_mwh)
        told = (*told, f"import costs {files.charges_per_mwh / 1e3:g} {files.currency}/kWh more")
    return imported, exported, told


def _provenance(hours: range, zone: str | None, told: Sequence[str]) -> tuple[str, ...]:
    begin, end = (np.datetime64(hour * HOUR_S, "s") for hour in (hours.start, hours.stop))
    days = f"days are those of {zone}" if zone else "no --tz was given: days are those of UTC"
    return (f"a home's own files, {len(hours)} hours from {begin}Z to {end}Z; {days}", *told)
