"""The page in a real browser, served on a real socket over a store full of homes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from sqlalchemy import select, update

from aggregator.service.alarms.book import AlarmBook
from aggregator.service.alarms.news import AlarmNews
from aggregator.service.commands.news import OrderNews
from aggregator.service.commands.order_book import OrderBook
from aggregator.service.commands.routes import orders_router
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.day.desk import Desk
from aggregator.service.day.routes import day_router
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.day.view import MarketDay
from aggregator.service.page.routes import page_router
from aggregator.service.page.settings import PageSettings
from aggregator.service.rest import order_summary_routes
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.limiter import RateLimits
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import METADATA, homes, homes_now
from contracts.timegrid import TimeGrid
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings
from scenarios.bench.service_page_days import fill_days
from scenarios.bench.service_page_fill import MEASURED, DrawnDay, fill_page, home_id
from scenarios.bench.service_rest import serve_rest

HOMES, MANY = 1_000, 10_000
NOW = datetime(2026, 6, 1, 17, 42, 11, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
TOMORROW = (NOW + timedelta(days=1)).date()
LONG_MS = 60_000
BOUNDLESS = RateLimits(member="1000000/second", home="1000000/second", stranger="1000000/second")
EXPLORER = "https://explorer.example.org/tx/{transaction}"


@dataclass(kw_only=True)
class World:
    """A running service."""

    url: str
    parts: RestParts
    secrets: dict[str, str]
    last: str

    @property
    def store(self):
        return self.parts.store

    def rows(self, table, **of) -> list[dict]:
        """Return the rows of a table whose columns are so."""
        query = select(table).filter_by(**of)
        with self.store.read() as connection:
            return [{**row} for row in connection.execute(query).mappings()]

    def tell(self, home: str, **figures) -> None:
        """Store what a home measured just now, as the ingest does."""
        with self.store.write() as connection:
            number = connection.scalar(select(homes.c.number).where(homes.c.id == home))
            heard = {"heard_ms": self.parts.clock_ms(), "online": True}
            of = update(homes_now).where(homes_now.c.home_number == number)
            connection.execute(of.values(**heard, **figures))


class Standing:
    """A clock that stands."""

    def utc(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class DrawnMarket(MarketDay):
    """Market days whose steps can be run, and whose course is drawn."""

    drawn: DrawnDay

    def day(self, day):
        return self.drawn.day(day)


def open_days(store, folder, homes_count: int) -> DrawnMarket:
    """Return market days whose prices come from a file."""
    grid = TimeGrid.local_day(TOMORROW)
    lines = [f"{start.isoformat()},{40 + slot}" for slot, start in enumerate(grid.starts())]
    prices = folder / "prices.csv"
    prices.write_text("\n".join(["begin,price_per_mwh", *lines, ""]))
    desk = Desk(
        store=store,
        clock=Standing(),
        settings=DaySettings(),
        prices=PriceSettings(source="file", file=prices, currency="GBP"),
        imbalance=None,
        weather=WeatherSettings(),
        ledger=LedgerSettings(),
    )
    return DrawnMarket(desk, DrawnDay(homes=homes_count, now_ms=NOW_MS))


def new_parts(folder, *, homes_count: int, page: PageSettings) -> RestParts:
    """Return the parts of a service over a store that is filled."""
    store = open_store(f"sqlite:///{folder / 'service.db'}")
    with store.write() as connection:
        METADATA.create_all(connection)
    fill_page(store, homes_count=homes_count, now_ms=NOW_MS)
    fill_days(store, homes_count=homes_count, today=NOW.date())
    with store.write() as connection:
        of_measured = update(homes).where(homes.c.number == MEASURED)
        connection.execute(of_measured.values(name="<img src=x onerror=alert(1)>"))
    hub = EventHub("run")
    market = open_days(store, folder, homes_count)
    return RestParts(
        store=store,
        clock_ms=lambda: NOW_MS,
        hub=hub,
        checks={},
        day=market,
        limits=BOUNDLESS,
        orders=OrderBook(store=store, settings=CommandSettings()),
        alarms=AlarmBook(store),
        news=(OrderNews(store, hub, lambda: NOW_MS).look, AlarmNews(store, hub).look),
        routers=(
            day_router(market.desk),
            orders_router(),
            order_summary_routes.router,
            page_router(page, zone="Europe/London"),
        ),
    )


@contextmanager
def served(folder, *, homes_count: int) -> Iterator[World]:
    """Yield a running service."""
    parts = new_parts(folder, homes_count=homes_count, page=PageSettings(explorer_url=EXPLORER))
    secrets = {}
    for who, scope, home in (
        ("operator", "operator", None),
        ("viewer", "viewer", None),
        ("home", "home", home_id(MEASURED)),
    ):
        _, secrets[who] = parts.tokens.make(who, scope, home=home, who="test", at_ms=NOW_MS)
    with serve_rest(parts) as url:
        yield World(url=url, parts=parts, secrets=secrets, last=home_id(homes_count))
    parts.store.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    """Return a service with some homes, which most of what the page does is tried with."""
    with served(tmp_path_factory.mktemp("page"), homes_count=HOMES) as running:
        yield running


@pytest.fixture
def many(tmp_path_factory) -> Iterator[World]:
    """Return a service with ten thousand homes."""
    with served(tmp_path_factory.mktemp("many"), homes_count=MANY) as running:
        yield running


@pytest.fixture(scope="module")
def chrome(browser, left_out):
    """Return a running Chromium; a module's own, for asyncio takes it for a loop that runs."""
    if find_spec("playwright") is None:
        left_out("playwright is needed: pip install playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- may not be there

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox"], timeout=LONG_MS
        )
        yield running
        running.close()


@dataclass
class Seen:
    """What a browser did besides showing the page."""

    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def opened(chrome, world) -> Iterator[Callable[..., object]]:
    """Return what opens the page for somebody; whatever the browser complains of fails the test."""
    contexts, seen = [], Seen()

    def watch(page) -> None:
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: seen.complaints.append(line.text) if line.type == "error" else None,
        )
        page.on("request", lambda request: seen.asked.append(request.url))
        page.seen = seen

    def open_page(who="operator", view="", *, of=world, before=None, **more):
        context = chrome.new_context(**{"viewport": {"width": 1440, "height": 900}} | more)
        context.set_default_timeout(LONG_MS)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        if who is not None:
            # in this tab, as signing in leaves it
            keep = f"sessionStorage.setItem('gridpact-token', '{of.secrets[who]}')"
            page.add_init_script(keep)
        if before is not None:
            before(page)
        page.goto(f"{of.url}/#/{view}")
        if who in {"operator", "viewer"}:
            page.wait_for_selector("main[data-painted]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert seen.complaints == []
