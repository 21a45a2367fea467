"""What homes remember of load and sun: quarter-hour means, and the last reading."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from devices.arrays import FloatArray
from hems.forecast import quarter_means_w

MINUTES_PER_QUARTER = 15
KEPT_QUARTERS = 192
"""Quarters that homes remember between two days of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What homes measured before a day; every array has shape (homes, quarters) or (homes,)."""

    load_w: FloatArray
    """Quarter-hour means of load, oldest first. [W]"""
    pv_w: FloatArray
    """Quarter-hour means of production. [W]"""
    last_load_w: FloatArray
    """Load of the last minute. [W]"""
    last_pv_w: FloatArray
    """Production of the last minute. [W]"""

    @classmethod
    def before(cls, load_w: FloatArray, pv_w: FloatArray, *, minute: int) -> "Past":
        """Return what was measured before a minute; before the first, that one is the last reading.

        Parameters
        ----------
        load_w, pv_w : FloatArray, shape (homes, minutes)
            Measured power. [W]
        minute : int
            Where the past ends.
        """
        last = max(minute - 1, 0)
        return cls(
            load_w=quarter_means_w(load_w[:, :minute]),
            pv_w=quarter_means_w(pv_w[:, :minute]),
            last_load_w=load_w[:, last].copy(),
            last_pv_w=pv_w[:, last].copy(),
        )

    @classmethod
    def none(cls, homes: int) -> "Past":
        """Return the past of homes that never measured."""
        return cls(
            load_w=np.empty((homes, 0)),
            pv_w=np.empty((homes, 0)),
            last_load_w=np.zeros(homes),
            last_pv_w=np.zeros(homes),
        )

    @classmethod
    def after(cls, load: "Measured", pv: "Measured") -> "Past":
        """Return what homes remember of a day that is over, and of what they remembered then."""
        return cls(
            load_w=load.quarters_w[:, -KEPT_QUARTERS:].copy(),
            pv_w=pv.quarters_w[:, -KEPT_QUARTERS:].copy(),
            last_load_w=load.last_w.copy(),
            last_pv_w=pv.last_w.copy(),
        )

    @classmethod
    def joined(cls, parts: Sequence["Past"]) -> "Past":
        """Return the past of consecutive homes together."""
        return cls(
            **{
                field.name: np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            }
        )

    def part(self, homes: slice) -> "Past":
        """Return the past of some homes, in arrays of its own."""
        return Past(
            **{field.name: getattr(self, field.name)[homes].copy() for field in fields(self)}
        )


@dataclass(slots=True, kw_only=True)
class Measured:
    """One quantity of a day as its homes come to know it: quarters done, and the last minute."""

    quarters_w: FloatArray
    """Means of the quarters before the day and of the day's, shape (homes, quarters). [W]"""
    before: int
    """Quarters before the day."""
    last_w: FloatArray
    """Reading of the last whole minute, shape (homes,). [W]"""

    @classmethod
    def of(cls, quarters_w: FloatArray, past_w: FloatArray, last_w: FloatArray) -> "Measured":
        """Return a day's quarters with what was measured before it."""
        return cls(
            quarters_w=np.concatenate([past_w, quarters_w], axis=1),
            before=past_w.shape[1],
            last_w=last_w,
        )

    def history_w(self, minute: int) -> FloatArray:
        """Return the quarters done at a minute; a lone reading where none is. [W]"""
        done = self.before + minute // MINUTES_PER_QUARTER
        return self.quarters_w[:, :done] if done else self.last_w[:, np.newaxis]
