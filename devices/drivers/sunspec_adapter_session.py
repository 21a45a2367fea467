"""A gateway's MQTT session with a SunSpec adapter: TLS, one request in flight, its answer."""

import asyncio
import re
import secrets
import ssl
from collections.abc import Mapping
from typing import Final

import aiomqtt

from devices.adapter.messages import COMMAND, MONITORING
from devices.drivers.sunspec_adapter_codec import Answer, decode_answer, encode_document
from devices.errors import DeviceConfigError, DeviceUnavailableError
from devices.mqtt_client import MqttClient
from devices.quantities import Quantity

KEEPALIVE_S: Final = 15
"""A gateway that is silent for one and a half of these is dead to the broker, which tells. [s]"""


class AdapterSession:
    """Ask an adapter, one request at a time; connects when first asked and whenever it was cut.

    Parameters
    ----------
    name : str
        What messages call the device.
    host, port : str, int
        The adapter's broker.
    tls : ssl.SSLContext
        See `devices.mqtt_client.client_context`.
    timeout_s : float
        How long an answer, or a connection, may take. [s]
    will : bytes, optional
        Command that the broker gives in our place when we are gone without a farewell.
    repeats_id : bool
        Whether the adapter's answers repeat a request's ``id``. Else the next report of the
        quantity is the answer, and requests without one are not answered.
    gateway : str, optional
        What marks this gateway's requests, so that two gateways of a house do not take each
        other's answers for theirs; None draws one.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        timeout_s: float,
        will: bytes | None = None,
        repeats_id: bool = True,
        gateway: str | None = None,
    ) -> None:
        self._name = name
        self._host, self._port = host, port
        self._tls = tls
        self._timeout_s = timeout_s
        self._will = None if will is None else aiomqtt.Will(COMMAND, will, qos=1)
        self._repeats_id = repeats_id
        self._client: MqttClient | None = None
        self._gateway = gateway or secrets.token_hex(4)
        self._busy = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self.requests = 0
        """Requests sent since the start."""
        self.connections = 0
        """Connections made since the start; a new one tells that the adapter may have restarted."""

    async def connect(self) -> None:
        """See to it that there is a connection.

        Raises
        ------
        DeviceUnavailableError
            If the adapter is not there.
        DeviceConfigError
            If it is not the one that the authority vouches for.
        """
        async with self._busy:
            await self._connected()

    async def request(
        self, topic: str, document: Mapping[str, object], *, quantity: Quantity | None = None
    ) -> Answer:
        """Send a request and return its answer.

        Parameters
        ----------
        topic : str
            Where to.
        document : Mapping
            What is asked.
        quantity : Quantity, optional
            What the answer is about, where it is a read.

        Raises
        ------
        DeviceUnavailableError
            If there is no answer in time.
        DeviceReplyError
            If what comes back is no message of an adapter.
        """
        async with self._busy:
            old = self._client is not None
            try:
                return await self._ask_in_time(topic, document, quantity)
            except aiomqtt.MqttError as error:
                if not old:
                    raise self._unreachable(error) from error
            # an old connection may have been cut long ago, so a new one gets a chance; what is
            # asked twice is done twice, which changes nothing
            try:
                return await self._ask_in_time(topic, document, quantity)
            except aiomqtt.MqttError as error:
                raise self._unreachable(error) from error

    async def close(self) -> None:
        """Say farewell and let go of the connection."""
        async with self._busy:
            await self._hang_up()
            if self._leaving:
                await asyncio.wait(self._leaving)

    async def _ask_in_time(
        self, topic: str, document: Mapping[str, object], quantity: Quantity | None
    ) -> Answer:
        client = await self._connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(client, topic, document, quantity)
        except aiomqtt.MqttError:
            await self._hang_up()
            raise
        except TimeoutError as error:
            await self._hang_up()  # a late answer must not be taken for the next one's
            msg = (
                f"{self._name} at {self._host}:{self._port} does not answer within "
                f"{self._timeout_s:g} s; see whether it reaches its storage"
            )
            raise DeviceUnavailableError(msg) from error

    async def _ask(
        self,
        client: MqttClient,
        topic: str,
        document: Mapping[str, object],
        quantity: Quantity | None,
    ) -> Answer:
        while len(client.messages):  # reports that came while nobody asked
            await anext(client.messages)
        self.requests += 1
        marked = f"{self._gateway}-{self.requests}" if self._repeats_id else None
        payload = encode_document(document, marked=marked)
        await client.unless_cut(client.publish(topic, payload, qos=1))
        if marked is None and quantity is None:
            return Answer()
        async for message in client.messages:
            # amqtt hands out retained messages of other sessions' topics too
            if message.retain or not message.topic.matches(MONITORING):
                continue
            answer = decode_answer(bytes(message.payload))
            if answer.id == marked and (marked is not None or answer.quantity is quantity):
                return answer
        msg = "the connection ended"
        raise aiomqtt.MqttError(msg)

    async def _connected(self) -> MqttClient:
        if self._client is not None:
            if not self._client.cut:
                return self._client
            await self._hang_up()
        client = MqttClient(
            self._host,
            self._port,
            tls_context=self._tls,
            will=self._will,
            timeout=self._timeout_s,
            keepalive=KEEPALIVE_S,
        )
        try:
            await client.enter()
            self._client = client
            await client.subscribe(MONITORING, qos=1)
        except asyncio.CancelledError:
            self._client = None
            self._leave(client)
            raise
        except aiomqtt.MqttError as error:
            self._client = None
            await client.leave()
            raise self._unreachable(error) from error
        self.connections += 1
        return client

    def _unreachable(self, error: aiomqtt.MqttError) -> DeviceUnavailableError | DeviceConfigError:
        where = f"{self._name} at {self._host}:{self._port}"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            msg = f"{where} is not the adapter of the authority in ca_file ({error}); name its own"
            return DeviceConfigError(msg)
        msg = f"{where} cannot be reached ({_reason(error)}); see whether it is there"
        return DeviceUnavailableError(msg)

    def _leave(self, client: MqttClient) -> None:
        task = asyncio.get_running_loop().create_task(client.leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.leave()


def _reason(error: aiomqtt.MqttError) -> str:
    """Return in plain words why there is no connection."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error))
