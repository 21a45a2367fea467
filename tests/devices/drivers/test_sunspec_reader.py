"""SunSpec devices without a battery, read in their branch of the house."""

import asyncio

import pytest

from devices.battery import MeterState
from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.drivers.sunspec_reader import open_reader
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.errors import DeviceError, DeviceRefusedError
from devices.registry import Site
from devices.write_log import WriteLog


def read(chain, *, load_w=0.0, pv_w=0.0, faults=None, **settings):
    async def story():
        clock = SystemClock()
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=0.5,
            clock=clock.monotonic_s,
            demand=lambda _: (load_w, pv_w),
        )
        home.steer(lambda load_w, pv_w: 0.0)
        emulator = SunSpecEmulator(
            home, clock=clock, faults=faults, make=SunSpecMake(chain=chain, serial=False)
        )
        await emulator.start()
        try:
            with WriteLog() as log:
                site = Site(name="pv", where="home.toml [pv]", clock=clock, log=log, read_only=True)
                table = {each: emulator.settings[each] for each in ("host", "port", "unit")}
                device = await open_reader({**table, **settings}, site)
                try:
                    return await device.meter.read_meter()
                finally:
                    await device.close()
        finally:
            await emulator.stop()

    return asyncio.run(story())


@pytest.mark.parametrize("model", [101, 103, 113, 701])
def test_an_inverter_without_a_battery_tells_what_the_sun_gives(model):
    assert read((model,), pv_w=2_150.0) == MeterState(
        load_w=0.0, pv_w=2_150.0, grid_power_w=-2_150.0
    )


def test_a_branchs_meter_tells_the_load_whichever_sign_it_shows():
    taken = MeterState(load_w=1_500.0, pv_w=0.0, grid_power_w=1_500.0)
    given = MeterState(load_w=0.0, pv_w=0.0, grid_power_w=-1_500.0)

    assert read((203,), load_w=1_500.0) == taken
    assert read((203,), load_w=1_500.0, meter_export_positive=True) == given


def test_an_inverter_with_a_meter_tells_load_and_production_apart():
    assert read((103, 203), load_w=900.0, pv_w=400.0) == MeterState(
        load_w=900.0, pv_w=400.0, grid_power_w=500.0
    )


def test_what_has_neither_is_refused_with_what_it_has():
    with pytest.raises(DeviceRefusedError, match=r"neither inverter nor meter .* models 1, 120"):
        read((120,))


@pytest.mark.parametrize("fault", [Fault.NOT_IMPLEMENTED_VALUE, Fault.HALF_ANSWER])
def test_what_cannot_be_is_an_error_and_no_reading(fault):
    with pytest.raises(DeviceError):
        read((103,), pv_w=100.0, faults=FaultPlan.always(fault))
