"""A day that homes have not lived through yet: their minutes, on disk, and what came before."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

import numpy as np

from devices.arrays import FloatArray
from hems.forecast import quarter_means_w
from scenarios.data.home_minutes import HomeMinutes
from scenarios.simulation.minute_file import MinuteFile
from scenarios.simulation.past import Measured, Past


class MinuteSource(Protocol):
    """Where the minutes of homes come from, whichever process they live in."""

    def minutes(self, day: date, part: range, *, history_days: int) -> Iterator[HomeMinutes]:
        """Yield the homes of a part in blocks, over local days that end with ``day``."""
        ...


class PreparedDay:
    """The minutes of some homes on a market day.

    Parameters
    ----------
    source : MinuteSource
        Where they come from.
    part : range
        Which homes of their fleet.
    day : date
        Local market day.
    slots, per_slot : int
        Its market intervals, and the minutes of each.
    history_days : int
        Days before it whose minutes become the homes' past.
    """

    def __init__(
        self,
        source: MinuteSource,
        part: range,
        day: date,
        *,
        slots: int,
        per_slot: int,
        history_days: int,
    ) -> None:
        self.slots, self._per_slot = slots, per_slot
        self._file = MinuteFile(homes=len(part), per_slot=per_slot)
        self._load_quarters_w = self._pv_quarters_w = np.empty((0, 0))
        self.past = Past.none(0)
        """What the source knows of the days before."""
        try:
            self._fill(source.minutes(day, part, history_days=history_days))
        except BaseException:
            self.close()
            raise

    def _fill(self, blocks: Iterable[HomeMinutes]) -> None:
        """Write the day's minutes down, and remember what homes come to know of them."""
        load_w, pv_w, pasts, done = [], [], [], 0
        for block in blocks:
            begins = block.load_w.shape[1] - self.slots * self._per_slot
            today = slice(begins, None)
            self._file.write(done, block.load_w[:, today], block.pv_w[:, today])
            load_w.append(quarter_means_w(block.load_w[:, today]))
            pv_w.append(quarter_means_w(block.pv_w[:, today]))
            pasts.append(Past.before(block.load_w, block.pv_w, minute=begins))
            done += block.load_w.shape[0]
        self._load_quarters_w, self._pv_quarters_w = np.concatenate(load_w), np.concatenate(pv_w)
        self.past = Past.joined(pasts)

    def total(self, load_w: FloatArray, pv_w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return load and production of the homes, added to those of the homes before them.

        Parameters
        ----------
        load_w, pv_w : FloatArray, shape (minutes,)
            Sums over the homes before. [W]
        """
        sums_w = load_w.copy(), pv_w.copy()
        for slot in range(self.slots):
            span = slice(slot * self._per_slot, (slot + 1) * self._per_slot)
            for total_w, own_w in zip(sums_w, self.read(slot), strict=True):
                total_w[span] = chained(total_w[span], own_w)
        return sums_w

    def read(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Return load and production in a market interval, shape (homes, minutes). [W]"""
        return self._file.read(slot)

    def measured(self, past: Past) -> tuple[Measured, Measured]:
        """Hand over, once, load and production as homes with a past come to know them."""
        load_w, pv_w = self._load_quarters_w, self._pv_quarters_w
        self._load_quarters_w = self._pv_quarters_w = np.empty((0, 0))
        self.past = Past.none(0)
        return (
            Measured.of(load_w, past.load_w, past.last_load_w),
            Measured.of(pv_w, past.pv_w, past.last_pv_w),
        )

    def close(self) -> None:
        """Forget the minutes."""
        self._file.close()


def chained(total: FloatArray, rows: FloatArray) -> FloatArray:
    """Add rows to a total one by one, so that it does not matter how they were cut into blocks.

    Parameters
    ----------
    total : FloatArray, shape (n,)
        Sum of the rows before.
    rows : FloatArray, shape (rows, n)
        More rows.
    """
    # NumPy adds the rows of an array in their order when it sums over them.
    summed: FloatArray = np.concatenate([total[np.newaxis], rows]).sum(axis=0)
    return summed
