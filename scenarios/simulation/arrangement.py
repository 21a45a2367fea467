"""Where panels and batteries stand and who sells: Couraud 2021's scenarios as data.

An arrangement turns the data of homes into those of the members that a loop steers, and a loop's
meters into the homes' bills. Everything in between is the same for all of them.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from aggregator.bills import Bills, Registers, bill_homes
from devices.arrays import FloatArray
from scenarios.data.fleet_data import FleetData
from scenarios.errors import ScenarioInputError
from scenarios.simulation.day_ahead import slot_energy_wh

Place = Literal["homes", "central", "none"]
"""Where assets stand: at the homes that own them, all in one place, or nowhere."""
PLACES = ("homes", "central", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Who owns what, and who sells it; the default is the framework, scenario 4.

    Raises
    ------
    ScenarioInputError
        If the parts do not fit each other.
    """

    panels: Place = "homes"
    """Where the homes' panels stand."""
    batteries: Place = "homes"
    """Where their batteries stand."""
    market: bool = True
    """Whether an aggregator sells day-ahead and coordinates through the contract."""
    households_in_portfolio: bool = True
    """Whether it balances the homes' demand too, and they buy over its private wire."""
    plant: bool = True
    """Whether its own sun and wind are in the portfolio."""

    def __post_init__(self) -> None:
        for name in ("panels", "batteries"):
            if getattr(self, name) not in PLACES:
                msg = f"{name} at {getattr(self, name)!r}: choose one of {', '.join(PLACES)}"
                raise ScenarioInputError(msg)
        if (self.panels == "central") != (self.batteries == "central"):
            msg = f"panels {self.panels}, batteries {self.batteries}: central is for both or none"
            raise ScenarioInputError(msg)
        if self.batteries == "none" and self.market:
            msg = "a market without batteries: the contract steers batteries; place some"
            raise ScenarioInputError(msg)
        if self.households_in_portfolio and not self.market:
            msg = "households in a portfolio without a market: nobody balances it; leave them out"
            raise ScenarioInputError(msg)
        if not self.households_in_portfolio and self.market and not self.central:
            msg = "assets at homes, homes outside the portfolio: their meters are its; put them in"
            raise ScenarioInputError(msg)

    @property
    def central(self) -> bool:
        """Whether all panels and batteries are in one place."""
        return self.batteries == "central"

    def members(self, homes: int) -> int:
        """Return how many members with a battery the loop steers."""
        return 1 if self.central else homes

    def billed(self, homes: int) -> int:
        """Return how many bills there are: the homes', then the central site's."""
        return homes + 1 if self.central else homes


FRAMEWORK: Final = Arrangement()
"""The paper's framework, scenario 4."""
ALONE: Final = Arrangement(market=False, households_in_portfolio=False, plant=False)
"""Every home for itself, scenario 1."""


def arranged(data: FleetData, arrangement: Arrangement) -> FleetData:
    """Return a day's data as the members that an arrangement steers see them.

    Parameters
    ----------
    data : FleetData
        Every home with its load and its panels.
    arrangement : Arrangement
        Who owns what.

    Notes
    -----
    A central site follows its portfolio's residual demand: with the households in it, their load is
    what its battery sees, and with them outside it sees none (Couraud 2021, §IV.B, k = 1).
    """
    if arrangement.panels == "none":
        data = replace(data, pv_w=np.zeros_like(data.pv_w))
    if not arrangement.plant:
        none_w = np.zeros_like(data.plant_pv_w)
        data = replace(data, plant_pv_w=none_w, plant_wind_w=none_w)
    if not arrangement.central:
        return data
    load_w = data.load_w.sum(axis=0, keepdims=True)
    day = slice(data.day_start_minute, None)
    return replace(
        data,
        load_w=load_w if arrangement.households_in_portfolio else np.zeros_like(load_w),
        pv_w=data.pv_w.sum(axis=0, keepdims=True),
        pv_rating_w=data.pv_rating_w.sum(keepdims=True),
        households_wh=slot_energy_wh(data.load_w[:, day], data.market_grid),
    )


