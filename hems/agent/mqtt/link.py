"""One connection with the MQTT broker: MQTT 5 where it is spoken, else 3.1.1; TLS, last will.

Only what needs a broker imports this module: paho and aiomqtt are loaded with it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import aiomqtt
from aiomqtt import ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.clock import Clock
from devices.errors import DeviceConfigError
from devices.mqtt_client import MqttClient, client_context
from devices.settings import read_secret
from hems.agent.mqtt.settings import BrokerSettings
from hems.errors import BrokerError, BrokerRefusedError

ONLINE: Final = b"online"
"""Status of a gateway that is connected."""
OFFLINE: Final = b"offline"
"""Status of one that is not: its last will."""
ASK_AGAIN_S: Final = 24 * 3600.0
"""How long a broker that did not speak MQTT 5 is believed not to. [s]"""
_FAILURE: Final = 0x80
# bad user name or password, not authorised, banned: by MQTT 5 and by 3.1.1's two codes
_UNWELCOME: Final = (0x86, 0x87, 0x8A, 4, 5)
_LONGEST_EXPIRY_S: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message as it came."""

    topic: str
    """Where it was published."""
    payload: bytes
    """What it says."""
    retained: bool
    """Whether the broker had kept it, or was asked to."""
    correlation: bytes | None = None
    """Its correlation data, with MQTT 5."""
    expires_in_s: float | None = None
    """What is left of its message expiry interval, with MQTT 5. [s]"""


class Connection:
    """An open connection; every method raises `BrokerError` when it has ended.

    Parameters
    ----------
    client : MqttClient
        The client, connected.
    version : ProtocolVersion
        What it speaks.
    """

    def __init__(self, client: MqttClient, version: ProtocolVersion) -> None:
        self._client = client
        self._version = version

    @property
    def speaks_5(self) -> bool:
        """Whether it is MQTT 5."""
        return self._version is ProtocolVersion.V5

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expires_in_s: float | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Publish at QoS 1 and return when the broker has acknowledged it.

        Raises
        ------
        BrokerRefusedError
            If the broker acknowledges that it does not take it.
        BrokerError
            If it does not acknowledge.
        """
        properties = None
        if self.speaks_5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
            if expires_in_s is not None:
                whole_s = min(max(round(expires_in_s), 1), _LONGEST_EXPIRY_S)
                properties.MessageExpiryInterval = whole_s
            if correlation_id is not None:
                properties.CorrelationData = correlation_id.encode()
        try:
            answer = await self._client.deliver(
                topic, payload, retain=retain, properties=properties
            )
        except (aiomqtt.MqttError, ValueError) as error:
            msg = f"a message on {topic} was not delivered ({error})"
            raise BrokerError(msg) from error
        if answer.value >= _FAILURE:
            msg = f"the broker refuses messages on {topic} ({answer}); mend its access list"
            raise BrokerRefusedError(msg)

    async def subscribe(self, topic: str) -> None:
        """Listen to a topic at QoS 1.

        Raises
        ------
        BrokerRefusedError
            If the broker does not let us listen there.
        BrokerError
            If it does not answer.
        """
        # where it can, the broker tells of a message that it was asked to keep it
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        asked: dict[str, Any] = {"options": options} if self.speaks_5 else {"qos": 1}
        try:
            answers = await self._client.subscribe(topic, **asked)
        except aiomqtt.MqttError as error:
            msg = f"no subscription to {topic} ({error})"
            raise BrokerError(msg) from error
        codes = [each if isinstance(each, int) else each.value for each in answers]
        if any(code >= _FAILURE for code in codes):
            msg = f"the broker does not let us listen to {topic}; mend its access list"
            raise BrokerRefusedError(msg)

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Yield messages as they come; raises `BrokerError` when the connection ends."""
        try:
            async for message in self._client.messages:
                yield _incoming(message)
        except aiomqtt.MqttError as error:
            msg = f"the connection was cut ({error.__cause__ or error})"
            raise BrokerError(msg) from error

    async def close(self) -> None:
        """Say farewell and let go of it."""
        await self._client.leave()


