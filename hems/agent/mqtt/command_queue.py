"""Commands that wait for the battery: one after the other, but a stop overtakes."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from devices.requests import Action, ReadRequest, WriteRequest
from hems.agent.mqtt.commands_in import Command

MOST_WAITING: Final = 20
"""Commands that may wait for the battery; more are refused, but for stops."""


class CommandQueue:
    """Hands commands out in their order, stops first."""

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()
        self._more = asyncio.Event()

    def has_room(self, command: Command) -> bool:
        """Return whether one more may wait; a stop has to wait for other stops alone."""
        waiting = self._waiting
        if is_stop(command):
            return sum(map(is_stop, waiting)) < MOST_WAITING
        return len(waiting) < MOST_WAITING

    def put(self, command: Command) -> Sequence[Command]:
        """Let a command wait; return those that a stop takes the place of: the earlier writes."""
        dropped: list[Command] = []
        place = len(self._waiting)
        if is_stop(command):
            dropped = [each for each in self._waiting if is_overtaken(each)]
            self._waiting = deque(each for each in self._waiting if not is_overtaken(each))
            place = sum(map(is_stop, self._waiting))
        self._waiting.insert(place, command)
        self._more.set()
        return dropped

    async def get(self) -> Command:
        """Return the next command, as soon as there is one."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self._waiting.popleft()


def is_stop(command: Command) -> bool:
    """Return whether a command stops the battery."""
    request = command.request
    return isinstance(request, WriteRequest) and request.action is Action.STOP


def is_overtaken(command: Command) -> bool:
    """Return whether a later stop takes a command's place: a write that is no stop itself."""
    return not (isinstance(command.request, ReadRequest) or is_stop(command))
