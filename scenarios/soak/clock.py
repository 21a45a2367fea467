"""A clock that runs many times as fast as the computer's, the same in several processes."""

import asyncio
import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_AHEAD: Final = struct.Struct("d")


class ScaledClock:
    """See `devices.clock.Clock`; its time of day can be set while others look.

    Parameters
    ----------
    rate : float
        Seconds that pass in one of the computer's, > 0.
    begun_s : float
        Present by ``time.monotonic()`` when it began, which all processes of a computer share. [s]
    utc_s : float
        Time of day then. [s since 1970]
    ahead : Path
        File that says by how much its time of day is set wrong; made where it is missing.
    """

    def __init__(self, *, rate: float, begun_s: float, utc_s: float, ahead: Path) -> None:
        self.rate = rate
        """Seconds that pass in one of the computer's."""
        self._begun_s, self._utc_s = begun_s, utc_s
        self._ahead = ahead
        if not ahead.exists():
            ahead.write_bytes(_AHEAD.pack(0.0))
        handle = os.open(ahead, os.O_RDWR)
        try:
            self._map = mmap.mmap(handle, _AHEAD.size)
        finally:
            os.close(handle)

    def arguments(self) -> list[str]:
        """Return what `from_arguments` makes the same clock of, in another process."""
        return [str(self.rate), repr(self._begun_s), repr(self._utc_s), str(self._ahead)]

    @classmethod
    def from_arguments(cls, rate: str, begun_s: str, utc_s: str, ahead: str) -> "ScaledClock":
        """Return the clock that told its `arguments`."""
        return cls(rate=float(rate), begun_s=float(begun_s), utc_s=float(utc_s), ahead=Path(ahead))

    def set_ahead(self, seconds: float) -> None:
        """Set the time of day wrong, for everybody who has this clock. [s]"""
        _AHEAD.pack_into(self._map, 0, seconds)

    def monotonic_s(self) -> float:
        """See `devices.clock.Clock`."""
        return (time.monotonic() - self._begun_s) * self.rate

    def true_utc_s(self) -> float:
        """Return the time of day as it is, however the clock is set. [s since 1970]"""
        return self._utc_s + self.monotonic_s()

    def utc(self) -> datetime:
        """See `devices.clock.Clock`."""
        (ahead_s,) = _AHEAD.unpack_from(self._map, 0)
        return datetime.fromtimestamp(self.true_utc_s() + ahead_s, UTC)

    async def sleep(self, seconds: float) -> None:
        """See `devices.clock.Clock`."""
        await asyncio.sleep(max(seconds, 0.0) / self.rate)
