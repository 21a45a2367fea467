"""Where the aggregator's service offers receipts, telemetry is kept until one comes."""

import asyncio
import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hems.agent.health import Health
from hems.agent.mqtt.receipts import Receipts
from hems.agent.mqtt.settings import Topics
from hems.agent.mqtt.spool import AGAIN_S, Lane, Spool
from hems.agent.store import Store
from hems.errors import BrokerRefusedError

FAR = 4e9
TOPICS = Topics("gridpact", "home-7")
WEEK_S = 7 * 86_400.0


def spool_of(store, *, rows=100):
    return Spool(store, health=Health([].append), rows_max=rows, bytes_max=1_000_000)


def put(spool, number):
    body = {"number": number, "receipt": True}
    return spool.put(Lane.TELEMETRY, "t", body, expires_s=FAR)


def numbers(letters):
    return [json.loads(letter.payload)["number"] for letter in letters]


def handed_over(spool, count, *, now_s=0.0):
    letters = spool.next(count, now_s=0)
    for letter in letters:
        spool.expect(letter)
        spool.hand_over(letter, now_s=now_s)
    return letters


def all_of(spool):
    return numbers(spool.next(1_000, now_s=0))


def receipts_of(store, clock, *, wanted=True):
    return Receipts(
        TOPICS, wanted=wanted, believed_s=WEEK_S, store=store, clock=clock,
        health=Health([].append),
    )  # fmt: skip


class Connected:
    """A connection that lets us hear everything."""

    async def subscribe(self, topic):
        assert topic in {"gridpact/received", "gridpact/home-7/received"}


def test_a_message_that_the_broker_has_is_kept_until_its_receipt():
    spool = spool_of(Store())
    for number in range(3):
        put(spool, number)
    first, second = handed_over(spool, 2)
    assert (all_of(spool), spool.waiting) == ([2], 3)
    spool.received([first.id, "another-1"])
    spool.received([first.id])
    assert spool.waiting == 2
    spool.begin()

    assert all_of(spool) == [1, 2]
    assert spool.next(1, now_s=0) == [second]


def test_a_receipt_that_is_quicker_than_the_brokers_word_counts():
    spool = spool_of(Store())
    letter = put(spool, 0)
    spool.expect(letter)
    spool.received([letter.id])
    spool.hand_over(letter, now_s=0)
    spool.begin()

    assert (all_of(spool), spool.waiting) == ([], 0)


def test_without_a_receipt_it_is_sent_again_after_pauses_that_double_up_to_a_day():
    spool = spool_of(Store())
    put(spool, 0)
    now_s, pauses_s = 0.0, []
    for _ in range(10):
        ((letter),) = handed_over(spool, 1, now_s=now_s)
        began_s = now_s
        while not all_of(spool):
            now_s += AGAIN_S
            spool.send_again(now_s=now_s)
        pauses_s.append(now_s - began_s)

    assert pauses_s == [AGAIN_S * 2**turn for turn in range(7)] + [96 * AGAIN_S] * 3
    assert spool.next(1, now_s=0) == [letter]


