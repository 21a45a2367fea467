"""The ingest as a part of the service."""

import asyncio
from typing import TYPE_CHECKING, Final

from aggregator.service.ingest.ingest import Ingest

if TYPE_CHECKING:
    from aggregator.service.serve import House

_HEARD_S: Final = 5.0
"""How long the start waits for the broker. [s]"""
_LOOK_S: Final = 0.02


class IngestPart:
    """Hears the gateways.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: "House") -> None:
        self._ingest = house.ingest = Ingest(
            house.settings, store=house.store, clock=house.clock, tell=house.tell
        )

    async def start(self) -> None:
        """See `aggregator.service.serve.Part`; where the broker answers, it hears from then on."""
        self._ingest.start()
        try:
            async with asyncio.timeout(_HEARD_S):
                while not self._ingest.counts().connected:  # noqa: ASYNC110 -- another thread's
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            pass  # the broker is away; it is tried again and again

    async def stop(self) -> None:
        """See `aggregator.service.serve.Part`."""
        await asyncio.to_thread(self._ingest.stop)

    def check(self) -> None:
        """See `aggregator.service.serve.Part`."""
        self._ingest.check()
