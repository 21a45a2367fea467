"""The emulated SunSpec inverter, as the alliance's own client sees it."""

import asyncio

import pytest
import sunspec2.modbus.client as alliance

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.hand_clock import HandClock


def emulated(make=None, *, load_w=800.0, pv_w=300.0):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (load_w, pv_w),
    )
    return SunSpecEmulator(home, clock=clock, make=make), clock


def seen(emulator, work):
    """Run ``work`` with the alliance's own client, which blocks, against the emulator."""

    def talk():
        device = alliance.SunSpecModbusClientDeviceTCP(
            slave_id=1, ipaddr="127.0.0.1", ipport=emulator.settings["port"], timeout=2
        )
        try:
            device.scan()
            device.connect()
            return work(device)
        finally:
            device.disconnect()

    async def run():
        await emulator.start()
        try:
            return await asyncio.to_thread(talk)
        finally:
            await emulator.stop()

    return asyncio.run(run())


@pytest.mark.parametrize("base", [40_000, 0, 50_000])
def test_the_alliances_client_finds_the_chain_and_reads_what_the_house_does(base):
    emulator, _ = emulated(SunSpecMake(base=base))

    def work(device):
        def value(model_id, point):
            return device.models[model_id][0].points[point].cvalue

        found = {
            "W": value(701, "W"),
            "soc": value(713, "SoC"),
            "ChaState": value(124, "ChaState"),
            "grid": value(203, "W"),
            "maker": value(1, "Mn"),
            "VAChaMax": value(124, "VAChaMax"),
        }
        return [key for key in device.models if isinstance(key, int)], found

    models, found = seen(emulator, work)

    assert models == [1, 103, 120, 124, 203, 701, 702, 704, 713, 714, 802]
    assert found == {
        "W": 800,  # the sun's 300 and the battery's 500
        "soc": 50.0,
        "ChaState": 50.0,
        "grid": 0,
        "maker": "Gridpact",
        "VAChaMax": None,
    }


def test_the_alliances_client_steers_it_with_704():
    emulator, _ = emulated()

    def work(device):
        control = device.models[704][0]
        control.points["WSet"].cvalue = -1_500
        control.points["WSetEna"].value = 1
        control.write()
        return emulator.home.state().battery_power_w

    assert seen(emulator, work) == 1_500


def test_control_that_nobody_renews_ends_to_the_second():
    emulator, clock = emulated(SunSpecMake(chain=(103, 120, 124)), pv_w=0.0)

    async def run():
        await emulator.start()
        base = emulator._image.section(124).address
        for offset, words in ((17, (1,)), (15, (60,)), (12, (0xF830, 2_000)), (5, (3,))):
            emulator.check(base + offset, words)
            emulator.write(base + offset, words)
        await clock.advance(59)
        before_w = emulator.home.state().battery_power_w
        await clock.advance(2)
        after_w = emulator.home.state().battery_power_w
        mode = emulator.read(base + 5, 1, None)
        await emulator.stop()
        return before_w, after_w, mode

    assert asyncio.run(run()) == (1_000.0, -800.0, (0,))


def test_an_answer_may_take_its_time():
    emulator, _ = emulated(SunSpecMake(chain=(713,), answer_s=0.05))

    async def run():
        await emulator.start()
        port = emulator.settings["port"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        writer.write(bytes.fromhex("00 01 00 00 00 06 01 03 9c 40 00 02"))
        answer = await reader.readexactly(13)
        passed_s = loop.time() - begin_s
        writer.close()
        await writer.wait_closed()
        await emulator.stop()
        return answer.hex(" "), passed_s

    answer, passed_s = asyncio.run(run())

    assert answer == "00 01 00 00 00 07 01 03 04 53 75 6e 53"
    assert passed_s >= 0.05
