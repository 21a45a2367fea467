"""The agent's grip on the battery: told only what is new, found out when it does something else."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from devices.battery import Battery, BatteryState
from devices.clock import Clock
from devices.errors import DeviceError, DeviceIgnoredError
from hems.agent.health import Health
from hems.agent.mqtt.backoff import LONGEST_S, REFUSED_S, Backoff
from hems.agent.steering.wish import Wish

THING: Final = "battery set-point"
"""What the log calls it."""
DEAD_BAND_W: Final = 15.0
"""A set-point this close to the one that is held is not worth a write. [W]"""
SETTLE_S: Final = 15.0
"""How long a battery may take until its readings show what it was told. [s]"""
_RENEW_SHARE: Final = 0.25
"""A set-point is prolonged when that gains this part of its validity."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the battery was last told."""

    wish: Wish
    mode_since_s: float
    """When it was told to follow, or to hold something. [s]"""
    until_s: float
    """When a set-point ends. [s]"""


class Grip:
    """Tell the battery what is wished for, whenever that differs from what it does.

    Parameters
    ----------
    battery : callable
        Returns the open battery, or raises `DeviceError`.
    clock : Clock
        The time.
    health : Health
        Is told once when the battery takes no set-points, or does something else.
    """

    def __init__(
        self, battery: Callable[[], Awaitable[Battery]], *, clock: Clock, health: Health
    ) -> None:
        self._battery = battery
        self._clock = clock
        self._health = health
        self._told: _Told | None = None
        self._backoff = Backoff(clock)
        self.trouble: DeviceError | None = None
        """Why the battery does not do what it was told, until it is seen to; None if it does."""

    async def do(
        self, wish: Wish, *, valid_s: float, seen: tuple[float, BatteryState] | None
    ) -> None:
        """Tell the battery, unless it does so already or has to be left alone for a while.

        Parameters
        ----------
        wish : Wish
            What it shall do.
        valid_s : float
            How long a set-point stands unless prolonged. [s]
        seen : tuple of float and BatteryState, optional
            What it was last seen to do, and when.

        Raises
        ------
        DeviceError
            If it does not take it; the driver then sends it to self-consumption.
        """
        self._look(seen)
        if not self._backoff.over or self._does(wish, valid_s):
            return
        before, self._told = self._told, None
        begun_s = self._clock.monotonic_s()
        try:
            battery = await self._battery()
            if wish.battery_power_w is None:
                await battery.follow()
            else:
                await battery.set_power(wish.battery_power_w, valid_s=valid_s)
        except DeviceError as error:
            self._failed(error)
            raise
        now_s = self._clock.monotonic_s()
        since_s = now_s
        if before is not None and _follows(before.wish) == _follows(wish):
            # a set-point that had run out let the battery follow for a moment
            lapsed = not _follows(wish) and begun_s >= before.until_s
            since_s = now_s if lapsed else before.mode_since_s
        self._told = _Told(wish, since_s, begun_s + valid_s)

    def try_now(self) -> None:
        """Leave the battery alone no longer."""
        self._backoff.worked()

    def _does(self, wish: Wish, valid_s: float) -> bool:
        """Return whether the battery does what is wished for, long enough."""
        if self._told is None or _follows(self._told.wish) != _follows(wish):
            return False
        held_w, wanted_w = self._told.wish.battery_power_w, wish.battery_power_w
        if held_w is None or wanted_w is None:
            return True
        gained_s = self._clock.monotonic_s() + valid_s - self._told.until_s
        if gained_s >= _RENEW_SHARE * valid_s or not wish.low_w <= held_w <= wish.high_w:
            return False
        if wanted_w == 0.0:
            return held_w == 0.0
        return math.isclose(held_w, wanted_w, rel_tol=0.0, abs_tol=DEAD_BAND_W)

    def _look(self, seen: tuple[float, BatteryState] | None) -> None:
        """Notice a battery that does something else than it was told."""
        if self._told is None or seen is None or seen[0] < self._told.mode_since_s + SETTLE_S:
            return
        if not _follows(self._told.wish) and seen[0] >= self._told.until_s:
            return  # its validity was over: it follows by itself, as it should
        if seen[1].following == _follows(self._told.wish):
            self.trouble = None
            self._backoff.worked()
            self._health.back(THING)
            return
        told = "to follow the house" if _follows(self._told.wish) else "to hold a set-point"
        does = "follows the house" if seen[1].following else "holds a set-point"
        why = f"it was told {told} and {does}; see whether another controller steers it"
        self._failed(DeviceIgnoredError(why))

    def _failed(self, error: DeviceError) -> None:
        self._told, self.trouble = None, error
        self._backoff.failed(longest_s=LONGEST_S if error.retry else REFUSED_S)
        self._health.lost(THING, str(error))


def _follows(wish: Wish) -> bool:
    return wish.battery_power_w is None
