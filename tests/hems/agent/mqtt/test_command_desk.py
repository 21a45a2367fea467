"""Each command is acknowledged, carried out at most once, and answered; also after a crash."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.hand_clock import HandClock
from hems.agent.health import Health
from hems.agent.mqtt.command_desk import CommandDesk
from hems.agent.mqtt.command_queue import MOST_WAITING
from hems.agent.mqtt.commands_in import Envelope
from hems.agent.mqtt.settings import CommandSettings, Topics
from hems.agent.mqtt.spool import Spool
from hems.agent.orders import Order
from hems.agent.store import Store

TOPICS = Topics("gridpact", "home-7")
BARE = Envelope()
LONG_S = 20.0


class Orders:
    """The agent's part that holds the battery: takes orders down, or does what it is told to."""

    rated_w = (3_000.0, 4_000.0)

    def __init__(self):
        self.taken = []
        self.reading = None
        self.fault = None
        self.gate = None

    async def take(self, order):
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.taken.append(order)

    async def keep_reserve(self, reserve_soc):
        self.taken.append(reserve_soc)

    async def end_order(self):
        orders = [each for each in self.taken if isinstance(each, Order)]
        self.taken.append("end")
        return orders[-1] if orders else None

    async def read(self):
        return self.reading


class House:
    """A desk at work with its spool, over a store that outlives it."""

    def __init__(self, *, store=None, settings=None, clock=None):
        self.clock = clock or HandClock()
        self.store = store or Store()
        self.lines = []
        health = Health(self.lines.append)
        self.orders = Orders()
        self.spool = Spool(self.store, health=health, rows_max=10_000, bytes_max=10**7)
        self.desk = CommandDesk(
            settings or CommandSettings(),
            TOPICS,
            orders=self.orders,
            store=self.store,
            spool=self.spool,
            clock=self.clock,
            health=health,
        )
        self._read = set()

    @asynccontextmanager
    async def working(self):
        task = self._work = asyncio.create_task(self.desk.work())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def command(self, name="c-1", *, expires_in_s=60, **asked):
        expires = self.clock.utc().timestamp() + expires_in_s
        body = {"device": "home-7", "correlation_id": name, "expires": expires, **asked}
        return json.dumps(body).encode()

    def send(self, name="c-1", **asked):
        self.desk.receive(self.command(name, **asked), BARE)

    def answers(self):
        """Return new answers: (topic's end, correlation id, accepted or outcome, code)."""
        told = []
        for letter in self.spool.next(10_000, now_s=0):
            if letter.number not in self._read:
                self._read.add(letter.number)
                body = json.loads(letter.payload)
                verdict = body["accepted"] if "accepted" in body else body["outcome"]
                end = letter.topic.rsplit("/", 1)[1]
                told.append((end, body.get("correlation_id"), verdict, body["code"]))
        return told

    async def outcomes(self, count):
        """Return new answers once there are ``count`` outcomes among them."""
        told = []
        async with asyncio.timeout(LONG_S):
            while sum(each[0] == "outcome" for each in told) < count:
                assert not self._work.done(), self._work
                await asyncio.sleep(0.005)
                told += self.answers()
        return told

    def last(self):
        return json.loads(self.spool.next(10_000, now_s=0)[-1].payload)


def taken(name, verdict="done", code=None):
    return [("acknowledgement", name, True, None), ("outcome", name, verdict, code)]


def refused(name, code, verdict="refused"):
    return [("acknowledgement", name, False, code), ("outcome", name, verdict, code)]


def until(house, **span):
    return house.clock.utc() + timedelta(**span)


