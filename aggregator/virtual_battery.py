"""The fleet's batteries seen as one, as the day-ahead plan sees them."""

from dataclasses import dataclass

import numpy as np

from aggregator.errors import PlanInputError
from aggregator.series import require_number, require_series
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBattery:
    """One battery as large as all batteries of the fleet.

    Raises
    ------
    PlanInputError
        If a rating is not finite or out of its range.
    """

    capacity_wh: float
    """C_A, nominal capacity, > 0. [Wh]"""
    power_max_w: float
    """Greatest power into or out of the cells, >= 0 (§3). [W]"""
    charge_efficiency: float
    """η_c, cells over terminals when charging, 0 < η <= 1."""
    discharge_efficiency: float
    """η_d, terminals over cells when discharging, 0 < η <= 1."""
    stored_min_wh: float
    """Lower end of the window in use. [Wh]"""
    stored_max_wh: float
    """Upper end of the window in use. [Wh]"""
    stored_wh: float
    """Energy in the cells at the start of the plan; it may lie outside the window. [Wh]"""

    def __post_init__(self) -> None:
        require_number("battery capacity_wh", self.capacity_wh, minimum=0.0)
        if self.capacity_wh == 0:
            msg = "battery capacity_wh is 0; a fleet without batteries has nothing to plan"
            raise PlanInputError(msg)
        require_number("battery power_max_w", self.power_max_w, minimum=0.0)
        for name in ("charge_efficiency", "discharge_efficiency"):
            require_number(f"battery {name}", getattr(self, name), minimum=1e-3, maximum=1.0)
        low_wh, high_wh, full_wh = self.stored_min_wh, self.stored_max_wh, self.capacity_wh
        require_number("battery stored_min_wh", low_wh, minimum=0.0, maximum=full_wh)
        require_number("battery stored_max_wh", high_wh, minimum=low_wh, maximum=full_wh)
        require_number("battery stored_wh", self.stored_wh, minimum=0.0, maximum=full_wh)

    def cell_max_wh(self, step_s: float) -> float:
        """Return E_B^max: the most energy the cells take or give in a step of ``step_s``. [Wh]"""
        return min(self.power_max_w * step_s / 3600, self.capacity_wh)

    def terminal_wh(self, cell_wh: FloatArray) -> FloatArray:
        """Return the energy at the terminals for an energy into the cells, > 0 charges. [Wh]"""
        return np.where(
            cell_wh >= 0, cell_wh / self.charge_efficiency, cell_wh * self.discharge_efficiency
        )

    def followed_wh(self, stored_wh: float, surplus_wh: float, step_s: float) -> float:
        """Return what goes into the cells when the battery follows a surplus for one step.

        Parameters
        ----------
        stored_wh : float
            Energy in the cells at the start of the step. [Wh]
        surplus_wh : float
            Energy to take at the terminals, < 0 to give. [Wh]
        step_s : float
            Length of the step. [s]

        Returns
        -------
        float
            As much of it as power and window allow, into the cells; a battery found outside its
            window may stay or come back but not go further out. [Wh]
        """
        gain = self.charge_efficiency if surplus_wh >= 0 else 1 / self.discharge_efficiency
        most_wh = self.cell_max_wh(step_s)
        wanted_wh = min(max(surplus_wh * gain, -most_wh), most_wh)
        low_wh = min(self.stored_min_wh, stored_wh)
        high_wh = max(self.stored_max_wh, stored_wh)
        return min(max(stored_wh + wanted_wh, low_wh), high_wh) - stored_wh


def aggregate(bank: BatteryBank, stored_wh: FloatArray) -> VirtualBattery:
    """Return the virtual battery of a bank.

    Parameters
    ----------
    bank : BatteryBank
        Ratings of the homes' batteries.
    stored_wh : FloatArray, shape (homes,)
        Energy in each battery's cells. [Wh]

    Notes
    -----
    Capacities, powers and windows add up. Efficiencies are means weighted by capacity,
    Couraud 2021, eq. (3): η_A = Σ C_k η_k / Σ C_k. That is exact when every battery moves energy in
    proportion to its capacity, which is what the plan assumes anyway.
    """
    if bank.homes == 0:
        msg = "the fleet has no battery; enrol a home with one before planning"
        raise PlanInputError(msg)
    require_series("stored_wh", stored_wh, bank.homes, minimum=0.0)
    weight = bank.capacity_wh / bank.capacity_wh.sum()
    return VirtualBattery(
        capacity_wh=float(bank.capacity_wh.sum()),
        power_max_w=float(bank.power_max_w.sum()),
        charge_efficiency=_mean(weight, bank.charge_efficiency),
        discharge_efficiency=_mean(weight, bank.discharge_efficiency),
        stored_min_wh=float((bank.soc_min * bank.capacity_wh).sum()),
        stored_max_wh=float((bank.soc_max * bank.capacity_wh).sum()),
        stored_wh=float(stored_wh.sum()),
    )


def _mean(weight: FloatArray, efficiency: FloatArray) -> float:
    """Eq. (3), kept at or below 1 where the weights' rounding would lift it. [1]"""
    return min(float((weight * efficiency).sum()), 1.0)
