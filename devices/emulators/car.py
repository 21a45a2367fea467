"""An electric car on a charger: takes what it is allowed, less when it is nearly full."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

_LONGEST_STEP_S: Final = 10.0
_MOST_STEPS: Final = 3_600
_TAPER_SOC: Final = (0.8, 1.0)
_TAPER_SHARE: Final = (1.0, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarState:
    """What a charger sees of the car."""

    plugged: bool
    """Whether it is there."""
    soc: float
    """State of charge of its battery, 0..1."""
    power_w: float
    """Power that it takes, >= 0. [W]"""
    register_wh: float
    """Energy that the charger has ever delivered. [Wh]"""
    limit_w: float
    """Greatest power allowed now, the charger's rating without a limit. [W]"""


class EmulatedCar:
    """Charge a car's battery, at a clock that the caller owns.

    A car cannot charge with next to nothing (6 A is the least that the standard knows): below
    ``power_min_w`` it waits. From 80 % on it takes less and less.

    Parameters
    ----------
    clock : Callable[[], float]
        Returns the present time; never runs backwards. [s]
    soc : float
        State of charge when it is plugged in, 0..1.
    capacity_wh : float
        Of its battery. [Wh]
    power_min_w, power_max_w : float
        Between which it charges; the greater is the charger's rating, too. [W]
    efficiency : float
        Share of the power that reaches its battery.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        soc: float = 0.4,
        capacity_wh: float = 60_000.0,
        power_min_w: float = 1_380.0,
        power_max_w: float = 11_000.0,
        efficiency: float = 0.9,
    ) -> None:
        self._clock = clock
        self._now_s = clock()
        self._soc = soc
        self._capacity_wh = capacity_wh
        self._power_min_w = power_min_w
        self.power_max_w = power_max_w
        """The charger's rating. [W]"""
        self._efficiency = efficiency
        self._register_wh = 12_345.0
        self._limit_w = math.inf
        self._until_s = math.inf
        self._plugged = True

    def limit(self, limit_w: float, *, until_s: float = math.inf) -> None:
        """Allow at most ``limit_w`` until a time of the clock; infinite lifts the limit. [W, s]"""
        self._advance()
        self._limit_w, self._until_s = limit_w, until_s

    def plug(self, *, plugged: bool) -> None:
        """Plug the car in, or let it drive away."""
        self._advance()
        self._plugged = plugged

    def state(self) -> CarState:
        """Return the state now."""
        self._advance()
        return CarState(
            plugged=self._plugged,
            soc=self._soc,
            power_w=self._power_w(),
            register_wh=self._register_wh,
            limit_w=min(self._allowed_w(), self.power_max_w),
        )

    def _allowed_w(self) -> float:
        return self._limit_w if self._now_s < self._until_s else math.inf

    def _power_w(self) -> float:
        allowed_w = self._allowed_w()
        if not self._plugged or self._soc >= 1 or allowed_w < self._power_min_w:
            return 0.0
        share = float(np.interp(self._soc, _TAPER_SOC, _TAPER_SHARE))
        return min(allowed_w, share * self.power_max_w)

    def _advance(self) -> None:
        """Charge up to the clock's time, in steps that no limit's end falls into."""
        target_s = self._clock()
        longest_s = max(_LONGEST_STEP_S, (target_s - self._now_s) / _MOST_STEPS)
        while self._now_s < target_s:
            step_s = min(target_s - self._now_s, longest_s)
            if self._now_s < self._until_s < self._now_s + step_s:
                step_s = self._until_s - self._now_s
            room_wh = (1 - self._soc) * self._capacity_wh / self._efficiency
            energy_wh = min(self._power_w() * step_s / 3_600, room_wh)
            self._soc = min(self._soc + energy_wh * self._efficiency / self._capacity_wh, 1.0)
            self._register_wh += energy_wh
            self._now_s = min(self._now_s + step_s, target_s)
