"""Quarter-hours that were measured are kept, others are holes; forecasts are scored."""

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from devices.battery import MeterState
from hems.agent.health import Health
from hems.agent.reading import Reading
from hems.agent.seeing.history import History, HistorySettings
from hems.agent.store import Store
from hems.errors import ForecastError, StoreError
from hems.forecast import LinearForecaster

START = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = int(START.timestamp()) // 900
FEW = HistorySettings(keep_days=2, scored_quarters=2)


class Home:
    """A home whose meter is read by a clock that can be set."""

    def __init__(self, store=None, settings=FEW):
        self.lines = []
        self.store = store or Store()
        self.history = History(self.store, health=Health(self.lines.append), settings=settings)
        self.utc, self.monotonic_s = START, 0.0

    def pass_time(self, seconds, load_w=400.0, pv_w=100.0, *, step_s=30.0, meter=True):
        """Read every ``step_s``; powers are numbers or functions of the seconds since midnight."""
        for _ in range(round(seconds / step_s)):
            self.read(load_w, pv_w, meter=meter)
            self.utc += timedelta(seconds=step_s)
            self.monotonic_s += step_s

    def read(self, load_w=400.0, pv_w=100.0, *, meter=True):
        at_s = (self.utc - START).total_seconds()
        load_w, pv_w = (w(at_s) if callable(w) else w for w in (load_w, pv_w))
        told = MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=load_w - pv_w) if meter else None
        self.history.add(Reading(utc=self.utc, monotonic_s=self.monotonic_s, meter=told))

    def set_clock(self, seconds):
        self.utc += timedelta(seconds=seconds)

    def loads_w(self, quarters, first=FIRST):
        """Return the loads known up to ``quarters`` after ``first``, None for holes. [W]"""
        known_w = self.history.known_w(first + quarters)[0]
        return [None if np.isnan(w) else round(float(w)) for w in known_w]


def test_quarters_are_the_means_of_their_readings_split_at_their_ends():
    home = Home()

    home.pass_time(1_800, load_w=lambda s: s, pv_w=lambda s: 2_000 - s, step_s=40.0)
    home.read(1_800.0, 200.0)

    np.testing.assert_allclose(home.history.known_w(FIRST + 2), [[450, 1_350], [1_550, 650]])


def test_quarter_that_began_before_the_agent_is_kept_if_most_of_it_was_seen():
    early, late = Home(), Home()
    early.set_clock(170)
    late.set_clock(190)

    for home in (early, late):
        home.pass_time(930)

    assert early.loads_w(1) == [400.0]
    assert late.loads_w(1) == []


