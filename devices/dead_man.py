"""A second process that returns a device to self-consumption when its controller was killed.

Some devices keep a set-point until somebody takes it back, and a controller that was killed takes
nothing back. The dead-man holds one end of a pipe whose other end only the controller has: the
system closes that when the controller ends, however it ends. After a farewell the dead-man ends
too; without one it opens the device itself and lets go of it, trying until that is done. POSIX.
"""

import asyncio
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from devices.clock import Clock
from devices.dead_man_watch import FAREWELL, READY
from devices.errors import DeviceConfigError, DeviceUnavailableError
from devices.guarded_writes import SETTLE_S
from devices.registry import DRIVERS, Device, Site, open_device
from devices.steered import RETRY_MAX_S, RETRY_S
from devices.steering import let_go, steering_of
from devices.write_log import WriteLog

KEEPS_SET_POINTS: Final = frozenset({"sonnen-v1", "sonnen-v2", "studer-xtender", "sunspec"})
"""Drivers of devices that may hold a set-point for ever when nobody takes it back."""
START_S: Final = 20.0
"""How long the process may take to stand ready. [s]"""
END_S: Final = 5.0
"""How long it may take to end after a farewell. [s]"""
_LEFT_BEHIND: Final[list["subprocess.Popen[bytes]"]] = []
"""Processes that outlive their controller; kept, so that Python does not miss their end."""
_ENDS: Final[set[int]] = set()
"""The controller's ends of pipes."""


def _close_in_fork() -> None:
    """Leave the pipes to the controller: a fork of it that lives on must not hold them open."""
    while _ENDS:
        os.close(_ENDS.pop())


os.register_at_fork(after_in_child=_close_in_fork)


class DeadMan:
    """Watch over whoever steers one device: ``async with DeadMan(table, site) as device:``.

    The device is opened when the dead-man stands ready. Leaving the block closes it; only where
    that failed, or was never reached, does the dead-man act. It never writes while the controller
    lives, nor when another controller has claimed the device in the same write log.

    Parameters
    ----------
    settings : Mapping
        The device's table, as `devices.registry.open_device` takes it. It names files with secrets,
        and goes to the process through its pipe.
    site : Site
        Name, clock, counts. Where it is read-only, there is nothing to watch over.
    """

    def __init__(self, settings: Mapping[str, object], site: Site) -> None:
        self._settings = settings
        self._site = site
        self._process: subprocess.Popen[bytes] | None = None
        self._end: int | None = None
        self._device: Device | None = None
        self._claim: str | None = None

    @property
    def pid(self) -> int | None:
        """Number of its process; None where there is none."""
        return None if self._process is None else self._process.pid

    async def open(self) -> Device:
        """Start the process, then open the device.

        Raises
        ------
        DeviceUnavailableError
            If the process does not start.
        DeviceError
            If the device cannot be opened.
        """
        try:
            if not self._site.read_only:
                await asyncio.to_thread(self._wait_ready, self._start())
            self._device = await open_device(self._settings, self._site)
        except BaseException:
            await self._say_farewell()  # nothing was steered
            raise
        return self._device

    async def close(self) -> None:
        """Let go of the device; the dead-man goes on trying where that fails.

        Raises
        ------
        DeviceError
            If it could not be brought back to self-consumption.
        """
        try:
            if self._device is not None:
                await self._device.close()
        except BaseException:
            self._leave()
            raise
        await self._say_farewell()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the process to end; return its exit code, None where it goes on. [s]"""
        with suppress(subprocess.TimeoutExpired):
            return None if self._process is None else self._process.wait(timeout_s)
        return None

    async def __aenter__(self) -> Device:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _start(self) -> int:
        """Start the process with its order; return where it says that it is ready."""
        site = self._site
        self._claim = site.log.claim(site.name)
        order = {
            "settings": dict(self._settings),
            "name": site.name,
            "where": site.where,
            "log": None if site.log.path is None else str(site.log.path.absolute()),
            "claim": self._claim,
            "drivers": DRIVERS,
            "sys_path": sys.path,
        }
        line = json.dumps(order, default=str).encode() + b"\n"
        watch = str(Path(__file__).with_name("dead_man_watch.py"))
        order_end, self._end = os.pipe()
        _ENDS.add(self._end)
        ready_end, said_end = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- this Python, our own file
                [sys.executable, "-P", watch],  # -P: names in this folder must hide no other module
                stdin=order_end,
                stdout=said_end,
                start_new_session=True,  # signals to the controller's group do not reach it
            )
        finally:
            os.close(order_end)
            os.close(said_end)
        self._tell(line)
        return ready_end

    def _wait_ready(self, ready_end: int) -> None:
        try:
            waiting = select.poll()  # select() itself fails beyond 1024 open files
            waiting.register(ready_end, select.POLLIN)
            if waiting.poll(1000 * START_S) and os.read(ready_end, len(READY)) == READY:
                return
        finally:
            os.close(ready_end)
        msg = f"{self._site.where}: its dead-man does not start, so nothing is steered; try again"
        raise DeviceUnavailableError(msg)

    def _tell(self, line: bytes) -> None:
        if self._end is not None:
            with suppress(BrokenPipeError):  # somebody ended it; it has nothing to do any more
                os.write(self._end, line)

    async def _say_farewell(self) -> None:
        """Have the process end, and see it end."""
        if self._claim is not None:
            with suppress(DeviceConfigError):  # a broken log is told where it is written
                self._site.log.unclaim(self._site.name, self._claim)
        self._tell(FAREWELL)
        self._let_end_go()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, END_S)

    def _leave(self) -> None:
        """End the pipe without a farewell, as our own end would."""
        self._let_end_go()
        if self._process is not None:
            _LEFT_BEHIND.append(self._process)

    def _let_end_go(self) -> None:
        if self._end is not None:
            _ENDS.discard(self._end)
            os.close(self._end)
        self._end = None


async def open_watched(settings: Mapping[str, object], site: Site) -> Device:
    """Open a device, with a dead-man where it keeps set-points; closing it ends both.

    Raises
    ------
    DeviceError
        As `DeadMan.open`.
    """
    if settings.get("driver") not in KEEPS_SET_POINTS:
        return await open_device(settings, site)
    dead_man = DeadMan(settings, site)
    return replace(await dead_man.open(), connection=dead_man)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the process is to do when its controller has died."""

    settings: Mapping[str, object]
    """The device's table."""
    name: str
    """Its name in counts."""
    where: str
    """What messages call its table."""
    log: str | None
    """File of the write log; None where the controller counted in memory."""
    claim: str
    """The controller's word in that log: as long as it is the last, nobody else is in charge."""
    drivers: dict[str, str]
    """The controller's `devices.registry.DRIVERS`, with those of its own."""


