"""Receipts from end to end: the aggregator's service says which messages it has on its disk.

A broker may acknowledge a message before it has written it down, so a killed broker can lose what
it acknowledged. Where the service offers receipts, the gateway keeps telemetry until it has one.
"""

import json
from typing import TYPE_CHECKING, Final

from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.mqtt.settings import Topics
from hems.agent.store import Store
from hems.errors import BrokerRefusedError, StoreError

if TYPE_CHECKING:
    from hems.agent.mqtt.link import Connection

THING: Final = "receipts"
"""What the log calls them."""
OFFERED: Final = b"offered"
"""What a service says, retained, that gives receipts."""
_RENEW_S: Final = 3_600.0
"""How much later an offer must reach to be written down anew: flash wears out. [s]"""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS receipts_offered (
    one INTEGER PRIMARY KEY CHECK (one = 1), until_s REAL NOT NULL
);
"""


class Receipts:
    """Know whether receipts are offered, and read them.

    An offer is believed for as long as a message is of use, over restarts too: a killed broker may
    have forgotten the offer together with the messages.

    Parameters
    ----------
    topics : Topics
        The gateway's topics.
    wanted : bool
        Whether the gateway asks for receipts at all.
    believed_s : float
        How long an offer is believed after it, or a receipt, was last heard. [s]
    store : Store
        Remembers it.
    clock : Clock
        The time.
    health : Health
        Is told where the broker does not let us hear them.
    """

    def __init__(
        self,
        topics: Topics,
        *,
        wanted: bool,
        believed_s: float,
        store: Store,
        clock: Clock,
        health: Health,
    ) -> None:
        self.wanted = wanted
        """Whether the gateway asks for receipts at all."""
        self._topics = topics
        self._believed_s = believed_s
        self._store = store
        self._clock = clock
        self._health = health
        self._heard = False
        store.create(_SCHEMA)
        found = store.rows("SELECT until_s FROM receipts_offered")
        self._until_s = self._written_s = float(found[0][0]) if found else 0.0

    @property
    def heard(self) -> bool:
        """Whether the broker lets us hear them on this connection."""
        return self._heard

    @property
    def offered(self) -> bool:
        """Whether a message is to be kept until its receipt."""
        return self._heard and self._clock.utc().timestamp() < self._until_s

    async def listen(self, connection: "Connection") -> bool:
        """Ask for them on a new connection; return whether the broker lets us.

        Raises
        ------
        BrokerError
            If the connection ends.
        """
        self._heard = False
        if not self.wanted:
            return False
        try:
            for topic in (self._topics.receipts_offered, self._topics.received):
                await connection.subscribe(topic)
        except BrokerRefusedError as error:
            self._health.lost(THING, str(error))
            return False
        self._health.back(THING)
        self._heard = True
        return True

    def hear(self, topic: str, payload: bytes) -> list[str]:
        """Return the ids of messages that need not be kept; none of any other topic's."""
        if topic == self._topics.receipts_offered:
            self._believe(payload == OFFERED)
            return []
        if topic != self._topics.received:
            return []
        names = _ids(payload)
        if names:
            self._believe(True)
        return names

    def _believe(self, offered: bool) -> None:
        now_s = self._clock.utc().timestamp()
        self._until_s = now_s + self._believed_s if offered else 0.0
        if 0.0 <= self._until_s - self._written_s < _RENEW_S:
            return
        try:
            with self._store.transaction() as base:
                base.execute(
                    "INSERT OR REPLACE INTO receipts_offered VALUES (1, ?)", (self._until_s,)
                )
        except StoreError:
            return  # a full disk is told by the spool; this process remembers it
        self._written_s = self._until_s


def _ids(payload: bytes) -> list[str]:
    """Return what a receipt names; nothing where it is none."""
    # flat, or it could be nested deeper than the stack is
    if payload.count(b"[") != 1 or payload.count(b"{") != 1:
        return []
    try:
        told = json.loads(payload)
        names = told["ids"]
    except (ValueError, TypeError, KeyError):
        return []
    return [each for each in names if isinstance(each, str)] if isinstance(names, list) else []
