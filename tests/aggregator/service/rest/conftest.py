"""The REST interface on a real server, over a store with two homes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert, select, update

from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.bodies import DeviceBody, HomeBody
from aggregator.service.registry.errors import RegistryAbsentError
from aggregator.service.registry.writing import Edit
from aggregator.service.rest.app import create_app
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.limiter import RateLimits
from aggregator.service.rest.orders import Placed
from aggregator.service.rest.part import RestPart
from aggregator.service.rest.parts import RestParts
from aggregator.service.serve import PARTS, House
from aggregator.service.settings import read_service
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import METADATA, alarms, commands, homes, homes_now
from devices.clock import SystemClock

LEFT_OUT = ("ingest", "keeper")
"""Parts that add no routes, and would write into the store."""
NOW_MS = 1_780_315_260_000
WAIT_S = 60.0
BOUNDLESS = RateLimits(
    member="1000000/second",
    home="1000000/second",
    stranger="1000000/second",
    refused="1000000/second",
)
"""For tests that are not about limits."""


class StoredOrders:
    """Writes what it is given, as whoever carries orders out does first."""

    def __init__(self, store):
        self.store = store

    def place(self, order):
        wanted = select(homes.c.number, homes.c.id, homes.c.group_name).where(~homes.c.retired)
        kind, _, name = order.target.partition(":")
        with self.store.write() as connection:
            found = [
                row
                for row in connection.execute(wanted)
                if kind == "fleet" or name == (row.id if kind == "home" else row.group_name)
            ]
            if not found:
                raise RegistryAbsentError(f"{order.target} names nobody; see the list of homes")
            known = connection.execute(select(commands.c.correlation_id)).scalars().all()
            request = f"order-{len(known) + 1}"
            for row in found:
                connection.execute(
                    insert(commands).values(
                        correlation_id=f"{request}-{row.number}",
                        request_id=request,
                        home_number=row.number,
                        target=order.target,
                        body=order.command.model_dump(exclude_none=True, mode="json"),
                        asked_by=order.who,
                        state="waiting",
                        asked_ms=order.at_ms,
                        expires_ms=order.expires_ms,
                    )
                )
            deed = Deed(at_ms=order.at_ms, who=order.who, action="command", target=order.target)
            record(connection, deed)
        return Placed(request_id=request, homes=len(found))


class StoredAlarms:
    """Writes what an operator says of an alarm."""

    def __init__(self, store):
        self.store = store

    def acknowledge(self, number, *, who, at_ms):
        self._set(number, state="acknowledged", acknowledged_ms=at_ms, acknowledged_by=who)

    def resolve(self, number, *, who, at_ms):
        del who
        self._set(number, state="resolved", resolved_ms=at_ms)

    def _set(self, number, **values):
        with self.store.write() as connection:
            of = update(alarms).where(alarms.c.number == number)
            if not connection.execute(of.values(values)).rowcount:
                raise RegistryAbsentError(f"alarm {number} is unknown; see the list of alarms")


@dataclass(kw_only=True)
class Served:
    """A running service and how to ask it."""

    url: str
    app: FastAPI
    parts: RestParts
    secrets: dict[str, str]
    ids: dict[str, str]

    def client(self, who: str | None = "operator") -> httpx.Client:
        headers = {} if who is None else {"Authorization": f"Bearer {self.secrets[who]}"}
        # no authorities: reading them takes longer than most tests
        return httpx.Client(base_url=self.url, headers=headers, timeout=WAIT_S, verify=False)

    def ask(self, method: str, path: str, who: str | None = "operator", **more) -> httpx.Response:
        with self.client(who) as client:
            return client.request(method, path, **more)


@pytest.fixture(scope="session")
def serving() -> Callable[[RestParts], object]:
    """Return what runs a service on a port of its own until the block ends."""

    @contextmanager
    def run(parts: RestParts, app: FastAPI | None = None) -> Iterator[str]:
        config = uvicorn.Config(
            app or create_app(parts), port=0, log_config=None, server_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        begun_s = time.monotonic()
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() - begun_s < WAIT_S
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(WAIT_S)
            assert not thread.is_alive()

    return run


def of_the_parts(store, folder):
    """Return what the service's other parts add: their routes, and who reads market days."""
    settings = read_service(None, folder=folder)
    house = House(settings=settings, store=store, clock=SystemClock(), tell=lambda _: None)
    made = {}
    for name, part in PARTS.items():
        if name not in LEFT_OUT:
            module, _, maker = part.place.partition(":")
            made[name] = getattr(import_module(module), maker)(house)
    assert isinstance(made["rest"], RestPart)
    return {"routers": made["rest"].parts.routers, "day": made["rest"].parts.day}


