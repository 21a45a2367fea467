"""What the paper runs: its battery, four windows, five policies and six scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.dispatch.paper import grid_target, input_dispatch, manual_dispatch
from hems.dispatch.policies import PeakShaving, Policy
from scenarios.dispatch.plant import DispatchBattery, Generation

CAPACITY_WH: Final = 25_200.0
"""The campus' battery. [Wh]"""
POWER_W: Final = 13_800.0
"""Its power. [W]"""
WINDOWS: Final[Mapping[int, tuple[float, float]]] = {
    1: (0.0, 1.0),
    2: (0.15, 0.95),
    3: (0.20, 0.90),
    4: (0.13, 0.97),
}
"""Least and most charge, by the paper's configuration."""
GENERATIONS: Final[tuple[Generation, ...]] = ("2020", "2025")
"""SAM as the paper ran it, and as it is."""
SHOWN_WINDOW: Final = 3
"""The configuration of table 4 and the figures."""
SHOWN_POLICY: Final = 3
"""The policy of table 4 and the figures."""
SHOWN_CARS: Final = 5
"""The hypothesis of figure 5, table 4 and the figures: four cars from 12 to 14 h."""
NOON_H: Final = range(12, 16)
"""Hours in which policy 4's hypotheses (iv) and (v) charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One of policy 4's power series."""

    charge_w: float
    """Power of charging. [W]"""
    discharge_w: float
    """Power of discharging. [W]"""
    noon: bool = False
    """It charges from 12 to 16 h; else in twelve hours of the day."""

    def policy(self) -> Policy:
        """Return the series for a year of hours."""
        if self.noon:
            return input_dispatch(
                charge_w=self.charge_w, discharge_w=self.discharge_w, charge_hours=NOON_H
            )
        return input_dispatch(charge_w=self.charge_w, discharge_w=self.discharge_w)


WISHES: Final[Mapping[str, Wish]] = {
    "i": Wish(charge_w=2_000, discharge_w=2_000),
    "ii": Wish(charge_w=5_000, discharge_w=5_000),
    "iii": Wish(charge_w=10_000, discharge_w=10_000),
    "iv": Wish(charge_w=50_000, discharge_w=10_000, noon=True),
    "v": Wish(charge_w=10_000, discharge_w=5_000, noon=True),
}
"""By the paper's number."""
SHOWN_WISH: Final = "v"
"""The paper does not say which its tables show: of those that leave its peak, this one's energy is
nearest."""


def policies() -> dict[int, Policy]:
    """Return the five policies by the paper's number, policy 4 as `SHOWN_WISH`."""
    return {
        1: PeakShaving(look="ahead"),
        2: PeakShaving(look="behind"),
        3: grid_target(),
        4: WISHES[SHOWN_WISH].policy(),
        5: manual_dispatch(),
    }


def battery(window: int, generation: Generation) -> DispatchBattery:
    """Return the campus' battery, on the DC side as it is there, charged by PV alone.

    Parameters
    ----------
    window : int
        The paper's configuration.
    generation : Generation
        Which SAM's behaviour.
    """
    low, high = WINDOWS[window]
    return DispatchBattery(
        capacity_wh=CAPACITY_WH,
        power_max_w=POWER_W,
        soc_min=low,
        soc_max=high,
        coupling="dc",
        generation=generation,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A row of table 3."""

    name: str
    """What is there."""
    cars: bool
    """The chargers are in use."""
    pv: bool
    """The panels produce."""
    battery: bool
    """The battery is run."""


SCENARIOS: Final[Mapping[int, Scenario]] = {
    1: Scenario(name="Building", cars=False, pv=False, battery=False),
    2: Scenario(name="Building and PV", cars=False, pv=True, battery=False),
    3: Scenario(name="Building and cars", cars=True, pv=False, battery=False),
    4: Scenario(name="Building, PV and battery", cars=False, pv=True, battery=True),
    5: Scenario(name="Building, cars and PV", cars=True, pv=True, battery=False),
    6: Scenario(name="Building, cars, PV and battery", cars=True, pv=True, battery=True),
}
"""By the paper's number."""
