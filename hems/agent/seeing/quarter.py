"""A quarter-hour under way: what readings of load and production add up to."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.arrays import FloatArray
from hems.forecast import QUARTER_S

COVERED_MIN: Final = 0.8
"""Part of a quarter-hour that must have been measured; the rest is taken to be like it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of load and production."""

    utc_s: float
    """When, by the computer's clock, since 1970. [s]"""
    monotonic_s: float
    """When, by the clock that does not jump. [s]"""
    power_w: FloatArray
    """Load and production. [W]"""

    @property
    def quarter(self) -> int:
        """Number of its quarter-hour, counted from 1970 in UTC."""
        return int(self.utc_s // QUARTER_S)

    def towards(self, other: "Sample", utc_s: float) -> "Sample":
        """Return what lies on the line to another sample at a time between. [s]"""
        share = (utc_s - self.utc_s) / max(other.utc_s - self.utc_s, 1e-9)
        power_w = self.power_w + share * (other.power_w - self.power_w)
        return Sample(utc_s, other.monotonic_s, power_w)


class Running:
    """What was measured of one quarter-hour.

    Parameters
    ----------
    quarter : int
        Its number, counted from 1970 in UTC.
    """

    def __init__(self, quarter: int = 0) -> None:
        self.quarter = quarter
        """Its number, counted from 1970 in UTC."""
        self._covered_s = 0.0
        self._energy_ws = np.zeros(2)

    def count(self, begin: Sample, end: Sample) -> None:
        """Count what was measured between two samples."""
        seconds = end.utc_s - begin.utc_s
        self._covered_s += seconds
        self._energy_ws += (begin.power_w + end.power_w) / 2 * seconds

    def means_w(self) -> FloatArray | None:
        """Return the means; None where too little was measured. [W]"""
        if self._covered_s < COVERED_MIN * QUARTER_S:
            return None
        means_w: FloatArray = self._energy_ws / self._covered_s
        return means_w if math.isfinite(float(means_w.sum())) else None
