"""A simulated home: one battery and one meter over the same physics as a fleet's simulation."""

import math
from collections.abc import Callable

import numpy as np

from devices.battery import BatteryState, MeterState
from devices.battery_bank import BatteryBank
from devices.errors import DeviceRefusedError


class SimulatedHome:
    """Behave like a battery and a meter at a clock that the caller owns.

    Between two calls the home is advanced cycle by cycle: a set-point is held while it is valid;
    without one, or after it, the battery follows residual demand.

    Parameters
    ----------
    bank : BatteryBank
        Ratings, of one home.
    soc : float
        State of charge at the start, 0..1.
    clock : Callable[[], float]
        Returns the present time; never runs backwards. [s]
    demand : Callable[[float], tuple[float, float]]
        Returns load and production at a time. [W, W]
    cycle_s : float
        Length of a device cycle. [s]
    """

    def __init__(
        self,
        bank: BatteryBank,
        *,
        soc: float,
        clock: Callable[[], float],
        demand: Callable[[float], tuple[float, float]],
        cycle_s: float = 1.0,
    ) -> None:
        if bank.homes != 1:
            msg = f"simulated home: {bank.homes} batteries given, a home has one"
            raise DeviceRefusedError(msg)
        if not (math.isfinite(cycle_s) and cycle_s > 0):
            msg = f"simulated home: a device cycle of {cycle_s:g} s cannot be, must be > 0"
            raise DeviceRefusedError(msg)
        if not 0 <= soc <= 1:
            msg = f"simulated home: state of charge {soc:g} is not in 0..1"
            raise DeviceRefusedError(msg)
        self._bank = bank
        self._stored_wh = soc * bank.capacity_wh
        self._clock = clock
        self._demand = demand
        self._cycle_s = cycle_s
        self._now_s = clock()
        self._set_point_w = 0.0
        self._valid_until_s = -math.inf

    async def read(self) -> BatteryState:
        """Return the state of the battery now."""
        self._advance()
        return BatteryState(
            soc=float(self._stored_wh[0] / self._bank.capacity_wh[0]),
            battery_power_w=self._battery_power_w(),
            following=not self._held(self._now_s),
        )

    async def read_meter(self) -> MeterState:
        """Return what the meter reads now."""
        self._advance()
        load_w, pv_w = self._demand(self._now_s)
        return MeterState(
            load_w=load_w, pv_w=pv_w, grid_power_w=load_w + self._battery_power_w() - pv_w
        )

    async def set_power(self, battery_power_w: float, *, valid_s: float) -> None:
        """Hold a terminal power for ``valid_s``. [W, s]

        Raises
        ------
        DeviceRefusedError
            If the power is not finite or the validity not positive and finite.
        """
        if not (math.isfinite(battery_power_w) and 0 < valid_s < math.inf):
            msg = f"simulated home: cannot hold {battery_power_w} W for {valid_s} s; nothing set"
            raise DeviceRefusedError(msg)
        self._advance()
        self._set_point_w = battery_power_w
        self._valid_until_s = self._now_s + valid_s

    async def follow(self) -> None:
        """Return to self-consumption."""
        self._advance()
        self._valid_until_s = -math.inf

    def _held(self, at_s: float) -> bool:
        return at_s < self._valid_until_s

    def _wanted_w(self, at_s: float) -> float:
        load_w, pv_w = self._demand(at_s)
        return self._set_point_w if self._held(at_s) else pv_w - load_w

    def _battery_power_w(self) -> float:
        """Return the terminal power that the limits allow now. [W]"""
        wanted = np.array([self._wanted_w(self._now_s)])
        _, power_w = self._bank.advance(self._stored_wh, wanted, self._cycle_s)
        return float(power_w[0])

    def _advance(self) -> None:
        """Bring the battery to the clock's time, one cycle or what is left of one at a time."""
        target_s = self._clock()
        while self._now_s < target_s:
            ends = [self._now_s + self._cycle_s, target_s]
            if self._held(self._now_s):
                ends.append(self._valid_until_s)
            step_s = min(ends) - self._now_s
            wanted = np.array([self._wanted_w(self._now_s)])
            self._stored_wh, _ = self._bank.advance(self._stored_wh, wanted, step_s)
            self._now_s = min(ends)
