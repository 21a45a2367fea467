"""The OCPP driver against an emulated charger that dials it, both versions, on real sockets."""

import asyncio
import itertools
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from devices.battery_model import BatteryModel
from devices.drivers.ocpp_charger import OcppCharger, OcppChargerSettings
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.ocpp_charger import ChargerEmulator
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.switches import ChargerState
from devices.write_log import WriteLog

VERSIONS = ["1.6", "2.0.1"]


@asynccontextmanager
async def rig(version="1.6", *, read_only=False, password=None, given=None, **settings):
    """Start a charger and open the driver that it dials."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (500.0, 0.0),
    )
    emulator = ChargerEmulator(home, clock=clock, version=version, password=given)
    await emulator.start()
    log = WriteLog()
    site = Site(name="port", where="[port]", clock=clock, log=log, read_only=read_only)
    table = {"timeout_s": 2.0} | settings | dict(emulator.settings)
    try:
        device = await open_device(table | ({"password_file": password} if password else {}), site)
        try:
            yield SimpleNamespace(
                charger=device.charger, emulator=emulator, clock=clock, log=log, device=device
            )
        finally:
            await device.close()
    finally:
        await emulator.stop()
        log.close()


def run(story, **options):
    async def tell():
        async with rig(**options) as it:
            await asyncio.wait_for(story(it), 20)

    asyncio.run(tell())


async def _done(clock, attempt):
    """Move time until a request that waits for it is done; return its error."""
    task = asyncio.ensure_future(attempt)
    for _ in range(500):
        if task.done():
            break
        await asyncio.sleep(0.01)
        await clock.advance(0.2)
    return task.exception()


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_tells_what_the_car_does(version):
    async def story(it):
        await it.charger.read_charger()
        await it.clock.advance(120)

        state = await it.charger.read_charger()

        assert state == ChargerState(
            connected=True,
            charging=True,
            charger_power_w=pytest.approx(11_000.0, abs=0.3),
            session_wh=pytest.approx(11_000 / 30, abs=1.0),
            limit_w=None,
        )

    run(story, version=version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("settings", "limit_w"),
    [({}, 7_000.0), ({"unit": "A"}, 6_969.0), ({"whole_station": True}, 7_000.0)],
)
def test_a_limit_is_kept_by_the_car_and_read_back(version, settings, limit_w):
    async def story(it):
        await it.charger.set_limit(7_000.0, valid_s=60)
        await it.clock.advance(15)

        state = await it.charger.read_charger()

        assert it.emulator.car.state().power_w == pytest.approx(limit_w)
        assert state.charger_power_w == pytest.approx(limit_w, abs=0.3)
        assert state.limit_w == pytest.approx(limit_w, abs=70.0 if settings.get("unit") else 0.0)

    run(story, version=version, **settings)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_charger_itself_ends_a_limit_when_nobody_renews_it(version):
    async def story(it):
        await it.charger.set_limit(7_000.0, valid_s=60)
        await it.clock.advance(59)
        assert it.emulator.car.state().power_w == 7_000.0

        await it.clock.advance(2)

        assert it.emulator.car.state().power_w == 11_000.0
        assert (await it.charger.read_charger()).limit_w is None

    run(story, version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_unlimiting_and_closing_let_the_car_have_what_it_wants(version):
    async def story(it):
        await it.charger.set_limit(7_000.0, valid_s=600)
        await it.charger.unlimit()
        assert it.emulator.car.state().power_w == 11_000.0
        await it.charger.unlimit()
        assert it.emulator.writes == {"SetChargingProfile": 1, "ClearChargingProfile": 1}
        await it.charger.set_limit(7_000.0, valid_s=600)

        await it.device.close()

        assert it.emulator.car.state().power_w == 11_000.0

    run(story, version=version)


def test_a_limit_below_what_a_car_can_do_makes_it_wait():
    async def story(it):
        await it.charger.set_limit(0.0, valid_s=60)
        await it.clock.advance(15)

        state = await it.charger.read_charger()

        assert (state.connected, state.charging, state.charger_power_w) == (True, False, 0.0)
        assert state.limit_w == 0.0

    run(story)


def test_the_same_limit_until_the_same_moment_is_not_written_again():
    async def story(it):
        await it.charger.set_limit(7_000.0, valid_s=60)
        await it.charger.set_limit(7_000.0, valid_s=60)
        await it.clock.advance(1)
        await it.charger.set_limit(7_000.0, valid_s=60)

        assert it.emulator.writes == {"SetChargingProfile": 2}
        assert it.log.counts("port", datetime(2026, 6, 1, tzinfo=UTC).date()) == {
            "ChargingProfile": 2
        }

    run(story)


@pytest.mark.parametrize("limit_w", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("valid_s", [60.0, 0.0, float("inf")])
def test_a_limit_that_makes_no_sense_is_refused_and_nothing_sent(limit_w, valid_s):
    async def story(it):
        with pytest.raises(DeviceRefusedError, match="nothing sent"):
            await it.charger.set_limit(limit_w, valid_s=valid_s)
        assert not it.emulator.writes

    run(story)


def test_read_only_reads_and_never_writes():
    async def story(it):
        await it.charger.read_charger()
        for attempt in (it.charger.set_limit(5_000.0, valid_s=60), it.charger.unlimit()):
            with pytest.raises(DeviceReadOnlyError):
                await attempt
        assert not it.emulator.writes

    run(story, read_only=True)


def test_a_charger_that_never_dials_is_unavailable():
    async def story():
        log = WriteLog()
        site = Site(name="port", where="[port]", clock=HandClock(), log=log)
        settings = OcppChargerSettings(host="127.0.0.1", port=0, timeout_s=0.1)
        charger = OcppCharger(settings, site)
        await charger.start()
        with pytest.raises(DeviceUnavailableError, match="charge point charger has not dialled in"):
            await charger.read_charger()
        await charger.close()
        log.close()

    asyncio.run(story())


def test_a_charger_with_the_password_gets_in_and_one_without_does_not(tmp_path):
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    path.chmod(0o600)

    async def knows(it):
        assert (await it.charger.read_charger()).connected

    async def guesses(it):
        with pytest.raises(DeviceUnavailableError, match="has not dialled in") as found:
            await it.charger.read_charger()
        assert "s3cret" not in str(found.value)

    run(knows, password=str(path), given="s3cret")
    run(guesses, password=str(path), given="guess")


def test_another_charge_point_is_not_let_in():
    async def story(it):
        await it.charger.read_charger()
        url = f"ws://127.0.0.1:{it.emulator.settings['port']}/somebody"
        with pytest.raises(InvalidStatus, match="404"):
            await connect(url, subprotocols=["ocpp1.6"])

    run(story)


def test_a_port_that_is_taken_is_a_configuration_error():
    async def story(it):
        site = Site(name="b", where="[b]", clock=it.clock, log=it.log)
        with pytest.raises(DeviceConfigError, match=r"cannot listen on 127\.0\.0\.1"):
            await open_device(dict(it.emulator.settings), site)

    run(story)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.TIMEOUT, DeviceUnavailableError),
        (Fault.REFUSED_CONNECTION, DeviceUnavailableError),
        (Fault.HALF_ANSWER, DeviceReplyError),
        (Fault.HTML_INSTEAD_OF_JSON, DeviceReplyError),
        (Fault.BUSY, DeviceUnavailableError),
        (Fault.SERVER_ERROR, DeviceUnavailableError),
        (Fault.UNAUTHORISED, DeviceUnauthorisedError),
        (Fault.REBOOT, DeviceUnavailableError),
    ],
)
def test_each_fault_of_the_wire_is_its_error(fault, error):
    async def story(it):
        await it.charger.read_charger()
        it.emulator.faults = FaultPlan.once(fault)
        with pytest.raises(error):
            await it.charger.set_limit(7_000.0, valid_s=60)
        assert it.emulator.faults.seen == {fault: 1}
        with suppress(DeviceUnavailableError):
            await it.charger.close()  # the limit may stand: one that left cannot be told otherwise

    run(story)


async def read_on(charger):
    """Read until that fails: what a charger told before may still be under way to the driver."""
    while True:
        await charger.read_charger()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("version", "fault", "line"),
    [
        ("1.6", Fault.WRONG_SCALE_FACTOR, "does not tell its power"),
        ("2.0.1", Fault.WRONG_SCALE_FACTOR, "tells 110000 W, rated 11000 W"),
        ("1.6", Fault.NOT_IMPLEMENTED_VALUE, "does not tell its power"),
    ],
)
def test_meter_values_that_cannot_be_become_no_state(version, fault, line):
    async def story(it):
        it.emulator.faults = FaultPlan.always(fault)
        await it.clock.advance(15)

        with pytest.raises(DeviceReplyError, match=line):
            await read_on(it.charger)

    run(story, version=version)


def test_a_limit_that_is_taken_and_ignored_is_found_out():
    async def story(it):
        it.emulator.faults = FaultPlan.always(Fault.WRITE_IGNORED)

        error = await _done(it.clock, it.charger.set_limit(7_000.0, valid_s=600))

        assert isinstance(error, DeviceIgnoredError)
        assert "took 7000 for ChargingProfile and shows 11000.0" in str(error)
        it.emulator.faults = FaultPlan.none()

    run(story)


def test_a_limit_that_is_done_late_is_waited_for():
    async def story(it):
        it.emulator.faults = FaultPlan.always(Fault.WRITE_LATE)

        assert await _done(it.clock, it.charger.set_limit(7_000.0, valid_s=600)) is None
        assert it.emulator.car.state().power_w == 7_000.0
        it.emulator.faults = FaultPlan.none()

    run(story)


@pytest.mark.parametrize(("version", "after"), [("1.6", 0), ("2.0.1", 1)])
def test_every_fault_is_survived_and_nothing_is_set_that_was_not_asked_for(version, after):
    async def survive(it, fault):
        it.emulator.faults = FaultPlan.once(fault, after=after)
        for attempt in (it.charger.set_limit(7_000.0, valid_s=60), it.charger.read_charger()):
            error = await _done(it.clock, attempt)
            assert error is None or isinstance(error, DeviceError)
        assert it.emulator.seen_car().limit_w in {7_000.0, 11_000.0}
        it.emulator.faults = FaultPlan.none()
        await it.clock.advance(6)
        await asyncio.sleep(0.1)
        await it.charger.set_limit(5_000.0, valid_s=60)
        assert it.emulator.car.state().power_w == 5_000.0

    for fault in Fault:

        async def story(it, fault=fault):
            if fault in it.emulator.offered:
                await survive(it, fault)

        run(story, version=version, timeout_s=1.0)


def test_an_hour_of_random_faults_never_leaves_a_limit_that_was_not_asked_for():
    async def story(it):
        rates = dict.fromkeys(it.emulator.offered, 0.2 / len(it.emulator.offered))
        it.emulator.faults = FaultPlan.random(rates, seed=3)
        for limit_w in itertools.islice(itertools.cycle((3_000.0, 6_000.0, 9_000.0)), 20):
            error = await _done(it.clock, it.charger.set_limit(limit_w, valid_s=120))
            assert error is None or isinstance(error, DeviceError)
            assert it.emulator.seen_car().limit_w in {3_000.0, 6_000.0, 9_000.0, 11_000.0}
            await it.clock.advance(20)
        it.emulator.faults = FaultPlan.none()

    run(story, timeout_s=1.0)


def test_a_charger_that_lost_its_network_dials_anew_and_is_heard():
    async def story(it):
        await it.charger.read_charger()
        it.emulator.faults = FaultPlan.once(Fault.REFUSED_CONNECTION)
        with pytest.raises(DeviceUnavailableError):
            await it.charger.read_charger()

        assert (await it.charger.read_charger()).connected

    run(story)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({}, r"\[port\]: host is missing; give it"),
        ({"host": "127.0.0.1", "unit": "VA"}, "give W or A"),
        ({"host": "127.0.0.1", "connector": 0}, "connector from 1"),
        ({"host": "127.0.0.1", "voltage_v": -1}, "voltage_v is -1; give a positive number"),
        ({"host": "127.0.0.1", "timeout_s": 0}, "timeout_s is 0"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(table, line):
    async def story():
        log = WriteLog()
        site = Site(name="port", where="[port]", clock=HandClock(), log=log)
        try:
            await open_device({"driver": "ocpp-charger"} | table, site)
        finally:
            log.close()

    with pytest.raises(DeviceConfigError, match=line):
        asyncio.run(story())
