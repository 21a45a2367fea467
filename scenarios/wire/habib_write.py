"""The Xtender write of Habib et al. 2023, §3.2: 12 A of charge current, frame by frame.

The paper gives the vendor's command line; this sends the frames that it stands for to an emulated
Xtender on a pseudo-terminal. The paper writes flash, which bears a thousand writes of a parameter:
at its cycle of 10 minutes, a week. So the same is shown as the driver does it, in RAM.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from devices.battery_model import BatteryModel
from devices.drivers.scom_codec import (
    HEADER_BYTES,
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
from devices.drivers.scom_line import SerialWire
from devices.drivers.xtender_objects import BATTERY_A, CHARGE_A, FIRST_UNIT
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.errors import DeviceUnavailableError
from devices.hand_clock import HandClock

COMMAND: Final = (
    "write_property src_addr=1 dst_addr=101 object_type=2 object_id=1138 property_id=5 "
    "format=FLOAT value=12.0"
)
"""What the paper has the vendor's tool do."""
CURRENT_A: Final = 12.0
"""The paper's charge current. [A]"""
TIMEOUT_S: Final = 2.0
_FIELDS: Final = (
    ("start byte", 1), ("frame flags", 1), ("source address", 4), ("destination address", 4),
    ("data length", 2), ("header checksum", 2), ("service flags", 1), ("service", 1),
    ("object type", 2), ("object id", 4), ("property id", 2),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a frame."""

    name: str
    """What it is."""
    raw: bytes
    """Its bytes, as sent."""
    meaning: str
    """Their number, or what they stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    title: str
    """What it does."""
    request: bytes
    """As sent."""
    answer: bytes
    """As received."""
    value: float | None
    """What was read; None for a write. [A]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What happened."""

    exchanges: tuple[Exchange, ...]
    """In their order."""
    before_a: float
    """Parameter 1138 before. [A]"""
    after_a: float
    """Parameter 1138 after the paper's write. [A]"""
    battery_before_a: float
    """Current that the battery took before. [A]"""
    battery_after_a: float
    """Current that it took after. [A]"""
    flash_writes: int
    """Writes of flash by the paper's write and by the driver's, together."""


def run() -> Trace:
    """Send the paper's write, and the driver's, to an emulated Xtender as from the factory.

    Raises
    ------
    DeviceError
        If the emulated device does not answer; it does.
    """
    return asyncio.run(_run())


async def _run() -> Trace:
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.6,
        clock=clock.monotonic_s,
        demand=lambda _: (500.0, 0.0),
    )
    emulator = XtenderEmulator(home, clock=clock, saved={})
    await emulator.start()
    try:
        wire = SerialWire(str(emulator.settings["port"]), baud=38_400, parity="N")
        try:
            exchanges = [await _exchange(wire, *step) for step in _steps()]
        finally:
            await wire.close()
    finally:
        await emulator.stop()
    values = [each.value for each in exchanges if each.value is not None]
    return Trace(
        exchanges=tuple(exchanges),
        before_a=values[0],
        battery_before_a=values[1],
        after_a=values[2],
        battery_after_a=values[3],
        flash_writes=emulator.units[FIRST_UNIT].flash_writes[CHARGE_A.object_id],
    )


def _steps() -> list[tuple[str, Frame]]:
    """Return the requests with their titles."""
    saved = Frame(
        source=HOST,
        destination=FIRST_UNIT,
        service=Service.READ,
        object_type=ObjectType.PARAMETER,
        object_id=CHARGE_A.object_id,
        property_id=PropertyId.SAVED,
    )
    unsaved = saved._replace(property_id=PropertyId.UNSAVED)
    taken = saved._replace(
        object_type=ObjectType.INFO,
        object_id=BATTERY_A.object_id,
        property_id=PropertyId.INFO_VALUE,
    )
    new_a = encode_value(Format.FLOAT, CURRENT_A)
    return [
        ("read the charge current, 1138", saved),
        ("read the battery's current, 3005", taken),
        (
            "write 12 A to flash, as the paper does",
            saved._replace(service=Service.WRITE, content=new_a),
        ),
        ("read the charge current again", saved),
        ("read the battery's current again", taken),
        (
            "write 12 A to RAM, as the driver does",
            unsaved._replace(service=Service.WRITE, content=new_a),
        ),
        ("read the charge current in RAM", unsaved),
    ]


async def _exchange(wire: SerialWire, title: str, request: Frame) -> Exchange:
    frames = FrameReader()
    wire.send(encode(request))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while not (found := frames.feed(await wire.receive())):
                continue
    except TimeoutError as error:
        msg = f"emulated xtender: no answer within {TIMEOUT_S:g} s to {title!r}; run it again"
        raise DeviceUnavailableError(msg) from error
    answer = found[0]
    is_read = request.service == Service.READ
    return Exchange(
        title=title,
        request=encode(request),
        answer=encode(answer),  # a frame has one encoding: these are the bytes that came
        value=decode_value(Format.FLOAT, answer.content) if is_read else None,
    )


def fields(raw: bytes) -> tuple[Field, ...]:
    """Return the fields of a frame that was sent or received."""
    found: list[Field] = []
    start = 0
    for name, size in _FIELDS:
        part = raw[start : start + size]
        is_number = name != "header checksum"
        meaning = str(int.from_bytes(part, "little")) if is_number else "of the 11 bytes before"
        found.append(Field(name=name, raw=part, meaning=meaning))
        start += size
    value = raw[start:-2]
    if value:
        number = decode_value(Format.FLOAT, value)
        found.append(Field(name="value", raw=value, meaning=f"{number:g} A"))
    found.append(
        Field(name="data checksum", raw=raw[-2:], meaning=f"from byte {HEADER_BYTES} to here")
    )
    return tuple(found)


def lines(trace: Trace) -> list[str]:
    """Return the trace as text, a line each."""
    text = [f"scom.exe {COMMAND}", ""]
    for exchange in trace.exchanges:
        text.append(
            exchange.title + (f": {exchange.value:g} A" if exchange.value is not None else "")
        )
        for name, raw in (("request", exchange.request), ("answer ", exchange.answer)):
            text.append(f"  {name} {raw.hex(' ').upper()}")
            if exchange.value is None:
                text += [
                    f"    {each.name:20} {each.raw.hex(' ').upper():12} {each.meaning}"
                    for each in fields(raw)
                ]
    text += [
        "",
        f"1138 was {trace.before_a:g} A and is {trace.after_a:g} A",
        f"the battery took {trace.battery_before_a:.1f} A and takes {trace.battery_after_a:.1f} A",
        f"flash was written {trace.flash_writes} time of the 1000 that it bears; RAM does not wear",
    ]
    return text
