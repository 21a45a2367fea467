"""The transfer relays of a system of Xtenders: the house on the grid, or an island."""

from dataclasses import dataclass

from devices.clock import Clock
from devices.drivers.xtender_objects import RELAY_ALLOWED, RELAY_STATE
from devices.drivers.xtender_registers import XtenderRegisters
from devices.errors import DeviceError
from devices.steered import CLOSE_TRIES, RETRY_S, SteeredBattery
from devices.switches import RelayState


class XtenderRelay:
    """See `devices.switches.Relay`: the Xtenders' transfer relays, by permission in RAM.

    Parameters
    ----------
    registers : XtenderRegisters
        The system.
    """

    def __init__(self, registers: XtenderRegisters) -> None:
        self._registers = registers
        self._touched = False

    async def read_relay(self) -> RelayState:
        """Return whether every Xtender's relay is closed."""
        states = [
            await self._registers.info(RELAY_STATE, address=unit) for unit in self._registers.units
        ]
        return RelayState(closed=all(states))

    async def set_relay(self, *, closed: bool) -> None:
        """Allow or forbid the relays to close; they follow when the grid is in order."""
        self._registers.require_writable()
        self._touched = True
        await self._registers.put(RELAY_ALLOWED, float(closed), essential=closed)

    async def rejoin(self) -> None:
        """Bring back the installer's permission, whoever changed it."""
        self._registers.forget()
        await self._registers.restore([RELAY_ALLOWED])
        self._touched = False

    async def restore(self) -> None:
        """Bring back the installer's permission, if it was ever changed here."""
        if self._touched:
            await self.rejoin()


@dataclass(frozen=True, slots=True, kw_only=True)
class XtenderConnection:
    """Closes the relay's and the battery's affairs, in this order."""

    battery: SteeredBattery
    relay: XtenderRelay
    clock: Clock

    async def close(self) -> None:
        """Join the house to the grid again, release the battery, let go of the line."""
        try:
            await self._restore_relay()
        finally:
            await self.battery.close()

    async def _restore_relay(self) -> None:
        for last in (False,) * (CLOSE_TRIES - 1) + (True,):
            try:
                return await self.relay.restore()
            except DeviceError as error:
                if last or not error.retry:
                    raise
            await self.clock.sleep(RETRY_S)
        return None
