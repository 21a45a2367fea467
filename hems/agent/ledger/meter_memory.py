"""What a gateway keeps of its meter."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

from hems.agent.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meter_record (
    place INTEGER PRIMARY KEY CHECK (place = 0),
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


@dataclass(slots=True, kw_only=True)
class MeterRecord:
    """Where the metering stands."""

    total_wh: float = 0.0
    """Net export since the gateway began. [Wh]"""
    since_wh: float = 0.0
    """Part of it that power has added since the counters last moved. [Wh]"""
    anchor_age_s: float = 0.0
    """How long ago they did. [s]"""
    unmetered_s: float = 0.0
    """Time of which nothing is known. [s]"""
    power_w: float = 0.0
    """Net export as last read. [W]"""
    import_wh: float | None = None
    """The meter's counters as they last moved; None without. [Wh]"""
    export_wh: float | None = None
    """Likewise. [Wh]"""
    utc_s: float | None = None
    """Time of the last reading. [s since 1970]"""
    interval: int | None = None
    """Number of the market interval it was in."""
    soc_bp: int | None = None
    """State of charge as last read. [bp]"""


_NAMES = tuple(field.name for field in fields(MeterRecord))
_COLUMNS = ", ".join(_NAMES)
_PUT = f"INSERT OR REPLACE INTO meter_record (place, {_COLUMNS}) VALUES (0{', ?' * len(_NAMES)})"  # noqa: S608 -- our own words


class MeterMemory:
    """The tables of `hems.agent.ledger.metering.Metering` in the gateway's memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written: dict[int, float] = {}
        store.create(_SCHEMA)

    def load(self) -> tuple[MeterRecord, dict[int, float]]:
        """Return the record and the running totals at the ends of intervals. [Wh]"""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM meter_record")  # noqa: S608 -- our own words
        record = MeterRecord(**dict(zip(_NAMES, rows[0], strict=True))) if rows else MeterRecord()
        self._written = dict(self._store.rows("SELECT interval, total_wh FROM meter_mark"))
        return record, dict(self._written)

    def write(self, record: MeterRecord, marks: Mapping[int, float]) -> None:
        """Write both, in one transaction, or raise `StoreError`."""
        gone = [(each,) for each in self._written if each not in marks]
        new = [item for item in marks.items() if self._written.get(item[0]) != item[1]]
        with self._store.transaction() as base:
            base.execute(_PUT, astuple(record))
            if gone:
                base.executemany("DELETE FROM meter_mark WHERE interval = ?", gone)
            if new:
                base.executemany("INSERT OR REPLACE INTO meter_mark VALUES (?, ?)", new)
        self._written = dict(marks)
