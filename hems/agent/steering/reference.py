"""A grid power that an order asks for, turned into battery powers reading by reading."""

import numpy as np

from devices.battery import BatteryState, MeterState
from hems.agent.steering.wish import Limits
from hems.power_reference import PowerReference


class GridReference:
    """Keep what `hems.power_reference.PowerReference` goes on from.

    Parameters
    ----------
    rule : PowerReference
        Gain, rate and limits.
    """

    def __init__(self, rule: PowerReference) -> None:
        self._rule = rule
        self._set_point_w: float | None = None
        self._at_s: float | None = None

    def begin(self) -> None:
        """Go on from what the battery does."""
        self._set_point_w = self._at_s = None

    def battery_w(
        self,
        grid_power_w: float,
        meter: MeterState,
        battery: BatteryState,
        *,
        limits: Limits,
        at_s: float,
    ) -> float:
        """Return the battery power that leads to a grid power; a step for each new reading. [W]

        Parameters
        ----------
        grid_power_w : float
            What the connection shall carry, > 0 imports. [W]
        meter, battery : MeterState, BatteryState
            What was read last.
        limits : Limits
            What the battery can do.
        at_s : float
            When the meter was read. [s]
        """
        if self._set_point_w is not None and at_s == self._at_s:
            return self._set_point_w
        row = _row(
            reference_w=grid_power_w,
            grid_power_w=meter.grid_power_w,
            battery_power_w=battery.battery_power_w,
            charge_max_w=limits.charge_max_w,
            discharge_max_w=limits.discharge_max_w,
        )
        before = None if self._set_point_w is None else np.array([self._set_point_w])
        passed_s = 1.0 if self._at_s is None else max(at_s - self._at_s, 0.0)
        next_w = self._rule.next_w(before, cycle_s=passed_s, **row)
        self._set_point_w, self._at_s = float(next_w[0]), at_s
        return self._set_point_w


def _row(**values: float) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return {name: np.array([value]) for name, value in values.items()}
