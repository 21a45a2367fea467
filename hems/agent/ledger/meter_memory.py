"""What a gateway keeps of its meter."""

import secrets
from collections.abc import Mapping
from dataclasses import astuple, fields

from hems.agent.ledger.meter_record import MeterRecord
from hems.agent.ledger.meter_slots import MeterSlots
from hems.agent.store import Store
from hems.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meter_record (
    place INTEGER PRIMARY KEY CHECK (place = 0),
    identity INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    total_wh REAL NOT NULL,
    since_wh REAL NOT NULL,
    anchor_age_s REAL NOT NULL,
    unmetered_s REAL NOT NULL,
    power_w REAL NOT NULL,
    import_wh REAL,
    export_wh REAL,
    utc_s REAL,
    interval INTEGER,
    soc_bp INTEGER
);
CREATE TABLE IF NOT EXISTS meter_mark (interval INTEGER PRIMARY KEY, total_wh REAL NOT NULL);
"""


_IDENTITY_BITS = 52
"""What a double holds exactly."""
_NAMES = tuple(field.name for field in fields(MeterRecord))
_COLUMNS = ", ".join(_NAMES)
_PUT = f"INSERT OR REPLACE INTO meter_record (place, {_COLUMNS}) VALUES (0{', ?' * len(_NAMES)})"  # noqa: S608 -- our own words


class MeterMemory:
    """Where `hems.agent.ledger.metering.Metering` stands: two tables, and slots beside the file.

    The tables have the ends of intervals, and the record as it was then or when it was last
    reported; the slots have it as it was at the last reading.

    Parameters
    ----------
    store : Store
        The gateway's memory.

    Raises
    ------
    StoreError
        If either cannot be opened or read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written: dict[int, float] = {}
        store.create(_SCHEMA)
        path = None if store.path is None else store.path.with_name("meter.slots")
        try:
            self._slots = MeterSlots(path)
        except OSError as error:
            msg = f"state file {path} cannot be opened ({error.strerror}); see that it is ours"
            raise StoreError(msg) from error

    def load(self) -> tuple[MeterRecord, dict[int, float]]:
        """Return the record and the running totals at the ends of intervals. [Wh]"""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM meter_record")  # noqa: S608 -- our own words
        self._written = dict(self._store.rows("SELECT interval, total_wh FROM meter_mark"))
        if not rows:
            record = MeterRecord(identity=secrets.randbits(_IDENTITY_BITS))
            self.write(record, self._written)
            return record, dict(self._written)
        record = MeterRecord(**dict(zip(_NAMES, rows[0], strict=True)))
        later = self._slots.load()
        if later is not None and later.identity == record.identity:
            record = max(record, later, key=lambda each: each.generation)
        return record, dict(self._written)

    def note(self, record: MeterRecord, monotonic_s: float) -> None:
        """Write the record where a kill finds it again, or raise `StoreError`."""
        record.generation += 1
        try:
            self._slots.write(record, monotonic_s)
        except OSError as error:
            msg = f"the meter's record cannot be written ({error.strerror or error}); make room"
            raise StoreError(msg) from error

    def write(self, record: MeterRecord, marks: Mapping[int, float]) -> None:
        """Write record and marks into the state file, in one transaction, or raise `StoreError`."""
        record.generation += 1
        gone = [(each,) for each in self._written if each not in marks]
        new = [item for item in marks.items() if self._written.get(item[0]) != item[1]]
        with self._store.transaction() as base:
            base.execute(_PUT, astuple(record))
            if gone:
                base.executemany("DELETE FROM meter_mark WHERE interval = ?", gone)
            if new:
                base.executemany("INSERT OR REPLACE INTO meter_mark VALUES (?, ?)", new)
        self._written = dict(marks)

    def close(self) -> None:
        """Let go of the slots."""
        self._slots.close()
