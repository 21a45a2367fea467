"""Time as drivers and emulators see it: an argument, never a call to the system (§4)."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits; below a command nothing else does."""

    def monotonic_s(self) -> float:
        """Return a time that never runs backwards, from an origin of its own. [s]"""
        ...

    def utc(self) -> datetime:
        """Return the time of day, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others work until ``seconds`` have passed. [s]"""
        ...


class SystemClock:
    """The computer's clock, for commands and agents to hand down."""

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def utc(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)
