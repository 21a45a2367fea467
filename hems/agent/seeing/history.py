"""What the home did, quarter-hour by quarter-hour, and what it is expected to do next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.agent.health import Health
from hems.agent.reading import Reading
from hems.agent.seeing.quarter import Running, Sample
from hems.agent.store import Store
from hems.errors import ForecastError, StoreError
from hems.forecast import QUARTER_S, QUARTERS_PER_DAY, Forecaster
from hems.forecast_knn import CombinedForecaster
from hems.forecast_score import ForecastScore, Score

GAP_S: Final = 60.0
"""Readings further apart say nothing of the time between them. [s]"""
CLOCK_JUMP_S: Final = 2.0
"""Clocks that run apart by more between two readings: one was set. [s]"""
QUANTITIES: Final = ("load", "pv")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS quarters (
    quarter INTEGER PRIMARY KEY, load_w REAL NOT NULL, pv_w REAL NOT NULL);
CREATE TABLE IF NOT EXISTS forecast_scores (quantity TEXT PRIMARY KEY, sums BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """How much a home remembers.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    keep_days: int = 60
    """Days of quarter-hours that are kept, 2..400."""
    scored_quarters: int = QUARTERS_PER_DAY
    """Quarters ahead whose forecasts are scored, 1..96."""

    def __post_init__(self) -> None:
        if not 2 <= self.keep_days <= 400:
            msg = f"keep_days is {self.keep_days}; give 2..400"
            raise ValueError(msg)
        if not 1 <= self.scored_quarters <= QUARTERS_PER_DAY:
            msg = f"scored_quarters is {self.scored_quarters}; give 1..{QUARTERS_PER_DAY}"
            raise ValueError(msg)


