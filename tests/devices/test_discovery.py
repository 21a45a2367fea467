"""Discovery: what announces itself, and the one address that the user names."""

import asyncio
import socket

import pytest

from devices.battery_model import BatteryModel
from devices.discovery import browse, probe_sunspec
from devices.emulators.house import EmulatedHome
from devices.emulators.solaredge import SolarEdgeEmulator
from devices.emulators.sonnen import SonnenV1Emulator
from devices.emulators.sunspec import SunSpecEmulator
from devices.errors import DeviceConfigError, DeviceError, DeviceUnavailableError
from devices.hand_clock import HandClock


def probed(emulator_of):
    """Return what a probe of an emulator finds, and what the emulator counted."""

    async def probe():
        clock = HandClock()
        home = EmulatedHome(
            model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (0.0, 0.0)
        )
        emulator = emulator_of(home, clock=clock)
        await emulator.start()
        try:
            port = int(emulator.settings["port"])
            found = await probe_sunspec("127.0.0.1", port=port, clock=clock, timeout_s=1.0)
        finally:
            await emulator.stop()
        return found, dict(emulator.writes), port

    return asyncio.run(probe())


@pytest.mark.parametrize("emulator_of", [SunSpecEmulator, SolarEdgeEmulator])
def test_a_sunspec_device_tells_who_it_is_and_is_not_written_to(emulator_of):
    found, writes, port = probed(emulator_of)

    assert (found.host, found.port, found.unit) == ("127.0.0.1", port, 1)
    assert found.manufacturer
    assert found.model
    assert found.serial
    assert found.models[0] == 1
    assert len(found.models) > 2
    assert writes == {}


def test_what_is_no_sunspec_device_is_one_line():
    with pytest.raises(DeviceError) as refused:
        probed(SonnenV1Emulator)

    assert "\n" not in str(refused.value)


def test_an_address_where_nobody_is_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        port = taken.getsockname()[1]
        with pytest.raises(DeviceUnavailableError):
            asyncio.run(probe_sunspec("127.0.0.1", port=port, clock=HandClock(), timeout_s=0.5))


def test_nothing_is_found_where_nothing_is_announced_in_about_the_time_given():
    async def look():
        started_s = asyncio.get_running_loop().time()
        found = await browse(0.2, services=["_nobody._tcp.local."], interfaces=["127.0.0.1"])
        return found, asyncio.get_running_loop().time() - started_s

    found, seconds = asyncio.run(look())

    assert found == ()
    assert seconds < 3


def test_an_interface_of_another_machine_is_refused():
    with pytest.raises(DeviceConfigError, match="name another interface"):
        asyncio.run(browse(0.1, interfaces=["192.0.2.1"]))
