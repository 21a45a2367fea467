"""Whether the service's parts work, looked at no more often than needed."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, Literal

import anyio
from anyio import to_thread
from pydantic import BaseModel

from aggregator.service.rest.parts import Check

LOOK_MOST_S: Final = 5.0
"""How long a part may take to answer. [s]"""
FRESH_S: Final = 2.0
"""How long an answer stands. [s]"""


class Ready(BaseModel):
    """Whether the service can do its work."""

    ready: bool
    """Whether all of it can."""
    parts: dict[str, Literal["ok", "failing"]]
    """Which part cannot; why is in the service's log, for this answer is public."""


class Readiness:
    """Looks at the parts, all at once.

    Parameters
    ----------
    checks : Mapping[str, Check]
        By the part's name.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.checks = checks
        self._found = Ready(ready=False, parts={})
        self._until_s = 0.0
        self._turn = asyncio.Lock()

    async def look(self) -> Ready:
        """Return how the parts are, as seen at most `FRESH_S` ago."""
        async with self._turn:
            if time.monotonic() >= self._until_s:
                states: dict[str, Literal["ok", "failing"]] = dict.fromkeys(self.checks, "failing")
                async with anyio.create_task_group() as group:
                    for name, check in self.checks.items():
                        group.start_soon(_look, name, check, states)
                works = all(state == "ok" for state in states.values())
                self._found = Ready(ready=works, parts=states)
                self._until_s = time.monotonic() + FRESH_S
            return self._found


async def _look(name: str, check: Check, states: "dict[str, Literal['ok', 'failing']]") -> None:
    with anyio.move_on_after(LOOK_MOST_S):
        try:
            await to_thread.run_sync(check, abandon_on_cancel=True)
        except Exception:  # whatever it says, it does not work
            return
        states[name] = "ok"