def test_every_write_becomes_the_order_that_it_means():
    async def talk():
        house = House()
        async with house.working():
            house.send("a", write="charge", power=50, interval=60)
            house.send("b", write="discharge", power=25, interval=30)
            house.send("c", write="profile", profile="self-consumption", backup=20)
            first = await house.outcomes(3)  # what still waits a stop would overtake
            house.send("d", write="stop")
            house.send("e", write="power reference", power_w=-700, interval=5)
            house.send("f", write="release")
            return house, first + await house.outcomes(3)

    house, told = asyncio.run(talk())

    assert house.orders.taken == [
        Order(correlation_id="a", until=until(house, hours=1), battery_power_w=1_500.0),
        Order(correlation_id="b", until=until(house, minutes=30), battery_power_w=-1_000.0),
        0.2,
        Order(correlation_id="c", until=until(house, days=1), follow=True),
        Order(correlation_id="d", until=until(house, days=1), battery_power_w=0.0),
        Order(correlation_id="e", until=until(house, minutes=5), grid_power_w=-700.0),
        "end",
    ]
    assert sorted(told) == sorted(each for name in "abcdef" for each in taken(name))


def test_a_read_is_answered_with_what_the_storage_tells_now(reading_at):
    async def talk():
        house = House()
        house.orders.reading = reading_at(house.clock, battery_w=-500.0)
        async with house.working():
            house.send("a", read="Active power")
            told = await house.outcomes(1)
            rows = house.last()["rows"]
            house.send("b", read="Frequency")
            return house, told + await house.outcomes(1), rows

    house, told, rows = asyncio.run(talk())

    assert told == taken("a") + taken("b", "refused", "refused")
    assert rows == [
        {
            "timestamp": house.clock.utc().timestamp(),
            "device": "storage",
            "details": "",
            "quantity": "Active power",
            "direction": "delivered",
            "unit": "W",
            "min": 500.0,
            "max": 500.0,
            "avg": 500.0,
            "last": 500.0,
        }
    ]


def test_a_repeated_command_is_not_carried_out_again_also_after_a_restart(tmp_path):
    async def talk():
        store = Store(tmp_path / "state.sqlite")
        house = House(store=store)
        async with house.working():
            house.send("a", write="stop")
            told = await house.outcomes(1)
            house.send("a", write="charge", power=50, interval=60)
            told += house.answers()
        store.close()
        again = House(store=Store(tmp_path / "state.sqlite"))
        again.answers()
        async with again.working():
            again.send("a", write="stop")
            again.send("b", write="stop")
            told += await again.outcomes(2)
        again.store.close()
        return house, again, told

    house, again, told = asyncio.run(talk())

    repeated = [
        ("outcome", "a", "done", "repeated"),
        ("acknowledgement", "a", False, "repeated"),
    ]
    assert told == taken("a") + repeated + repeated + taken("b")
    assert [each.correlation_id for each in house.orders.taken] == ["a"]
    assert [each.correlation_id for each in again.orders.taken] == ["b"]


def test_a_command_that_a_crash_cut_short_is_refused_and_never_begun_again(tmp_path):
    async def crash():
        store = Store(tmp_path / "state.sqlite")
        house = House(store=store)
        house.orders.gate = asyncio.Event()
        async with house.working():
            house.send("a", write="stop")
            await asyncio.sleep(0)
        store.close()  # nothing was said of its outcome

    async def restart():
        house = House(store=Store(tmp_path / "state.sqlite"))
        async with house.working():
            house.send("a", write="stop")
            await asyncio.sleep(0)
        told, orders = house.answers(), house.orders.taken
        house.store.close()
        return told, orders

    asyncio.run(crash())
    told, orders = asyncio.run(restart())

    assert told == [
        ("acknowledgement", "a", True, None),
        ("outcome", "a", "refused", "restarted"),
        ("outcome", "a", "refused", "repeated"),
        ("acknowledgement", "a", False, "repeated"),
    ]
    assert orders == []


def test_an_expired_command_is_not_carried_out_whether_it_came_late_or_had_to_wait():
    async def talk():
        house = House()
        house.orders.gate = asyncio.Event()
        async with house.working():
            house.send("late", write="stop", expires_in_s=-1)
            house.send("first", write="stop", expires_in_s=60)
            house.send("waits", write="stop", expires_in_s=30)
            await asyncio.sleep(0)
            await house.clock.advance(31)
            house.orders.gate.set()
            told = await house.outcomes(3)
        return house, told

    house, told = asyncio.run(talk())

    assert sorted(told) == sorted(
        refused("late", "expired", "expired")
        + taken("first")
        + taken("waits", "expired", "expired")
    )
    assert [each.correlation_id for each in house.orders.taken] == ["first"]


