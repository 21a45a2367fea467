"""The built-in broker, for a first run and small fleets: amqtt, which speaks MQTT 3.1.1.

It lives in the service's process and remembers nothing over a restart. Each gateway has a password
of its own and reads and writes its own topics only; the service reads and writes all of them.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, BrokerError, MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from aggregator.service.credentials import BROKER_USERS, SERVICE, BrokerUsers
from aggregator.service.errors import BrokerUnavailableError
from aggregator.service.first_start import BROKER_TLS
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.settings import BrokerSettings, ServiceSettings
from devices.adapter.certificates import CertificateFiles, files_in

# a library that logs without a handler prints to stderr (§7)
logging.getLogger("amqtt").addHandler(logging.NullHandler())
logging.getLogger("transitions").addHandler(logging.NullHandler())

CLIENT_ID: Final = "gridpact-"
"""How gateways' and our own ids of clients begin."""
_PLACE: Final = "aggregator.service.broker"


class ServiceUsers(BaseAuthPlugin):  # type: ignore[misc] # amqtt is not typed
    """Let in whom `BrokerUsers` knows."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._users = BrokerUsers(Path(self.config.users_file))

    async def authenticate(self, *, session: Session) -> bool | None:
        """See `amqtt.plugins.base.BaseAuthPlugin`."""
        name, secret = session.username, session.password
        return bool(name and secret) and self._users.lets_in(name, secret)

    @dataclass
    class Config:
        """What amqtt hands over."""

        users_file: str = ""
        """The file of `BrokerUsers`."""


class ServiceTopics(BaseTopicPlugin):  # type: ignore[misc] # amqtt is not typed
    """Let gateways use their own topics, as docs/mqtt.md has it."""

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool | None:
        """See `amqtt.plugins.base.BaseTopicPlugin`."""
        if session is None or topic is None:
            return False
        if session.username == SERVICE:
            return True
        return may_use(
            str(session.username), topic, root=self.config.root, writes=action is Action.PUBLISH
        )

    @dataclass
    class Config:
        """What amqtt hands over."""

        root: str = ""
        """First levels of topics."""


def may_use(gateway: str, topic: str, *, root: str, writes: bool) -> bool:
    """Return whether a gateway may publish on a topic, or hear it.

    Parameters
    ----------
    gateway : str
        Its id, which is its user name.
    topic : str
        A topic, or what is subscribed to.
    root : str
        First levels of topics.
    writes : bool
        Whether it publishes.
    """
    own = f"{root}/{gateway}/"
    if writes:
        discovery = topic == f"homeassistant/device/{gateway}/gridpact/config"
        below = topic.removeprefix(own)
        ours = below.startswith("command") or below == "received"  # what the service alone says
        return discovery or (topic.startswith(own) and not ours)
    heard = (f"{own}command", f"{own}command/", f"{own}received", f"{root}/received")
    return topic in heard or topic.startswith(f"{own}command/")


def may_be(name: str, client_id: str) -> bool:
    """Return whether who has authenticated may call itself so: no gateway takes another's place.

    Parameters
    ----------
    name : str
        Its user name.
    client_id : str
        What it calls itself; ours and gateways' begin alike (docs/mqtt.md).
    """
    ours = client_id.startswith(CLIENT_ID)
    return not ours or name == SERVICE or client_id == f"{CLIENT_ID}{name}"


class _Twice(ReaderAdapter):  # type: ignore[misc] # amqtt is not typed
    """Reads a connection's first packet, and then the same again."""

    def __init__(self, reader: ReaderAdapter) -> None:
        self._reader = reader
        self._kept = bytearray()
        self._again = False

    def rewind(self) -> None:
        """Begin anew with what was read."""
        self._again = True

    async def read(self, n: int = -1) -> bytes:
        """See `amqtt.adapters.ReaderAdapter`."""
        if self._again:
            again = bytes(self._kept[:n])
            del self._kept[:n]
            return again
        found: bytes = await self._reader.read(n)
        self._kept += found
        return found

    def feed_eof(self) -> None:
        """See `amqtt.adapters.ReaderAdapter`."""
        self._reader.feed_eof()