def test_what_was_measured_survives_a_restart(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    home.pass_time(3 * 900 + 30, load_w=lambda s: 100 + s // 900)
    home.store.close()

    again = Home(Store(tmp_path / "state.sqlite"))

    np.testing.assert_array_equal(again.history.known_w(FIRST + 3), home.history.known_w(FIRST + 3))
    assert again.history.known_w(FIRST + 3).shape == (2, 3)
    again.store.close()


@pytest.mark.parametrize("blind", ["no meter", "no reading"])
def test_gap_is_a_hole_and_no_zero(blind):
    home = Home()
    home.pass_time(900)
    if blind == "no meter":
        home.pass_time(1_800, meter=False)
    else:
        home.set_clock(1_800)
        home.monotonic_s += 1_800
    home.pass_time(930, load_w=700.0)

    assert home.loads_w(4) == [400.0, None, None, 700.0]
    load_w, pv_w = home.history.forecast(home.utc, 2)
    assert (load_w.tolist(), pv_w.tolist()) == ([[700.0, 700.0]], [[100.0, 100.0]])


def test_short_silence_is_bridged():
    home = Home()
    home.pass_time(300)
    home.pass_time(30, meter=False)
    home.pass_time(600)

    assert home.loads_w(1) == [400.0]


def test_clock_that_is_set_ahead_leaves_a_hole():
    home = Home()
    home.pass_time(1_200)
    home.set_clock(3_600)
    home.pass_time(1_530, load_w=800.0)

    # 00:20 became 01:20; 01:15 to 01:30 was not seen for long enough
    assert home.loads_w(7) == [400.0, None, None, None, None, None, 800.0]


def test_clock_that_is_set_back_has_what_it_dated_wrongly_forgotten(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    home.pass_time(6 * 900 + 300, load_w=lambda s: 100 + s // 900)
    home.set_clock(-3_600)  # 01:35 becomes 00:35
    home.pass_time(900, load_w=800.0)
    assert home.loads_w(6) == [100.0, 101.0, None, None, None, None]

    home.pass_time(900, load_w=800.0)

    assert home.loads_w(4) == [100.0, 101.0, None, 800.0]
    home.store.close()
    again = Home(Store(tmp_path / "state.sqlite"))
    assert again.loads_w(9) == [100.0, 101.0, None, 800.0, *[None] * 5]
    again.store.close()


def test_quarters_dated_in_the_future_before_a_restart_are_forgotten(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    home.set_clock(10 * 86_400)
    home.pass_time(1_830)
    home.store.close()

    again = Home(Store(tmp_path / "state.sqlite"))
    again.pass_time(930)
    again.store.close()

    last = Home(Store(tmp_path / "state.sqlite"))
    assert last.store.rows("SELECT quarter FROM quarters") == [(FIRST,)]
    last.store.close()


def test_leap_second_and_slewing_are_no_jump():
    home = Home()
    home.pass_time(450)
    home.set_clock(-1)
    home.pass_time(510)

    assert home.loads_w(1) == [400.0]


def test_clock_that_is_years_ahead_for_a_quarter_costs_no_past():
    home = Home()
    home.pass_time(10 * 900)
    home.set_clock(12 * 365 * 86_400)
    home.pass_time(1_830)
    home.set_clock(-12 * 365 * 86_400)
    home.pass_time(1_830)

    assert home.loads_w(14)[:9] == [400.0] * 9
    assert max(row[0] for row in home.store.rows("SELECT quarter FROM quarters")) == FIRST + 13


def test_only_the_last_days_are_kept(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))

    home.pass_time(3 * 86_400 + 60, step_s=60.0, load_w=lambda s: s // 900)

    kept = home.store.rows("SELECT COUNT(*), MIN(quarter), MAX(quarter) FROM quarters")
    assert kept == [(192, FIRST + 96, FIRST + 287)]
    assert home.history.known_w(FIRST + 288).shape == (2, 192)
    assert home.loads_w(288) == list(range(96, 288))
    home.store.close()


def test_flash_is_written_once_a_quarter(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    watching = sqlite3.connect(tmp_path / "state.sqlite")
    versions = []

    for _ in range(100):
        home.pass_time(30)
        versions.append(watching.execute("PRAGMA data_version").fetchone()[0])

    watching.close()
    home.store.close()
    assert np.count_nonzero(np.diff(versions)) == 100 * 30 // 900


def test_file_that_cannot_be_written_costs_nothing_once_it_can_again(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    home.pass_time(930)
    blocker = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    home.store.rows("PRAGMA busy_timeout = 0")
    blocker.execute("BEGIN IMMEDIATE")

    home.pass_time(1_800)
    lost = list(home.lines)
    forecast_w = home.history.forecast(home.utc, 1)[0].tolist()
    blocker.execute("ROLLBACK")
    blocker.close()
    home.pass_time(900)

    assert len(lost) == 1
    assert lost[0].startswith("history lost: state file")
    assert forecast_w == [[pytest.approx(400.0)]]
    assert home.lines[1:] == ["history back"]
    assert home.store.rows("SELECT COUNT(*) FROM quarters") == [(4,)]
    home.store.close()


def test_forecast_needs_one_reading():
    home = Home()
    with pytest.raises(ForecastError, match="nothing was ever measured here"):
        home.history.forecast(START, 2)

    home.read(350.0, 20.0)

    load_w, pv_w = home.history.forecast(START, 2)
    assert (load_w.tolist(), pv_w.tolist()) == ([[350.0, 350.0]], [[20.0, 20.0]])


def test_forecast_is_that_of_the_forecaster_on_what_was_measured():
    home = Home(settings=HistorySettings(keep_days=3, scored_quarters=1))
    rng = np.random.default_rng(3)
    loads_w = rng.uniform(100, 900, 200)
    home.pass_time(180 * 900 + 60, step_s=60.0, load_w=lambda s: loads_w[int(s // 900)])

    load_w, pv_w = home.history.forecast(home.utc, 4)

    known_w = home.history.known_w(FIRST + 180)
    assert load_w.tolist() == LinearForecaster().forecast(known_w[:1], 4).tolist()
    assert pv_w.tolist() == LinearForecaster().forecast(known_w[1:], 4).tolist()
    load_w[:] = -1.0  # what a caller does with it is its own business
    assert home.history.forecast(home.utc, 4)[0].min() > 0


def test_forecasts_are_scored_by_horizon_and_scores_survive_a_restart(tmp_path):
    home = Home(Store(tmp_path / "state.sqlite"))
    # by persistence: 400, 400, 500, 500, 500 W are missed by 100 W one and two quarters ahead
    home.pass_time(5 * 900 + 30, load_w=lambda s: 400.0 if s <= 1_800 else 500.0, step_s=10.0)

    load = home.history.scores()["load"]

    np.testing.assert_allclose(load.scored, [4, 3], rtol=2e-3)
    np.testing.assert_allclose(load.mean_absolute_w, [25, 200 / 3], rtol=2e-2)
    np.testing.assert_allclose(load.bias_w, -load.mean_absolute_w)
    np.testing.assert_allclose(load.relative, [100 / 1_900, 200 / 1_500], rtol=2e-2)
    home.store.close()
    again = Home(Store(tmp_path / "state.sqlite"))
    np.testing.assert_array_equal(again.history.scores()["load"].relative, load.relative)
    again.store.close()


def test_store_that_is_closed_is_told_at_once():
    store = Store()
    store.close()

    with pytest.raises(StoreError):
        History(store, health=Health(lambda _: None))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keep_days": 1}, r"keep_days is 1; give 2\.\.400"),
        ({"scored_quarters": 97}, r"scored_quarters is 97; give 1\.\.96"),
    ],
)
def test_settings_out_of_range_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        HistorySettings(**fields)
