"""A day minute by minute: for fleets whose every minute somebody looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from scenarios.simulation.recorders import Lived, Setting


class FullTrace:
    """See `scenarios.simulation.recorders.Recorder`; keeps every minute, 35 kB a home.

    Parameters
    ----------
    setting : Setting
        Homes and day.
    """

    def __init__(self, setting: Setting) -> None:
        homes, self._per_slot = len(setting.part), setting.per_slot
        minutes = setting.slots * setting.per_slot
        self.battery_power_w = np.empty((homes, minutes))
        """Terminal power, > 0 charges, shape (homes, minutes). [W]"""
        self.stored_wh = np.empty((homes, minutes + 1))
        """Energy in the cells at each minute's beginning and at the end. [Wh]"""
        self.grid_power_w = np.empty((homes, minutes))
        """Power at the meters, > 0 imports, shape (homes, minutes). [W]"""

    def add(self, lived: Lived) -> None:
        """See `scenarios.simulation.recorders.Recorder`."""
        first, end = lived.slot * self._per_slot, (lived.slot + 1) * self._per_slot
        self.battery_power_w[:, first:end] = lived.battery_power_w
        self.grid_power_w[:, first:end] = lived.grid_power_w
        self.stored_wh[:, first : end + 1] = lived.stored_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOutcome:
    """What came of a simulated day, but for what its recorders kept."""

    plant_w: FloatArray
    """Export of the aggregator's plant, shape (minutes,). [W]"""
    reports: int
    """Reports that the contract took."""
    refusals: tuple[str, ...]
    """Reports that it refused, with the reason; their energy went into the next report."""
    lost_reports: int
    """Reports that were lost on their way; their energy went into the next one, too."""
    offline_homes: int
    """Homes that had no connection."""
    gas_per_report: float | None
    """Mean gas of a report; None on a chain that does not count gas truly."""
    decisions: int
    """Decisions of homes."""
    proved_decisions: int
    """Those that were proved optimal."""
    cap_excess_wh: float
    """Energy by which decided plans exceeded grid caps. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTrace(DayOutcome):
    """What happened in a simulated day, minute by minute."""

    battery_power_w: FloatArray
    """Terminal power, > 0 charges, shape (homes, minutes). [W]"""
    stored_wh: FloatArray
    """Energy in the cells at each minute's beginning and at the end, (homes, minutes + 1). [Wh]"""
    grid_power_w: FloatArray
    """Power at the homes' meters, > 0 imports, shape (homes, minutes). [W]"""


def joined(outcome: DayOutcome, kept: Sequence[FullTrace]) -> DayTrace:
    """Return a day with the minutes that its shards kept."""
    return DayTrace(
        plant_w=outcome.plant_w,
        reports=outcome.reports,
        refusals=outcome.refusals,
        lost_reports=outcome.lost_reports,
        offline_homes=outcome.offline_homes,
        gas_per_report=outcome.gas_per_report,
        decisions=outcome.decisions,
        proved_decisions=outcome.proved_decisions,
        cap_excess_wh=outcome.cap_excess_wh,
        battery_power_w=np.concatenate([each.battery_power_w for each in kept]),
        stored_wh=np.concatenate([each.stored_wh for each in kept]),
        grid_power_w=np.concatenate([each.grid_power_w for each in kept]),
    )