class History:
    """Keep quarter-hour means of load and production, and forecast from them.

    A `hems.agent.reading.Listener`. Readings must have passed the sieve.

    Parameters
    ----------
    store : Store
        Where they outlive a restart: one transaction per quarter-hour.
    health : Health
        Is told where they cannot be written; they are kept and written later.
    settings : HistorySettings
        How much is kept.
    forecaster : Forecaster, optional
        Predicts; by default regression up to an hour and neighbours beyond.

    Raises
    ------
    StoreError
        If what was kept cannot be read.

    Notes
    -----
    A quarter that was not measured for `hems.agent.seeing.quarter.COVERED_MIN` of its time leaves a
    hole, which forecasters know from a zero. Where the clock was set, the quarter under way is
    given up; where it was set back, the quarters from there on are forgotten, dated by a clock that
    was wrong.
    """

    def __init__(
        self,
        store: Store,
        *,
        health: Health,
        settings: HistorySettings = HistorySettings(),
        forecaster: Forecaster | None = None,
    ) -> None:
        self._store, self._health = store, health
        self._keep = settings.keep_days * QUARTERS_PER_DAY
        self._scored = settings.scored_quarters
        self._forecaster = forecaster or CombinedForecaster()
        self._scores = {name: ForecastScore(settings.scored_quarters) for name in QUANTITIES}
        self._last: Sample | None = None
        self._running = Running()
        self._unsaved: dict[int, FloatArray] = {}
        self._forget_from: int | None = None
        self._found: tuple[tuple[int, int], FloatArray] | None = None
        store.create(_SCHEMA)
        self._quarters, self._means_w = self._load()

    def add(self, reading: Reading) -> None:
        """See `hems.agent.reading.Listener`."""
        if reading.meter is None:
            return
        power_w = np.array([reading.meter.load_w, reading.meter.pv_w])
        sample = Sample(reading.utc.timestamp(), reading.monotonic_s, power_w)
        before, self._last = self._last, sample
        if before is None:
            self._running = Running(sample.quarter)
            return
        passed_s = sample.monotonic_s - before.monotonic_s
        jumped_s = sample.utc_s - before.utc_s - passed_s
        if abs(jumped_s) > CLOCK_JUMP_S:
            self._running = Running(sample.quarter)
            if jumped_s < 0:
                self._forget(sample.quarter)
            return
        self._integrate(before, sample, measured=0 < passed_s <= GAP_S)

    def forecast(self, utc: datetime, quarters: int) -> tuple[FloatArray, FloatArray]:
        """Return what is expected, from the quarter-hour on that a time lies in.

        Parameters
        ----------
        utc : datetime
            Now, aware.
        quarters : int
            How many, >= 1.

        Returns
        -------
        tuple[FloatArray, FloatArray]
            Load and production, each of shape (1, quarters). [W]

        Raises
        ------
        ForecastError
            If nothing was ever measured.
        """
        load_w, pv_w = self._expected_w(int(utc.timestamp() // QUARTER_S), quarters)
        return load_w[None, :].copy(), pv_w[None, :].copy()

    def scores(self) -> dict[str, Score]:
        """Return how good forecasts were, by horizon, of ``load`` and ``pv``."""
        return {name: score.score() for name, score in self._scores.items()}

    def known_w(self, first_quarter: int) -> FloatArray:
        """Return the means before a quarter-hour, shape (2, quarters); NaN for holes. [W]"""
        begin = first_quarter - self._keep
        chosen = (self._quarters >= begin) & (self._quarters < first_quarter)
        if not chosen.any():
            return np.empty((2, 0))
        begin = int(self._quarters[chosen][0])
        means_w = np.full((2, first_quarter - begin), np.nan)
        means_w[:, self._quarters[chosen] - begin] = self._means_w[:, chosen]
        return means_w

    def _integrate(self, before: Sample, sample: Sample, *, measured: bool) -> None:
        """Count the time between two readings for the quarter-hours that it lies in."""
        while self._running.quarter < sample.quarter:
            end = before.towards(sample, (self._running.quarter + 1) * QUARTER_S)
            if measured:
                self._running.count(before, end)
                before = end
            self._close()
            # After a gap the quarters between are holes like any other.
            following = self._running.quarter + 1 if measured else sample.quarter
            self._running = Running(following)
        if measured:
            self._running.count(before, sample)

    def _close(self) -> None:
        """Keep the quarter that ended, if enough of it was measured."""
        quarter, means_w = self._running.quarter, self._running.means_w()
        if means_w is None:
            return
        keep = self._quarters < quarter
        self._quarters = np.append(self._quarters[keep], quarter)[-self._keep :]
        self._means_w = np.append(self._means_w[:, keep], means_w[:, None], 1)[:, -self._keep :]
        self._unsaved[quarter] = means_w
        self._forget_from = min(quarter, self._forget_from or quarter)
        self._found = None
        for score, mean_w in zip(self._scores.values(), means_w, strict=True):
            score.measured(quarter, float(mean_w))
        expected = self._expected_w(quarter + 1, self._scored)
        for score, expected_w in zip(self._scores.values(), expected, strict=True):
            score.issued(quarter + 1, expected_w)
        self._save()

    def _forget(self, quarter: int) -> None:
        """Forget a quarter and all after it."""
        keep = self._quarters < quarter
        self._quarters, self._means_w = self._quarters[keep], self._means_w[:, keep]
        self._unsaved = {each: row for each, row in self._unsaved.items() if each < quarter}
        self._forget_from = min(quarter, self._forget_from or quarter)
        self._found = None

    def _expected_w(self, first_quarter: int, quarters: int) -> FloatArray:
        """Return expected load and production, shape (2, quarters). [W]"""
        if self._found is not None and self._found[0] == (first_quarter, quarters):
            return self._found[1]
        known_w = self.known_w(first_quarter)
        whole = known_w.shape[1] > 0 and not np.isnan(known_w[0, -1])
        if not whole:
            known_w = self._with_now(known_w, first_quarter)
        if known_w.shape[1] == 0:
            msg = "forecast: nothing was ever measured here; wait for the meter's first reading"
            raise ForecastError(msg)
        expected_w = np.concatenate(
            [
                self._forecaster.forecast(row[None, :], quarters, first_quarter=first_quarter)
                for row in known_w
            ]
        )
        if whole:
            self._found = ((first_quarter, quarters), expected_w)
        return expected_w

    def _with_now(self, known_w: FloatArray, first_quarter: int) -> FloatArray:
        """Put what is measured now where the quarter before is not known."""
        if self._last is None or abs(self._last.quarter - first_quarter) > 1:
            return known_w
        now_w = self._last.power_w[:, None]
        return np.concatenate([known_w[:, :-1], now_w], axis=1)

    def _load(self) -> tuple[IntArray, FloatArray]:
        """Read what was kept."""
        for name, sums in self._store.rows("SELECT quantity, sums FROM forecast_scores"):
            if name in self._scores:
                self._scores[name].take_bytes(sums)
        rows = self._store.rows(
            "SELECT quarter, load_w, pv_w FROM quarters ORDER BY quarter DESC LIMIT ?",
            (self._keep,),
        )
        rows.reverse()
        quarters = np.array([row[0] for row in rows], dtype=np.int64)
        return quarters, np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 2).T

    def _save(self) -> None:
        """Write what is not written yet; later, where that is not possible now."""
        rows = [(quarter, *means_w.tolist()) for quarter, means_w in self._unsaved.items()]
        sums = [(name, score.to_bytes()) for name, score in self._scores.items()]
        try:
            with self._store.transaction() as base:
                # What stands there after the quarters under way was dated by a clock set wrong.
                base.execute("DELETE FROM quarters WHERE quarter >= ?", (self._forget_from,))
                base.executemany("INSERT OR REPLACE INTO quarters VALUES (?, ?, ?)", rows)
                base.execute(
                    # By number, not by age: a clock far ahead must not cost the past.
                    "DELETE FROM quarters WHERE quarter <= (SELECT quarter FROM quarters "
                    "ORDER BY quarter DESC LIMIT 1 OFFSET ?)",
                    (self._keep,),
                )
                base.executemany("INSERT OR REPLACE INTO forecast_scores VALUES (?, ?)", sums)
        except StoreError as error:
            self._health.lost("history", str(error))
            self._unsaved = dict(list(self._unsaved.items())[-self._keep :])
            return
        self._unsaved, self._forget_from = {}, None
        self._health.back("history")
