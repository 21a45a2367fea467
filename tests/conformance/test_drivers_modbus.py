"""The batteries behind Modbus do what every battery does (devices/testing.py)."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.solaredge import SolarEdgeEmulator
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.testing import CHECKS, Rig, timeout_s
from devices.write_log import WriteLog

MAKES = {
    "704": SunSpecMake(),
    "124": SunSpecMake(chain=(103, 120, 124, 160, 203)),
    "124-rtu": SunSpecMake(chain=(101, 124), serial=True, base=0),
    "124-float-untimed": SunSpecMake(chain=(113, 120, 124, 802), base=50_000, timed=False),
}


def modbus(start, answers_s, *, hybrid=True, power_step_w, watchdog_s):
    @asynccontextmanager
    async def rig(*, soc=0.5, load_w=500.0, pv_w=0.0, read_only=False):
        # without a meter of its own port nothing tells the sun from the battery
        clock, demand = HandClock(), [load_w, pv_w] if hybrid else [load_w - pv_w, 0.0]
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=soc,
            clock=clock.monotonic_s,
            demand=lambda _: (demand[0], demand[1]),
        )
        emulator = start(home, clock)
        await emulator.start()
        with WriteLog() as log:
            site = Site(name="rig", where="rig", clock=clock, log=log, read_only=read_only)
            device = await open_device({**emulator.settings, "timeout_s": answers_s}, site)

            def house(load_w, pv_w):
                demand[:] = [load_w, pv_w]

            def die():
                if device.battery._keeper is not None:
                    device.battery._keeper.cancel()
                emulator.drop_connections()

            try:
                yield Rig(
                    battery=device.battery,
                    meter=device.meter if hybrid else None,
                    emulator=emulator,
                    clock=clock,
                    house=house,
                    die=die,
                    power_step_w=power_step_w,
                    soc_step=1e-4,
                    watchdog_s=watchdog_s,
                )
            finally:
                die()
                await device.battery._link.close()
                await emulator.stop()

    return rig


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_sunspec_battery_conforms(make, check):
    rig = modbus(
        lambda home, clock: SunSpecEmulator(home, clock=clock, make=make),
        timeout_s(check),
        hybrid=714 in make.chain or 160 in make.chain,
        power_step_w=1.0,  # whole watts; and 0.01 % of 5 kW where control is in percent
        watchdog_s=60.0 if make.timed else None,
    )

    asyncio.run(check(rig))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_solaredge_battery_conforms(check):
    rig = modbus(
        lambda home, clock: SolarEdgeEmulator(home, clock=clock),
        timeout_s(check),
        power_step_w=1.0,  # floating point; its meter shows whole watts
        watchdog_s=120.0,
    )

    asyncio.run(check(rig))
