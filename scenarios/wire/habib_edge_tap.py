"""What goes over a serial line and over Modbus, told apart request by request and in words."""

import asyncio
import os
import struct
import tty
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from devices.drivers.scom_codec import (
    Frame,
    FrameReader,
    ObjectType,
    PropertyId,
    Service,
    decode_value,
    encode,
)
from devices.drivers.scom_line import SerialWire
from devices.drivers.xtender_objects import BSP_INFOS, PARAMETERS, UNIT_INFOS, Info, Parameter
from scenarios.wire.wire_tap import Heard, modbus_lines

_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    link: str
    """Over what: ``xtender``, ``pv``, ``load``."""
    request: str
    """As sent, in hexadecimal."""
    answer: str
    """As received, in hexadecimal; empty where none came."""
    meaning: str
    """What it does, in words."""
    writes: bool
    """Whether it changes something."""


class SerialTap:
    """Stand between an agent and a pseudo-terminal, and keep the frames.

    Parameters
    ----------
    path : str
        The device's own terminal.
    """

    def __init__(self, path: str) -> None:
        self._far = SerialWire(path, baud=38_400, parity="N")
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)  # the terminal is to carry bytes, not lines
        os.set_blocking(self._ours, False)
        self._requests, self._answers = FrameReader(), FrameReader()
        self._asked: list[Frame] = []
        self._heard: list[Exchange] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        """The terminal that the agent is to open instead."""
        return os.ttyname(self._theirs)

    @property
    def resting(self) -> bool:
        """Whether everything that was asked was answered."""
        return not self._asked

    def take(self) -> tuple[Exchange, ...]:
        """Return what was said since the last time."""
        taken, self._heard = tuple(self._heard), []
        return taken

    def start(self) -> None:
        """Begin to relay."""
        asyncio.get_running_loop().add_reader(self._ours, self._request)
        self._task = asyncio.ensure_future(self._answer())

    async def stop(self) -> None:
        """Stop relaying and let go of both terminals."""
        asyncio.get_running_loop().remove_reader(self._ours)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._far.close()
        os.close(self._ours)
        os.close(self._theirs)

    def _request(self) -> None:
        raw = os.read(self._ours, _CHUNK)
        self._asked += self._requests.feed(raw)
        self._far.send(raw)

    async def _answer(self) -> None:
        while True:
            raw = await self._far.receive()
            os.write(self._ours, raw)
            for answer in self._answers.feed(raw):
                request = next(each for each in self._asked if answer.answers(each))
                self._asked.remove(request)
                self._heard.append(_told(request, answer))


def modbus_exchanges(link: str, heard: tuple[Heard, ...]) -> tuple[Exchange, ...]:
    """Return the requests of a Modbus TCP connection with their answers."""
    asked = [line for each in heard if each.request for line in modbus_lines(each)]
    answered = [line for each in heard if not each.request for line in modbus_lines(each)]
    return tuple(
        Exchange(
            link=link,
            request=request,
            answer=answer,
            meaning=_registers(bytes.fromhex(request)),
            writes=bytes.fromhex(request)[7] not in {3, 4},
        )
        for request, answer in zip(asked, answered, strict=False)
    )


def _told(request: Frame, answer: Frame) -> Exchange:
    """Return a scom request in words: what is read or written, and its value."""
    kinds = {ObjectType.PARAMETER: PARAMETERS}.get(
        ObjectType(request.object_type), {**UNIT_INFOS, **BSP_INFOS}
    )
    what: Parameter | Info | None = kinds.get(request.object_id)
    name = "an object" if what is None else what.name
    writes = request.service == Service.WRITE
    content = request.content if writes else answer.content
    value = "refused" if answer.is_error or what is None else decode_value(what.kind, content)
    shown = f"{value:g}" if isinstance(value, float | int) else str(value)
    kept = " in RAM" if request.property_id == PropertyId.UNSAVED else ""
    verb = "write" if writes else "read"
    return Exchange(
        link="xtender",
        request=encode(request).hex(" "),
        answer=encode(answer).hex(" "),
        meaning=f"{verb} {request.destination}.{request.object_id} {name}{kept}: {shown}",
        writes=writes,
    )


def _registers(request: bytes) -> str:
    """Return which registers are read."""
    first, count = struct.unpack(">HH", request[8:12])
    return f"read {count} registers from {first}"
