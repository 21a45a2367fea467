"""A store with homes in it, and orders to them."""

from dataclasses import dataclass

import pytest
from pydantic import TypeAdapter
from sqlalchemy import insert, select, update

from aggregator.service.commands.order_book import OrderBook
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.rest.orders import Command, Order
from aggregator.service.store.store import Store
from aggregator.service.store.tables import answers, commands, homes

NOW_MS = 1_780_315_260_000
CHARGE = {"write": "charge", "power": 50, "interval": 60}


@dataclass
class Desk:
    """An order book with a clock of the test's."""

    store: Store
    book: OrderBook
    now_ms: int = NOW_MS

    def homes(self, count, **more):
        with self.store.write() as connection:
            rows = [{"id": f"home-{n + 1}", "created_ms": NOW_MS} | more for n in range(count)]
            connection.execute(insert(homes), rows)

    def change_home(self, name, **values):
        with self.store.write() as connection:
            connection.execute(update(homes).where(homes.c.id == name).values(values))

    def order(self, target="fleet", *, expires_in_s=60.0, who="token-1", **command):
        given = TypeAdapter(Command).validate_python(command or CHARGE)
        order = Order(
            target=target,
            command=given,
            who=who,
            at_ms=self.now_ms,
            expires_ms=self.now_ms + round(expires_in_s * 1000),
        )
        return self.book.place(order)

    def answer(self, name, number, *, home=1, kind="outcome", heard_ms=NOW_MS, **body):
        row = {
            "home_number": home,
            "id": f"a-{number}",
            "kind": kind,
            "correlation_id": name,
            "at_ms": heard_ms,
            "heard_ms": heard_ms,
            "body": body,
        }
        with self.store.write() as connection:
            connection.execute(insert(answers).values(row))

    def rows(self, *columns):
        """Return columns of all commands, the earliest first."""
        names = columns or ("correlation_id", "state", "code")
        with self.store.read() as connection:
            asked = select(*(commands.c[each] for each in names))
            order = asked.order_by(commands.c.asked_ms, commands.c.home_number)
            return [tuple(row) for row in connection.execute(order)]

    def set(self, name, **values):
        with self.store.write() as connection:
            of = update(commands).where(commands.c.correlation_id == name)
            connection.execute(of.values(values))


@pytest.fixture(scope="session")
def new_desk():
    """Return what makes a desk over a store; its orders are called o1, o2 and so on."""

    def make(store, **settings):
        count = iter(range(1, 1_000_000))
        book = OrderBook(
            store=store, settings=CommandSettings(**settings), new_id=lambda: f"o{next(count)}"
        )
        return Desk(store, book)

    return make


@pytest.fixture
def desk(store, new_desk):
    """Return a desk over each database in its turn."""
    return new_desk(store)


@pytest.fixture
def quick_desk(sqlite_store, new_desk):
    """Return a desk over SQLite."""
    return new_desk(sqlite_store)
