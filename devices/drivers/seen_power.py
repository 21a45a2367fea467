"""Whether a battery does what it was told, where only its measured power can tell."""

from collections.abc import Callable
from typing import Final

from devices.battery import BatteryState
from devices.guarded_writes import Value

TOLERANCE_W: Final = 100.0
"""A battery at rest, or one that is regulated, is this far off its set-point. [W]"""
TOLERANCE_SHARE: Final = 0.1
"""So is it by this share of a large one."""
FULL_SOC: Final = 0.95
EMPTY_SOC: Final = 0.1
"""Beyond these a battery takes, or gives, whatever little it can."""


class SeenPower:
    """Judge the read-backs of one battery's set-points.

    A battery that is cold, hot, nearly full or nearly empty does less than it was told. Less counts
    as done where it went there in answer to the command, where it did no more when it was last told
    more, or where its state of charge explains it. A power that stands still, or goes the wrong
    way, is a command that was not done.
    """

    def __init__(self) -> None:
        self._most_w: dict[bool, float] = {}  # least that was done of more, by "charging"

    def judge(self, wanted_w: float, before: BatteryState) -> Callable[[Value, Value], bool]:
        """Return the comparison of a command with what is read after it.

        Parameters
        ----------
        wanted_w : float
            Terminal power commanded, > 0 charges. [W]
        before : BatteryState
            What was read before the command.
        """
        slack_w = max(TOLERANCE_W, TOLERANCE_SHARE * abs(wanted_w))
        charging = wanted_w > 0

        def same(_: Value, found: Value) -> bool:
            if not isinstance(found, int | float):
                return False
            if abs(found - wanted_w) <= slack_w:
                self._most_w.pop(charging, None)
                return True
            done_w = found if charging else -found
            if not -slack_w <= done_w < abs(wanted_w):
                return False
            if _at_its_end(before, charging=charging):
                return True
            if done_w <= slack_w or not self._less_is_all(found, before, slack_w, charging):
                return False
            self._most_w[charging] = found
            return True

        return same

    def _less_is_all(
        self, found_w: float, before: BatteryState, slack_w: float, charging: bool
    ) -> bool:
        """Return whether a lesser power came by the command, or is known as all there is."""
        known_w = self._most_w.get(charging)
        moved = abs(found_w - before.battery_power_w) > slack_w
        return moved or (known_w is not None and abs(found_w - known_w) <= slack_w)


def _at_its_end(before: BatteryState, *, charging: bool) -> bool:
    """Return whether the state of charge explains that little or nothing flows."""
    return before.soc >= FULL_SOC if charging else before.soc <= EMPTY_SOC
