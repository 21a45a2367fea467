"""The emulated Xtender, asked with raw frames as any client of the vendor's protocol would."""

import asyncio
import struct
from contextlib import asynccontextmanager

import pytest

from devices.battery_model import BatteryModel
from devices.drivers.scom_codec import (
    HOST,
    Format,
    Frame,
    FrameReader,
    ObjectType,
    PropertyId,
    Service,
    decode_value,
    encode,
    encode_value,
)
from devices.drivers.scom_line import SerialWire, TcpWire
from devices.drivers.xtender_objects import PARAMETERS
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.hand_clock import HandClock

CHARGE_A, FEEDING, RELAY, IN_FLASH, WATCHDOG, WATCHDOG_S = 1138, 1127, 1128, 1550, 1628, 1629
FLASH, RAM = PropertyId.SAVED, PropertyId.UNSAVED


class Client:
    """Asks one request and waits for its answer."""

    def __init__(self, wire):
        self.wire = wire

    async def ask(self, request, *, wait_s=10.0):
        return await self.send(encode(request), wait_s=wait_s)

    async def send(self, raw, *, wait_s=10.0):
        frames = FrameReader()
        self.wire.send(raw)
        try:
            async with asyncio.timeout(wait_s):
                while not (found := frames.feed(await self.wire.receive())):
                    pass
        except TimeoutError:
            return None
        return found[0]

    async def read(self, number, kept=FLASH, address=101):
        answer = await self.ask(parameter(number, kept, address))
        return value_of(number, answer)

    async def info(self, number, kept=PropertyId.INFO_VALUE, address=101):
        answer = await self.ask(info(number, kept, address))
        kind = Format.FLOAT if len(answer.content) == 4 else Format.ENUM
        return code_of(answer) if answer.is_error else decode_value(kind, answer.content)

    async def write(self, number, value, kept=RAM, address=101):
        content = encode_value(PARAMETERS[number].kind, value)
        request = parameter(number, kept, address)
        answer = await self.ask(request._replace(service=Service.WRITE, content=content))
        return code_of(answer) if answer.is_error else None


def parameter(number, kept=FLASH, address=101):
    return Frame(HOST, address, Service.READ, ObjectType.PARAMETER, number, kept)


def info(number, kept=PropertyId.INFO_VALUE, address=101):
    return Frame(HOST, address, Service.READ, ObjectType.INFO, number, kept)


def code_of(answer):
    return struct.unpack("<H", answer.content)[0]


def value_of(number, answer):
    return (
        code_of(answer)
        if answer.is_error
        else decode_value(PARAMETERS[number].kind, answer.content)
    )


@asynccontextmanager
async def device(*, load_w=500.0, **options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.6,
        clock=clock.monotonic_s,
        demand=lambda _: (load_w, 0.0),
    )
    emulator = XtenderEmulator(home, clock=clock, **options)
    await emulator.start()
    if options.get("over_tcp"):
        port = int(emulator.settings["port"].rpartition(":")[2])
        wire = await TcpWire.connect("127.0.0.1", port)
    else:
        wire = SerialWire(emulator.settings["port"], baud=38_400, parity="N")
    try:
        yield emulator, Client(wire), clock
    finally:
        await wire.close()
        await emulator.stop()


def test_factory_settings_are_the_vendors():
    async def run():
        async with device(saved={}) as (_, client, _):
            return {number: await client.read(number) for number in PARAMETERS}

    values = asyncio.run(run())

    assert {number: round(value, 1) for number, value in values.items()} == {
        1107: 32, 1124: 1, 1125: 1, 1126: 1, 1127: 0, 1128: 1, 1138: 60, 1140: 54.4, 1156: 57.6,
        1523: 10, 1524: 48, 1525: 1200, 1526: 1200, 1550: 1, 1628: 0, 1629: 60,
    }  # fmt: skip


def test_ranges_are_told_by_their_properties():
    async def run():
        async with device() as (_, client, _):
            low = await client.read(1107, PropertyId.MINIMUM)
            high = await client.read(1107, PropertyId.MAXIMUM)
            return low, high, await client.read(1107, 8)

    assert asyncio.run(run()) == (2.0, 50.0, 0x23)


