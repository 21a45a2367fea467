"""A yardstick: the relay stays closed, and the battery follows what the home has left or lacks."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.fuzzy.edge import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysConnected:
    """Never leave the grid; see `scenarios.microgrid.model.EdgeController`."""

    limits: Limits
    """Eq. (4) and (5), which every set-point keeps."""

    def edge(
        self, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return the balance as far as the limits allow, the way back beyond, and closed relays."""
        del price_level
        limits = self.limits
        least_w, most_w = limits.bounds_w(soc)
        wh = limits.capacity_wh / (limits.cycle_s / 3600)
        missing_w = np.maximum(limits.soc_min - soc, 0.0) * wh / limits.charge_efficiency
        excess_w = np.maximum(soc - limits.soc_max, 0.0) * wh * limits.discharge_efficiency
        back_w = np.minimum(missing_w, most_w) + np.maximum(-excess_w, least_w)
        power_w = np.where(back_w != 0, back_w, np.clip(power_balance_w, least_w, most_w))
        return power_w, np.ones(soc.shape, dtype=np.bool_)
