"""Net export from readings, through gaps, kills and clocks that are set."""

import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.battery import BatteryState, MeterState
from hems.agent.health import Health
from hems.agent.ledger.metering import Metering
from hems.agent.reading import Reading
from hems.agent.store import Store

BEGIN_S = datetime(2026, 6, 1, 10, tzinfo=UTC).timestamp()
FIRST = int(BEGIN_S // 1800)


class Home:
    """A meter that is read, at times that the test gives."""

    def __init__(self, path=None, *, counters=None, **given):
        self.path, self.counters, self.given = path, counters, given
        self.lines = []
        self.now_s, self.off_s = 0.0, 0.0
        self.power_w = 0.0
        self.open()

    def open(self):
        self.store = Store(self.path)
        health = Health(self.lines.append)
        self.metering = Metering(self.store, health, interval_s=1800, **self.given)

    def read(self, *, after_s=0.0, power_w=None, clock_set_s=0.0, soc=None):
        """Let time pass at the power before, then read the meter at another one."""
        self.now_s += after_s
        self.off_s += clock_set_s
        if self.counters is not None:
            energy_wh = self.power_w * after_s / 3600
            import_wh, export_wh = self.counters
            self.counters = import_wh + max(-energy_wh, 0), export_wh + max(energy_wh, 0)
        if power_w is not None:
            self.power_w = power_w
        import_wh, export_wh = self.counters or (None, None)
        meter = MeterState(
            load_w=0,
            pv_w=0,
            grid_power_w=-self.power_w,
            import_wh=import_wh,
            export_wh=export_wh,
        )
        battery = None
        if soc is not None:
            battery = BatteryState(soc=soc, battery_power_w=0, following=True)
        utc = datetime.fromtimestamp(BEGIN_S + self.now_s + self.off_s, UTC)
        self.metering.add(
            Reading(utc=utc, monotonic_s=700 + self.now_s, meter=meter, battery=battery)
        )


def test_the_last_power_stands_until_the_next_reading():
    home = Home()
    home.read(power_w=3600.0)
    home.read(after_s=10, power_w=-7200.0)
    home.read(after_s=5, power_w=0.0)
    home.read(after_s=20, power_w=3600.0)
    assert home.metering.total_wh == 10 - 10
    assert home.metering.unmetered_s == 0


def test_what_a_gap_is_too_long_for_is_counted_and_told():
    home = Home(hold_s=30.0)
    home.read(power_w=3600.0)
    home.read(after_s=312, power_w=3600.0)
    home.read(after_s=2)
    assert home.metering.total_wh == 32
    assert home.metering.unmetered_s == 282
    assert home.lines == ["meter: no reading for 312 s; the energy of 282 s of them is not known"]


def test_a_reading_without_a_meter_or_a_number_is_a_gap():
    home = Home()
    home.read(power_w=3600.0)
    home.metering.add(Reading(utc=datetime.now(UTC), monotonic_s=702))
    home.read(after_s=4, power_w=math.nan)
    home.read(after_s=1, power_w=0.0)
    assert home.metering.total_wh == 5


def test_counters_count_through_any_gap():
    home = Home(counters=(1e6, 2e6), hold_s=30.0)
    home.read(power_w=3600.0)
    home.read(after_s=7200, power_w=-1800.0)
    home.read(after_s=7200)
    assert home.metering.total_wh == 7200 - 3600
    assert (home.metering.unmetered_s, home.lines) == (0, [])


def test_between_the_steps_of_coarse_counters_power_stands_in():
    home = Home(counters=(0.0, 1000.0))
    home.read(power_w=3600.0)
    for second in range(1, 25):
        home.counters = (0.0, 1000.0 + second // 10 * 10)
        home.power_w = 0.0  # the counters are set by hand here
        home.metering.add(
            Reading(
                utc=datetime.fromtimestamp(BEGIN_S + second, UTC),
                monotonic_s=700 + second,
                meter=MeterState(
                    load_w=0,
                    pv_w=0,
                    grid_power_w=-3600.0 - 90.0 * (second > 12),
                    import_wh=0.0,
                    export_wh=home.counters[1],
                ),
            )
        )
        expected = second if second <= 13 else 13 + (second - 13) * 1.025
        if second >= 20:
            expected = 20 + (second - 20) * 1.025
        assert home.metering.total_wh == pytest.approx(expected)


def test_counters_that_cannot_be_are_bridged_by_power_and_taken_up_again():
    home = Home(counters=(1e6, 2e6))
    home.read(power_w=3600.0)
    home.read(after_s=10)
    good = home.counters
    for bad in ((1e6, 2.1e7), (1e5, 2e5)):
        home.counters = bad
        home.read(after_s=1)
    assert home.metering.total_wh == 12
    home.counters = (good[0], good[1] + 2.5)
    home.read(after_s=0.5)
    assert home.metering.total_wh == 10 + 3
    assert home.lines == []


def test_another_meter_s_counters_are_told_and_hold_from_there():
    home = Home(counters=(1e6, 2e6))
    home.read(power_w=3600.0)
    home.read(after_s=10)
    home.counters = (0.0, 5.0)
    for _ in range(5):
        home.read(after_s=10)
    assert home.metering.total_wh == 60
    home.read(after_s=3600)
    assert home.metering.total_wh == 3660
    assert home.lines == [
        "meter: its counters went from 1e+06 Wh in and 2.00001e+06 Wh out to 0 and 35; taken as "
        "another meter's, the energy between is by power"
    ]


def test_energy_is_dated_to_the_interval_that_it_flowed_in():
    home = Home()
    home.read(after_s=1795, power_w=3600.0)
    home.read(after_s=10)
    assert home.metering.total_wh == 10
    assert home.metering.ended() == [FIRST]
    assert home.metering.total_at_end_wh(FIRST) == pytest.approx(5)
    assert home.metering.total_at_end_wh(FIRST + 1) == 10


def test_a_reading_at_the_very_end_belongs_to_the_interval_that_ends():
    home = Home()
    home.read(after_s=1790, power_w=3600.0)
    home.read(after_s=10)
    assert home.metering.total_at_end_wh(FIRST) == 10


def test_a_clock_that_is_set_forward_changes_only_the_dates():
    home = Home()
    home.read(after_s=100, power_w=3600.0)
    home.read(after_s=10)
    home.read(after_s=10, clock_set_s=3600.0)
    home.read(after_s=10)
    assert home.metering.total_wh == 30
    ends = [home.metering.total_at_end_wh(FIRST + each) for each in range(3)]
    assert ends == [10, 10, 30]


def test_a_clock_that_is_set_back_forgets_the_ends_that_lie_ahead():
    home = Home()
    home.read(after_s=1795, power_w=3600.0)
    home.read(after_s=10)
    home.read(after_s=10, clock_set_s=-3600.0)
    assert home.metering.ended() == []
    home.read(after_s=10, clock_set_s=3600.0)
    assert home.metering.total_wh == 30
    assert home.metering.total_at_end_wh(FIRST) == 20


@pytest.mark.parametrize("counters", [None, (1e6, 2e6)])
def test_a_killed_gateway_goes_on_where_it_was(tmp_path, counters):
    home = Home(tmp_path / "state.sqlite", counters=counters)
    home.read(power_w=3600.0, soc=0.42)
    home.read(after_s=20)
    home.open()
    assert home.metering.soc_bp == 4200
    home.read(after_s=20)
    assert home.metering.total_wh == 40


def test_a_night_off_is_in_the_counters_and_spread_over_its_intervals(tmp_path):
    home = Home(tmp_path / "state.sqlite", counters=(1e6, 2e6))
    home.read(power_w=1800.0)
    home.open()
    home.read(after_s=9 * 3600)
    assert home.metering.total_wh == 9 * 1800
    assert [home.metering.total_at_end_wh(FIRST + slot) for slot in range(3)] == pytest.approx(
        [900, 1800, 2700]
    )


@pytest.mark.parametrize("counters", [None, (1e6, 2e6)])
def test_the_state_file_is_written_at_the_ends_of_intervals_and_for_reports_alone(
    tmp_path, counters
):
    home = Home(tmp_path / "state.sqlite", counters=counters)
    other = Store(tmp_path / "state.sqlite")
    home.read(power_w=3600.0)
    found = []
    for _ in range(400):
        home.read(after_s=5)
        ((total_wh,),) = other.rows("SELECT total_wh FROM meter_record")
        found.append(total_wh)
    home.metering.save()
    ((reported_wh,),) = other.rows("SELECT total_wh FROM meter_record")

    assert sorted(set(found)) == [0.0, 1800.0]
    assert reported_wh == 2000.0


CHILD = """
import os, pathlib, sys
sys.path.insert(0, sys.argv[2])
from datetime import UTC, datetime
from devices.battery import MeterState
from hems.agent.health import Health
from hems.agent.ledger.metering import Metering
from hems.agent.reading import Reading
from hems.agent.store import Store

store = Store(pathlib.Path(sys.argv[1]))
metering = Metering(store, Health(lambda line: None), interval_s=1800)
begin_s = metering._record.utc_s or 1_780_000_000.0
for number in range(10**9):
    seconds = float(number)
    meter = MeterState(load_w=0, pv_w=0, grid_power_w=-3600.0 - number % 7)
    utc = datetime.fromtimestamp(begin_s + seconds, UTC)
    metering.add(Reading(utc=utc, monotonic_s=seconds, meter=meter))
    os.write(1, f"{metering.total_wh!r} ".encode())
"""


def test_without_counters_a_kill_at_any_moment_loses_no_watt_hour(tmp_path):
    path, before_wh = tmp_path / "state.sqlite", 0.0
    for kill in range(4):
        command = [sys.executable, "-c", CHILD, str(path), str(Path(__file__).parents[4])]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            told = os.read(child.stdout.fileno(), 64)
            told += child.stdout.read(5_000 + 1_237 * kill)
            child.kill()
            told += child.stdout.read()
        *_, last_wh = (float(each) for each in told.split(b" ")[:-1])
        store = Store(path)
        metering = Metering(store, Health(lambda _: None), interval_s=1800)
        found_wh = metering.total_wh
        store.close()

        # the reading that was under way may be in it
        assert before_wh < last_wh <= found_wh <= last_wh + 1.01
        before_wh = found_wh


def test_a_slot_that_a_power_cut_tore_is_not_believed(tmp_path):
    home = Home(tmp_path / "state.sqlite")
    home.read(power_w=3600.0)
    for _ in range(11):
        home.read(after_s=10)
    slots = tmp_path / "meter.slots"
    whole = bytearray(slots.read_bytes())
    now = int(home.now_s + 700) // 60 % 2 * 4096
    whole[now + 8] ^= 1
    slots.write_bytes(whole)
    home.open()

    assert home.metering.total_wh == pytest.approx(70.0)  # as it stood when slots were changed


def test_slots_of_a_state_file_that_is_gone_do_not_count(tmp_path):
    home = Home(tmp_path / "state.sqlite")
    home.read(power_w=3600.0)
    home.read(after_s=10)
    (tmp_path / "state.sqlite").unlink()
    home.open()

    assert home.metering.total_wh == 0


def test_a_disk_that_takes_no_slot_takes_the_record_elsewhere_or_says_so(tmp_path):
    home = Home(tmp_path / "state.sqlite")
    home.read(power_w=3600.0)
    home.metering._memory._slots.close()
    home.metering._memory._slots._handle = os.open(tmp_path / "meter.slots", os.O_RDONLY)
    home.read(after_s=10)
    assert home.lines == []
    home.open()
    assert home.metering.total_wh == 10


def test_a_memory_that_cannot_be_written_loses_nothing_while_it_runs(tmp_path):
    home = Home(tmp_path / "state.sqlite")
    home.read(power_w=3600.0)
    home.store.rows("PRAGMA query_only = ON")
    home.read(after_s=10)
    home.metering.save()
    home.read(after_s=10)
    home.store.rows("PRAGMA query_only = OFF")
    home.read(after_s=10)
    home.open()
    assert home.metering.total_wh == 30
    assert [each.split(":")[0] for each in home.lines] == [
        "energy record lost",
        "energy record back",
    ]


@settings(max_examples=30)
@given(
    steps=st.lists(
        st.tuples(
            st.floats(0.1, 29.0),
            st.integers(-5000, 5000),
            st.sampled_from(["", "", "", "kill", "forward", "back"]),
        ),
        max_size=30,
    ),
    counters=st.sampled_from([None, (1e6, 2e6)]),
)
def test_the_total_is_the_integral_whatever_the_clock_does(tmp_path_factory, steps, counters):
    home = Home(tmp_path_factory.mktemp("meter") / "state.sqlite", counters=counters)
    home.read(power_w=0.0)
    integral_wh, killed = 0.0, False
    for after_s, power_w, what in steps:
        integral_wh += home.power_w * after_s / 3600
        jump_s = {"forward": 3600.0, "back": -3600.0}.get(what, 0.0)
        if killed and counters is None:
            jump_s = 0.0  # across a restart nothing but the time of day and counters is known
        killed = what == "kill"
        home.read(after_s=after_s, power_w=power_w, clock_set_s=jump_s)
        if what == "kill":
            home.open()
    home.open()
    home.read()

    assert home.metering.total_wh == pytest.approx(integral_wh, abs=1e-3)
    ends = home.metering.ended()
    assert ends == sorted(set(ends))
