"""The charger's end of the WebSocket, with what goes wrong on it."""

import json
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import ClientConnection

from devices.emulators.faults import Fault

READ_FAULTS: Final = frozenset(
    {Fault.STUCK_SENSOR, Fault.NOT_IMPLEMENTED_VALUE, Fault.WRONG_SCALE_FACTOR}
)
"""Faults of meter values that are asked for."""
WRITE_FAULTS: Final = frozenset({Fault.WRITE_IGNORED, Fault.WRITE_LATE})
"""Faults of what becomes of a charging profile."""
WIRE_FAULTS: Final = frozenset(
    {
        Fault.TIMEOUT,
        Fault.REFUSED_CONNECTION,
        Fault.HALF_ANSWER,
        Fault.HTML_INSTEAD_OF_JSON,
        Fault.BUSY,
        Fault.SERVER_ERROR,
        Fault.UNAUTHORISED,
        Fault.REBOOT,
    }
)
"""Faults that any request can show."""
_CODES: Final = {
    Fault.BUSY: "GenericError",
    Fault.SERVER_ERROR: "InternalError",
    Fault.UNAUTHORISED: "SecurityError",
}
_OFFERED: Final = {
    "TriggerMessage": READ_FAULTS,
    "SetChargingProfile": WRITE_FAULTS,
    "ClearChargingProfile": WRITE_FAULTS,
}


class FaultyLine:
    """Receive and send as a WebSocket does, and fail as the plan says.

    Parameters
    ----------
    socket : ClientConnection
        The connection.
    choose : Callable[[frozenset[Fault]], Fault | None]
        Asked once per request for the fault to show, given those that it can.
    reboot : Callable[[], None]
        Restarts the charger.
    """

    def __init__(
        self,
        socket: ClientConnection,
        *,
        choose: Callable[[frozenset[Fault]], Fault | None],
        reboot: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._choose = choose
        self._reboot = reboot
        self.fault: Fault | None = None
        """What the request that was received last is to show."""

    async def recv(self) -> str | bytes:
        """Return the next message that is not swallowed by a fault."""
        while True:
            raw = await self._socket.recv()
            kind, number, *rest = json.loads(raw)
            if kind != 2:
                return raw
            self.fault = self._choose(WIRE_FAULTS | _OFFERED.get(rest[0], frozenset()))
            if not await self._swallowed(number):
                return raw

    async def send(self, message: str) -> None:
        """Send a message, or half of the answer that is to break off."""
        if self.fault is Fault.HALF_ANSWER and message.startswith("[3"):
            await self._socket.send(message[: len(message) // 2])
            await self._socket.close()
            return
        await self._socket.send(message)

    async def _swallowed(self, number: str) -> bool:
        """Show a fault that keeps a request from being done; return whether there was one."""
        if self.fault is Fault.TIMEOUT:
            return True
        if self.fault in _CODES:
            code = _CODES[self.fault]
            await self._socket.send(json.dumps([4, number, code, "injected", {}]))
            return True
        if self.fault is Fault.HTML_INSTEAD_OF_JSON:
            await self._socket.send("<html><body>Charger</body></html>")
            return True
        if self.fault in {Fault.REFUSED_CONNECTION, Fault.REBOOT}:
            if self.fault is Fault.REBOOT:
                self._reboot()
            self._socket.transport.abort()
            return True
        return False
