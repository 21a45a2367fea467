"""SolarEdge StorEdge: words and signs by hand, the order of writes, what is stored and what not."""

import asyncio
import math
import struct
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.battery_model import BatteryModel
from devices.drivers.solaredge_codec import (
    CONTROL_COUNT,
    READING_COUNT,
    CommandMode,
    SolarEdgeControl,
    SolarEdgeRating,
    command_for,
    decode_control,
    decode_rating,
    decode_reading,
    float_of,
    float_words,
    follows,
    long_of,
    long_words,
    state_of,
)
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.solaredge import SolarEdgeEmulator
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    WriteBudgetError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog

LIMITS = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
WORDS = st.integers(0, 2**16 - 1)


@asynccontextmanager
async def running(*, load_w=500.0, pv_w=0.0, soc=0.5, **given):
    """Start an inverter and open it; yields device, emulator, clock and log."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=soc,
        clock=clock.monotonic_s,
        demand=lambda _: (load_w, pv_w),
    )
    emulator = SolarEdgeEmulator(home, clock=clock)
    await emulator.start()
    with WriteLog() as log:
        site = Site(name="storedge", where="test", clock=clock, log=log)
        try:
            device = await open_device({**emulator.settings, "timeout_s": 5.0, **given}, site)
            try:
                yield device, emulator, clock, log
            finally:
                await device.close()
        finally:
            await emulator.stop()


def control_of(emulator):
    """Return storage control as it reads now, by address."""
    words = emulator.read(0xE004, CONTROL_COUNT, None)
    return decode_control(words)


def reading(**floats):
    """Return the registers of a battery's reading, its floats by offset."""
    words = [0] * READING_COUNT
    for place, value in floats.items():
        at = int(place[1:], 16) - 0x6C
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        words[at], words[at + 1] = low, high
    words[0x86 - 0x6C] = 4
    return words


def test_pairs_have_their_low_word_first():
    """1500 W is 0x44BB8000 and 900 s is 0x384: the vendor's example of its own control."""
    assert float_words(1500.0) == (0x8000, 0x44BB)
    assert float_of(0x8000, 0x44BB) == 1500.0
    assert float_words(2000.0) == (0x0000, 0x44FA)
    assert float_of(0x4000, 0x459C) == 5000.0
    assert long_words(900) == (0x384, 0)
    assert long_of(0x5180, 1) == 86_400
    assert float_of(0, 0x7FC0) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_what_is_no_number_is_not_written(value):
    with pytest.raises(DeviceRefusedError, match="nothing written"):
        float_words(value)


def test_charging_is_above_zero_for_solaredge_and_for_us():
    words = reading(x74=1234.5, x84=55.5, x82=97.0, x6C=23.5)
    control = decode_control([1, 0, 0, 0, 0, 0, 1, 3600, 0, 0xFFFF, 0, 0, 0, 0])

    state = state_of(decode_reading(words), control, LIMITS, name="x")

    assert state == BatteryState(
        soc=0.555, battery_power_w=1234.5, following=True, soh=0.97, temperature_c=23.5
    )


def test_control_decodes_to_the_vendors_words():
    registers = [4, 1, 0, 0, 0, 0, 7, 120, 0, 3, 0x0000, 0x44FA, 0x4000, 0x459C]

    assert decode_control(registers) == SolarEdgeControl(
        storage_mode=4,
        ac_charge_policy=1,
        default_mode=7,
        command_timeout_s=120,
        command_mode=3,
        charge_limit_w=2000.0,
        discharge_limit_w=5000.0,
    )


@pytest.mark.parametrize(
    ("mode", "command", "following"),
    [(1, 0xFFFF, True), (4, 7, True), (4, 3, False), (0, 0xFFFF, False), (2, 0xFFFF, False)],
)
def test_following_is_what_the_inverter_says_of_its_mode(mode, command, following):
    registers = [mode, 0, 0, 0, 0, 0, 1, 0, 0, command, 0, 0, 0, 0]

    assert follows(decode_control(registers)) is following


