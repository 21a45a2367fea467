"""Messages wait in order, survive kills and a full disk, and take bounded room."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hems.agent.health import Health
from hems.agent.mqtt.spool import Lane, Spool
from hems.agent.store import Store

FAR = 4e9


def spool_of(store, *, rows=100, size=1_000_000, lines=None):
    lines = [] if lines is None else lines
    return Spool(store, health=Health(lines.append), rows_max=rows, bytes_max=size)


def put(spool, number, lane=Lane.TELEMETRY, expires_s=FAR):
    return spool.put(lane, "t", {"number": number}, expires_s=expires_s)


def numbers(letters):
    return [json.loads(letter.payload)["number"] for letter in letters]


def all_of(spool):
    return numbers(spool.next(1_000_000, now_s=0))


def test_messages_are_sent_in_order_and_forgotten_when_they_are_delivered():
    spool = spool_of(Store())
    for number in range(5):
        put(spool, number)
    first, second = spool.next(2, now_s=0)
    assert numbers([first, second]) == [0, 1]
    spool.delivered(second)

    assert all_of(spool) == [0, 2, 3, 4]
    assert spool.waiting == 4


def test_a_message_carries_what_receivers_need_to_drop_it_the_second_time(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    spool = spool_of(store)
    letter = spool.put(Lane.ANSWER, "t", {"a": 1}, expires_s=12.5, correlation_id="c-1")
    store.close()

    again = Store(tmp_path / "state.sqlite")
    assert spool_of(again).next(1, now_s=0) == [letter]
    assert json.loads(letter.payload) == {
        "id": letter.id,
        "a": 1,
        "expires": 12.5,
        "correlation_id": "c-1",
    }
    again.close()


def test_ids_are_new_after_a_restart_even_where_numbers_begin_again(tmp_path):
    ids = []
    for _ in range(3):
        store = Store(tmp_path / "state.sqlite")
        spool = spool_of(store)
        letter = put(spool, 0)
        ids.append(letter.id)
        spool.delivered(letter)
        spool.save()
        store.close()

    assert len(set(ids)) == 3


def test_what_was_put_survives_a_kill_and_what_was_delivered_may_come_again(tmp_path):
    code = (
        "import pathlib, sys\n"
        "from hems.agent.health import Health\n"
        "from hems.agent.mqtt.spool import Lane, Spool\n"
        "from hems.agent.store import Store\n"
        f"store = Store(pathlib.Path({str(tmp_path / 'state.sqlite')!r}))\n"
        "spool = Spool(store, health=Health(print), rows_max=100, bytes_max=10**6)\n"
        "for number in range(10):\n"
        "    spool.put(Lane.TELEMETRY, 't', {'number': number}, expires_s=4e9)\n"
        "for letter in spool.next(3, now_s=0):\n"
        "    spool.delivered(letter)\n"
        "print('put', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"put\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(20)

    store = Store(tmp_path / "state.sqlite")
    assert all_of(spool_of(store)) == list(range(10))
    store.close()


def test_too_many_messages_drop_the_oldest_telemetry_first_and_are_counted(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    spool = spool_of(store, rows=4)
    put(spool, 0, Lane.ANSWER)
    for number in range(1, 7):
        put(spool, number)
    put(spool, 7, Lane.ANSWER)
    assert (all_of(spool), spool.dropped) == ([0, 7, 5, 6], 4)
    for number in range(8, 12):
        put(spool, number, Lane.ANSWER)
    assert (all_of(spool), spool.dropped) == ([8, 9, 10, 11], 8)
    store.close()

    again = Store(tmp_path / "state.sqlite")
    spool = spool_of(again, rows=4)
    assert (all_of(spool), spool.dropped) == ([8, 9, 10, 11], 8)
    again.close()


def test_the_room_that_messages_take_is_bounded_on_disk(tmp_path):
    path = tmp_path / "state.sqlite"
    store = Store(path)
    spool = spool_of(store, rows=10_000, size=100_000)
    for number in range(400):
        spool.put(Lane.TELEMETRY, "t", {"number": number, "pad": "x" * 2_000}, expires_s=FAR)
    on_disk = sum(each.stat().st_size for each in tmp_path.iterdir())

    ((stored,),) = store.rows("SELECT SUM(length(payload)) FROM spool")
    assert stored <= 100_000
    assert all_of(spool)[-1] == 399
    assert spool.dropped + spool.waiting == 400
    # the file with its write-ahead log, which SQLite cuts at a thousand pages
    assert on_disk < 100_000 * 3 + 1_100 * 4_096
    store.close()


def test_new_telemetry_overtakes_what_waited_for_the_connection_and_answers_overtake_both():
    spool = spool_of(Store())
    for number in range(3):
        put(spool, number)
    spool.begin()
    put(spool, 3)
    put(spool, 4, Lane.ANSWER)
    put(spool, 5)
    assert all_of(spool) == [4, 3, 5, 0, 1, 2]
    spool.begin()

    assert all_of(spool) == [4, 0, 1, 2, 3, 5]


def test_what_has_expired_is_not_sent_and_counted():
    spool = spool_of(Store())
    for number, expires_s in enumerate((10, 30, 10, 30)):
        put(spool, number, expires_s=expires_s)

    assert numbers(spool.next(2, now_s=20)) == [1, 3]
    assert (spool.waiting, spool.dropped) == (2, 2)


def test_a_full_disk_is_told_once_and_messages_wait_in_memory_meanwhile(tmp_path):
    lines = []
    store = Store(tmp_path / "state.sqlite")
    spool = spool_of(store, rows=10_000, lines=lines)
    put(spool, 0)
    ((pages,),) = store.rows("PRAGMA page_count")
    store.rows(f"PRAGMA max_page_count = {pages}")
    for number in range(1, 1_500):
        put(spool, number)
    kept = all_of(spool)
    assert kept[-1] == 1_499
    assert 1_000 <= len(kept) == 1_500 - spool.dropped
    store.rows("PRAGMA max_page_count = 100000")
    put(spool, 1_500)
    put(spool, 1_501)

    assert lines == [
        f"memory of messages lost: state file {tmp_path / 'state.sqlite'}: database or disk is "
        "full; see that the disk is there, ours and not full",
        "memory of messages back",
    ]
    assert store.rows("SELECT COUNT(*) FROM spool") == [(spool.waiting,)]
    store.close()


class Waiting(RuleBasedStateMachine):
    """A spool against a plain list, over restarts."""

    ROWS = 6

    def __init__(self):
        super().__init__()
        self.store = Store()
        self.spool = spool_of(self.store, rows=self.ROWS)
        self.old, self.new, self.answers = [], [], []
        self.count = self.dropped = 0

    @rule(answer=st.booleans())
    def put(self, answer):
        put(self.spool, self.count, Lane.ANSWER if answer else Lane.TELEMETRY)
        (self.answers if answer else self.new).append(self.count)
        self.count += 1
        while len(self.order()) > self.ROWS:
            (self.old or self.new or self.answers).pop(0)
            self.dropped += 1

    @rule(most=st.integers(1, 4), chosen=st.integers(0, 3))
    def deliver(self, most, chosen):
        letters = self.spool.next(most, now_s=0)
        assert numbers(letters) == self.order()[:most]
        for letter in letters[chosen : chosen + 1]:
            self.spool.delivered(letter)
            for line in (self.old, self.new, self.answers):
                line[:] = [each for each in line if each not in numbers([letter])]

    @rule()
    def connect(self):
        self.spool.begin()
        self.old, self.new = self.old + self.new, []

    @rule()
    def restart(self):
        self.spool.save()
        self.spool = spool_of(self.store, rows=self.ROWS)
        self.old, self.new = self.old + self.new, []

    def order(self):
        return self.answers + self.new + self.old

    @invariant()
    def they_agree(self):
        assert (all_of(self.spool), self.spool.dropped) == (self.order(), self.dropped)

    def teardown(self):
        self.store.close()


TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("lane", Lane)
def test_waiting_for_something_to_send_ends_when_it_comes(lane):
    async def wait():
        spool = spool_of(Store())
        waiting = asyncio.create_task(spool.more())
        await asyncio.sleep(0)
        assert not waiting.done()
        put(spool, 0, lane)
        async with asyncio.timeout(10):
            await waiting

    asyncio.run(wait())
