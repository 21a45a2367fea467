"""The battery as a linear program can carry it: at least as good as the one that policies run."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.battery_kernel import OVER, Plant
from scenarios.dispatch.cell_kernel import Cells, held, voltage, warm_share
from scenarios.dispatch.numbers import site_of
from scenarios.dispatch.optimum_program import (
    DISCHARGE,
    GRID_CHARGE,
    KINDS,
    PV_CHARGE,
    STORED,
)
from scenarios.dispatch.plant import DispatchBattery
from scenarios.errors import ScenarioInputError

KNOTS = 1001
"""Charges at which the voltage is taken; between them it lies below the chord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdealBattery:
    """A battery of constant efficiencies and capacity.

    Raises
    ------
    ScenarioInputError
        If it would give more than it took, or its stored energies are not in order.
    """

    stored_low_wh: float
    """Least that is stored. [Wh]"""
    stored_high_wh: float
    """Most that is stored. [Wh]"""
    stored_begin_wh: float
    """What is stored at the start. [Wh]"""
    charge_max_w: float
    """Greatest charging power at the AC side. [W]"""
    discharge_max_w: float
    """Greatest discharging power at the AC side. [W]"""
    pv_efficiency: float = 0.96
    """From production, as it would reach the AC side, into the cells."""
    grid_efficiency: float = 0.96
    """From the AC side into the cells."""
    discharge_efficiency: float = 0.96
    """From the cells to the load."""
    charge_from_grid: bool = False
    """The grid may charge it."""
    charge_from_pv: bool = True
    """PV may charge it."""
    pv_charges_only_surplus: bool = False
    """PV may charge it only with what exceeds the load."""

    def __post_init__(self) -> None:
        best = max(self.pv_efficiency, self.grid_efficiency) * self.discharge_efficiency
        if not 0 < best <= 1:
            msg = f"optimum: the battery's round trip is {best:g}; give efficiencies up to 1"
            raise ScenarioInputError(msg)
        if not 0 <= self.stored_low_wh <= self.stored_begin_wh <= self.stored_high_wh:
            msg = (
                f"optimum: stored energies {self.stored_low_wh:g}, {self.stored_begin_wh:g}, "
                f"{self.stored_high_wh:g} Wh (least, first, most) do not rise"
            )
            raise ScenarioInputError(msg)

    @classmethod
    def of(cls, battery: DispatchBattery, *, step_s: float) -> Self:
        """Return what a plant's battery can do at the very best while it is new.

        Parameters
        ----------
        battery : DispatchBattery
            The battery.
        step_s : float
            Length of a step. [s]

        Notes
        -----
        No current warms or slows these cells. A charge q holds ∫ V dq at the voltage without a
        current: one that flows takes more than that in and gives less out. The window is as wide as
        the warmest cells make it and as low as the coldest do.
        """
        site = site_of(battery, step_s)
        plant, cells = site.plant, site.cells
        most_w = _power_max_w(plant, cells, battery)
        warmest_c = cells.room_c + cells.kelvin_per_a2 * (_ampere(cells, most_w)) ** 2
        cold, warm = (
            warm_share(site.warmth, celsius) * cells.full_ah
            for celsius in (cells.room_c, warmest_c)
        )
        begin_ah = battery.soc_begin * cells.full_ah
        low_ah = min(battery.soc_min * cold, begin_ah)
        high_ah = max(battery.soc_max * warm, begin_ah)
        low_wh, begin_wh, high_wh = _energies_wh(cells, (low_ah, begin_ah, high_ah))
        return cls(
            stored_low_wh=low_wh,
            stored_high_wh=high_wh,
            stored_begin_wh=begin_wh,
            charge_max_w=most_w / min(plant.from_pv, plant.from_grid),
            discharge_max_w=most_w * plant.to_load,
            pv_efficiency=plant.from_pv,
            grid_efficiency=plant.from_grid,
            discharge_efficiency=plant.to_load,
            charge_from_grid=plant.charges_from_grid,
            charge_from_pv=plant.charges_from_pv,
            pv_charges_only_surplus=plant.only_surplus,
        )

    @property
    def efficiencies(self) -> tuple[float, float, float]:
        """From PV and from the grid into the cells, from the cells to the load."""
        return self.pv_efficiency, self.grid_efficiency, self.discharge_efficiency

    def high(self, load_w: FloatArray, pv_w: FloatArray) -> FloatArray:
        """Return the most that each flow may be, shape (kinds, steps). [kW, kWh]

        Parameters
        ----------
        load_w, pv_w : FloatArray, shape (steps,)
            Demand and production. [W]

        Notes
        -----
        The battery never exports: it gives what PV leaves uncovered at most.
        """
        source_w = np.maximum(pv_w - load_w, 0.0) if self.pv_charges_only_surplus else pv_w
        high_w = np.full((len(KINDS), load_w.size), np.inf)
        high_w[PV_CHARGE] = np.minimum(source_w, self.charge_max_w) if self.charge_from_pv else 0.0
        high_w[GRID_CHARGE] = self.charge_max_w if self.charge_from_grid else 0.0
        high_w[DISCHARGE] = np.clip(load_w - pv_w, 0.0, self.discharge_max_w)
        high_w[STORED] = self.stored_high_wh
        return high_w / 1000


def _power_max_w(plant: Plant, cells: Cells, battery: DispatchBattery) -> float:
    """Return the greatest power of the cells, with the tolerance of its limit. [W]"""
    most_a = OVER * plant.current_max_a
    by_current_w = most_a * (battery.cell.full_v + cells.R * most_a) * cells.number
    return min(OVER * plant.power_max_w, by_current_w)


def _ampere(cells: Cells, power_w: float) -> float:
    """Return a bound on the current of the battery at a power. [A]"""
    return power_w / cells.number / cells.empty_v * cells.strings if cells.empty_v else np.inf


def _energies_wh(cells: Cells, charges_ah: tuple[float, ...]) -> tuple[float, ...]:
    """Return what charges of a cell hold at the voltage without a current, of all cells. [Wh]"""
    knots_ah = np.linspace(0.0, cells.full_ah, KNOTS)
    volt = np.array([voltage(cells, held(cells, ah, cells.full_ah), 0.0, 0.0) for ah in knots_ah])
    steps_wh = np.diff(knots_ah) * (volt[1:] + volt[:-1]) / 2
    stored_wh = np.concatenate([[0.0], np.cumsum(steps_wh)]) * cells.number
    return tuple(float(np.interp(ah, knots_ah, stored_wh)) for ah in charges_ah)