@pytest.mark.parametrize("over_tcp", [False, True], ids=["pseudo-terminal", "tcp"])
def test_info_is_read_with_the_documents_property_and_with_the_libraries(over_tcp):
    async def run():
        async with device(over_tcp=over_tcp) as (_, client, _):
            return [await client.info(7002, kept, 601) for kept in (1, 5, 6)]

    assert asyncio.run(run()) == [60.0, 60.0, 0x23]


def test_float_is_read_back_as_sixteen_bits_hold_it():
    async def run():
        async with device() as (_, client, _):
            await client.write(1156, 57.3)
            await client.write(1523, 1.37)
            await client.write(CHARGE_A, 12.4)
            return [await client.read(number, RAM) for number in (1156, 1523, CHARGE_A)]

    # 57.3 in 256ths; 1.37 to the step of 0.2, then in 512ths; 12.4 to whole amperes
    assert asyncio.run(run()) == [14669 / 256, 717 / 512, 12.0]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (parameter(CHARGE_A, address=104), 0x02),
        (parameter(CHARGE_A, address=100), 0x2D),
        (parameter(4711), 0x22),
        (info(4711), 0x22),
        (info(7002), 0x22),
        (parameter(CHARGE_A, address=601), 0x22),
        (parameter(CHARGE_A, 0x99), 0x23),
        (info(3000)._replace(object_type=3), 0x21),
        (info(3000)._replace(service=9), 0x11),
        (info(3000)._replace(service=2), 0x25),
        (parameter(CHARGE_A)._replace(service=2, content=b"\x01"), 0x24),
        (parameter(CHARGE_A, 6)._replace(service=2, content=bytes(4)), 0x25),
        (parameter(CHARGE_A)._replace(service=2, content=b"\x00\x00\xc0\x7f"), 0x26),
        (parameter(1107)._replace(service=2, content=struct.pack("<f", 1)), 0x27),
        (parameter(CHARGE_A)._replace(service=2, content=struct.pack("<f", 201)), 0x28),
    ],
)
def test_wrong_request_is_refused_with_the_protocols_code(request_, code):
    async def run():
        async with device() as (emulator, client, _):
            answer = await client.ask(request_)
            return answer.is_error, code_of(answer), dict(emulator.writes)

    assert asyncio.run(run()) == (True, code, {})


def test_wrong_checksum_is_left_without_an_answer():
    async def run():
        async with device() as (_, client, _):
            raw = encode(info(3000))
            damaged = await client.send(raw[:-1] + bytes([raw[-1] ^ 1]), wait_s=0.2)
            return damaged, (await client.ask(info(3000))).is_error

    assert asyncio.run(run()) == (None, False)


def test_write_to_all_reaches_every_unit():
    async def run():
        async with device(units=3) as (emulator, client, _):
            await client.write(CHARGE_A, 20, address=100)
            read = [await client.read(CHARGE_A, RAM, address) for address in (101, 102, 103)]
            return read, dict(emulator.writes)

    assert asyncio.run(run()) == ([20.0, 20.0, 20.0], {"100.1138": 1})


def test_flash_keeps_a_value_over_a_reset_and_ram_does_not():
    async def run():
        async with device(faults=FaultPlan.once(Fault.REBOOT, after=4)) as (
            emulator,
            client,
            clock,
        ):
            await client.write(CHARGE_A, 30, FLASH)
            await client.write(CHARGE_A, 12)
            before = await client.read(CHARGE_A, FLASH), await client.read(CHARGE_A, RAM)
            gone = await client.read(CHARGE_A, RAM)
            await clock.advance(3)
            return before, gone, await client.read(CHARGE_A, RAM), emulator.resets

    assert asyncio.run(run()) == ((30.0, 12.0), 0x02, 30.0, 1)


def test_flash_bears_a_thousand_writes_of_a_parameter_and_ram_any_number():
    async def run():
        async with device() as (emulator, client, _):
            unit = emulator.units[101]
            codes = {await client.write(CHARGE_A, 10 + each % 2, FLASH) for each in range(1_000)}
            worn = await client.write(CHARGE_A, 12, FLASH)
            other = await client.write(1107, 12, FLASH)
            ram = await client.write(CHARGE_A, 12)
            return codes, worn, other, ram, unit.flash_writes

    assert asyncio.run(run()) == ({None}, 0x29, None, None, {CHARGE_A: 1_000, 1107: 1})


