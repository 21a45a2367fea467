"""Energy at the grid connection, from a meter's readings, that survives kill -9 at any instant."""

import math
from typing import Final

from devices.battery import MeterState
from hems.agent.health import Health
from hems.agent.ledger.meter_memory import MeterMemory
from hems.agent.reading import Reading
from hems.agent.store import Store
from hems.errors import StoreError

_MARKS: Final = 48
"""Ends of intervals that are remembered: a day of half-hours."""
_COARSE_WH: Final = 1000.0
"""The coarsest step of a meter's counters. [Wh]"""
_DISBELIEVED: Final = 3
"""Readings in a row whose counters cannot be, after which the meter counts as another one."""
_SHORT_S: Final = 1.0
"""What a computer's clocks may differ by between two readings without one having been set. [s]"""


class Metering:
    """Net export since the gateway began, dated to market intervals (see `Listener`).

    Parameters
    ----------
    store : Store
        Where it is kept.
    health : Health
        Is told of gaps and of counters that cannot be.
    interval_s : int
        Length of a market interval. [s]
    hold_s : float
        How long the last power stands for those that are missing. [s]
    meter_max_w : float
        The most that flows through the meter. [W]

    Notes
    -----
    Two sources. A meter's **counters** are right however seldom they are read: the difference of
    two readings is the energy between them, also of a night in which the gateway was off. Without
    them, and between two steps of coarse ones, the last **power** stands until the next reading,
    for `hold_s` at most; what a gap is longer counts as unmetered and is told. When a counter
    steps, what power had added since its last step is taken back. Counters that step back or move
    faster than `meter_max_w` are disbelieved and bridged by power; after three such readings in a
    row the meter is taken for another one, whose counters hold from there.

    How long energy flowed is measured by the clock that does not jump; when, by the time of day of
    the later reading. So a clock that is set changes nothing but the interval that the energy since
    the last reading is dated to. The running total at the end of each interval is interpolated
    between the readings around it, by time.

    What it costs an SD card: each reading is written into a slot of 121 bytes, which the system
    takes to the card each 30 s or so, a block of 4 KB: 12 MB a day. Into SQLite's log, 4 KB each
    time, goes only the end of an interval and what a report is about to say, which waits for the
    disk. So a kill costs nothing, and a cut of the power the half minute before it; with counters
    not even that, since the energy is in them.
    """

    def __init__(
        self,
        store: Store,
        health: Health,
        *,
        interval_s: int,
        hold_s: float = 30.0,
        meter_max_w: float = 50_000.0,
    ) -> None:
        self._memory = MeterMemory(store)
        self._health = health
        self._interval_s = interval_s
        self._hold_s = hold_s
        self._meter_max_w = meter_max_w
        self._record, self._marks = self._memory.load()
        self._seen_s: float | None = None
        self._disbelieved = 0
        self._unwritten = self._begins_anew = False

    @property
    def total_wh(self) -> float:
        """Net export since the gateway began. [Wh]"""
        return self._record.total_wh

    @property
    def unmetered_s(self) -> float:
        """Time since then of which nothing is known. [s]"""
        return self._record.unmetered_s

    @property
    def interval(self) -> int | None:
        """Number of the interval of the last reading; None before the first."""
        return self._record.interval

    @property
    def soc_bp(self) -> int | None:
        """State of charge as last read, by this process or the one before; None if never. [bp]"""
        return self._record.soc_bp

    def total_at_end_wh(self, interval: int) -> float:
        """Return the running total at an interval's end, or now where it is not over. [Wh]"""
        return self._marks.get(interval, self._record.total_wh)

    def ended(self) -> list[int]:
        """Return the intervals whose end is known, in order."""
        return sorted(self._marks)

    def add(self, reading: Reading) -> None:
        """See `hems.agent.reading.Listener`."""
        record = self._record
        if reading.battery is not None:
            record.soc_bp = round(min(max(reading.battery.soc, 0.0), 1.0) * 10_000)
        if reading.meter is None or not math.isfinite(reading.meter.grid_power_w):
            return
        utc_s = reading.utc.timestamp()
        span_s = self._span_s(reading.monotonic_s, utc_s)
        before_wh = record.total_wh
        record.anchor_age_s += span_s
        if not self._by_counters(reading.meter, span_s):
            self._by_power(span_s)
        if self._begins_anew:  # what power added before is not in these counters
            self._anchor(reading.meter)
        moved = self._date(utc_s, span_s, before_wh)
        record.power_w = -reading.meter.grid_power_w
        self._seen_s = reading.monotonic_s
        record.utc_s = utc_s
        self._keep(reading.monotonic_s, moved=moved)

    def save(self) -> None:
        """Write what stands into the state file: a report of it is about to be made."""
        self._write()

    def close(self) -> None:
        """Write what is not written yet, and let go of the files."""
        self._write()
        self._memory.close()

    def _span_s(self, monotonic_s: float, utc_s: float) -> float:
        """Return the time since the last reading, of this process or of the one before. [s]"""
        if self._seen_s is not None:
            return max(monotonic_s - self._seen_s, 0.0)
        return 0.0 if self._record.utc_s is None else max(utc_s - self._record.utc_s, 0.0)

    def _by_power(self, span_s: float) -> None:
        """Add the last power for as long as it may stand, and count the rest as unmetered."""
        record = self._record
        held_s = min(span_s, self._hold_s)
        energy_wh = record.power_w * held_s / 3600
        record.total_wh += energy_wh
        record.since_wh += energy_wh
        if span_s > held_s + _SHORT_S:
            record.unmetered_s += span_s - held_s
            self._health.note(
                f"meter: no reading for {span_s:.0f} s; the energy of {span_s - held_s:.0f} s of "
                "them is not known"
            )

    def _by_counters(self, meter: MeterState, span_s: float) -> bool:
        """Add what the counters say; return whether they said what can be gone by."""
        record = self._record
        if meter.import_wh is None or meter.export_wh is None:
            return False
        if record.import_wh is None or record.export_wh is None:
            self._begins_anew = True
            return False
        imported_wh = meter.import_wh - record.import_wh
        exported_wh = meter.export_wh - record.export_wh
        if not self._can_be(imported_wh, exported_wh):
            self._disbelieve(meter.import_wh, meter.export_wh)
            return False
        self._disbelieved = 0
        if imported_wh == exported_wh == 0 and self._seen_s is not None and span_s <= self._hold_s:
            return False  # between two steps
        record.total_wh += exported_wh - imported_wh - record.since_wh
        self._anchor(meter)
        return True

    def _can_be(self, imported_wh: float, exported_wh: float) -> bool:
        """Return whether counters may have moved so since they last did."""
        most_wh = self._meter_max_w * self._record.anchor_age_s / 3600 + _COARSE_WH
        return min(imported_wh, exported_wh) >= 0 and imported_wh + exported_wh <= most_wh

    def _disbelieve(self, import_wh: float, export_wh: float) -> None:
        """Note counters that cannot be; take them for another meter's when they stay."""
        self._disbelieved += 1
        if self._disbelieved < _DISBELIEVED:
            return
        record = self._record
        self._health.note(
            f"meter: its counters went from {record.import_wh:g} Wh in and {record.export_wh:g} Wh "
            f"out to {import_wh:g} and {export_wh:g}; taken as another meter's, the energy between "
            "is by power"
        )
        self._disbelieved = 0
        self._begins_anew = True

    def _anchor(self, meter: MeterState) -> None:
        """Count from these counters on."""
        record, self._begins_anew = self._record, False
        record.import_wh, record.export_wh = meter.import_wh, meter.export_wh
        record.since_wh = record.anchor_age_s = 0.0

    def _date(self, utc_s: float, span_s: float, before_wh: float) -> bool:
        """Note the running total at the end of each interval since; return whether there was one.

        Where the clock was set back, the ends that now lie ahead are forgotten.
        """
        record, now = self._record, int(utc_s // self._interval_s)
        last, record.interval = record.interval, now
        if last is None or last == now:
            return last is None
        for interval in [each for each in self._marks if each >= now]:
            del self._marks[interval]
        added_wh = record.total_wh - before_wh
        for interval in range(max(last, now - _MARKS), now):
            part = 1.0
            if span_s > 0:
                ended_s = (interval + 1) * self._interval_s
                part = min(max(1 - (utc_s - ended_s) / span_s, 0.0), 1.0)
            self._marks[interval] = before_wh + part * added_wh
        for interval in sorted(self._marks)[:-_MARKS]:
            del self._marks[interval]
        return True

    def _keep(self, monotonic_s: float, *, moved: bool) -> None:
        """Write the record: the ends of intervals first, or a kill between would lose them."""
        if moved or self._unwritten:
            self._write()
        try:
            self._memory.note(self._record, monotonic_s)
        except StoreError:
            if not (moved or self._unwritten):
                self._write()  # a disk that does not take the slot may take this, and tells

    def _write(self) -> None:
        try:
            self._memory.write(self._record, self._marks)
        except StoreError as error:
            self._unwritten = True
            self._health.lost("energy record", f"{error}; it goes on in memory")
        else:
            self._unwritten = False
            self._health.back("energy record")
