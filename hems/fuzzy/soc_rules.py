"""The rules that Habib's fuzzy manager is held against: by state of charge alone."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.controller import Decision, Observation
from hems.fuzzy.edge import PAPER_LIMITS, Limits, Wish, decide_by, follow_wish, rounded

BACK_FEEDING_A = 6.0
"""Alternating current that a battery feeds back above its window (Habib 2023, section 4.1). [A]"""
MAINS_V = 230.0
"""Line to neutral. [V]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocRules:
    """Run as an island inside the window, come back by the grid outside; prices do not count.

    Notes
    -----
    Habib 2023, section 2.5; its flowchart is only drawn. Above the window the battery feeds back
    with the current that section 4.1 names; below it charges with the same. Inside, the place is an
    island as long as eq. (4) and (5) hold for the cycle by what is measured now; where they would
    not, the relay closes, and the battery takes what it may of the balance.
    """

    limits: Limits = PAPER_LIMITS
    """What `edge` works within; `decide` has each home's own."""
    return_power_w: float = BACK_FEEDING_A * MAINS_V
    """Power with which a battery comes back into its window, >= 0. [W]"""

    def decide(self, seen: Observation) -> Decision:
        """Return each home's set-point and relay; none is a proved optimum."""
        return decide_by(self, seen, None)

    def edge(
        self, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return the battery's power, > 0 charges [W], and whether the relay is closed.

        Parameters
        ----------
        power_balance_w, soc, price_level : FloatArray, shape (homes,) or (homes, times)
            See `EdgeRules.wish`.
        """
        wish = self.wish(self.limits, power_balance_w, soc, price_level)
        closed = rounded(wish)
        return follow_wish(wish, power_balance_w, closed), closed

    def wish(
        self, limits: Limits, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> Wish:
        """See `EdgeRules.wish`."""
        balance_w, charge, _ = np.broadcast_arrays(power_balance_w, soc, price_level)
        least_w, most_w = limits.bounds_w(charge)
        above, below = charge >= limits.soc_max, charge <= limits.soc_min
        back_w = np.where(above, -self.return_power_w, self.return_power_w)
        outside = above | below
        return Wish(
            battery_power_w=np.clip(np.where(outside, back_w, balance_w), least_w, most_w),
            closed=outside.astype(np.float64),
            must_close=(balance_w < least_w) | (balance_w > most_w),
        )
