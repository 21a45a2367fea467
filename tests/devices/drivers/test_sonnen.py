"""What the sonnen drivers ask of a battery on a real socket, beyond `devices.testing`'s suite."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery import BatteryLimits
from devices.battery_model import BatteryModel
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sonnen import SonnenV1Emulator, SonnenV2Emulator
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceUnauthorisedError,
    WriteBudgetError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog


@asynccontextmanager
async def opened(emulator_of, *, settings=None, **options):
    """Yield an emulator, its open device, the clock and the log."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    emulator = emulator_of(home, clock=clock, **options)
    await emulator.start()
    with WriteLog() as log:
        site = Site(name="sonnen", where="test", clock=clock, log=log)
        table = {**emulator.settings, "timeout_s": 5.0, **(settings or {})}
        device = await open_device(table, site)
        try:
            yield emulator, device, clock, log
        finally:
            emulator.faults = FaultPlan.none()
            emulator.vpp = False
            await device.close()
            await emulator.stop()


def test_the_mode_that_was_found_is_restored():
    async def run():
        async with opened(SonnenV2Emulator) as (emulator, device, _, _):
            emulator._battery.set_mode("10")
            await device.battery.set_power(1_000.0, valid_s=60)
            during = emulator._battery.mode
            await device.battery.follow()

            assert (during, emulator._battery.mode) == ("1", "10")

    asyncio.run(run())


def test_a_battery_found_in_manual_mode_is_left_in_the_release_mode():
    async def run():
        async with opened(SonnenV1Emulator) as (emulator, device, _, _):
            emulator._battery.set_mode("1")
            await device.battery.follow()

            assert emulator._battery.mode == "2"

    asyncio.run(run())


def test_turning_round_zeroes_the_opposite_set_point_before_the_new_one():
    async def run():
        async with opened(SonnenV1Emulator) as (emulator, device, clock, log):
            await device.battery.set_power(1_000.0, valid_s=60)
            await device.battery.set_power(1_200.0, valid_s=60)
            await device.battery.set_power(-700.0, valid_s=60)

            assert log.counts("sonnen", clock.utc().date()) == {
                "OperatingMode": 1,
                "setpoint/charge": 3,
                "setpoint/discharge": 2,
            }
            assert emulator._battery._held_w == {"charge": 0.0, "discharge": 700.0}

    asyncio.run(run())


def test_limits_come_from_the_configurations_and_settings_go_before_them():
    async def run():
        async with opened(SonnenV2Emulator) as (_, device, _, _):
            assert await device.battery.limits() == BatteryLimits(
                charge_max_w=3_300.0, discharge_max_w=3_300.0, capacity_wh=10_000.0
            )
        async with opened(SonnenV2Emulator, settings={"power_max_w": 1_500}) as (_, device, _, _):
            assert (await device.battery.limits()).charge_max_w == 1_500.0

    asyncio.run(run())


def test_a_virtual_power_plant_has_priority():
    async def run():
        async with opened(SonnenV2Emulator, vpp=True) as (emulator, device, _, _):
            with pytest.raises(DeviceRefusedError, match="HTTP 403"):
                await device.battery.set_power(1_000.0, valid_s=60)

            assert device.battery.fault is None  # there is nothing to take back
            assert not emulator.writes

    asyncio.run(run())


@pytest.mark.parametrize("config_format", ["form", "json"])
def test_the_token_is_sent_with_configurations_in_either_format(tmp_path, config_format):
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    file.chmod(0o600)

    async def run():
        settings = {"config_format": config_format}
        async with opened(SonnenV2Emulator, settings=settings, token_file=file) as (
            emulator,
            device,
            _,
            _,
        ):
            await device.battery.set_power(1_000.0, valid_s=60)

            assert emulator.home.state().battery_power_w == 1_000.0

    asyncio.run(run())


def test_following_leaves_a_mode_alone_that_nobody_commanded():
    async def run():
        async with opened(SonnenV2Emulator) as (emulator, device, _, _):
            emulator._battery.set_mode("10")
            before = emulator.writes.copy()
            await device.battery.follow()

            assert emulator.writes == before

    asyncio.run(run())


