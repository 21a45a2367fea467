"""The Xtender's driver against its emulator on a pseudo-terminal and on TCP."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.testing import CHECKS, HANGING, Rig, timeout_s
from devices.write_log import WriteLog

# 1138 is told in whole amperes: one is 52 V x 1 A on the battery's side and up to 58 W at the
# terminals. Half of it is rounding; the rest is the efficiency, which the driver can only guess
# until it has measured what the first current gives.
STEP_W = 60.0


@asynccontextmanager
async def xtender_rig(
    *,
    soc=0.5,
    load_w=500.0,
    pv_w=0.0,
    read_only=False,
    answers_s,
    watchdog_s=0,
    over_tcp=False,
):
    clock, demand_w = HandClock(), [(load_w, pv_w)]
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=soc, clock=clock.monotonic_s, demand=lambda _: demand_w[0]
    )
    emulator = XtenderEmulator(home, clock=clock, over_tcp=over_tcp)
    await emulator.start()
    with WriteLog() as log:
        site = Site(name="xtender", where="rig", clock=clock, log=log, read_only=read_only)
        settings = {**emulator.settings, "timeout_s": answers_s, "watchdog_s": watchdog_s}
        device = await open_device(settings, site)
        battery = device.battery

        def die():
            battery._keeper.cancel()

        def house(load_w, pv_w):
            demand_w[0] = (load_w, pv_w)

        try:
            yield Rig(
                battery=battery,
                # its meter cannot tell the sun from the load behind it: see test_xtender.py
                meter=None,
                emulator=emulator,
                clock=clock,
                house=house,
                die=die,
                power_step_w=STEP_W,
                soc_step=0.005,
                watchdog_s=watchdog_s or None,
            )
        finally:
            if battery._keeper is not None:
                battery._keeper.cancel()
            await battery._link.close()
            await emulator.stop()


# faults strike above the line, whichever it is, so that one rig meets them
RIGS = {
    "serial": (xtender_rig, CHECKS),
    "serial with watchdog": (
        partial(xtender_rig, watchdog_s=60),
        [check for check in CHECKS if check not in HANGING],
    ),
    "tcp": (
        partial(xtender_rig, over_tcp=True),
        [check for check in CHECKS if check not in HANGING],
    ),
}
CASES = {
    f"{name}: {check.__name__}": (rig, check)
    for name, (rig, checks) in RIGS.items()
    for check in checks
}


@pytest.mark.parametrize(("rig", "check"), CASES.values(), ids=CASES)
def test_driver_conforms(rig, check):
    asyncio.run(check(partial(rig, answers_s=timeout_s(check))))
