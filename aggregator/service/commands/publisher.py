"""Our side of the broker for commands: QoS 1, and what the broker has taken."""

import threading
from collections.abc import Callable

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from aggregator.service.broker_client import broker_client
from aggregator.service.settings import BrokerSettings

Tell = Callable[[str], None]
"""Takes a line for the log."""


class Publisher:
    """Publish, and say which messages the broker has acknowledged.

    What is on its way when the connection is lost is sent again, in its order, when it is back.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is.
    client_id : str
        What it calls us.
    tell : callable
        Told once when commands cannot go out, and once when they can again.
    woken : threading.Event
        Set whenever there is something to look at.
    """

    def __init__(
        self, settings: BrokerSettings, *, client_id: str, tell: Tell, woken: threading.Event
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._woken = woken
        self._lost = False
        self._connected = False
        self._lock = threading.Lock()
        self._taken: list[int] = []
        self._refused: list[int] = []
        self._client = broker_client(settings, client_id)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._connected

    def start(self) -> None:
        """Connect in a thread of its own, again and again until `stop`."""
        settings = self._settings
        self._client.connect_async(
            settings.host, settings.port_used, keepalive=settings.keepalive_s
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say farewell."""
        self._client.disconnect()
        self._client.loop_stop()
        self._connected = False

    def send(self, topic: str, payload: bytes, *, correlation_id: str, expires_in_s: float) -> int:
        """Publish below the root and return the message's number in this connection.

        Parameters
        ----------
        topic : str
            Below the root.
        payload : bytes
            The message.
        correlation_id : str
            For MQTT 5, beside the message.
        expires_in_s : float
            For MQTT 5: after so long the broker throws it away. [s]
        """
        properties = None
        if self._settings.speaks_5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
            properties.MessageExpiryInterval = max(1, int(expires_in_s))
            properties.CorrelationData = correlation_id.encode("ascii")
        whole = f"{self._settings.topic_root}/{topic}"
        return self._client.publish(whole, payload, qos=1, properties=properties).mid

    def answered(self) -> tuple[list[int], list[int]]:
        """Return numbers that the broker took since the last call, and those that it refused."""
        with self._lock:
            taken, self._taken = self._taken, []
            refused, self._refused = self._refused, []
        return taken, refused

    def _on_connect(  # noqa: PLR0917 -- as paho calls it
        self,
        client: Client,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        if reason.is_failure:
            self._is_lost(f"the broker does not let us in ({reason})")
            return
        self._connected = True
        if self._lost:
            self._lost = False
            self._tell("commands go out again")
        self._woken.set()

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
        if reason.is_failure:
            self._is_lost(str(reason))

    def _on_publish(  # noqa: PLR0917 -- as paho calls it
        self,
        client: Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, properties
        with self._lock:
            (self._refused if reason.is_failure else self._taken).append(mid)
        self._woken.set()

    def _is_lost(self, why: str) -> None:
        if not self._lost:
            self._lost = True
            where = f"{self._settings.host}:{self._settings.port_used}"
            self._tell(f"commands do not go out: {where} {why}")
