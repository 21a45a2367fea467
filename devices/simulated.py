"""A simulated home: one battery and one meter over the same physics as a fleet's simulation."""

import math
from collections.abc import Callable

from devices.battery import BatteryState, MeterState
from devices.battery_bank import BatteryBank
from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
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
        self._home = EmulatedHome(
            model=BatteryModel.of_bank(bank), soc=soc, clock=clock, demand=demand, cycle_s=cycle_s
        )

    async def read(self) -> BatteryState:
        """Return the state of the battery now."""
        state = self._home.state()
        return BatteryState(
            soc=state.soc,
            battery_power_w=state.battery_power_w,
            following=not self._home.steered,
        )

    async def read_meter(self) -> MeterState:
        """Return what the meter reads now."""
        state = self._home.state()
        return MeterState(load_w=state.load_w, pv_w=state.pv_w, grid_power_w=state.grid_power_w)

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
        until_s = self._home.now_s + valid_s
        self._home.steer(lambda _load_w, _pv_w: battery_power_w, until_s=until_s)

    async def follow(self) -> None:
        """Return to self-consumption."""
        self._home.steer(None)
