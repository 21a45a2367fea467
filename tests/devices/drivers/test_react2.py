"""What the REACT2 driver asks of a logger, on a real socket, beyond `devices.testing`'s suite."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.faults import FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.react2 import React2Emulator
from devices.errors import DeviceConfigError, DeviceUnauthorisedError
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog


@asynccontextmanager
async def opened(*, settings=None, **options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    emulator = React2Emulator(home, clock=clock, **options)
    await emulator.start()
    with WriteLog() as log:
        site = Site(name="react2", where="test", clock=clock, log=log)
        table = {**emulator.settings, "timeout_s": 5.0, **(settings or {})}
        device = await open_device(table, site)
        try:
            yield emulator, device, clock
        finally:
            emulator.faults = FaultPlan.none()
            await device.close()
            await emulator.stop()


def secret(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_the_right_password_opens_and_a_wrong_one_is_named_and_not_shown(tmp_path, auth):
    right, wrong = secret(tmp_path, "right", "right"), secret(tmp_path, "wrong", "n0t-th1s")

    async def run():
        async with opened(auth=auth, password_file=right) as (_, device, _):
            for _ in range(3):
                assert (await device.battery.read()).following
        settings = {"password_file": str(wrong)}
        async with opened(auth=auth, password_file=right, settings=settings) as (_, device, _):
            with pytest.raises(DeviceUnauthorisedError) as caught:
                await device.battery.read()
            assert "n0t-th1s" not in f"{caught.value!r} {vars(device.meter)!r}"

    asyncio.run(run())


def test_a_restarted_logger_challenges_anew(tmp_path):
    async def run():
        file = secret(tmp_path, "right", "right")
        async with opened(auth="digest", password_file=file) as (emulator, device, _):
            await device.battery.read()
            emulator.reboot()

            assert (await device.battery.read()).following

    asyncio.run(run())


def test_the_command_of_the_papers_first_test_charges_at_full_power():
    """Burgio 2023, §3.1: 100 percent; the battery took 2949 W of 3 kW."""

    async def run():
        settings = {"hold_s": 1_800.0}
        async with opened(rated_w=3_000.0, settings=settings) as (emulator, device, clock):
            await device.battery.set_power(3_000.0, valid_s=1_800)
            await clock.advance(5)

            assert emulator.home.state().battery_power_w == pytest.approx(3_000.0)

    asyncio.run(run())


def test_a_command_that_has_expired_is_not_taken_back_again():
    async def run():
        async with opened() as (emulator, device, clock):
            await device.battery.set_power(1_000.0, valid_s=20)
            await clock.advance(25)

            assert (await device.battery.read()).following
            assert emulator.writes == {"ess/poc/config": 1}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "a", "auth": "bearer"}, "give none, basic or digest"),
        ({"host": "a", "charge_sign": 0}, "give 1 or -1"),
        ({"host": "a", "hold_s": 0.0}, "hold_s is 0"),
        ({"host": "a", "user": 'a"b'}, "user must not contain"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings, said):
    async def run():
        with WriteLog() as log:
            site = Site(name="react2", where="home.toml", clock=HandClock(), log=log)
            with pytest.raises(DeviceConfigError, match=said):
                await open_device({"driver": "abb-react2", **settings}, site)

    asyncio.run(run())
