"""What homes did in each market interval: sums of minutes, made while the minutes are at hand."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from devices.battery_bank import BatteryBank
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.recorders import Lived, Setting

SELF_SUPPLIED_W = 1.0
"""A home that imports no more than this supplies itself. [W]"""
STEP_H = MINUTE_S / 3600

ENERGIES: Final = (
    "load_wh",
    "pv_wh",
    "import_wh",
    "export_wh",
    "charge_wh",
    "discharge_wh",
    "self_wh",
    "covered_wh",
)
"""Energies of an interval, each minute in its own direction."""
MINUTES: Final = ("supplied_minutes", "covered_minutes")
"""Minutes in which a home took nothing from the grid; in which panels and battery met its load."""


OTHERS: Final = ("import_peak_w", "stored_wh", "net_wh", "own_wh", "billed_wh")
"""Greatest import of a minute; energy in the cells at the interval's end; import less export, as a
meter nets a settlement period; the same without a battery; load as a bill counts it (`load_wh` but
for rounding). [W, Wh]"""


class HalfHours:
    """See `scenarios.simulation.recorders.Recorder`; 5 kB a home and day.

    Parameters
    ----------
    setting : Setting
        Homes and day.
    """

    def __init__(self, setting: Setting) -> None:
        shape = (len(setting.part), setting.slots)
        self._bank = setting.bank
        self.columns: dict[str, npt.NDArray[Any]] = {
            name: np.empty(shape, dtype=np.int16 if name in MINUTES else np.float64)
            for name in (*ENERGIES, *MINUTES, *OTHERS)
        }
        """What is kept, by name, shape (homes, slots)."""
        self.begun_wh = np.empty(shape[0])
        """Energy in the cells at the day's beginning, shape (homes,). [Wh]"""
        self.balance_error_wh = 0.0
        """Largest gap in a home's balances over a minute. [Wh]"""

    def add(self, lived: Lived) -> None:
        """See `scenarios.simulation.recorders.Recorder`."""
        columns, slot = self.columns, lived.slot
        load_w, grid_w = lived.load_w, lived.grid_power_w
        import_w, discharge_w = np.maximum(grid_w, 0.0), np.maximum(-lived.battery_power_w, 0.0)
        own_w = lived.pv_w + discharge_w
        for name, power_w in zip(
            ENERGIES,
            (
                load_w,
                lived.pv_w,
                import_w,
                np.maximum(-grid_w, 0.0),
                np.maximum(lived.battery_power_w, 0.0),
                discharge_w,
                np.maximum(load_w - import_w, 0.0),
                np.minimum(load_w, own_w),
            ),
            strict=True,
        ):
            columns[name][:, slot] = power_w.sum(axis=1) / 60
        for name, power_w in zip(MINUTES, (import_w, load_w - own_w), strict=True):
            columns[name][:, slot] = (power_w <= SELF_SUPPLIED_W).sum(axis=1)
        columns["import_peak_w"][:, slot] = import_w.max(axis=1)
        columns["stored_wh"][:, slot] = lived.stored_wh[:, -1]
        columns["net_wh"][:, slot] = (grid_w * STEP_H).sum(axis=1)
        columns["own_wh"][:, slot] = (load_w - lived.pv_w).sum(axis=1) * STEP_H
        columns["billed_wh"][:, slot] = load_w.sum(axis=1) * STEP_H
        if not slot:
            self.begun_wh[:] = lived.stored_wh[:, 0]
        self.balance_error_wh = max(self.balance_error_wh, _balance_error_wh(lived, self._bank))


def _balance_error_wh(lived: Lived, bank: BatteryBank) -> float:
    """Return the largest gap of balances that the recorded series alone must meet. [Wh]

    At the meter, load + battery − production − grid; in the cells, the change of stored energy less
    what efficiency lets through.
    """
    battery_w = lived.battery_power_w
    house_w = lived.load_w + battery_w - lived.pv_w
    meter_wh = np.abs(house_w - lived.grid_power_w) * STEP_H
    charge_w, discharge_w = np.maximum(battery_w, 0.0), np.maximum(-battery_w, 0.0)
    cells_w = (
        charge_w * bank.charge_efficiency[:, None]
        - discharge_w / bank.discharge_efficiency[:, None]
    )
    cells_wh = np.abs(np.diff(lived.stored_wh, axis=1) - cells_w * STEP_H)
    return float(max(meter_wh.max(), cells_wh.max()))
