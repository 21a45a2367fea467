"""The built-in broker, for a first run and small fleets: amqtt, which speaks MQTT 3.1.1.

It lives in the service's process and remembers nothing over a restart. Each gateway has a password
of its own and reads and writes its own topics only; the service reads and writes all of them.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext, BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from aggregator.service.credentials import SERVICE, BrokerUsers
from aggregator.service.errors import BrokerUnavailableError
from aggregator.service.settings import BrokerSettings
from devices.adapter.certificates import CertificateFiles

# a library that logs without a handler prints to stderr (§7)
logging.getLogger("amqtt").addHandler(logging.NullHandler())
logging.getLogger("transitions").addHandler(logging.NullHandler())

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


class _Broker(Broker):  # type: ignore[misc] # amqtt is not typed
    async def stream_connected(self, *given: object, **named: object) -> None:
        """Serve a client; one that is cut off is no error, and asyncio would print its trace."""
        with suppress(OSError):
            await super().stream_connected(*given, **named)


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
