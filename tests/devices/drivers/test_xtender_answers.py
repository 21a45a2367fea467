"""What the Xtender's driver makes of settings and of whatever whole frames may say."""

import asyncio
import contextlib
import struct
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.drivers.scom_codec import encode
from devices.drivers.xtender import open_xtender
from devices.emulators.scom_server import ScomServer
from devices.errors import DeviceConfigError, DeviceError, DeviceReplyError
from devices.hand_clock import HandClock
from devices.registry import Site
from devices.write_log import WriteLog


@asynccontextmanager
async def scripted(answers):
    """A line whose devices send what ``answers`` returns for a request; yields its path."""
    server = ScomServer(answers, latency_s=0.0)
    try:
        yield server.open_terminal()
    finally:
        await server.close()


async def opened(port, log, **changed):
    site = Site(name="xtender", where="test", clock=HandClock(), log=log)
    return await open_xtender({"port": port, "parity": "N", **changed}, site)


def test_monitor_of_an_older_kind_tells_its_state_of_charge_alone():
    asked = []

    def answers(request):
        asked.append(request.object_id)
        if request.object_id in {7029, 7057}:
            return encode(request.answer(b"\x22\x00", error=True))
        return encode(request.answer(struct.pack("<f", 50.0)))

    async def run():
        async with scripted(answers) as port:
            with WriteLog() as log:
                device = await opened(port, log)
                states = [await device.battery.read() for _ in range(2)]
                await device.close()
                return states

    first, second = asyncio.run(run())

    assert first == second
    assert (first.soc, first.soh, first.temperature_c) == (0.5, None, None)
    assert (asked.count(7002), asked.count(7029), asked.count(7057)) == (2, 1, 1)


def test_battery_of_no_voltage_is_not_steered():
    async def run():
        contents = {3000: struct.pack("<f", 0.4), 3020: b"\x01\x00"}
        written = []

        def answers(request):
            if request.content:
                written.append(request)
            return encode(request.answer(contents.get(request.object_id, bytes(4))))

        async with scripted(answers) as port:
            with WriteLog() as log:
                device = await opened(port, log)
                with pytest.raises(DeviceReplyError, match=r"a battery of 0\.4 V"):
                    await device.battery._link.command(500.0, hold_s=60)
                await device.battery._link.close()
        return written

    assert asyncio.run(run()) == []


@given(
    contents=st.lists(
        st.one_of(
            st.binary(max_size=6),
            st.floats(width=32).map(lambda value: struct.pack("<f", value)),
        ),
        min_size=1,
        max_size=9,
    ),
    errors=st.sets(st.integers(0, 12)),
)
@settings(max_examples=40)
def test_whatever_whole_frames_say_only_our_own_errors_come_out(contents, errors):
    async def run():
        served = 0

        def answers(request):
            nonlocal served
            served += 1
            content = contents[served % len(contents)]
            return encode(request.answer(content, error=served in errors))

        async with scripted(answers) as port:
            with WriteLog() as log:
                device = await opened(port, log, feeds_grid=True)
                for attempt in (
                    device.battery.read(),
                    device.meter.read_meter(),
                    device.relay.read_relay(),
                    device.battery.limits(),
                    device.battery._link.command(500.0, hold_s=60),
                ):
                    # a write that is never seen to be done waits for a clock that stands still
                    with contextlib.suppress(DeviceError, TimeoutError):
                        async with asyncio.timeout(0.2):
                            await attempt
                await device.battery._link.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "setting",
    [
        {"port": ""}, {"port": "tcp://gateway"}, {"port": "tcp://gateway:0"}, {"parity": "O"},
        {"units": 0}, {"units": 10}, {"watchdog_s": 5}, {"watchdog_s": 65}, {"loop_s": 0.0},
        {"input_sign": 0}, {"charge_max_w": -1.0}, {"feed_down_to_v": 12.0}, {"grid_v": 0.0},
        {"capacity_wh": 0.0}, {"timeout_s": 0.0}, {"baud": 0},
    ],
    ids=str,
)  # fmt: skip
def test_setting_that_cannot_be_is_refused(setting):
    async def run():
        with WriteLog() as log:
            site = Site(name="x", where="home.toml [battery]", clock=HandClock(), log=log)
            await open_xtender({"port": "/dev/ttyUSB0", **setting}, site)

    with pytest.raises(DeviceConfigError, match=rf"home.toml \[battery\]: {next(iter(setting))}"):
        asyncio.run(run())
