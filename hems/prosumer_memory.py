"""What a prosumer's rules remember: how wrong the forecasts of past negative slots were."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray

REMEMBERED_SLOTS = 14
"""Slots over which the error is averaged; older ones fade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotErrors:
    """Running error of the demand of negative slots; every field has shape (homes,).

    Notes
    -----
    Becchi 2024, §II.B: the average error made in predicting the aggregate energy of the previous
    negative slots corrects the targets of the positive ones.
    """

    mean_wh: FloatArray
    """Mean of demand less expected demand; `hems.prosumer.Prospect.shortfall_wh`. [Wh]"""
    slots: IntArray
    """Slots in the mean, `REMEMBERED_SLOTS` at most."""
    within: BoolArray
    """True where a negative slot goes on."""
    expected_wh: FloatArray
    """Its demand as expected when it began. [Wh]"""
    demand_wh: FloatArray
    """Its demand so far. [Wh]"""

    @classmethod
    def none(cls, homes: int) -> "SlotErrors":
        """Return a memory without a past."""
        nothing = np.zeros(homes)
        return cls(
            mean_wh=nothing,
            slots=np.zeros(homes, dtype=np.int64),
            within=np.zeros(homes, dtype=np.bool_),
            expected_wh=nothing,
            demand_wh=nothing,
        )

    def after(self, expected_net_wh: FloatArray, net_wh: FloatArray) -> "SlotErrors":
        """Return the memory after an hour.

        Parameters
        ----------
        expected_net_wh : FloatArray, shape (homes, hours)
            Surplus as it was expected when the hour began, the hour first. [Wh]
        net_wh : FloatArray, shape (homes,)
            The hour's real surplus, pv − load. [Wh]

        Notes
        -----
        A slot begins and ends as it really does. What was expected of it then is the demand until
        the next surplus in the forecast; where the forecast saw a surplus, none.
        """
        negative = net_wh <= 0
        begins, ends = negative & ~self.within, self.within & ~negative
        slots = np.minimum(self.slots + ends, REMEMBERED_SLOTS)
        error_wh = self.demand_wh - self.expected_wh
        step_wh = (error_wh - self.mean_wh) / np.maximum(slots, 1)
        before_surplus = np.logical_and.accumulate(expected_net_wh <= 0, axis=1)
        ahead_wh = np.where(before_surplus, -expected_net_wh, 0.0).sum(axis=1)
        so_far_wh = np.where(begins, 0.0, self.demand_wh)
        return SlotErrors(
            mean_wh=np.where(ends, self.mean_wh + step_wh, self.mean_wh),
            slots=slots,
            within=negative,
            expected_wh=np.where(begins, ahead_wh, self.expected_wh),
            demand_wh=so_far_wh + np.where(negative, -net_wh, 0.0),
        )
