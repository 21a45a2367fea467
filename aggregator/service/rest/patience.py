"""Lets go of clients that begin to ask and do not end, whose connections nobody else would have."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

ASKING_S: Final = 30.0
"""How long a client may take to send a request. [s]"""


@dataclass(slots=True)
class Patience:
    """Closes connections on which a request has been awaited for too long.

    The server itself watches connections between two requests, and nothing else.
    """

    most_s: float = ASKING_S
    """How long. [s]"""
    let_go: int = 0
    """Connections that were closed."""
    _since: dict[Any, tuple[object, float]] = field(default_factory=dict, repr=False)

    def look(self, connections: Iterable[Any], now_s: float) -> None:
        """Close those on which the same request was awaited at a look ``most_s`` ago.

        Parameters
        ----------
        connections : iterable
            The server's.
        now_s : float
            The time. [s]
        """
        since = {
            each: (each.cycle, self._begun_s(each, now_s)) for each in connections if _awaited(each)
        }
        self._since = since
        for connection, (_, begun_s) in since.items():
            if now_s - begun_s >= self.most_s:
                self.let_go += 1
                connection.transport.abort()

    def _begun_s(self, connection: Any, now_s: float) -> float:  # noqa: ANN401 -- uvicorn's
        cycle, begun_s = self._since.get(connection, (connection.cycle, now_s))
        return begun_s if cycle is connection.cycle else now_s


def _awaited(connection: Any) -> bool:  # noqa: ANN401 -- uvicorn's, of either of its parsers
    """Return whether the head or the body of a request is awaited, and no next one."""
    if connection.timeout_keep_alive_task is not None:
        return False
    cycle = connection.cycle
    return cycle is None or cycle.response_complete or cycle.more_body