async def carry_out(order: Order, *, clock: Clock, say: Callable[[str], None]) -> None:
    """Return a device to self-consumption, trying until that is done or another is in charge.

    Parameters
    ----------
    order : Order
        The device.
    clock : Clock
        The time.
    say : callable
        Takes a line when the device cannot be reached, and one when all is done.
    """
    DRIVERS.update(order.drivers)
    pause_s: float = RETRY_S
    while _in_charge(order) and (error := await _tried(order, clock)) is not None:
        if pause_s == RETRY_S:
            say(f"{order.where} cannot be let go yet ({error}); trying until it is")
        await clock.sleep(pause_s)
        pause_s = min(2 * pause_s, RETRY_MAX_S)
    if _in_charge(order):
        say(f"{order.where} is back in self-consumption; its controller had died")
        # what the controller sent last may take effect late: look again, and write only then
        await clock.sleep(SETTLE_S)
    if _in_charge(order):
        await _tried(order, clock)
    with suppress(DeviceConfigError), _log_of(order) as log:
        log.unclaim(order.name, order.claim)


async def _tried(order: Order, clock: Clock) -> Exception | None:
    """Let go of the device once; return what went wrong."""
    try:
        await _let_go(order, clock)
    # whatever it is, there is nobody else to try again
    except Exception as error:
        return error
    return None


async def _let_go(order: Order, clock: Clock) -> None:
    with _log_of(order) as log:
        site = Site(name=order.name, where=order.where, clock=clock, log=log)
        device = await open_device(order.settings, site)
        try:
            await _rejoin_grid(device)
        finally:
            try:
                await let_go(steering_of(device))
            finally:
                await device.close()


async def _rejoin_grid(device: Device) -> None:
    """Take back what the controller told a relay: told to open, it may still be seen closed."""
    if device.relay is not None:
        await device.relay.rejoin()


def _in_charge(order: Order) -> bool:
    """Return whether no other controller has claimed the device since, as far as can be told."""
    try:
        with _log_of(order) as log:
            return log.claimed(order.name) in {None, order.claim}
    except DeviceConfigError:
        return True


@contextmanager
def _log_of(order: Order) -> Iterator[WriteLog]:
    """Open the write log; one in memory where the file cannot be used any more."""
    try:
        log = WriteLog(None if order.log is None else Path(order.log))
    except DeviceConfigError:
        log = WriteLog()
    with log:
        yield log