def volatile(data: FleetData, factor: float) -> FleetData:
    """Return the data with the day-ahead prices' deviations from their mean multiplied.

    Parameters
    ----------
    data : FleetData
        A day.
    factor : float
        1 leaves the prices as they are, 0 makes them flat.
    """
    if factor == 1.0:
        return data
    price = data.day_ahead_price_per_mwh
    mean = price.mean()
    return replace(data, day_ahead_price_per_mwh=mean + factor * (price - mean))


def bills(
    arrangement: Arrangement,
    data: FleetData,
    counted: Registers,
    *,
    load_wh: FloatArray,
    wire_share: float,
) -> Bills:
    """Bill everybody for a day: homes, and after them the central site where there is one.

    Parameters
    ----------
    arrangement : Arrangement
        Who owns what.
    data : FleetData
        Plant, prices and households of the day as it was `arranged`.
    counted : Registers
        The members' meters.
    load_wh : FloatArray, shape (members, slots)
        The members' consumption. [Wh]
    wire_share : float
        What a member pays for another's energy, as a share of the retail price.

    Notes
    -----
    Outside a portfolio there is no private wire: all import is at the retail price. A central site
    pays for what it draws; what the members' exports match of it is over the wire.
    """
    if not arrangement.market:
        return _billed(data, _importing(counted.import_wh), load_wh, plant_wh=None, share=1.0)
    plant_wh = slot_energy_wh(plant_w(data), data.market_grid)
    if data.households_wh is None:
        return _billed(data, counted, load_wh, plant_wh=plant_wh, share=wire_share)
    homes = _importing(data.households_wh)
    site = _without_load(counted, load_wh)
    nothing_wh = np.zeros_like(site.import_wh)
    if arrangement.households_in_portfolio:
        all_wh = np.concatenate([data.households_wh, nothing_wh])
        return _billed(data, _both(homes, site), all_wh, plant_wh=plant_wh, share=wire_share)
    outside = _billed(data, homes, data.households_wh, plant_wh=None, share=1.0)
    inside = _billed(data, site, nothing_wh, plant_wh=plant_wh, share=wire_share)
    return Bills(
        bill=np.concatenate([outside.bill, inside.bill]),
        baseline=np.concatenate([outside.baseline, inside.baseline]),
        wire_wh=np.concatenate([outside.wire_wh, inside.wire_wh]),
    )


def plant_w(data: FleetData) -> FloatArray:
    """Return the production of the aggregator's plant on the market day, shape (minutes,). [W]"""
    day = slice(data.day_start_minute, None)
    return data.plant_pv_w[day] + data.plant_wind_w[day]


def _importing(import_wh: FloatArray) -> Registers:
    """Return registers whose export matches nobody's import."""
    return Registers(import_wh=import_wh, export_wh=np.zeros_like(import_wh))


def _without_load(counted: Registers, load_wh: FloatArray) -> Registers:
    """Return the registers of a site whose portfolio's load is elsewhere."""
    net_wh = counted.import_wh - counted.export_wh - load_wh
    return Registers(import_wh=np.maximum(net_wh, 0.0), export_wh=np.maximum(-net_wh, 0.0))


def _both(homes: Registers, site: Registers) -> Registers:
    return Registers(
        import_wh=np.concatenate([homes.import_wh, site.import_wh]),
        export_wh=np.concatenate([homes.export_wh, site.export_wh]),
    )


def _billed(
    data: FleetData,
    counted: Registers,
    load_wh: FloatArray,
    *,
    plant_wh: FloatArray | None,
    share: float,
) -> Bills:
    return bill_homes(
        counted,
        load_wh=load_wh,
        retail_price_per_mwh=data.import_price_per_mwh,
        plant_export_wh=plant_wh,
        wire_price_share=share,
    )
