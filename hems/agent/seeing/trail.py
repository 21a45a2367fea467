"""What devices told lately: whether a sample follows from it, and whether one hangs."""

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from devices.battery import BatteryState, MeterState

Values = tuple[float, ...]
Near = Callable[[Values, Values, float], bool]
"""Whether a sample may follow an earlier one, so many seconds ago."""
REFUSED_MAX: Final = 2
"""Samples in a row that are refused for a jump alone; the next is believed, whatever it is."""
FULL_SOC: Final = 0.95
"""Above this a battery may take energy without telling more, to balance its cells."""
MOVED_W: Final = 100.0
"""By how much a battery's power must change for the meter to have to change, too. [W]"""


class Trail:
    """What a part told lately, believed or not."""

    def __init__(self) -> None:
        self._believed: tuple[Values, float] | None = None
        self._lately: deque[Values] = deque(maxlen=2)
        self._refused = 0

    def steady(self, values: Values, now_s: float, near: Near) -> bool:
        """Take up a sample; return whether it is believed."""
        good = self._believed is None or self._refused >= REFUSED_MAX
        if self._believed is not None and not good:
            believed, at_s = self._believed
            good = near(values, believed, now_s - at_s)
        good = good or any(near(values, each, 0.0) for each in self._lately)
        self._lately.append(values)
        self._refused = 0 if good else self._refused + 1
        if good:
            self._believed = (values, now_s)
        return good


class HungMeter:
    """A meter that tells the same to the last digit while the battery's power changes.

    Parameters
    ----------
    cycles : int
        Equal readings that it takes.
    """

    def __init__(self, cycles: int) -> None:
        self._most = cycles
        self._same: MeterState | None = None
        self._cycles = 0
        self._range_w = (math.inf, -math.inf)

    def doubt(self, meter: MeterState, battery: BatteryState) -> str | None:
        """Take up a reading; return why the meter is not believed, if so."""
        power_w = battery.battery_power_w
        if meter != self._same:
            self._same, self._cycles, self._range_w = meter, 0, (power_w, power_w)
        self._cycles += 1
        self._range_w = (min(self._range_w[0], power_w), max(self._range_w[1], power_w))
        moved_w = self._range_w[1] - self._range_w[0]
        if self._cycles < self._most or moved_w <= MOVED_W:
            return None
        return f"the same {self._cycles} times while the battery's power changed by {moved_w:g} W"


class HungGauge:
    """A state of charge that stays while energy goes in or out.

    Parameters
    ----------
    energy_wh : float
        Energy that must move it. [Wh]
    """

    def __init__(self, energy_wh: float) -> None:
        self._most_wh = energy_wh
        self._soc: float | None = None
        self._at_s = 0.0
        self._through_wh = 0.0

    def doubt(self, battery: BatteryState, now_s: float) -> str | None:
        """Take up a reading; return why the gauge is not believed, if so."""
        passed_h = min(max(now_s - self._at_s, 0.0), 60.0) / 3600
        resting = battery.soc >= FULL_SOC and battery.battery_power_w >= 0
        if battery.soc != self._soc or resting:
            self._soc, self._through_wh = battery.soc, 0.0
        else:
            self._through_wh += battery.battery_power_w * passed_h
        self._at_s = now_s
        if abs(self._through_wh) <= self._most_wh:
            return None
        return f"state of charge hangs at {battery.soc:g} while {self._through_wh:.0f} Wh passed"
