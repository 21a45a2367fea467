"""Where a meter's record stands between two writes of the state file: a small file, kept open.

Each reading is written there. That costs the card nothing at once: a write stays in the system's
page cache, which outlives a killed process, and goes to the card with others some 30 s later. A
power cut may cost that half minute.
"""

import os
import struct
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, get_type_hints

from hems.agent.ledger.meter_record import MeterRecord

APART: Final = 4096
"""The two slots lie in blocks of their own, so that a power cut tears one at most. [bytes]"""
SWITCH_S: Final = 60.0
"""How long one slot is written before the other: only one block goes to the card at a time. [s]"""
_NUMBERS: Final = tuple(field.name for field in fields(MeterRecord))
_WHOLE: Final = frozenset(
    name for name, kind in get_type_hints(MeterRecord).items() if kind in (int, int | None)
)
_BODY: Final = struct.Struct(f"<{len(_NUMBERS)}d{len(_NUMBERS)}?")
_SUM: Final = struct.Struct("<I")


class MeterSlots:
    """Two slots of a record, of which the one with the higher generation counts.

    Parameters
    ----------
    path : Path, optional
        The file, made where it is missing; None keeps nothing.

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._handle: int | None = None
        if path is not None:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def load(self) -> MeterRecord | None:
        """Return the newest record; None where there is none that is whole."""
        found = [each for each in map(self._slot, range(2)) if each is not None]
        return max(found, key=lambda each: each.generation, default=None)

    def write(self, record: MeterRecord, monotonic_s: float) -> None:
        """Write a record, which a kill right after does not undo.

        Parameters
        ----------
        record : MeterRecord
            The record.
        monotonic_s : float
            The time by the clock that does not jump. [s]

        Raises
        ------
        OSError
            If the disk refuses.
        """
        if self._handle is None:
            return
        values = [getattr(record, name) for name in _NUMBERS]
        known = [each is not None for each in values]
        body = _BODY.pack(*(float(each or 0) for each in values), *known)
        place = int(monotonic_s // SWITCH_S) % 2 * APART
        whole = body + _SUM.pack(zlib.crc32(body))
        if os.pwrite(self._handle, whole, place) != len(whole):
            msg = "the disk took only a part"
            raise OSError(msg)

    def close(self) -> None:
        """Let go of the file."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _slot(self, number: int) -> MeterRecord | None:
        if self._handle is None:
            return None
        whole = os.pread(self._handle, _BODY.size + _SUM.size, number * APART)
        body, told = whole[: _BODY.size], whole[_BODY.size :]
        if len(told) != _SUM.size or _SUM.unpack(told)[0] != zlib.crc32(body):
            return None
        values = _BODY.unpack(body)
        found: dict[str, Any] = {
            name: (int(value) if name in _WHOLE else value) if known else None
            for name, value, known in zip(
                _NUMBERS, values[: len(_NUMBERS)], values[len(_NUMBERS) :], strict=True
            )
        }
        return MeterRecord(**found)
