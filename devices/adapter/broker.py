"""The adapter's MQTT broker: amqtt behind TLS 1.2 or later, with three topics and no memory.

Connections are accepted here and handed to amqtt, so that port, TLS and shutting down are ours.
amqtt 0.12 hands a new client the retained messages of other sessions' topics; this broker retains
none, for no command may outlive its sender.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from amqtt.adapters import (
    StreamReaderAdapter,
    StreamWriterAdapter,
)
from amqtt.broker import Broker
from amqtt.contexts import (
    Action,
    BaseContext,
    BrokerConfig,
    ListenerConfig,
    ListenerType,
)
from amqtt.plugins.base import BaseTopicPlugin
from amqtt.session import Session

from devices.adapter.messages import COMMAND, CONFIGURATION, MONITORING
from devices.errors import DeviceConfigError
from devices.listening import stop_listening

# a library that logs without a handler prints to stderr (§7)
logging.getLogger("amqtt").addHandler(logging.NullHandler())
logging.getLogger("transitions").addHandler(logging.NullHandler())

_LISTENER: Final = "default"
_PLUGINS: Final = {
    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
    "devices.adapter.broker.AdapterTopics": {},
}
MOST_WAITING: Final = 100
"""Requests that may wait for the storage; more are dropped, and their senders time out."""

Handler = Callable[[str, bytes], Awaitable[None]]
"""Takes one message: its topic and its payload."""


class AdapterTopics(BaseTopicPlugin):  # type: ignore[misc] # amqtt is not typed
    """Let clients ask on the two topics of requests and hear the answers, and nothing else."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool | None:
        """See `amqtt.plugins.base.BaseTopicPlugin`."""
        if action is Action.PUBLISH:
            return topic in {CONFIGURATION, COMMAND}
        return topic == MONITORING


class _Requests(Broker):  # type: ignore[misc] # amqtt is not typed
    """amqtt's broker, whose clients' messages and wills are ours to answer."""

    def __init__(self, waiting: "asyncio.Queue[tuple[str, bytes]]") -> None:
        listener = ListenerConfig(type=ListenerType.EXTERNAL, bind="external")
        super().__init__(BrokerConfig(listeners={_LISTENER: listener}, plugins=dict(_PLUGINS)))
        self._waiting = waiting

    # amqtt 0.12 has an event for messages and none for wills; both pass here. The version is pinned
    # and a test sends a will.
    async def _broadcast_message(
        self,
        session: Session | None,
        topic: str | None,
        data: bytes | bytearray | None,
        force_qos: int | None = None,
    ) -> None:
        if session is None:
            await super()._broadcast_message(session, topic, data, force_qos)
        elif topic in {CONFIGURATION, COMMAND}:
            with suppress(asyncio.QueueFull):
                self._waiting.put_nowait((str(topic), bytes(data or b"")))

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        """Retain nothing."""


class AdapterBroker:
    """Serve MQTT 3.1.1 over TLS and hand each request to ``handle``, one after the other.

    Parameters
    ----------
    handle : callable
        Takes topic and payload of each request; what it raises ends the broker.
    host : str
        Address to listen at.
    port : int
        Port; 0 takes a free one.
    tls : ssl.SSLContext
        See `server_context`.
    open_to : callable
        Whether a client that connects now is let in.
    """

    def __init__(
        self,
        handle: Handler,
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        open_to: Callable[[], bool] = lambda: True,
    ) -> None:
        self._handle = handle
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._open_to = open_to
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)
        self._broker: _Requests | None = None
        self._server: asyncio.Server | None = None
        self._worker: asyncio.Task[None] | None = None
        self._served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def port(self) -> int:
        """The port that it listens at, also after it was stopped."""
        return self._wanted_port

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        DeviceConfigError
            If the address is taken or not ours.
        """
        self._broker = _Requests(self._waiting)
        await self._broker.start()
        self._worker = asyncio.create_task(self._work())
        try:
            self._server = await asyncio.start_server(
                self._connected, self._host, self._wanted_port, ssl=self._tls
            )
        except OSError as error:
            await self.stop()
            msg = (
                f"adapter at {self._host}:{self._wanted_port}: {error.strerror}; name another port"
            )
            raise DeviceConfigError(msg) from error
        self._wanted_port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            await stop_listening(self._server)
        self.drop_connections()
        if self._served:
            await asyncio.wait(self._served, timeout=5)
        for task in list(self._served):
            task.cancel()
        if self._worker is not None:
            await end_task(self._worker)
        if self._broker is not None:
            await self._broker.shutdown()
        self._server = self._worker = self._broker = None

    def drop_connections(self) -> None:
        """Cut every client off without a farewell, so that its will is heard."""
        for writer in self._served.values():
            writer.transport.abort()

    async def publish(self, payload: bytes) -> None:
        """Say something on the topic of answers, at the quality that each client asked for."""
        if self._broker is not None:
            await self._broker.internal_message_broadcast(MONITORING, payload)

    async def _work(self) -> None:
        while True:
            await self._handle(*await self._waiting.get())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._broker is None or not self._open_to():
            writer.transport.abort()
            return
        self._served[task] = writer
        try:
            await self._broker.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER
            )
        except OSError:
            pass  # the client went away in the middle of a packet
        finally:
            del self._served[task]
            writer.transport.abort()


async def end_task(task: "asyncio.Task[None]") -> None:
    """Cancel a task until it has ended: pymodbus makes an error of its own of a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


def server_context(
    certificate: Path, key: Path, *, client_ca: Path | None = None
) -> ssl.SSLContext:
    """Return an adapter's TLS: 1.2 or later; with ``client_ca`` only for clients that it signed.

    Raises
    ------
    DeviceConfigError
        If a file cannot be read or is none of its kind.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        msg = f"adapter's TLS files {certificate}, {client_ca}: {error}; make them anew"
        raise DeviceConfigError(msg) from error
    return context
