"""Modbus as a client: one request at a time over TCP or a serial line, failures as our errors."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from devices.clock import Clock
from devices.errors import DeviceRefusedError, DeviceReplyError, DeviceUnavailableError

# a library that logs without a handler prints to stderr (§7)
logging.getLogger("pymodbus").addHandler(logging.NullHandler())

MOST_REGISTERS: Final = 125
"""Registers that one read may ask for."""
MOST_WRITTEN: Final = 123
"""Registers that one write may carry."""
PAUSE_S: Final = 1.0
"""How long a device is left alone after a connection ended: some refuse one at once. [s]"""

_REFUSALS: Final = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
}
_TROUBLES: Final = {
    4: "device failure",
    5: "still at work",
    6: "busy",
    10: "gateway path unavailable",
    11: "gateway target silent",
}


class IllegalAddressError(DeviceRefusedError):
    """Registers that the device does not have, or does not give in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """A device on the network."""

    host: str
    """Its name or address."""
    port: int = 502
    """Its port."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialAddress:
    """A device on a serial line (Modbus RTU)."""

    path: str
    """The line, such as ``/dev/ttyUSB0``."""
    baud: int = 9600
    """Bits per second."""
    parity: str = "N"
    """``N``, ``E`` or ``O``."""
    stop_bits: int = 1
    """Stop bits."""

    def __str__(self) -> str:
        return self.path


class ModbusLink:
    """Read and write holding registers of one unit; connects when first asked.

    Parameters
    ----------
    name : str
        What messages call the device.
    address : TcpAddress | SerialAddress
        Where it is.
    unit : int
        Its unit identifier.
    timeout_s : float
        How long an answer, or a connection, may take. [s]
    clock : Clock
        For the pause before a new connection.
    pause_s : float
        How long the device is left alone after a connection ended. [s]
    """

    def __init__(
        self,
        *,
        name: str,
        address: TcpAddress | SerialAddress,
        unit: int,
        timeout_s: float,
        clock: Clock,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._name = name
        self._address = address
        self._unit = unit
        self._timeout_s = timeout_s
        self._clock = clock
        self._pause_s = pause_s
        self._busy = asyncio.Lock()
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._closed_s: float | None = None
        self._asking = False
        self.requests = 0
        """Requests sent since the start."""
        self.connections = 0
        """Connections made since the start; a new one tells that the device may have restarted."""

    @property
    def name(self) -> str:
        """What messages call the device."""
        return self._name

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        """Return ``count`` holding registers from ``address``, in as few requests as they fit.

        Raises
        ------
        DeviceUnavailableError, DeviceRefusedError, DeviceReplyError
            See `devices.errors`; `IllegalAddressError` where the device has no such registers.
        """
        found: tuple[int, ...] = ()
        for start in range(address, address + count, MOST_REGISTERS):
            some = min(MOST_REGISTERS, address + count - start)
            found += await self._read_some(start, some)
        return found

    async def write(self, address: int, values: Sequence[int]) -> None:
        """Write registers in one request: one by function 6, several by function 16.

        Raises
        ------
        DeviceUnavailableError, DeviceRefusedError, DeviceReplyError
            See `devices.errors`.
        """
        if not 1 <= len(values) <= MOST_WRITTEN:
            msg = f"{self._name}: {len(values)} registers in one write; give 1 to {MOST_WRITTEN}"
            raise DeviceRefusedError(msg)
        what = f"write of {len(values)} registers at {address}"
        async with self._busy:
            client = await self._connected()
            if len(values) == 1:
                answer = client.write_register(address, values[0], device_id=self._unit)
            else:
                answer = client.write_registers(address, list(values), device_id=self._unit)
            await self._ask(answer, what)

    async def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""
        async with self._busy:
            self._drop()

    async def _read_some(self, address: int, count: int) -> tuple[int, ...]:
        what = f"read of {count} registers at {address}"
        async with self._busy:
            client = await self._connected()
            pdu = await self._ask(
                client.read_holding_registers(address, count=count, device_id=self._unit), what
            )
            if len(pdu.registers) != count:
                self._drop()  # what else comes may be the rest of this answer
                msg = f"{self._name}: {what} answered with {len(pdu.registers)}; ask again"
                raise DeviceReplyError(msg)
            return tuple(pdu.registers)

    async def _ask(self, answer: Awaitable[ModbusPDU], what: str) -> ModbusPDU:
        """Return an answer without an exception code, or raise what it means."""
        self.requests += 1
        self._asking = True
        try:
            pdu = await answer
        except (ModbusException, OSError, TimeoutError) as error:
            self._drop()  # a late answer must not be taken for the next one
            msg = f"{self._name}: no answer to {what} ({_line(error)}); ask again later"
            raise DeviceUnavailableError(msg) from error
        except asyncio.CancelledError:
            self._drop()
            raise
        finally:
            self._asking = False
        if pdu.isError():
            self._refuse(pdu.exception_code, what)
        return pdu

    def _refuse(self, code: int, what: str) -> None:
        """Raise what an exception code means."""
        if code in _REFUSALS:
            msg = f"{self._name}: {what} refused, {_REFUSALS[code]}; see the device's register map"
            raise (IllegalAddressError if code == 2 else DeviceRefusedError)(msg)
        trouble = _TROUBLES.get(code, f"exception {code}")
        msg = f"{self._name}: {what} not done, {trouble}; ask again later"
        raise DeviceUnavailableError(msg)

    async def _connected(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        """Return a client with a connection, after the pause that the last one's end asks for."""
        if self._client is not None and self._client.connected:
            return self._client
        self._drop()
        await self._rest()
        client = self._new_client()
        self._client = client
        try:
            async with asyncio.timeout(self._timeout_s):
                connected = await client.connect()
        except (TimeoutError, OSError, ValueError, OverflowError):  # a port beyond 65535
            connected = False
        except asyncio.CancelledError:
            self._drop()
            raise
        if not connected:
            self._drop()
            msg = f"{self._name}: no connection to {self._address}; see that it is on and reachable"
            raise DeviceUnavailableError(msg)
        self.connections += 1
        return client

    async def _rest(self) -> None:
        """Wait until the pause after the last connection is over."""
        if self._closed_s is None:
            return
        left_s = self._closed_s + self._pause_s - self._clock.monotonic_s()
        if left_s > 0:
            await self._clock.sleep(left_s)

    def _new_client(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        place = self._address
        if isinstance(place, TcpAddress):
            return AsyncModbusTcpClient(
                place.host,
                port=place.port,
                timeout=self._timeout_s,
                retries=0,
                reconnect_delay=0,
                trace_connect=self._traced,
            )
        return AsyncModbusSerialClient(
            place.path,
            baudrate=place.baud,
            parity=place.parity,
            stopbits=place.stop_bits,
            timeout=self._timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._traced,
        )

    def _traced(self, connected: bool) -> None:
        """Note that a connection ended; an answer that was awaited will not come."""
        if connected:
            return
        self._closed_s = self._clock.monotonic_s()
        client = self._client
        if self._asking and client is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionResetError("connection lost"))

    def _drop(self) -> None:
        """Close the connection, if there is one."""
        if self._client is None:
            return
        if self._client.connected:
            self._closed_s = self._clock.monotonic_s()
        self._client.close()
        self._client = None


def _line(error: BaseException) -> str:
    """Return an error's first line, or its name."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__
