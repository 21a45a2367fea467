"""A storage behind a SunSpec adapter passes the suite: MQTT over TLS before it, Modbus behind."""

import asyncio
import socket
from contextlib import asynccontextmanager
from functools import partial

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec_adapter import AdapterEmulator
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.testing import CHECKS, Rig, timeout_s
from devices.write_log import WriteLog


def rig_of(storage, answers_s, *, behind=False, rated_w=5_000.0, step_w=3.0):
    """Return a factory of rigs; ``behind`` has faults strike the inverter, not the adapter."""

    @asynccontextmanager
    async def factory(*, soc=0.5, load_w=500.0, pv_w=0.0, read_only=False):
        clock, demand_w = HandClock(), [(load_w, pv_w)]
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=soc,
            clock=clock.monotonic_s,
            demand=lambda _: demand_w[0],
        )
        adapter = AdapterEmulator(
            home, clock=clock, storage=storage, rated_w=rated_w, timeout_s=answers_s / 3
        )
        await adapter.start()
        with WriteLog() as log:
            site = Site(name="adapter", where="test", clock=clock, log=log, read_only=read_only)
            device = await open_device(
                {**adapter.settings, "timeout_s": 3 * answers_s if behind else answers_s}, site
            )

            def die():
                battery = device.battery
                if battery._keeper is not None:
                    battery._keeper.cancel()
                client = battery._link.session._client
                if client is not None and client._client.socket() is not None:
                    client._client.socket().shutdown(socket.SHUT_RDWR)

            try:
                yield Rig(
                    battery=device.battery,
                    meter=device.meter,
                    emulator=adapter.inverter if behind else adapter,
                    clock=clock,
                    house=lambda load, pv: demand_w.__setitem__(0, (load, pv)),
                    die=die,
                    power_step_w=step_w,
                    soc_step=0.0051,
                    watchdog_s=60.0,
                )
            finally:
                if device.battery._keeper is not None:
                    device.battery._keeper.cancel()
                await device.battery._link.close()
                await adapter.stop()

    return factory


RIGS = {
    "sunspec": partial(rig_of, "sunspec", step_w=6.0),
    "sunspec-fails": partial(rig_of, "sunspec", behind=True, step_w=6.0),
    "solaredge": partial(rig_of, "solaredge", step_w=6.0),
    "sonnen": partial(rig_of, "sonnen", rated_w=2_500.0),
}
FAULTS = {
    "check_an_ignored_write_is_noticed",
    "check_every_fault_is_survived",
    "check_random_faults_are_survived",
}
CASES = [
    (rig, check)
    for rig in RIGS
    for check in CHECKS
    # faults strike at the adapter once and at one inverter once: the rest is the same adapter
    if rig == "sunspec" or (check.__name__ in FAULTS) == (rig == "sunspec-fails")
]


@pytest.mark.parametrize(
    ("rig", "check"), CASES, ids=lambda case: case if isinstance(case, str) else case.__name__
)
def test_driver_conforms(rig, check):
    asyncio.run(check(RIGS[rig](timeout_s(check))))