class Link:
    """Connects to the broker, remembering which protocol it speaks.

    Parameters
    ----------
    settings : BrokerSettings
        Where and how.
    client_id : str
        What the broker calls us; a second connection of the same name ends the first.
    clock : Clock
        For how long a broker is believed not to speak MQTT 5.
    will_topic : str, optional
        Where the broker says `OFFLINE` in our place, retained.
    ask_5_s : float
        How long it may take to answer in MQTT 5 where it may speak 3.1.1 only: some brokers of
        that kind say nothing at all. [s]
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        clock: Clock,
        will_topic: str | None = None,
        ask_5_s: float = 5.0,
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._clock = clock
        self._will = (
            None if will_topic is None else aiomqtt.Will(will_topic, OFFLINE, qos=1, retain=True)
        )
        self._ask_5_s = ask_5_s
        self._speaks: ProtocolVersion | None = None
        self._asked_5_s = 0.0
        self._left_behind: MqttClient | None = None

    async def connect(self) -> Connection:
        """Return an open connection.

        Raises
        ------
        BrokerRefusedError
            If the broker does not let us in, or a file of ours cannot be used.
        BrokerError
            If it does not answer.
        """
        errors: list[BrokerError] = []
        versions = self._versions()
        for version in versions:
            if version is ProtocolVersion.V5:
                self._asked_5_s = self._clock.monotonic_s()
            try:
                client = await self._enter(version, sure=len(versions) == 1)
            except BrokerRefusedError:
                raise
            except BrokerError as error:
                errors.append(error)
            else:
                self._speaks = version
                return Connection(client, version)
        if self._speaks is ProtocolVersion.V5:
            self._speaks = None  # perhaps another broker stands there now
        raise errors[-1]

    async def close(self) -> None:
        """Wait until a connection that was being made when we were stopped is let go of."""
        if self._left_behind is not None:
            await self._left_behind.leave()
            self._left_behind = None

    def _versions(self) -> tuple[ProtocolVersion, ...]:
        """Return the protocols to try, in order."""
        if self._settings.protocol == "5":
            return (ProtocolVersion.V5,)
        known_not_to = (
            self._speaks is ProtocolVersion.V311
            and self._clock.monotonic_s() - self._asked_5_s < ASK_AGAIN_S
        )
        if self._settings.protocol == "3.1.1" or known_not_to:
            return (ProtocolVersion.V311,)
        if self._speaks is ProtocolVersion.V5:
            return (ProtocolVersion.V5,)
        return (ProtocolVersion.V5, ProtocolVersion.V311)

    async def _enter(self, version: ProtocolVersion, *, sure: bool) -> MqttClient:
        timeout_s = self._settings.timeout_s
        if version is ProtocolVersion.V5 and not sure:
            timeout_s = min(timeout_s, self._ask_5_s)
        client = self._client(version, timeout_s)
        try:
            await client.enter()
        except asyncio.CancelledError:
            self._left_behind = client
            raise
        except MqttConnectError as error:
            where = f"the broker at {self._settings.host}:{self._settings.port_used}"
            code = getattr(error.rc, "value", error.rc)
            if code in _UNWELCOME:
                msg = f"{where} does not let us in ({error}); see user, password and certificate"
                raise BrokerRefusedError(msg) from error
            msg = f"{where} refuses the connection ({error})"
            raise BrokerError(msg) from error
        except (aiomqtt.MqttError, ValueError) as error:
            raise self._unreachable(error) from error
        client.timeout = self._settings.timeout_s
        return client

    def _client(self, version: ProtocolVersion, timeout_s: float) -> MqttClient:
        settings = self._settings
        try:
            tls = None
            if settings.tls:
                tls = client_context(
                    settings.ca_file,
                    cert_file=settings.cert_file,
                    key_file=settings.key_file,
                    check_name=settings.check_name,
                    remedy="name those that the broker's operator gave you",
                )
            path = settings.password_file
            password = None if path is None else read_secret(path)
        except DeviceConfigError as error:
            raise BrokerRefusedError(str(error)) from error
        return MqttClient(
            settings.host,
            settings.port_used,
            timeout=timeout_s,
            keepalive=settings.keepalive_s,
            identifier=self._client_id,
            username=settings.user,
            password=password,
            protocol=version,
            # a command that waited while we were away is asked for again by whoever still wants it
            clean_session=None if version is ProtocolVersion.V5 else True,
            will=self._will,
            tls_context=tls,
        )

    def _unreachable(self, error: Exception) -> BrokerError:
        where = f"the broker at {self._settings.host}:{self._settings.port_used}"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            msg = f"{where} is not the one of the authority in ca_file ({error}); name its own"
            return BrokerRefusedError(msg)
        return BrokerError(f"{where} cannot be reached ({error}); see whether it is there")


def _incoming(message: aiomqtt.Message) -> Incoming:
    correlation = getattr(message.properties, "CorrelationData", None)
    expires_in_s = getattr(message.properties, "MessageExpiryInterval", None)
    return Incoming(
        topic=str(message.topic),
        payload=bytes(message.payload or b""),
        retained=message.retain,
        correlation=correlation,
        expires_in_s=expires_in_s,
    )


async def reach(settings: BrokerSettings, *, device_id: str, clock: Clock) -> str:
    """Connect, leave again and return what the broker speaks: the check of ``[broker]``.

    Raises
    ------
    BrokerError
        If it cannot be reached or does not let us in.
    """
    # a name of its own: with the running gateway's it would end that one's connection
    link = Link(settings, client_id=f"gridpact-{device_id}-check", clock=clock)
    try:
        connection = await link.connect()
        await connection.close()
    finally:
        await link.close()
    return "MQTT 5" if connection.speaks_5 else "MQTT 3.1.1"
