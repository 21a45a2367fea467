"""Every write of every driver goes through here: not twice, not too often, not unseen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from devices.clock import Clock
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    WriteBudgetError,
)
from devices.write_log import WriteLog

Value = bool | int | float | str | tuple[float | int | str, ...]
"""What a register holds, as the driver thinks of it: compared with ``same``."""

SETTLE_S: Final = 5.0
"""How long a device may take until its read-back shows what was written. [s]"""
POLL_S: Final = 0.2
"""Pause between two read-backs, where a driver does not choose its own. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Describe something of a device that is written: a Modbus register, a setting, a path."""

    name: str
    """What counts and messages call it."""
    budget_per_day: int | None
    """Writes that a day may see, so that flash lives for years; None where it does not wear."""


def exactly(wanted: Value, found: Value) -> bool:
    """Return whether a read-back is what was written."""
    return wanted == found


def within(step: float) -> Callable[[Value, Value], bool]:
    """Return a comparison that allows what the device rounds: ``step`` of the value's unit."""

    def close(wanted: Value, found: Value) -> bool:
        return (
            isinstance(wanted, int | float)
            and isinstance(found, int | float)
            and abs(wanted - found) <= step
        )

    return close


class GuardedWrites:
    """Write a device's registers, each only when it changes, counted, and seen to be done.

    Parameters
    ----------
    device : str
        The device's name, in counts and messages.
    log : WriteLog
        Where writes are counted.
    clock : Clock
        For the day of a count and the wait for a read-back.
    read_only : bool
        Refuse every write before it is sent.
    poll_s : float
        Pause between two read-backs, as the device bears it. [s]
    """

    def __init__(
        self,
        device: str,
        *,
        log: WriteLog,
        clock: Clock,
        read_only: bool = False,
        poll_s: float = POLL_S,
    ) -> None:
        self._device = device
        self._log = log
        self._clock = clock
        self._read_only = read_only
        self._poll_s = poll_s
        self._known: dict[str, Value] = {}

    @property
    def read_only(self) -> bool:
        """Whether every write is refused."""
        return self._read_only

    def require_writable(self) -> None:
        """Raise `DeviceReadOnlyError` where every write is refused: before anything is asked."""
        if self._read_only:
            msg = f"{self._device} is open for reading only; nothing is written"
            raise DeviceReadOnlyError(msg)

    def forget(self) -> None:
        """Take nothing for known any more: the device was away, or somebody else wrote."""
        self._known.clear()

    async def put(
        self,
        register: Register,
        value: Value,
        *,
        send: Callable[[], Awaitable[object]],
        read_back: Callable[[], Awaitable[Value]] | None = None,
        same: Callable[[Value, Value], bool] = exactly,
        renew: bool = False,
        essential: bool = False,
    ) -> bool:
        """Write ``value`` unless the register holds it already.

        Parameters
        ----------
        register : Register
            What is written.
        value : Value
            What it is to hold.
        send : callable
            Sends the write.
        read_back : callable, optional
            Reads what the register holds; asked before the first write of a session, and after
            each. None where the device cannot tell.
        same : callable
            Whether a read-back counts as what was written.
        renew : bool
            Write even if nothing changed: a timer that starts anew with each write.
        essential : bool
            Write even beyond the budget, and even if the write cannot be counted: what brings the
            device back to self-consumption.

        Returns
        -------
        bool
            Whether anything was sent.

        Raises
        ------
        DeviceReadOnlyError, WriteBudgetError
            Before anything is sent.
        DeviceIgnoredError
            If the read-back does not show the value within `SETTLE_S`.
        DeviceError
            Whatever ``send`` and ``read_back`` raise; the register then counts as unknown.
        """
        if not renew and await self._holds(register, value, read_back, same):
            return False
        self._check(register, essential=essential)
        self._known.pop(register.name, None)
        self._count(register, essential=essential)
        await send()
        if read_back is not None:
            await self._see(register, value, read_back, same)
        self._known[register.name] = value
        return True

    async def _holds(
        self,
        register: Register,
        value: Value,
        read_back: Callable[[], Awaitable[Value]] | None,
        same: Callable[[Value, Value], bool],
    ) -> bool:
        """Return whether the register is known, or found, to hold ``value``."""
        if register.name in self._known:
            return self._known[register.name] == value
        if read_back is None or not same(value, await read_back()):
            return False
        self._known[register.name] = value
        return True

    def _check(self, register: Register, *, essential: bool) -> None:
        if self._read_only:
            msg = f"{self._device} is open for reading only; {register.name} is not written"
            raise DeviceReadOnlyError(msg)
        budget = register.budget_per_day
        if budget is None or essential:
            return
        if self._log.count(self._device, register.name, self._clock.utc().date()) >= budget:
            msg = (
                f"{self._device} {register.name} was written {budget} times today, its budget; "
                "steer it less often or wait for tomorrow (UTC)"
            )
            raise WriteBudgetError(msg)

    def _count(self, register: Register, *, essential: bool) -> None:
        try:
            self._log.record(self._device, register.name, self._clock.utc().date())
        except DeviceConfigError:
            if not essential:  # a full disk must not keep a battery from self-consumption
                raise

    async def _see(
        self,
        register: Register,
        value: Value,
        read_back: Callable[[], Awaitable[Value]],
        same: Callable[[Value, Value], bool],
    ) -> None:
        """Wait until the register shows ``value``: some devices take a moment."""
        deadline_s = self._clock.monotonic_s() + SETTLE_S
        while True:
            found: object
            try:
                found = await read_back()
                if same(value, found):
                    return
            except DeviceError as error:
                if not error.retry:
                    raise
                found = error
            if self._clock.monotonic_s() >= deadline_s:
                msg = (
                    f"{self._device} took {value!r} for {register.name} and shows {found}; "
                    "see whether another controller writes it"
                )
                raise DeviceIgnoredError(msg)
            await self._clock.sleep(self._poll_s)
