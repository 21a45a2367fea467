"""The controller that keeps a home's energy at home: what every battery does by itself."""

from dataclasses import dataclass

import numpy as np

from hems.controller import Decision, Observation
from hems.reach import cap_excess_wh


@dataclass(frozen=True, slots=True)
class SelfConsumption:
    """Follow residual demand: charge surplus, cover load, owe nobody anything."""

    def decide(self, seen: Observation) -> Decision:
        """Return "follow" for every home.

        Notes
        -----
        Not a proved optimum: a heuristic that ignores prices and promises.
        """
        homes = seen.bank.homes
        return Decision(
            follow=np.ones(homes, dtype=bool),
            battery_power_w=np.zeros(homes),
            proved=np.zeros(homes, dtype=bool),
            cap_excess_wh=cap_excess_wh(seen),
        )
