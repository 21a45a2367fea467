"""Run a command that ends well on Ctrl-C and SIGTERM: what it holds, it lets go first."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(story: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run ``story`` with an event that the first Ctrl-C or SIGTERM sets; later ones change nothing.

    Parameters
    ----------
    story : callable
        Takes the event and returns soon after it is set, having let go of its device.
    """

    async def run() -> T:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.add_signal_handler(each, stopped.set)
        try:
            return await story(stopped)
        finally:
            for each in _SIGNALS:
                loop.remove_signal_handler(each)

    return asyncio.run(run())


async def wait(stopped: asyncio.Event, seconds: float) -> bool:
    """Wait for ``seconds`` or until stopped; return whether stopped. [s]"""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await stopped.wait()
    except TimeoutError:
        return False
    return True


async def unless_stopped(stopped: asyncio.Event, doing: Awaitable[None]) -> bool:
    """Do something that a stop cuts short; return whether it was done.

    Raises
    ------
    Exception
        Whatever ``doing`` raises.
    """
    work = asyncio.ensure_future(doing)
    stop = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        done = work.done()
        if not done:
            work.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
    if done:
        await work
    return done