class _Subscriptions(dict[str, list[tuple[Session, int]]]):
    """Who asked for what; it may change while amqtt, which waits in between, goes through it."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:  # noqa: ANN401 -- a list, where a dict has a view
        """Return them as they are now."""
        return [(topic, list(asked)) for topic, asked in super().items()]


class _Broker(Broker):  # type: ignore[misc] # amqtt is not typed
    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._subscriptions = _Subscriptions()

    async def stream_connected(self, *given: object, **named: object) -> None:
        """Serve a client; one that is cut off is no error, and asyncio would print its trace."""
        with suppress(OSError):
            await super().stream_connected(*given, **named)

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, *where: object
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Find a client's session once it is known who it is.

        amqtt would first give up the session of the same name, with what it asked for, its
        connection and its user's name, and ask for a password then.
        """
        first = _Twice(reader)
        try:
            _, asking = await BrokerProtocolHandler.init_from_connect(
                first, writer, self.plugins_manager
            )
            await self._check(asking, writer)
        except (AMQTTError, MQTTError, NoDataError):
            await writer.close()
            raise
        first.rewind()
        found: tuple[BrokerProtocolHandler, Session] = await super()._initialize_client_session(
            first, writer, *where
        )
        return found

    async def _check(self, asking: Session, writer: WriterAdapter) -> None:
        """Refuse who is not known, or takes a place that is not theirs."""
        there, _ = self._sessions.get(asking.client_id, (asking, None))
        known = await self._authenticate(asking, None)
        own = known and may_be(asking.username, asking.client_id)
        if not own or there.username != asking.username:
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            msg = f"{asking.client_id} may not come in"
            raise AMQTTError(msg)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Hand out what is retained to who asked for it; amqtt would, of all that anybody asked."""
        asked = self._subscriptions.get(subscription[0], ())
        if any(each.client_id == session.client_id for each, _ in asked):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class BuiltInBroker:
    """Serve MQTT 3.1.1 over TLS until stopped.

    Parameters
    ----------
    settings : BrokerSettings
        Where to listen.
    users : Path
        The file of `BrokerUsers`.
    tls : CertificateFiles
        Its certificate and key.
    """

    def __init__(self, settings: BrokerSettings, *, users: Path, tls: CertificateFiles) -> None:
        self._settings = settings
        self._tls = tls
        self._users = users
        self._broker: Broker | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        BrokerUnavailableError
            If the address is taken or not ours, or the certificate cannot be used.
        """
        settings = self._settings
        where = f"{settings.listen}:{settings.port_used}"
        plugins = {
            f"{_PLACE}.ServiceUsers": {"users_file": str(self._users)},
            f"{_PLACE}.ServiceTopics": {"root": settings.topic_root},
        }
        try:
            listener = ListenerConfig(
                bind=where, ssl=True, certfile=self._tls.certificate, keyfile=self._tls.key
            )
            broker = _Broker(BrokerConfig(listeners={"default": listener}, plugins=plugins))
            await broker.start()
        except (BrokerError, OSError) as error:
            msg = f"built-in broker at {where}: {error}; set another [broker] port or listen"
            raise BrokerUnavailableError(msg) from error
        self._broker = broker

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._broker is not None:
            await self._broker.shutdown()


class BrokerPart:
    """The built-in broker as a part of the service.

    Parameters
    ----------
    settings : ServiceSettings
        What `aggregator.service.first_start.with_built_in` returns.
    tell : callable
        Is told where it listens.
    """

    def __init__(self, settings: ServiceSettings, tell: Tell) -> None:
        self._settings, self._tell = settings.broker, tell
        self._broker = BuiltInBroker(
            settings.broker,
            users=settings.folder / BROKER_USERS,
            tls=files_in(settings.folder / BROKER_TLS),
        )

    async def start(self) -> None:
        """See `aggregator.service.serve.Part`."""
        await self._broker.start()
        ours = self._settings
        where = f"{ours.listen}:{ours.port_used}"
        self._tell(f"built-in broker at {where}, its authority in {ours.ca_file}")

    async def stop(self) -> None:
        """See `aggregator.service.serve.Part`."""
        await self._broker.stop()

    def check(self) -> None:
        """See `aggregator.service.serve.Part`; it does not end by itself."""
