"""A fleet of made-up homes with some days of telemetry, and a desk whose clock stands still."""

import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import httpx
import numpy as np
import pytest
import uvicorn

from aggregator.service.day.desk import Desk
from aggregator.service.day.made import find_paper, ms
from aggregator.service.day.routes import day_router
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.day.steps import run_step
from aggregator.service.day.view import MarketDay
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.rest.app import create_app
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.rollups import roll_up
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import (
    forecast_scores,
    forecasts,
    ledger_states,
    papers,
    prices,
    reliability,
    revenues,
    settlements,
    weather,
)
from contracts.timegrid import TimeGrid
from devices.battery_bank import BatteryBank
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings
from scenarios.data.generate import generate_fleet_data
from scenarios.simu import Asked, enter_homes, live, write_lived

HOMES = 3
HISTORY_DAYS = 8
BEFORE = ("prices", "forecast", "plan", "offer", "award", "publish")
AFTER = ("watch", "imbalance", "settle", "revenue", "reliability", "score")
MADE = (
    prices,
    weather,
    forecasts,
    papers,
    settlements,
    revenues,
    reliability,
    forecast_scores,
    ledger_states,
)
DAY = date(2026, 3, 29)  # Great Britain's clocks go forward: 46 half-hours
BANK = BatteryBank.uniform(HOMES)


class HandClock:
    """A clock that stands where it is put."""

    def __init__(self, utc):
        self.now = utc

    def utc(self):
        return self.now

    def monotonic_s(self):
        return self.now.timestamp()


def at(day, hours):
    """Return an hour of a day, UTC."""
    return datetime.combine(day, time(), UTC) + timedelta(hours=hours)


