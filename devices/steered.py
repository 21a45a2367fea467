"""A vendor's battery made safe: limits, validity, watchdog, the way back to self-consumption."""

import asyncio
import math
from typing import Final, Protocol, Self, runtime_checkable

from devices.battery import BatteryLimits, BatteryState
from devices.clock import Clock
from devices.errors import (
    DeviceError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)

RETRY_S: Final = 2.0
"""How long to leave a device alone that did not take what had to be; doubled each time. [s]"""
RETRY_MAX_S: Final = 60.0
"""Longest such pause: writes that a device takes and does not do wear its flash too. [s]"""
CLOSE_TRIES: Final = 3
"""How often closing tries to bring the battery back to self-consumption."""


class BatteryLink(Protocol):
    """One vendor's way to read and command a battery: what a driver has to write.

    Limits, validity and renewal are `SteeredBattery`'s business; a link sends what it is told, each
    write through `devices.guarded_writes.GuardedWrites`.
    """

    @property
    def name(self) -> str:
        """What messages call the device."""
        ...

    @property
    def refresh_s(self) -> float | None:
        """How long a command may stand before it is renewed: half the device's own watchdog.

        None where the device has none and keeps a command for ever. [s]
        """
        ...

    async def limits(self) -> BatteryLimits:
        """Return what the battery can do; asked once a connection."""
        ...

    async def read(self) -> BatteryState:
        """Return the present state, or raise `DeviceError`."""
        ...

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """Have the device hold a terminal power; called again to renew it. [W]

        ``hold_s`` is what is left of the set-point's validity: the device's own watchdog, where it
        has one, is to end the command then at the latest. [s]
        """
        ...

    async def release(self) -> None:
        """Have the device follow residual demand by itself; its writes are essential."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


@runtime_checkable
class RestoringLink(Protocol):
    """A link whose set-points borrow settings that are the owner's and survive a release."""

    async def restore(self) -> None:
        """Put back what was borrowed, if anything was; asked once, on closing."""
        ...


