"""The order that stands and the reserve: through restarts, jumps of the clock and full disks."""

import asyncio
from datetime import timedelta

import pytest

from devices.hand_clock import HandClock
from hems.agent.health import Health
from hems.agent.orders import Order
from hems.agent.steering.order_book import OrderBook
from hems.agent.store import Store


class SetClock(HandClock):
    ahead_s = 0.0

    def utc(self):
        return super().utc() + timedelta(seconds=self.ahead_s)


@pytest.fixture
def stage(tmp_path):
    clock, lines = SetClock(), []
    store = Store(tmp_path / "state.sqlite")

    def opened():
        return OrderBook(store, clock=clock, health=Health(lines.append))

    yield opened, clock, lines, store
    store.close()


def order(clock, minutes=10):
    until = clock.utc() + timedelta(minutes=minutes)
    return Order(correlation_id="o", until=until, grid_power_w=-500.0)


def test_an_order_stands_until_its_end(stage):
    opened, clock, _, _ = stage
    book, given = opened(), order(clock)
    book.put(given)
    asyncio.run(clock.advance(599.0))
    assert (book.standing(), book.left_s) == (given, 1.0)
    asyncio.run(clock.advance(1.0))

    assert book.standing() is None
    assert opened().standing() is None


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_neither_drops_nor_prolongs_an_order(stage, by_s):
    opened, clock, _, _ = stage
    book, given = opened(), order(clock)
    book.put(given)
    clock.ahead_s = by_s
    asyncio.run(clock.advance(590.0))

    assert (book.standing(), book.left_s) == (given, 10.0)


def test_order_and_reserve_are_remembered(stage):
    opened, clock, _, _ = stage
    book, given = opened(), order(clock)
    book.put(given)
    book.keep(0.25)
    again = opened()

    assert (again.standing(), again.reserve_soc) == (given, 0.25)
    again.put(None)
    assert opened().standing() is None


def test_what_cannot_be_remembered_stands_in_memory_and_is_told_once(stage):
    opened, clock, lines, store = stage
    book, given = opened(), order(clock)
    store.rows("PRAGMA query_only = 1")
    book.put(given)
    book.keep(0.3)
    assert (book.standing(), book.reserve_soc) == (given, 0.3)
    store.rows("PRAGMA query_only = 0")
    book.keep(0.3)

    assert [line.split(":")[0] for line in lines] == [
        "memory of orders lost",
        "memory of orders back",
    ]


def test_after_a_restart_with_a_clock_far_behind_an_order_lasts_no_longer_than_it_was_given_for(
    stage,
):
    opened, clock, _, _ = stage
    given = order(clock)
    opened().put(given)
    clock.ahead_s = -36_000.0
    again = opened()

    assert (again.standing(), again.left_s) == (given, 600.0)
