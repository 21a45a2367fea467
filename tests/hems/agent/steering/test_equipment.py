"""A home's devices, once let go of, are not opened behind the gateway's back."""

import asyncio

import pytest

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.emulators.house import EmulatedHome
from devices.emulators.sonnen import SonnenV2Emulator
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.emulators.xtender import XtenderEmulator
from devices.errors import DeviceConfigError, DeviceUnavailableError
from devices.hand_clock import HandClock
from devices.switches import RelayState
from devices.write_log import WriteLog
from hems.agent.health import Health
from hems.agent.seeing.senses import Senses
from hems.agent.steering.equipment import Equipment, Places


def test_an_order_that_comes_while_the_gateway_stops_does_not_steer_the_battery(tmp_path):
    async def story():
        clock = SystemClock()
        home = EmulatedHome(
            model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500, 0)
        )
        emulator = SonnenV2Emulator(home, clock=clock)
        await emulator.start()
        with WriteLog(tmp_path / "writes.sqlite") as log:
            table = {**emulator.settings, "driver": "sonnen-v2", "timeout_s": 20.0}
            equipment = Equipment(Places(where="home.toml", battery=table), clock=clock, log=log)
            battery = await equipment.battery()
            await battery.set_power(-1_000.0, valid_s=600)
            steered_w = home.state().battery_power_w

            closing = asyncio.create_task(equipment.close())
            await asyncio.sleep(0)
            with pytest.raises(DeviceUnavailableError, match="is closed"):
                await (await equipment.battery()).set_power(-2_000.0, valid_s=600)
            with pytest.raises(DeviceUnavailableError, match="is closed"):
                await battery.set_power(-2_000.0, valid_s=600)
            await closing
            with pytest.raises(DeviceUnavailableError, match="the gateway stops; start it again"):
                await equipment.battery()
        left_w = home.state().battery_power_w
        await emulator.stop()
        return round(steered_w), round(left_w)

    assert asyncio.run(story()) == (-1_000, -500)


def branch(clock, model, load_w, pv_w):
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (load_w, pv_w)
    )
    home.steer(lambda load_w, pv_w: 0.0)
    return SunSpecEmulator(home, clock=clock, make=SunSpecMake(chain=(model,)))


async def read_in_time(equipment, clock):
    reading = asyncio.ensure_future(equipment.read(within_s=1.6))
    async with asyncio.timeout(60.0):
        while not reading.done():
            await asyncio.sleep(0.005)
            if not reading.done():
                await clock.advance(0.1)
    return await reading


def test_a_branch_that_falls_silent_serves_a_moment_more_and_is_told_once():
    async def story():
        clock, lines, seen = HandClock(turns=200), [], []
        home = EmulatedHome(
            model=BatteryModel.lead_acid(1),
            soc=0.7,
            clock=clock.monotonic_s,
            demand=lambda _: (1_500.0, 900.0),
        )
        battery = XtenderEmulator(home, clock=clock)
        pv, load = branch(clock, 103, 0.0, 900.0), branch(clock, 203, 1_500.0, 0.0)
        for each in (battery, pv, load):
            await each.start()
        places = Places(
            where="home.toml",
            battery=battery.settings,
            pv=pv.settings,
            load=load.settings,
            relay=True,
        )
        with WriteLog() as log:
            equipment = Equipment(places, clock=clock, log=log, read_only=True)
            senses = Senses(clock=clock, health=Health(lines.append), also=places.optional)
            await equipment.open()
            for seconds in (0.0, 2.0, 2.0, 12.0):
                await clock.advance(seconds)
                reading, errors = await read_in_time(equipment, clock)
                senses.heard(reading, errors, {})
                if reading.meter is not None:
                    seen.append((round(reading.meter.load_w), round(reading.meter.pv_w)))
                if seconds == 2.0:
                    await pv.stop()
                    await load.stop()
            closed = reading.relay
            await equipment.close()
        await battery.stop()
        return seen[0], seen[-2:], closed, [line.split(":")[0] for line in lines]

    whole, silent, relay, lines = asyncio.run(story())

    assert (whole, silent) == ((1_500, 900), [(1_500, 900), (600, 0)])
    assert relay == RelayState(closed=True)
    assert lines == ["pv lost", "load lost"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"pv": {"driver": "sunspec"}}, r"home.toml \[pv\]: give host or serial"),
        ({"load": {"driver": "x"}}, r"home.toml \[load\]: driver is 'x'"),
        ({"relay": True}, r"\[battery\] is a sonnen-v2, which has no relay; take \[relay\] out"),
    ],
)
def test_a_table_that_no_retry_can_mend_is_found_when_the_devices_are_opened(wrong, complaint):
    async def story():
        table = {"driver": "sonnen-v2", "host": "127.0.0.1", "port": 9, "power_max_w": 3e3}
        with WriteLog() as log:
            places = Places(where="home.toml", battery=table, **wrong)
            equipment = Equipment(places, clock=SystemClock(), log=log, read_only=True)
            try:
                with pytest.raises(DeviceConfigError, match=complaint):
                    await equipment.open()
            finally:
                await equipment.close()

    asyncio.run(story())
