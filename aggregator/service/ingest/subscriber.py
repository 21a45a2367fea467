"""Our side of the broker: hears gateways at QoS 1 and acknowledges when it is told to.

The session is ours across connections, so what comes while we are away is kept for us. A message
that we have not acknowledged comes again; in MQTT 5 the broker also holds back once as many as we
asked for are out, and in 3.1.1 we stop reading.
"""

import queue
import ssl
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from aggregator.service.broker_client import broker_client
from aggregator.service.ingest.schema import KINDS
from aggregator.service.settings import BrokerSettings

_TURN_S: Final = 0.25
"""How often whoever waits for room looks whether it is to end. [s]"""

Tell = Callable[[str], None]
"""Takes a line for the log."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came."""

    sender: str
    """The id in its topic."""
    kind: str
    """The topic's last level."""
    payload: bytes
    """What it says."""
    mid: int
    """The broker's number of it, in one connection; 0 where it awaits no acknowledgement."""
    connection: int
    """Which connection that was."""


class Subscriber:
    """Hear what gateways say.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is.
    client_id : str
        What it calls us; the session is kept under this name.
    share : str
        Name of the group of processes that share the messages (MQTT 5); empty for none.
    most : int
        Messages that may be out to us without an acknowledgement.
    session_s : int
        How long the broker keeps our session while we are away (MQTT 5). [s]
    tell : callable
        Told once when the broker is lost and once when it is back.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        share: str = "",
        most: int,
        session_s: int = 604_800,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._share = f"$share/{share}/" if share else ""
        self._most = most
        self._session_s = session_s
        self._tell = tell
        self._connection = 0
        self._connected = False
        self._lost = False
        self._stopping = False
        self._depth = settings.topic_root.count("/") + 1
        self._waiting: queue.Queue[Heard] = queue.Queue(most)
        self._client = broker_client(settings, client_id, keeps_session=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.heard = self._hear

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in and we hear it."""
        return self._connected

    @property
    def connected_as(self) -> int:
        """The number of the connection on which we hear the broker; 0 where there is none."""
        return self._connection if self._connected else 0

    @property
    def waiting(self) -> int:
        """How many messages wait to be taken."""
        return self._waiting.qsize()

    def start(self) -> None:
        """Connect in a thread of its own, again and again until `stop`."""
        options: dict[str, Any] = {}
        if self._settings.speaks_5:
            asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
            asked.SessionExpiryInterval = self._session_s
            asked.ReceiveMaximum = self._most
            options = {"clean_start": False, "properties": asked}
        self._client.connect_async(
            self._settings.host,
            self._settings.port_used,
            keepalive=self._settings.keepalive_s,
            **options,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say farewell; the broker keeps what comes from now on."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()
        self._connected = False

    def take(self, most: int, *, wait_s: float) -> list[Heard]:
        """Return what came, in its order; nothing after ``wait_s``.

        Parameters
        ----------
        most : int
            Messages at most.
        wait_s : float
            How long to wait for the first. [s]
        """
        found: list[Heard] = []
        with suppress(queue.Empty):
            found.append(self._waiting.get(timeout=wait_s))
            while len(found) < most:
                found.append(self._waiting.get_nowait())
        return found

    def acknowledge(self, messages: Iterable[Heard]) -> None:
        """Let the broker forget messages; those of an earlier connection it sends again."""
        ours = [each.mid for each in messages if each.mid and each.connection == self._connection]
        self._client.acknowledge(ours)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Say something below the root, once, to whoever hears it; retained at QoS 1."""
        whole = f"{self._settings.topic_root}/{topic}"
        self._client.publish(whole, payload, qos=1 if retain else 0, retain=retain)

    def _on_connect(  # noqa: PLR0917 -- as paho calls it
        self,
        client: Client,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del userdata, flags, properties
        if reason.is_failure:
            self._is_lost(f"does not let us in ({reason}); mend user, password or access list")
            return
        self._connection += 1
        root = f"{self._share}{self._settings.topic_root}"
        client.subscribe([(f"{root}/+/{kind}", 1) for kind in KINDS])

    def _on_subscribe(  # noqa: PLR0917 -- as paho calls it
        self,
        client: Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        del client, userdata, mid, properties
        if any(each.is_failure for each in reasons):
            self._is_lost("does not let us listen; mend its access list")
            return
        self._connected = True
        if self._lost:
            self._lost = False
            self._tell("broker back")

    def _on_disconnect(  # noqa: PLR0917 -- as paho calls it
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self._connected = False
        self._connection += 1  # its numbers are of no use in the next one
        if reason.is_failure:
            self._is_lost(str(reason))

    def _on_connect_fail(self, client: Client, userdata: object) -> None:
        del client, userdata
        error = sys.exc_info()[1]  # paho calls from where it has caught it
        remedy = "check that it runs, and host and port"
        if isinstance(error, ssl.SSLCertVerificationError):
            remedy = "name its authority in ca_file"
        self._is_lost(f"does not answer ({error}); {remedy}")

    def _is_lost(self, why: str) -> None:
        if not self._lost:
            self._lost = True
            self._tell(f"broker lost: {self._settings.host}:{self._settings.port_used} {why}")

    def _hear(self, topic: bytes, payload: bytes, mid: int) -> None:
        levels = topic.decode(errors="replace").split("/")
        # some brokers hand out retained messages of topics that nobody here asked for
        if len(levels) != self._depth + 2 or levels[-1] not in KINDS:
            self._client.acknowledge([mid] if mid else [])
            return
        heard = Heard(levels[-2], levels[-1], payload, mid, self._connection)
        # waits where it is full: we stop reading, and the broker keeps the rest
        while not self._stopping:
            with suppress(queue.Full):
                self._waiting.put(heard, timeout=_TURN_S)
                return
