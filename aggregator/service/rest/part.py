"""The REST interface as a part of the service; its table in service.toml is ``[rest]``."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from limits import parse

from aggregator.service.alarms.book import AlarmBook
from aggregator.service.alarms.news import AlarmNews
from aggregator.service.commands.news import OrderNews
from aggregator.service.commands.order_book import OrderBook
from aggregator.service.commands.routes import orders_router
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.day.settings import DaySettings
from aggregator.service.errors import BrokerUnavailableError, ServiceConfigError
from aggregator.service.page.routes import page_router
from aggregator.service.page.settings import PageSettings
from aggregator.service.rest import order_summary_routes
from aggregator.service.rest.app import create_app
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.limiter import RateLimits
from aggregator.service.rest.parts import Check, RestParts
from aggregator.service.rest.patience import Patience
from aggregator.service.serve import House

_ENDING_S: Final = 5
"""How long requests may take to end. [s]"""
_IDLE_S: Final = 65
"""How long a connection may wait for its next request: longer than a proxy in front does, which
would else send one as we close. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """Where requests are heard: the table ``[rest]``.

    Raises
    ------
    ValueError
        If a value is out of range, or no limit.
    """

    listen: str = "127.0.0.1"
    """Address; another than this computer's own asks for TLS here or in front."""
    port: int = 8080
    """Port, 0 for any that is free."""
    cert_file: Path | None = None
    """Certificate for TLS."""
    key_file: Path | None = None
    """Its key."""
    proxies: str = ""
    """Addresses whose word about the client's address is believed, with commas between."""
    member_limit: str = RateLimits().member
    """Requests with one viewer's or operator's token."""
    home_limit: str = RateLimits().home
    """Requests with one home's token."""
    stranger_limit: str = RateLimits().stranger
    """Requests without a token from one address."""
    refused_limit: str = RateLimits().refused
    """Requests that are refused for who asks, from one address."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            msg = f"port is {self.port}; give 0..65535"
            raise ValueError(msg)
        if (self.cert_file is None) != (self.key_file is None):
            msg = "cert_file and key_file go together; give both or none"
            raise ValueError(msg)
        for name in ("member_limit", "home_limit", "stranger_limit", "refused_limit"):
            given = getattr(self, name)
            try:
                parse(given)
            except ValueError as error:
                msg = f"{name} is {given!r}; give one such as '600/minute'"
                raise ValueError(msg) from error

    @property
    def limits(self) -> RateLimits:
        """How often somebody may ask."""
        return RateLimits(
            member=self.member_limit,
            home=self.home_limit,
            stranger=self.stranger_limit,
            refused=self.refused_limit,
        )


class _Server(uvicorn.Server):
    """Leaves signals to the service, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()


class RestPart:
    """Answers requests.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._settings = house.settings.table(RestSettings, "rest")
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self.patience = Patience()
        """Closes what a client does not end."""
        self.parts = self._made()

    async def start(self) -> None:
        """Begin to listen, or raise `ServiceConfigError`."""
        settings = self._settings
        config = uvicorn.Config(
            create_app(self.parts),
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.proxies or None,
            proxy_headers=bool(settings.proxies),
            ssl_certfile=settings.cert_file,
            ssl_keyfile=settings.key_file,
            timeout_graceful_shutdown=_ENDING_S,
            timeout_keep_alive=_IDLE_S,
            ws="none",
        )
        listener = self._listen()
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]))
        begun = asyncio.create_task(self._server.begun.wait())
        await asyncio.wait({self._task, begun}, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        self.check()
        self._watching = asyncio.create_task(self._watch_slow(self._server))
        kind = "https" if settings.cert_file else "http"
        host, port = listener.getsockname()[:2]
        self._house.tell(f"requests at {kind}://{host}:{port}")

    async def stop(self) -> None:
        """End what is under way, then stop."""
        if self._server is None or self._task is None:
            return
        self.parts.hub.close()
        self._server.should_exit = True
        if self._watching is not None:
            self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def check(self) -> None:
        """Raise what ended it, if anything has."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def _watch_slow(self, server: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.patience.most_s / 3)
            self.patience.look(server.server_state.connections, loop.time())

    def _made(self) -> RestParts:
        house = self._house
        checks: dict[str, Check] = {"store": house.store.ping}
        if house.ingest is not None:
            checks["broker"] = self._broker
        checks |= house.checks
        hub = EventHub(str(house.now_ms()))
        zone = house.settings.table(DaySettings, "day").zone
        page = page_router(house.settings.table(PageSettings, "page"), zone=zone)
        return RestParts(
            store=house.store,
            clock_ms=house.now_ms,
            hub=hub,
            checks=checks,
            counts=None if house.ingest is None else house.ingest.counts,
            day=house.day or SettledDay(house.store, zone),
            limits=self._settings.limits,
            # orders go into the store, whichever process sends them
            orders=OrderBook(
                store=house.store, settings=house.settings.table(CommandSettings, "commands")
            ),
            alarms=AlarmBook(house.store),
            news=(
                OrderNews(house.store, hub, house.now_ms).look,
                AlarmNews(house.store, hub).look,
            ),
            routers=(*house.routers, orders_router(), order_summary_routes.router, page),
        )

    def _broker(self) -> None:
        ingest = self._house.ingest
        if ingest is not None and not ingest.counts().connected:
            msg = "the broker does not answer; is it running?"
            raise BrokerUnavailableError(msg)

    def _listen(self) -> socket.socket:
        settings = self._settings
        try:
            listening = socket.create_server(
                (settings.listen, settings.port),
                family=socket.AF_INET6 if ":" in settings.listen else socket.AF_INET,
                backlog=2048,
            )
        except OSError as error:
            msg = (
                f"[rest] {settings.listen}:{settings.port} cannot be listened at "
                f"({error.strerror}); give another port"
            )
            raise ServiceConfigError(msg) from error
        # asyncio sets it for sockets of its own alone: an answer's head and body go in two pieces,
        # and the second would wait 40 ms for a client that acknowledges late
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
