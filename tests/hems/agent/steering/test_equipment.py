"""A home's devices, once let go of, are not opened behind the gateway's back."""

import asyncio

import pytest

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.emulators.house import EmulatedHome
from devices.emulators.sonnen import SonnenV2Emulator
from devices.errors import DeviceUnavailableError
from devices.write_log import WriteLog
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