def test_retained_foreign_and_unreadable_commands_are_refused():
    house = House()
    house.desk.receive(house.command("a", write="stop"), BARE, retained=True)
    house.send("b", write="stop", device="home-8")
    house.desk.receive(b"charge!", BARE)

    assert house.answers() == [
        *refused("a", "retained"),
        *refused("b", "wrong-device"),
        *refused(None, "malformed"),
    ]


def test_what_the_battery_refuses_or_does_not_answer_is_told_with_its_words():
    async def talk():
        house = House()
        told = []
        async with house.working():
            house.orders.fault = DeviceRefusedError("sonnen: manual mode is off; switch it on")
            house.send("a", write="stop")
            told += await house.outcomes(1)
            reason = house.last()["reason"]
            house.orders.fault = DeviceUnavailableError("sonnen: no answer")
            house.send("b", write="stop")
            told += await house.outcomes(1)
        return told, reason

    told, reason = asyncio.run(talk())

    assert told == taken("a", "refused", "refused") + taken("b", "refused", "unavailable")
    assert reason == "sonnen: manual mode is off; switch it on"


def test_a_battery_that_hangs_is_given_back_to_the_controller():
    async def talk():
        house = House(settings=CommandSettings(carry_out_s=1))
        house.orders.gate = asyncio.Event()
        async with house.working():
            house.send("a", write="stop")
            return house, await house.outcomes(1)

    house, told = asyncio.run(talk())

    assert told == taken("a", "refused", "unavailable")
    assert house.orders.taken == ["end"]


def test_a_stop_overtakes_what_waits_and_what_is_under_way_but_no_reading(reading_at):
    async def talk():
        house = House()
        house.orders.reading = reading_at(house.clock)
        house.orders.gate = asyncio.Event()
        async with house.working():
            house.send("begun", write="charge", power=50, interval=60)
            await asyncio.sleep(0.01)
            house.send("reads", read="Active power")
            for number in range(MOST_WAITING - 1):
                house.send(f"waits-{number}", write="profile", profile="self-consumption")
            house.send("surplus", write="release")
            house.send("stop", write="stop")
            told = await house.outcomes(1 + MOST_WAITING)  # without a stop it waits for a minute
            house.orders.gate.set()
            return house, told + await house.outcomes(2)

    house, told = asyncio.run(talk())

    overtaken = ["begun", *(f"waits-{number}" for number in range(MOST_WAITING - 1))]
    outcomes = [each[1:] for each in told if each[0] == "outcome"]
    assert sorted(outcomes[:-2]) == sorted(
        [("surplus", "refused", "busy"), *((name, "refused", "superseded") for name in overtaken)]
    )
    assert outcomes[-2:] == [("stop", "done", None), ("reads", "done", None)]
    assert house.orders.taken == [
        Order(correlation_id="stop", until=until(house, days=1), battery_power_w=0.0)
    ]


def test_an_order_that_ends_because_a_later_one_hangs_is_told_as_aborted():
    async def talk():
        house = House(settings=CommandSettings(carry_out_s=1))
        async with house.working():
            house.send("a", write="charge", power=50, interval=60)
            told = await house.outcomes(1)
            house.orders.gate = asyncio.Event()
            house.send("b", write="discharge", power=50, interval=60)
            told += await house.outcomes(2)
            house.send("a", write="charge", power=50, interval=60)
            return house, told + await house.outcomes(1)

    house, told = asyncio.run(talk())

    assert told == [
        *taken("a"),
        ("acknowledgement", "b", True, None),
        ("outcome", "a", "aborted", "unavailable"),
        ("outcome", "b", "refused", "unavailable"),
        ("outcome", "a", "aborted", "repeated"),
        ("acknowledgement", "a", False, "repeated"),
    ]
    assert house.orders.taken[1:] == ["end"]


