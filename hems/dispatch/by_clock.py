"""Policies 3 to 5 as one controller that looks at the clock, for a gateway or a simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hems.controller import Decision, Observation
from hems.dispatch.controllers import controller_now
from hems.dispatch.policies import GridTarget, InputDispatch, ManualDispatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ByClock:
    """Decides at each moment as its policy says for that moment.

    An `Observation` has no time, so the clock is the caller's: a gateway gives its own, a
    simulation the time it has come to.
    """

    policy: GridTarget | InputDispatch | ManualDispatch
    """The policy; peak shaving needs a forecast of the day: `peak_shaving_day`."""
    local_time: Callable[[], datetime]
    """The place's own time: months, weekdays and hours are by it."""
    charge_from_grid: bool = False
    """The grid may charge, except that a manual dispatch says so itself."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        now = self.local_time()
        return controller_now(self.policy, now, charge_from_grid=self.charge_from_grid).decide(seen)