@pytest.mark.parametrize(
    ("power_w", "from_grid", "to_grid", "command"),
    [
        (2_000.0, True, True, (CommandMode.CHARGE_PV_AND_AC, 0xE00E, 2_000.0)),
        (2_000.0, False, True, (CommandMode.CHARGE_EXCESS_PV, 0xE00E, 2_000.0)),
        (-1_500.0, True, True, (CommandMode.MAXIMISE_EXPORT, 0xE010, 1_500.0)),
        (-1_500.0, True, False, (CommandMode.DISCHARGE_TO_LOAD, 0xE010, 1_500.0)),
        (0.0, False, False, (CommandMode.MAXIMISE_EXPORT, 0xE010, 0.0)),
    ],
)
def test_a_power_becomes_a_mode_and_its_limit(power_w, from_grid, to_grid, command):
    assert command_for(power_w, from_grid=from_grid, to_grid=to_grid) == command


def test_a_rating_of_nothing_is_no_battery_and_one_of_nonsense_no_answer():
    good = [0x4000, 0x461C, 0x4000, 0x459C, 0x4000, 0x459C]

    assert decode_rating(good) == SolarEdgeRating(
        rated_energy_wh=10_000.0,
        max_charge_continuous_w=5_000.0,
        max_discharge_continuous_w=5_000.0,
    )
    assert decode_rating([0, 0x7FC0, *good[2:]]) is None
    assert decode_rating([0, 0, *good[2:]]) is None
    for words in ([*good[:2], 0, 0x7FC0, *good[4:]], [good[1], good[0], *good[2:]]):
        with pytest.raises(DeviceReplyError, match="cannot be; ask again"):
            decode_rating(words)


SWAPPED = [0] * READING_COUNT
for at in range(0, READING_COUNT, 2):
    SWAPPED[at], SWAPPED[at + 1] = reading(x74=1500.0, x84=50.0)[at : at + 2][::-1]


@pytest.mark.parametrize(
    "words",
    [
        reading(x74=float("nan"), x84=50.0),
        reading(x74=0.0, x84=float("nan")),
        reading(x74=0.0, x84=101.0),
        reading(x74=9_000.0, x84=50.0),
        SWAPPED,
    ],
    ids=("power NaN", "SOE NaN", "SOE 101", "power beyond", "words swapped"),
)
def test_what_cannot_be_is_no_state(words):
    control = decode_control([1] + [0] * (CONTROL_COUNT - 1))

    with pytest.raises(DeviceReplyError, match="ask again"):
        state_of(decode_reading(words), control, LIMITS, name="x")


@given(
    battery=st.lists(WORDS, min_size=READING_COUNT - 1, max_size=READING_COUNT + 1),
    control=st.lists(WORDS, min_size=CONTROL_COUNT - 1, max_size=CONTROL_COUNT + 1),
    rating=st.lists(WORDS, max_size=7),
)
def test_random_registers_raise_nothing_but_device_errors(battery, control, rating):
    for work in (
        lambda: decode_rating(rating),
        lambda: state_of(decode_reading(battery), decode_control(control), LIMITS, name="x"),
    ):
        with suppress(DeviceError):
            work()


def test_state_limits_and_meter_are_what_the_house_does():
    async def run():
        async with running(load_w=800.0, pv_w=300.0) as (device, _, _, _):
            return (
                await device.battery.read(),
                await device.battery.limits(),
                await device.meter.read_meter(),
            )

    state, limits, meter = asyncio.run(run())

    assert state == BatteryState(
        soc=0.5, battery_power_w=-500, following=True, soh=0.98, temperature_c=20.0
    )
    assert limits == BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000, capacity_wh=10_000)
    assert meter == MeterState(load_w=800, pv_w=300, grid_power_w=0)


def test_the_meters_export_is_import_below_zero():
    async def run():
        async with running(load_w=200.0, pv_w=1_000.0) as (device, _, clock, _):
            await device.battery.set_power(-400.0, valid_s=60)
            await clock.advance(1)
            return await device.meter.read_meter()

    assert asyncio.run(run()) == MeterState(load_w=200, pv_w=1_000, grid_power_w=-1_200)


