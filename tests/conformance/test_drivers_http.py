"""The drivers of devices that speak HTTP pass the suite, against emulators on real sockets."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.react2 import React2Emulator
from devices.emulators.sonnen import SonnenV1Emulator, SonnenV2Emulator
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.testing import CHECKS, HANGING, Rig, timeout_s
from devices.write_log import WriteLog


def rig_of(emulator_of, answers_s, *, watchdog_s, step_w=2.0, **options):
    """Return a factory of rigs around one kind of emulator; its driver waits ``answers_s``."""

    @asynccontextmanager
    async def factory(*, soc=0.5, load_w=500.0, pv_w=0.0, read_only=False):
        clock, demand_w = HandClock(), [(load_w, pv_w)]
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=soc,
            clock=clock.monotonic_s,
            demand=lambda _: demand_w[0],
        )
        emulator = emulator_of(home, clock=clock, **options)
        await emulator.start()
        with WriteLog() as log:
            site = Site(name="battery", where="test", clock=clock, log=log, read_only=read_only)
            device = await open_device({**emulator.settings, "timeout_s": answers_s}, site)

            def die():
                for task in asyncio.all_tasks() - living:
                    task.cancel()

            living = asyncio.all_tasks()
            try:
                yield Rig(
                    battery=device.battery,
                    meter=device.meter,
                    emulator=emulator,
                    clock=clock,
                    house=lambda load, pv: demand_w.__setitem__(0, (load, pv)),
                    die=die,
                    power_step_w=step_w,
                    soc_step=0.0051,
                    watchdog_s=watchdog_s,
                )
            finally:
                die()
                await device.meter.close()
                await emulator.stop()

    return factory


RIGS = {
    "sonnen-v1": partial(rig_of, SonnenV1Emulator, watchdog_s=None),
    "sonnen-v2": partial(rig_of, SonnenV2Emulator, watchdog_s=20.0, hold_s=20.0),
    "react2": partial(rig_of, React2Emulator, watchdog_s=60.0, step_w=27.0),
}
"""One per driver: all checks."""

VARIANTS = {
    "sonnen-v1-percent": partial(
        rig_of, SonnenV1Emulator, watchdog_s=None, step_w=14.0, setpoint_unit="percent"
    ),
    "sonnen-v1-2019": partial(rig_of, SonnenV1Emulator, watchdog_s=None, tells_mode=False),
    "sonnen-v2-documented": partial(
        rig_of, SonnenV2Emulator, watchdog_s=None, set_point_status=200, echo=False
    ),
    "react2-turned": partial(
        rig_of,
        React2Emulator,
        watchdog_s=60.0,
        step_w=27.0,
        charge_sign=-1,
        auth="digest",
        latin_1=True,
        whole_numbers=True,
    ),
}
"""What else is out there: all checks but the long ones."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("rig", RIGS)
def test_driver_conforms(rig, check):
    asyncio.run(check(RIGS[rig](timeout_s(check))))


@pytest.mark.parametrize("check", [each for each in CHECKS if each not in HANGING])
@pytest.mark.parametrize("rig", VARIANTS)
def test_driver_conforms_with_variants_of_its_device(rig, check):
    asyncio.run(check(VARIANTS[rig](timeout_s(check))))
