"""A part of the service that is one coroutine, as long as the service runs."""

import asyncio
from abc import ABC, abstractmethod


class LoopPart(ABC):
    """See `aggregator.service.serve.Part`: begins `run`, ends it, and tells what ended it."""

    _task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run(self) -> None:
        """Do the part's work until cancelled."""

    async def start(self) -> None:
        """See `aggregator.service.serve.Part`."""
        self._task = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """See `aggregator.service.serve.Part`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def check(self) -> None:
        """See `aggregator.service.serve.Part`."""
        if self._task is not None and self._task.done():
            self._task.result()
