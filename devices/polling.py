"""Many devices read over and over by one process: each in its own moment of the period."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from devices.clock import Clock
from devices.errors import DeviceError

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled(Generic[Read]):
    """One device's answer, or what went wrong with it."""

    index: int
    """Which device, in the order given."""
    late_s: float
    """From the moment when it was due to be read until it was read. [s]"""
    answer: Read | None
    """What it answered; None if it did not."""
    error: DeviceError | None
    """Why it did not answer; None if it did."""
    missed: int = 0
    """Turns that passed meanwhile, in which it was therefore not asked."""


async def poll(
    reads: Sequence[Callable[[], Awaitable[Read]]],
    heard: Callable[[Polled[Read]], None],
    *,
    clock: Clock,
    period_s: float = 1.0,
    rounds: int | None = None,
) -> None:
    """Read every device once a period, their moments spread evenly over it.

    A device that takes longer than a period misses turns, which `Polled.missed` counts, and delays
    no other. Only `DeviceError` is survived.

    Parameters
    ----------
    reads : sequence of callables
        Reads one device each.
    heard : callable
        Takes each answer as it comes.
    clock : Clock
        The time.
    period_s : float
        How long from one read of a device to its next. [s]
    rounds : int, optional
        How many periods; None goes on until it is cancelled.
    """
    start_s = clock.monotonic_s()
    async with asyncio.TaskGroup() as tasks:
        for index, read in enumerate(reads):
            first_s = start_s + period_s * index / len(reads)
            turn = _Turn(index=index, first_s=first_s, period_s=period_s, rounds=rounds)
            tasks.create_task(_poll_one(read, heard, turn, clock))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """When one device is due."""

    index: int
    first_s: float
    period_s: float
    rounds: int | None


async def _poll_one(
    read: Callable[[], Awaitable[Read]],
    heard: Callable[[Polled[Read]], None],
    turn: _Turn,
    clock: Clock,
) -> None:
    """Read one device at its moments; those that have passed meanwhile are missed."""
    done = 0
    while turn.rounds is None or done < turn.rounds:
        due_s = turn.first_s + done * turn.period_s
        await clock.sleep(max(due_s - clock.monotonic_s(), 0.0))
        answer: Read | None = None
        failed: DeviceError | None = None
        try:
            answer = await read()
        except DeviceError as error:
            failed = error
        late_s = clock.monotonic_s() - due_s
        missed = max(0, int(late_s // turn.period_s))
        if turn.rounds is not None:
            missed = min(missed, turn.rounds - done - 1)
        heard(Polled(index=turn.index, late_s=late_s, answer=answer, error=failed, missed=missed))
        done += 1 + missed