def test_the_first_command_writes_what_is_stored_once_and_the_next_only_what_changed():
    async def run():
        async with running() as (device, emulator, clock, _):
            await device.battery.set_power(2_000.0, valid_s=600)
            first = dict(emulator.writes)
            await device.battery.set_power(-1_500.0, valid_s=600)
            second = dict(emulator.writes)
            await clock.advance(61)
            return first, second, dict(emulator.writes), control_of(emulator)

    first, second, third, control = asyncio.run(run())

    volatile = {"E00B": 1, "E00E": 1, "E00D": 1}
    assert first == {"E00A": 1, "E005": 1, "E004": 1, **volatile}
    assert second == {**first, "E010": 1, "E00D": 2}
    assert third == {**second, "E00D": 3}
    assert control == SolarEdgeControl(
        storage_mode=4,
        ac_charge_policy=1,
        default_mode=7,
        command_timeout_s=120,
        command_mode=4,
        charge_limit_w=2_000.0,
        discharge_limit_w=1_500.0,
    )


def test_closing_gives_the_battery_back_and_lifts_the_limits():
    async def run():
        async with running() as (device, emulator, _, _):
            await device.battery.set_power(-300.0, valid_s=600)
            await device.close()
            return control_of(emulator), emulator.home.steered

    control, steered = asyncio.run(run())

    assert (control.command_mode, control.charge_limit_w, control.discharge_limit_w) == (
        7,
        5_000.0,
        5_000.0,
    )
    assert not steered


def test_the_owner_s_policy_of_charging_from_ac_is_lent_and_put_back():
    async def run():
        async with running() as (device, emulator, _, _):
            emulator.write(0xE005, (0,))
            await device.battery.set_power(1_000.0, valid_s=600)
            lent = emulator.read(0xE005, 1, None)
            await device.close()
            return lent, emulator.read(0xE005, 1, None)

    assert asyncio.run(run()) == ((1,), (0,))


def test_a_portal_that_takes_over_again_and_again_runs_into_the_budget():
    async def run():
        async with running() as (device, emulator, clock, _):
            for _ in range(10):
                await device.battery.set_power(1_000.0, valid_s=600)
                emulator.write(0xE004, (1,))
                await device.battery.read()
            with pytest.raises(WriteBudgetError, match="E004 storage control mode was written 10"):
                await device.battery.set_power(1_000.0, valid_s=600)
            await clock.advance(1)
            return emulator.home.state().battery_power_w

    assert asyncio.run(run()) == -500.0


def test_no_set_point_is_written_when_words_come_swapped():
    async def run():
        async with running() as (device, emulator, _, _):
            emulator.faults = FaultPlan.always(Fault.WORDS_SWAPPED)
            with pytest.raises(DeviceReplyError):
                await device.battery.read()
            return dict(emulator.writes)

    assert asyncio.run(run()) == {}


def test_a_battery_that_is_not_there_is_refused():
    async def run():
        async with running(battery=2):
            pass

    with pytest.raises(DeviceRefusedError, match="storedge: no battery 2"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "what"),
    [({"battery": 4}, "battery is 4"), ({"watchdog_s": 10}, "watchdog_s in 60..120")],
)
def test_settings_that_cannot_be_used_are_told(given, what):
    async def run():
        async with running(**given):
            pass

    with pytest.raises(DeviceConfigError, match=what):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("mode", "done_w"),
    [(0, 0.0), (1, 0.0), (2, 300.0), (3, 5_000.0), (4, -5_000.0), (5, -500.0), (7, -500.0)],
)
def test_the_emulated_inverter_does_what_each_mode_means(mode, done_w):
    async def run():
        async with running(load_w=800.0, pv_w=300.0) as (_, emulator, clock, _):
            for address, word in ((0xE005, 1), (0xE004, 4), (0xE00D, mode)):
                emulator.check(address, (word,))
                emulator.write(address, (word,))
            await clock.advance(1)
            return emulator.home.state().battery_power_w

    assert asyncio.run(run()) == pytest.approx(done_w, abs=300)  # what cells take is the limit


def test_a_command_that_nobody_renews_ends_in_the_default_mode():
    async def run():
        async with running(load_w=800.0) as (_, emulator, clock, _):
            for address, words in (
                (0xE00A, (0,)),
                (0xE00B, (60, 0)),
                (0xE004, (4,)),
                (0xE00D, (4,)),
            ):
                emulator.check(address, words)
                emulator.write(address, words)
            await clock.advance(61)
            return control_of(emulator).command_mode, emulator.home.state().battery_power_w

    assert asyncio.run(run()) == (0, 0.0)