def test_with_saving_off_flash_writes_stay_in_ram_and_the_saved_value_is_read():
    async def run():
        async with device() as (emulator, client, _):
            await client.write(IN_FLASH, 0)
            await client.write(CHARGE_A, 12, FLASH)
            read = await client.read(CHARGE_A, FLASH), await client.read(CHARGE_A, RAM)
            return read, emulator.units[101].flash_writes

    assert asyncio.run(run()) == ((60.0, 12.0), {})


def test_watchdog_resets_the_unit_when_nobody_writes_and_not_before():
    async def run():
        async with device() as (emulator, client, clock):
            await client.write(FEEDING, 0)
            await client.write(CHARGE_A, 10)
            await client.write(WATCHDOG_S, 30)
            await client.write(WATCHDOG, 1)
            await clock.advance(29)
            await client.write(CHARGE_A, 10)
            await clock.advance(29)
            alive = await client.read(CHARGE_A, RAM), emulator.home.state().battery_power_w > 0
            await clock.advance(2)
            dead = emulator.home.state().battery_power_w
            await client.read(CHARGE_A)
            await clock.advance(3)
            after = await client.read(CHARGE_A, RAM), await client.read(WATCHDOG, RAM)
            return alive, dead, after, emulator.resets

    assert asyncio.run(run()) == ((10.0, True), -500.0, (60.0, 0.0), 1)


def test_charger_takes_its_current_from_the_battery_side():
    async def run():
        async with device(saved={}) as (_, client, _):
            await client.write(CHARGE_A, 25)
            return await client.info(7001, address=601), await client.info(3137)

    current_a, input_kw = asyncio.run(run())

    assert abs(current_a - 25) < 0.1
    assert input_kw > 0.5 + 25 * 48 / 1000


def test_forced_feeding_gives_its_current_inside_its_window_and_above_its_voltage():
    async def run():
        async with device() as (emulator, client, _):  # its clock shows noon
            home, found = emulator.home, []
            await client.write(1523, 4)
            for start, stop, volts in (
                (600, 800, 45), (800, 600, 45), (1200, 800, 45), (600, 800, 60), (720, 720, 45),
            ):  # fmt: skip
                await client.write(1524, volts)
                await client.write(1525, start)
                await client.write(1526, stop)
                found.append(home.state().battery_power_w)
            return found

    # 4 A at 230 V; outside the window the unit follows the house of 500 W
    assert asyncio.run(run()) == [-920.0, -500.0, -920.0, 0.0, -500.0]


def test_open_relay_makes_an_island():
    async def run():
        async with device() as (emulator, client, _):
            closed = await client.info(3020)
            await client.write(RELAY, 0)
            opened = await client.info(3020), await client.info(3137), await client.info(3136)
            return closed, opened, emulator.home.state().battery_power_w

    assert asyncio.run(run()) == (1.0, (0.0, 0.0, 0.5), -500.0)


def test_stuck_sensor_shows_what_it_last_did():
    async def run():
        async with device(saved={}) as (emulator, client, _):
            before = await client.info(3005)
            await client.write(CHARGE_A, 10)
            emulator.faults = FaultPlan.always(Fault.STUCK_SENSOR)
            return before, await client.info(3005)

    before_a, stuck_a = asyncio.run(run())

    assert before_a == stuck_a == 60.0


def test_fault_that_serial_frames_cannot_show_is_refused_at_the_start():
    async def run():
        async with device(faults=FaultPlan.always(Fault.UNAUTHORISED)):
            pass

    with pytest.raises(ValueError, match="unauthorised"):
        asyncio.run(run())


def test_answers_take_the_latency_that_was_asked_for():
    async def run():
        async with device(latency_s=0.05) as (_, client, _):
            started_s = asyncio.get_running_loop().time()
            await client.info(3000)
            return asyncio.get_running_loop().time() - started_s

    assert asyncio.run(run()) >= 0.05