def test_a_restart_sends_again_and_an_old_receipt_forgets_nothing_new(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    (old,) = handed_over(one_of(store), 1)
    again = spool_of(store)
    assert again.next(1, now_s=0) == [old]
    again.delivered(old)
    again.save()
    third = spool_of(store)
    new = put(third, 1)
    assert new.number == old.number
    handed_over(third, 1)
    third.received([old.id])
    third.begin()

    assert all_of(third) == [1]
    store.close()


def one_of(store):
    spool = spool_of(store)
    put(spool, 0)
    return spool


def test_where_there_is_no_room_what_the_broker_has_goes_first_and_is_counted():
    spool = spool_of(Store(), rows=4)
    for number in range(4):
        put(spool, number)
    handed_over(spool, 1)
    spool.begin()
    handed_over(spool, 2)
    for number in range(4, 7):
        put(spool, number)

    assert (all_of(spool), spool.dropped) == ([4, 5, 6, 3], 3)


def test_a_message_of_before_receipts_asks_for_none():
    spool = spool_of(Store())
    plain = spool.put(Lane.TELEMETRY, "t", {"receipt": False}, expires_s=FAR)
    asking = put(spool, 1)

    assert (plain.wants_receipt, asking.wants_receipt) == (False, True)


class Kept(RuleBasedStateMachine):
    """What may be lost on the way is never lost in the end: a service that hears some of it."""

    def __init__(self):
        super().__init__()
        self.store = Store()
        self.spool = spool_of(self.store, rows=1_000)
        self.sent, self.has = {}, set()
        self.count = 0
        self.now_s = 0.0

    @rule()
    def put(self):
        put(self.spool, self.count)
        self.count += 1

    @rule(most=st.integers(1, 4), heard=st.lists(st.booleans(), min_size=4, max_size=4))
    def send(self, most, heard):
        for letter, comes in zip(
            handed_over(self.spool, most, now_s=self.now_s), heard, strict=False
        ):
            self.sent[letter.id] = numbers([letter])[0]
            if comes:
                self.has.add(letter.id)

    @rule(lost=st.booleans())
    def receipts(self, lost):
        if not lost:
            self.spool.received(sorted(self.has))

    @rule()
    def reconnect(self):
        self.spool.begin()

    @rule(days=st.sampled_from((0.001, 0.1, 2.0)))
    def wait(self, days):
        self.now_s += days * 86_400
        self.spool.send_again(now_s=self.now_s)

    @rule()
    def restart(self):
        self.spool.save()
        self.spool = spool_of(self.store, rows=1_000)

    @invariant()
    def nothing_is_gone_that_the_service_does_not_have(self):
        known = {self.sent[name] for name in self.has}
        kept = self.spool._sizes.keys()
        assert len(kept) >= self.count - len(known)

    def teardown(self):
        self.spool.begin()
        for letter in self.spool.next(1_000, now_s=0):
            self.sent[letter.id] = numbers([letter])[0]
            self.has.add(letter.id)
        assert {self.sent[name] for name in self.has} == set(range(self.count))
        self.store.close()


TestKept = Kept.TestCase
TestKept.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b"3",
        b'{"ids": 3}',
        b'{"ids": [1, null]}',
        b"\xff",
        b"[" * 100_000,
        b'{"ids":' * 100_000 + b"[1]",
    ],
)
def test_what_is_no_receipt_forgets_nothing(clock, payload):
    receipts = receipts_of(Store(), clock)

    assert receipts.hear("gridpact/home-7/received", payload) == []
    assert not receipts.offered


def test_receipts_of_another_gateway_are_not_ours(clock):
    receipts = receipts_of(Store(), clock)

    assert receipts.hear("gridpact/home-8/received", b'{"ids": ["a-1"]}') == []
    assert receipts.hear("gridpact/home-7/received", b'{"ids": ["a-1"]}') == ["a-1"]


def test_an_offer_is_believed_for_as_long_as_a_message_is_of_use_over_restarts(clock, tmp_path):
    async def story():
        store = Store(tmp_path / "state.sqlite")
        receipts = receipts_of(store, clock)
        assert await receipts.listen(Connected())
        seen = [receipts.offered]
        receipts.hear("gridpact/received", b"offered")
        seen.append(receipts.offered)
        await clock.advance(WEEK_S - 60)
        store.close()
        store = Store(tmp_path / "state.sqlite")
        again = receipts_of(store, clock)
        seen.append(again.offered)  # nobody has asked the broker yet
        await again.listen(Connected())
        seen.append(again.offered)
        await clock.advance(60)
        seen.append(again.offered)
        again.hear("gridpact/home-7/received", b'{"ids": ["a-1"]}')
        seen.append(again.offered)
        again.hear("gridpact/received", b"")
        seen.append(again.offered)
        store.close()
        return seen

    assert asyncio.run(story()) == [False, True, False, True, False, True, False]


def test_a_broker_that_does_not_let_us_hear_them_is_told_once_and_its_word_counts(clock):
    class Refusing:
        async def subscribe(self, topic):
            raise BrokerRefusedError(f"no {topic}")

    lines = []
    receipts = Receipts(
        TOPICS, wanted=True, believed_s=WEEK_S, store=Store(), clock=clock,
        health=Health(lines.append),
    )  # fmt: skip
    receipts.hear("gridpact/received", b"offered")

    assert [asyncio.run(receipts.listen(Refusing())) for _ in range(2)] == [False, False]
    assert not receipts.offered
    assert lines == ["receipts lost: no gridpact/received"]
    assert asyncio.run(receipts.listen(Connected())) is True
    assert receipts.offered
    assert lines[1:] == ["receipts back"]


def test_a_gateway_that_wants_none_asks_for_none(clock):
    receipts = receipts_of(Store(), clock, wanted=False)
    receipts.hear("gridpact/received", b"offered")

    assert asyncio.run(receipts.listen(Connected())) is False
    assert not receipts.offered
