"""A day's load and production of many homes, on disk: a city's minutes do not fit into memory."""

from tempfile import TemporaryFile

import numpy as np

from devices.arrays import FloatArray

WATT = np.dtype(np.float64)


class MinuteFile:
    """Load and production of some homes over a day, in a file without a name.

    It is written block by block of homes and read an interval at a time. It lies where Python's
    `tempfile` puts it, which ``TMPDIR`` moves: 23 kB a home and day.

    Parameters
    ----------
    homes : int
        Number of homes.
    per_slot : int
        Minutes of a market interval.
    """

    def __init__(self, *, homes: int, per_slot: int) -> None:
        self._homes, self._per_slot = homes, per_slot
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close

    def write(self, first: int, load_w: FloatArray, pv_w: FloatArray) -> None:
        """Write the day of some homes, from the home ``first`` on, shape (homes, minutes). [W]"""
        for slot in range(load_w.shape[1] // self._per_slot):
            span = slice(slot * self._per_slot, (slot + 1) * self._per_slot)
            for kind, series_w in enumerate((load_w, pv_w)):
                self._file.seek(self._place(slot, kind) + first * self._per_slot * WATT.itemsize)
                self._file.write(np.ascontiguousarray(series_w[:, span]).data)

    def read(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Return load and production of all homes in an interval, shape (homes, minutes). [W]"""
        return self._series(slot, 0), self._series(slot, 1)

    def _series(self, slot: int, kind: int) -> FloatArray:
        series_w = np.empty((self._homes, self._per_slot))
        self._file.seek(self._place(slot, kind))
        left = series_w.data.cast("B")
        while left:
            count = self._file.readinto(left)
            if not count:
                msg = f"the file of a day's minutes ends in interval {slot}: is the disk full?"
                raise OSError(msg)
            left = left[count:]
        return series_w

    def _place(self, slot: int, kind: int) -> int:
        """Return where a kind's interval begins. [bytes]"""
        return (2 * slot + kind) * self._homes * self._per_slot * WATT.itemsize

    def close(self) -> None:
        """Forget the day."""
        self._file.close()