def test_more_commands_than_can_wait_are_refused_and_may_come_again():
    async def talk():
        house = House()
        for number in range(MOST_WAITING + 1):
            house.send(f"c-{number}", write="stop")
        surplus = [each for each in house.answers() if each[2] is not True]
        async with house.working():
            await house.outcomes(MOST_WAITING)
            house.send(f"c-{MOST_WAITING}", write="stop")
            return surplus, await house.outcomes(1)

    surplus, again = asyncio.run(talk())

    assert surplus == refused(f"c-{MOST_WAITING}", "busy")
    assert again == taken(f"c-{MOST_WAITING}")


def test_a_gateway_that_does_not_know_the_time_takes_no_commands(tmp_path):
    class Behind(HandClock):
        def utc(self):
            return super().utc() - timedelta(days=365)

    house = House(clock=Behind())
    house.send("a", write="stop")

    assert house.answers() == refused("a", "clock")


def test_a_gateway_that_cannot_remember_takes_no_commands_and_tells_once(tmp_path):
    async def talk():
        store = Store(tmp_path / "state.sqlite")
        house = House(store=store)
        ((pages,),) = store.rows("PRAGMA page_count")
        store.rows(f"PRAGMA max_page_count = {pages}")
        async with house.working():
            for number in range(400):
                house.send(f"{number:060}", write="stop")
                await asyncio.sleep(0)
            told, lines = house.answers(), list(house.lines)
            orders = len(house.orders.taken)
            store.rows("PRAGMA max_page_count = 100000")
            house.send("after", write="stop")
            after = await house.outcomes(1)
        store.close()
        return told, lines, orders, after

    told, lines, orders, after = asyncio.run(talk())

    accepted = sum(each[:1] + each[2:] == ("acknowledgement", True, None) for each in told)
    assert ("acknowledgement", f"{399:060}", False, "memory") in told
    assert orders == accepted < 400
    assert sum(line.startswith("memory of commands lost: ") for line in lines) == 1
    assert after == taken("after")


KEYS = ("write", "read", "power", "power_w", "interval", "backup", "profile", "x")
WORDS = ["charge", "discharge", "profile", "stop", "release", "power reference", "Frequency"]
VALUES = st.sampled_from(WORDS) | st.integers(-200, 200) | st.floats() | st.none()


@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES) | st.binary(max_size=20), max_size=6)
)
def test_whatever_is_sent_the_battery_is_only_told_what_is_within_its_ratings(reading_at, messages):
    async def talk():
        house = House()
        house.orders.reading = reading_at(house.clock)
        async with house.working():
            for number, asked in enumerate(messages):
                if isinstance(asked, bytes):
                    house.desk.receive(asked, BARE)
                else:
                    house.send(str(number), **asked)
            outcomes = await house.outcomes(len(messages))
        return house, outcomes

    house, told = asyncio.run(talk())

    assert sum(each[0] == "acknowledgement" for each in told) == len(messages)
    for order in house.orders.taken:
        if isinstance(order, Order) and order.battery_power_w is not None:
            assert -4_000 <= order.battery_power_w <= 3_000
            assert order.until <= until(house, days=1)


def test_the_memory_of_commands_is_bounded_by_their_expiry():
    async def talk():
        house = House()
        async with house.working():
            house.send("old", write="stop", expires_in_s=10)
            await house.outcomes(1)
            await house.clock.advance(2 * 86_400)
            house.send("new", write="stop", expires_in_s=10)
            await house.outcomes(1)
        return house.store.rows("SELECT correlation_id FROM command")

    assert asyncio.run(talk()) == [("new",)]


@pytest.mark.parametrize(
    ("senders", "topics"),
    [
        ("", ("gridpact/home-7/command",)),
        ("operator, owner", ("gridpact/home-7/command/operator", "gridpact/home-7/command/owner")),
    ],
)
def test_commands_are_heard_on_one_topic_or_on_one_of_each_sender(senders, topics):
    assert TOPICS.commands(CommandSettings(senders=senders).names) == topics