@pytest.fixture(scope="session")
def new_parts(tmp_path_factory) -> Iterator[Callable[..., RestParts]]:
    """Return what makes the parts of a service over a new store."""
    stores = []

    def make(*, whole=False, **more) -> RestParts:
        store = open_store(f"sqlite:///{tmp_path_factory.mktemp('rest') / 'service.db'}")
        stores.append(store)
        with store.write() as connection:
            METADATA.create_all(connection)
        given = {
            "store": store,
            "clock_ms": lambda: NOW_MS,
            "hub": EventHub("run"),
            "checks": {"store": store.ping},
            "day": SettledDay(store),
            "orders": StoredOrders(store),
            "alarms": StoredAlarms(store),
            "limits": BOUNDLESS,
        }
        if whole:
            given |= of_the_parts(store, tmp_path_factory.mktemp("service"))
        return RestParts(**given | more)

    yield make
    for store in stores:
        store.close()


@pytest.fixture(scope="session")
def populate() -> Callable[[RestParts], tuple[dict[str, str], dict[str, str]]]:
    """Return what writes two homes and a token of each kind; it returns secrets and ids."""

    def write(parts: RestParts):
        new = Edit(who="test", at_ms=NOW_MS, version=None)
        for number in (1, 2):
            name = f"home-{number}"
            parts.registry.put(name, HomeBody(name=f"SECRET-OF-{number}", group_name="all"), new)
            device = DeviceBody(kind="battery", model=f"SECRET-OF-{number}", capacity_wh=1e4)
            parts.registry.put(f"{name}/storage", device, new)
        with parts.store.write() as connection:
            numbers = dict(connection.execute(select(homes.c.id, homes.c.number)).all())
            connection.execute(
                insert(homes_now).values(
                    home_number=numbers["home-2"],
                    online=True,
                    status_ms=NOW_MS,
                    heard_ms=NOW_MS - 1000,
                    end_ms=NOW_MS,
                    soc=0.5,
                    battery_power_w=-700.4,
                    load_w=500.0,
                    pv_w=100.0,
                    grid_power_w=-300.4,
                )
            )
            connection.execute(
                insert(alarms).values(
                    kind="soc",
                    home_number=numbers["home-2"],
                    state="raised",
                    severity="warning",
                    line="SECRET-OF-2",
                    raised_ms=NOW_MS,
                )
            )
        secrets, ids = {}, {}
        for who, scope, home in (
            ("operator", "operator", None),
            ("viewer", "viewer", None),
            ("home-1", "home", "home-1"),
            ("home-2", "home", "home-2"),
        ):
            token, secrets[who] = parts.tokens.make(who, scope, home=home, who="test", at_ms=NOW_MS)
            ids[who] = token.id
        return secrets, ids

    return write


@pytest.fixture(scope="module")
def served(request, serving, new_parts, populate) -> Iterator[Served]:
    """Return a service with two homes, for the tests of one module; whole where that says so."""
    parts = new_parts(whole=getattr(request.module, "WHOLE", False))
    secrets, ids = populate(parts)
    app = create_app(parts)
    with serving(parts, app) as url:
        yield Served(url=url, app=app, parts=parts, secrets=secrets, ids=ids)
