"""An MQTT client that connects, publishes and leaves within bounds, whatever the broker does."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import DisconnectFlags, PayloadType
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.errors import DeviceConfigError

# a library that logs without a handler prints to stderr (§7)
logging.getLogger("mqtt").addHandler(logging.NullHandler())

# Without it a request waits 40 ms for the acknowledgement of the answer before (measured).
_NO_DELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_TURNS: Final = 5
"""Turns of the event loop in which paho writes its last packet and closes."""


class MqttClient(aiomqtt.Client):
    """A client whose connecting takes no longer than its requests do.

    Parameters
    ----------
    hostname : str
        The broker's host.
    port : int
        Its port.
    timeout : float
        How long connecting, and each answer of the broker, may take. [s]
    **options : object
        Whatever `aiomqtt.Client` takes.
    """

    def __init__(self, hostname: str, port: int, *, timeout: float, **options: Any) -> None:  # noqa: ANN401 -- aiomqtt's own options
        super().__init__(
            hostname,
            port,
            timeout=timeout,
            socket_options=_NO_DELAY,
            max_queued_incoming_messages=1_000,
            **options,
        )
        self._client.connect_timeout = timeout
        self._answers: dict[int, asyncio.Future[ReasonCode]] = {}
        self._leaving: asyncio.Task[None] | None = None
        self._entering = False

    @property
    def cut(self) -> bool:
        """Whether the connection has ended since it was made."""
        return self._disconnected.done()

    async def enter(self) -> None:
        """Connect; a connection that is still being made when this is cancelled is hung up.

        Raises
        ------
        aiomqtt.MqttError
            If the broker cannot be reached or does not let us in.
        """
        entering = asyncio.ensure_future(self._enter())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            # its thread goes on connecting: let it, then hang up
            self._leaving = asyncio.get_running_loop().create_task(self._leave_after(entering))
            raise
        except aiomqtt.MqttError:
            await self._drop()
            raise

    async def _enter(self) -> None:
        self._entering = True
        try:
            await self.__aenter__()
        finally:
            self._entering = False

    async def unless_cut(self, work: Coroutine[object, object, None]) -> None:
        """Do something that waits for the broker, and stop waiting when the connection ends.

        Raises
        ------
        aiomqtt.MqttError
            If it ended.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                msg = "the connection was cut"
                raise aiomqtt.MqttError(msg)
            task.result()
        finally:
            task.cancel()

    async def deliver(
        self,
        topic: str,
        payload: PayloadType,
        *,
        retain: bool = False,
        properties: Properties | None = None,
    ) -> ReasonCode:
        """Publish at QoS 1 and return what the broker answered; aiomqtt throws the answer away.

        Raises
        ------
        aiomqtt.MqttError
            If there is no answer in time or the connection ended.
        """
        info = self._client.publish(topic, payload, 1, retain, properties)
        if info.rc:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message")
        answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        self._answers[info.mid] = answer
        try:
            await asyncio.wait(
                (answer, self._disconnected),
                timeout=self.timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if answer.done():
                return answer.result()
            msg = "the connection was cut" if self.cut else "a message was not acknowledged in time"
            raise aiomqtt.MqttError(msg)
        finally:
            self._answers.pop(info.mid, None)

    async def leave(self) -> None:
        """Say farewell where somebody hears it, and take note of why the connection ended."""
        if self._leaving is not None:
            await self._leaving
            return
        with suppress(aiomqtt.MqttError):
            await self.__aexit__(None, None, None)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # else asyncio complains that nobody asked

    async def _leave_after(self, entering: "asyncio.Future[None]") -> None:
        try:
            await entering
        except aiomqtt.MqttError:
            await self._drop()
            return
        self._leaving = None
        await self.leave()

    async def _drop(self) -> None:
        """Let go of a connection that never came about; nobody there would hear a farewell."""
        self._client.disconnect()
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _on_disconnect(  # noqa: PLR0917 -- as aiomqtt calls it
        self,
        client: PahoClient,
        userdata: object,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if self._entering and not self._connected.done():
            # aiomqtt would wait for its time-out: a broker that wants a certificate hangs up so
            self._connected.set_exception(aiomqtt.MqttError("the broker hung up"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(  # noqa: PLR0917 -- as aiomqtt calls it
        self,
        client: PahoClient,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class _Socket(ssl.SSLSocket):
    """A TLS socket that closes when its handshake fails; paho leaves it to the collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(
    ca_file: Path | None,
    *,
    cert_file: Path | None = None,
    key_file: Path | None = None,
    check_name: bool = True,
    remedy: str = "name those made with the adapter",
) -> ssl.SSLContext:
    """Return TLS 1.2 or later that trusts one authority and no other.

    Parameters
    ----------
    ca_file : Path, optional
        The broker's authority; None trusts those that this computer trusts.
    cert_file, key_file : Path, optional
        The client's certificate and key, for brokers that ask for them.
    check_name : bool
        Whether the certificate must carry the host that was dialled.
    remedy : str
        What to do when a file cannot be used.

    Raises
    ------
    DeviceConfigError
        If a file cannot be read or is none of its kind.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    context.check_hostname = check_name
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
        if cert_file is not None:
            context.load_cert_chain(cert_file, key_file)
    except OSError as error:
        names = ", ".join(str(each) for each in (ca_file, cert_file, key_file) if each is not None)
        unfit = isinstance(error, ssl.SSLError)
        reason = "no certificate or key that can be used" if unfit else error.strerror
        msg = f"TLS files {names}: {reason}; {remedy}"
        raise DeviceConfigError(msg) from error
    return context