class SteeredBattery:
    """See `devices.battery.Battery`; holds a `BatteryLink` to its promises.

    A set-point is clipped to the device's limits, renewed before the device's watchdog ends it, and
    given up when its validity ends, when a command fails half way, and on closing. Giving up means
    self-consumption; where the device does not answer, it is tried again until it does.

    Parameters
    ----------
    link : BatteryLink
        The device.
    clock : Clock
        Measures validity.
    """

    def __init__(self, link: BatteryLink, *, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._limits: BatteryLimits | None = None
        self._power_w = 0.0
        self._until_s: float | None = None
        self._sent_s: float | None = None
        self._retry_s = RETRY_S
        self._keeper: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()
        self._closed = False
        self.fault: DeviceError | None = None
        """What went wrong when a set-point was last renewed or given up; None if nothing did."""

    @property
    def name(self) -> str:
        """What messages call the device."""
        return self._link.name

    async def limits(self) -> BatteryLimits:
        """Return what the battery can do."""
        async with self._busy:
            return await self._known_limits()

    async def read(self) -> BatteryState:
        """See `devices.battery.Battery`."""
        async with self._busy:
            state = await self._link.read()
            if state.following:
                self._sent_s = None  # whatever was commanded no longer stands: send it anew
            return state

    async def set_power(self, battery_power_w: float, *, valid_s: float) -> None:
        """See `devices.battery.Battery`; a power beyond the limits is held at the limit.

        Raises
        ------
        DeviceRefusedError
            If the power is not finite or the validity not positive and finite; nothing is set.
        DeviceUnavailableError
            If the battery is closed, or about to be.
        DeviceError
            If the device does not take it; the battery is sent back to self-consumption.
        """
        if not (math.isfinite(battery_power_w) and 0 < valid_s < math.inf):
            msg = f"{self.name}: cannot hold {battery_power_w} W for {valid_s} s; nothing set"
            raise DeviceRefusedError(msg)
        async with self._busy:
            self._require_open()
            limits = await self._known_limits()
            power_w = min(max(battery_power_w, -limits.discharge_max_w), limits.charge_max_w)
            stands = self._stands(power_w)
            self._power_w = power_w
            self._until_s = self._clock.monotonic_s() + valid_s
            try:
                if not stands:
                    await self._command(valid_s)
            except Exception:
                await self._give_up()
                raise
            finally:
                self._watch()

    async def follow(self) -> None:
        """See `devices.battery.Battery`."""
        async with self._busy:
            self._require_open()
            self._until_s = self._clock.monotonic_s()
            try:
                await self._release()
            except DeviceReadOnlyError:
                self._until_s = None
                raise
            finally:
                self._watch()

    async def close(self) -> None:
        """Return to self-consumption and let go of the device.

        Raises
        ------
        DeviceError
            If it could not be brought back to self-consumption; the connection is closed all the
            same, and the device's own watchdog, where it has one, is what remains.
        """
        self._closed = True  # whoever waits for the lock must not steer what was let go of
        async with self._busy:  # the keeper is not cut off in the middle of a request
            if self._keeper is not None:
                self._keeper.cancel()
            try:
                await self._release_for_good()
                if isinstance(self._link, RestoringLink):
                    await self._link.restore()
            finally:
                await self._link.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _require_open(self) -> None:
        if self._closed:
            msg = f"{self.name}: is closed; open it again to steer it"
            raise DeviceUnavailableError(msg)

    async def _release_for_good(self) -> None:
        """Release the device if we ever commanded it, a few times if need be."""
        for last in (False,) * (CLOSE_TRIES - 1) + (True,):
            if self._until_s is None:
                return
            try:
                await self._release()
            except DeviceError as error:
                if last or not error.retry:
                    raise
                await self._clock.sleep(RETRY_S)

    async def _known_limits(self) -> BatteryLimits:
        if self._limits is None:
            limits = await self._link.limits()
            if not (limits.charge_max_w >= 0 and limits.discharge_max_w >= 0):
                # a limit that is no number would bound nothing
                msg = f"{self.name}: cannot be limited by {limits}; ask again or see to it"
                raise DeviceReplyError(msg)
            self._limits = limits
        return self._limits

    def _stands(self, power_w: float) -> bool:
        """Return whether the device holds ``power_w`` already and the keeper renews it in time."""
        if self._sent_s is None or self._until_s is None or power_w != self._power_w:
            return False
        refresh_s = self._link.refresh_s
        return refresh_s is None or self._clock.monotonic_s() < self._sent_s + refresh_s

    async def _command(self, hold_s: float) -> None:
        """Send what is held; the keeper relies on it until it is to be renewed."""
        self._sent_s = None
        await self._link.command(self._power_w, hold_s=hold_s)
        self.fault = None
        refresh_s = self._link.refresh_s
        if refresh_s is None or hold_s >= refresh_s:  # else the device ends it before it is renewed
            self._sent_s = self._clock.monotonic_s()

    async def _release(self) -> None:
        """Send the battery back to self-consumption."""
        self._sent_s = None
        await self._link.release()
        self._until_s = self.fault = None

    def _broken(self, error: Exception) -> DeviceError:
        """Return a fault of the link's own code as one of the device's."""
        msg = f"{self.name}: its driver failed ({type(error).__name__}: {error}); mend the driver"
        return DeviceReplyError(msg)

    async def _give_up(self) -> None:
        """Go back to self-consumption after a command that may be half done."""
        self._until_s = self._clock.monotonic_s()
        await self._renew()

    def _watch(self) -> None:
        """See to it that somebody renews or gives up what is held."""
        if self._until_s is None:
            return
        if self._keeper is not None:
            self._keeper.cancel()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        """Renew the set-point until its validity ends, then release the device, come what may."""
        while self._until_s is not None:
            await self._clock.sleep(self._pause_s(self._until_s))
            async with self._busy:
                await self._renew()

    def _pause_s(self, until_s: float) -> float:
        if self.fault is not None:
            return self._retry_s
        now_s = self._clock.monotonic_s()
        due_s = until_s
        if self._link.refresh_s is not None:
            sent_s = now_s if self._sent_s is None else self._sent_s
            due_s = min(due_s, sent_s + self._link.refresh_s)
        return max(due_s - now_s, 0.0)

    async def _renew(self) -> None:
        if self._until_s is None:
            return
        left_s = self._until_s - self._clock.monotonic_s()
        try:
            if left_s > 0:
                await self._command(left_s)
            else:
                await self._release()
        except DeviceReadOnlyError:
            self._until_s = None  # nothing was ever written, so nothing is to be undone
        except Exception as error:  # a fault of a link must not leave a set-point standing
            again = self.fault is not None
            self._retry_s = min(2 * self._retry_s, RETRY_MAX_S) if again else RETRY_S
            self.fault = error if isinstance(error, DeviceError) else self._broken(error)