@dataclass(kw_only=True)
class World:
    """A desk, and what it stands for."""

    desk: Desk
    numbers: tuple[int, ...]
    stored_wh: np.ndarray
    day: date = DAY

    def run(self, *names, day=DAY, who="test"):
        return [run_step(self.desk, name, day, who=who) for name in names]

    def done(self, *names, day=DAY):
        """Run steps that must be done; return what they said."""
        runs = self.run(*names, day=day)
        assert [run.state for run in runs] == ["done"] * len(names), [run.line for run in runs]
        return [run.line for run in runs]

    def paper(self, kind, day=DAY):
        with self.desk.store.read() as connection:
            return find_paper(connection, kind, day)

    def set_time(self, utc):
        self.desk.clock.now = utc
        roll_up(self.desk.store, now_ms=ms(utc))

    def rows(self, table):
        """Return all rows of a table."""
        with self.desk.store.read() as connection:
            key = list(table.primary_key.columns)
            return [{**row} for row in connection.execute(table.select().order_by(*key)).mappings()]

    def everything(self):
        """Return the rows of all that steps make."""
        return {table.name: self.rows(table) for table in MADE}

    def live_the_day(self):
        """Let the homes keep what was promised as far as they can, and tell it."""
        committed_wh = np.array(self.paper("schedule")["commitment_wh"], dtype=np.float64)
        step_s = self.desk.settings.step_s
        promised_w = np.where(committed_wh > 0, committed_wh * 3600 / step_s, np.nan)
        promised_w = np.repeat(promised_w, step_s // 900)
        asked = Asked(homes=HOMES, first=DAY, last=DAY)
        lived = live(asked, BANK, stored_wh=self.stored_wh, promised_w=promised_w)
        write_lived(self.desk.store, self.numbers, lived)
        return lived


def price_file(path, prices):
    lines = [f"{start.isoformat()},{price}" for start, price in prices]
    path.write_text("\n".join(["begin,price_per_mwh", *lines, ""]))
    return path


def fill(store):
    """Enter the homes and their days before; return numbers and where their batteries stand."""
    asked = Asked(
        homes=HOMES,
        first=DAY - timedelta(days=HISTORY_DAYS + 1),
        last=DAY - timedelta(days=1),
    )
    numbers = enter_homes(store, asked, BANK, at_ms=ms(at(DAY, -9)))
    lived = live(asked, BANK, stored_wh=0.5 * BANK.capacity_wh)
    write_lived(store, numbers, lived)
    roll_up(store, now_ms=ms(at(DAY, 1)))
    return numbers, lived.soc[:, -1] * BANK.capacity_wh


@pytest.fixture(scope="session")
def filled(sqlite_file, tmp_path_factory):
    """Return a database with the homes and their days before, and where their batteries stand."""
    path = tmp_path_factory.mktemp("day") / "service.db"
    shutil.copy(sqlite_file, path)
    store = open_store(f"sqlite:///{path}")
    numbers, stored_wh = fill(store)
    store.close()
    return path, numbers, stored_wh


@pytest.fixture(scope="session")
def market(tmp_path_factory):
    """Return price files of the day: the market's and that of deviations."""
    folder = tmp_path_factory.mktemp("prices")
    data = generate_fleet_data(day=DAY, homes=HOMES)
    starts = TimeGrid.local_day(DAY).starts()
    return {
        name: price_file(folder / f"{name}.csv", zip(starts, series, strict=True))
        for name, series in (
            ("prices", data.day_ahead_price_per_mwh),
            ("imbalance", data.imbalance_price_per_mwh),
        )
    }


@pytest.fixture(scope="session")
def make_world(filled, market, needs_pyrevm):
    """Return what makes a world of its own in a folder; its ledger is the embedded one."""
    del needs_pyrevm

    def make(folder, **changed):
        path, numbers, stored_wh = filled
        shutil.copy(path, folder / "service.db")
        sources = {
            name: PriceSettings(source="file", file=file, currency="GBP")
            for name, file in market.items()
        }
        desk = Desk(
            store=open_store(f"sqlite:///{folder / 'service.db'}"),
            clock=HandClock(at(DAY, -9)),
            settings=DaySettings(history_days=HISTORY_DAYS),
            weather=WeatherSettings(),
            ledger=LedgerSettings(fee_bp=1000),
            **sources,
        )
        return World(desk=replace(desk, **changed), numbers=numbers, stored_wh=stored_wh)

    return make


@pytest.fixture
def world(make_world, tmp_path):
    """Return a world before the day, its prices and forecast not yet there."""
    made = make_world(tmp_path)
    yield made
    made.desk.store.close()


@pytest.fixture(scope="session")
def played(make_world, tmp_path_factory):
    """Return a world whose day was run whole, how the homes lived it, and its folder."""
    folder = tmp_path_factory.mktemp("played")
    world = make_world(folder)
    world.done(*BEFORE)
    lived = world.live_the_day()
    world.set_time(at(DAY, 26))
    world.done(*AFTER)
    yield world, lived, folder
    world.desk.store.close()


@pytest.fixture(scope="session")
def played_again(played):
    """Return what makes a copy of the world whose day was run, in a folder."""
    world, _, _ = played

    def make(folder):
        with world.desk.store.write() as connection:
            connection.exec_driver_sql("SELECT 1")  # nobody is in the middle of a write
            shutil.copy(world.desk.store.name, folder / "service.db")
            log = f"{world.desk.store.name}-wal"
            shutil.copy(log, folder / "service.db-wal")
        store = open_store(f"sqlite:///{folder / 'service.db'}")
        return replace(world, desk=replace(world.desk, store=store))

    return make


@pytest.fixture(scope="session")
def asking(waits_until):
    """Return what serves a desk, and yields what asks as an operator, a viewer or a home."""

    @contextmanager
    def serve(desk):
        parts = RestParts(
            store=desk.store,
            clock_ms=desk.now_ms,
            hub=EventHub("test"),
            checks={},
            day=MarketDay(desk),
            routers=(day_router(desk),),
        )
        book = TokenBook(desk.store)
        secrets = {
            "operator": book.make("o", "operator", who="test", at_ms=0)[1],
            "viewer": book.make("v", "viewer", who="test", at_ms=0)[1],
            "simu-1": book.make("h", "home", who="test", at_ms=0, home="simu-1")[1],
        }
        server = uvicorn.Server(uvicorn.Config(create_app(parts), port=0, log_config=None))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        waits_until(lambda: server.started, "the server does not start")
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0) as client:

            def request(method, path, who="viewer", **more):
                headers = {"Authorization": f"Bearer {secrets[who]}"}
                return client.request(method, path, headers=headers, **more)

            yield request
        parts.hub.close()
        server.should_exit = True
        thread.join(60)

    return serve


@pytest.fixture(scope="session")
def steps_of_a_day():
    """Return the steps before a day and those after, in their order."""
    return BEFORE, AFTER


@pytest.fixture
def postgres_world(make_world, tmp_path, postgres_url):
    """Return the same world in PostgreSQL."""
    made = make_world(tmp_path)
    made.desk.store.close()
    store = open_store(postgres_url)
    fill(store)
    yield replace(made, desk=replace(made.desk, store=store))
    store.close()


@pytest.fixture(scope="session")
def local_day():
    """Return the day that everything is about."""
    return DAY


@pytest.fixture(scope="session")
def hour():
    """Return what gives an hour of a day in UTC."""
    return at


@pytest.fixture(scope="session")
def write_prices():
    """Return what writes a file of prices."""
    return price_file