def test_a_spent_budget_of_mode_changes_sets_nothing():
    async def run():
        async with opened(SonnenV1Emulator) as (emulator, device, clock, log):
            for _ in range(200):
                log.record("sonnen", "OperatingMode", clock.utc().date())
            with pytest.raises(WriteBudgetError, match="written 200 times today"):
                await device.battery.set_power(1_000.0, valid_s=60)

            assert not emulator.writes

    asyncio.run(run())


def test_a_wrong_token_is_named_and_not_shown(tmp_path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for file, text in ((right, "right"), (wrong, "n0t-th1s")):
        file.write_text(text)
        file.chmod(0o600)

    async def run():
        settings = {"token_file": str(wrong)}
        async with opened(SonnenV2Emulator, settings=settings, token_file=right) as (
            _,
            device,
            _,
            _,
        ):
            state = await device.battery.read()  # the status needs none
            with pytest.raises(DeviceUnauthorisedError) as caught:
                await device.battery.set_power(1_000.0, valid_s=60)

            assert state.following
            assert "n0t-th1s" not in f"{caught.value!r} {device!r} {vars(device.meter)!r}"

    asyncio.run(run())


def test_a_status_that_lags_does_not_leave_the_battery_in_manual_mode():
    async def run():
        async with opened(SonnenV1Emulator) as (emulator, device, _, _):
            await device.battery.read()
            await device.battery.set_power(1_000.0, valid_s=60)
            emulator._server._last["/api/v1/status"] = (
                b'{"Pac_total_W":500,"USOC":50,"OperatingMode":"2"}'
            )
            emulator.faults = FaultPlan.always(Fault.STUCK_SENSOR)
            await device.battery.follow()

            assert emulator._battery.mode == "2"

    asyncio.run(run())


def test_a_battery_that_takes_its_time_is_waited_for():
    """TN007: it reacts within 2 s."""

    async def run():
        async with opened(SonnenV1Emulator, reaction_s=1.5) as (emulator, device, clock, _):
            attempt = asyncio.ensure_future(device.battery.set_power(-800.0, valid_s=60))
            while not attempt.done():
                await asyncio.sleep(0.01)
                await clock.advance(0.1)
            await attempt
            reached_w = emulator.home.state().battery_power_w
            emulator._server._reaction_s = 0.0

            assert reached_w == -800.0
            assert clock.monotonic_s() <= 10

    asyncio.run(run())


def test_two_set_points_above_zero_do_what_the_option_says():
    async def run():
        powers_w = {}
        for both in ("net", "charge", "discharge"):
            async with opened(SonnenV1Emulator, both=both) as (emulator, _, _, _):
                battery = emulator._battery
                battery.set_mode("1")
                battery.set_point("charge", 900.0)
                battery.set_point("discharge", 300.0)
                powers_w[both] = emulator.home.state().battery_power_w
        assert powers_w == {"net": 600.0, "charge": 900.0, "discharge": -300.0}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("driver", "settings", "said"),
    [
        ("sonnen-v1", {"host": "a b"}, "are no address"),
        ("sonnen-v1", {"host": "a", "timeout_s": 0}, "timeout_s is 0"),
        ("sonnen-v1", {"host": "a", "release_mode": "1"}, "release_mode is '1'"),
        ("sonnen-v1", {"host": "a", "setpoint_unit": "kW"}, "give w or percent"),
        ("sonnen-v1", {"host": "a", "power_max_w": -1}, "power_max_w is -1"),
        ("sonnen-v2", {"host": "a", "config_format": "xml"}, "give form or json"),
        ("sonnen-v2", {"host": "a", "capacity_wh": 0.0}, "capacity_wh is 0"),
        ("sonnen-v2", {"host": "a", "token": "x"}, "token is no setting"),
        ("sonnen-v2", {"host": "a", "token_file": "/nowhere"}, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_are_named(driver, settings, said):
    async def run():
        with WriteLog() as log:
            site = Site(name="sonnen", where="home.toml", clock=HandClock(), log=log)
            with pytest.raises(DeviceConfigError, match=said):
                await open_device({"driver": driver, **settings}, site)

    asyncio.run(run())
