"""Every write: only when something changes, counted, within its budget, and seen to be done."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from devices.errors import (
    DeviceConfigError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
    WriteBudgetError,
)
from devices.guarded_writes import GuardedWrites, Register, within
from devices.hand_clock import HandClock
from devices.write_log import WriteLog

MODE = Register(name="mode", budget_per_day=2)
POWER = Register(name="power", budget_per_day=None)


class Memory:
    """A device's register, which may take writes late or not at all."""

    def __init__(self, value=0):
        self.value = value
        self.sent = []
        self.reads = 0
        self.ignore = False
        self.answers = []

    async def send(self, value):
        self.sent.append(value)
        if not self.ignore:
            self.value = value

    async def read(self):
        self.reads += 1
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self.value


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def log():
    with WriteLog() as opened:
        yield opened


@pytest.fixture
def writes(clock, log):
    return GuardedWrites("shed", log=log, clock=clock)


def put(writes, memory, value, *, register=POWER, reads=True, **options):
    return writes.put(
        register,
        value,
        send=lambda: memory.send(value),
        read_back=memory.read if reads else None,
        **options,
    )


async def waiting(clock, attempt):
    """Move the clock until ``attempt`` is done, and return what it gave."""
    task = asyncio.ensure_future(attempt)
    for _ in range(100):
        await asyncio.sleep(0)
        if task.done():
            break
        await clock.advance(0.2)
    return await task


def test_a_value_that_the_register_holds_already_is_not_written(writes):
    memory = Memory(value=5)

    assert asyncio.run(put(writes, memory, 5)) is False
    assert memory.sent == []


def test_a_change_is_written_once_and_seen(writes, log, clock):
    memory = Memory()

    assert asyncio.run(put(writes, memory, 5)) is True
    assert asyncio.run(put(writes, memory, 5)) is False

    assert (memory.sent, memory.reads) == ([5], 2)
    assert log.counts("shed", clock.utc().date()) == {"power": 1}


def test_a_register_that_cannot_be_read_is_written_once(writes):
    memory = Memory(value=5)

    assert asyncio.run(put(writes, memory, 5, reads=False)) is True
    assert asyncio.run(put(writes, memory, 5, reads=False)) is False
    assert memory.sent == [5]


def test_a_timer_is_written_whether_or_not_it_changed(writes):
    memory = Memory()

    for _ in range(3):
        asyncio.run(put(writes, memory, 60, renew=True))

    assert memory.sent == [60, 60, 60]


def test_what_was_forgotten_is_read_before_it_is_written_again(writes):
    memory = Memory()
    asyncio.run(put(writes, memory, 5))
    memory.value = 0

    writes.forget()
    asyncio.run(put(writes, memory, 5))

    assert memory.sent == [5, 5]


def test_a_write_that_takes_effect_late_is_waited_for(writes, clock):
    memory = Memory()
    memory.answers = [0, 0, DeviceReplyError("garbled"), 0]

    assert asyncio.run(waiting(clock, put(writes, memory, 5))) is True
    assert clock.monotonic_s() == pytest.approx(0.6)


def test_a_write_that_is_ignored_is_told_and_tried_again_next_time(writes, clock):
    memory = Memory()
    memory.ignore = True

    with pytest.raises(DeviceIgnoredError, match="shed took 5 for power and shows 0; see whether"):
        asyncio.run(waiting(clock, put(writes, memory, 5)))
    memory.ignore = False
    asyncio.run(waiting(clock, put(writes, memory, 5)))

    assert memory.sent == [5, 5]


def test_a_read_back_that_is_refused_is_told_at_once(writes):
    memory = Memory()
    memory.answers = [0, DeviceUnauthorisedError("shed: token unknown")]

    with pytest.raises(DeviceUnauthorisedError):
        asyncio.run(put(writes, memory, 5))


def test_rounding_of_the_device_is_no_ignored_write(writes):
    memory = Memory()

    async def rounds():
        memory.value = 4.98

    sent = writes.put(POWER, 5.0, send=rounds, read_back=memory.read, same=within(0.05))

    assert asyncio.run(sent) is True
    assert within(0.05)("5", 5.0) is False


def test_a_lost_connection_leaves_the_register_unknown(writes):
    memory = Memory(value=5)

    async def lost():
        raise DeviceUnavailableError("no answer from shed")

    asyncio.run(put(writes, memory, 5))
    with pytest.raises(DeviceUnavailableError):
        asyncio.run(writes.put(POWER, 6, send=lost, read_back=memory.read))
    memory.value = 6
    asyncio.run(put(writes, memory, 5))

    assert memory.sent == [5]


def test_the_budget_of_a_day_holds_and_the_next_day_has_its_own(writes, clock, log):
    memory = Memory()

    async def story():
        for value in (1, 2):
            await put(writes, memory, value, register=MODE)
        with pytest.raises(
            WriteBudgetError, match="shed mode was written 2 times today, its budget; steer it less"
        ):
            await put(writes, memory, 3, register=MODE)
        await put(writes, memory, 4, register=MODE, essential=True)
        await clock.advance(86_400)
        await put(writes, memory, 5, register=MODE)

    asyncio.run(story())

    assert memory.sent == [1, 2, 4, 5]


def test_a_budget_survives_a_restart(tmp_path, clock):
    memory = Memory()
    for value in (1, 2):
        with WriteLog(tmp_path / "writes.sqlite") as log:
            asyncio.run(
                put(GuardedWrites("shed", log=log, clock=clock), memory, value, register=MODE)
            )

    with WriteLog(tmp_path / "writes.sqlite") as log, pytest.raises(WriteBudgetError):
        asyncio.run(put(GuardedWrites("shed", log=log, clock=clock), memory, 3, register=MODE))


def test_reading_only_refuses_before_anything_is_sent_or_counted(clock, log):
    memory = Memory()
    writes = GuardedWrites("shed", log=log, clock=clock, read_only=True)

    for essential in (False, True):
        with pytest.raises(DeviceReadOnlyError, match="power is not written"):
            asyncio.run(put(writes, memory, 5, essential=essential, renew=True))

    assert (writes.read_only, memory.sent) == (True, [])
    assert log.counts("shed", clock.utc().date()) == {}


def test_what_cannot_be_counted_is_written_only_where_it_lets_go_of_the_device(clock, tmp_path):
    memory = Memory()
    with WriteLog(tmp_path / "log") as log:
        with closing(sqlite3.connect(tmp_path / "log")) as other, other:
            other.execute("DROP TABLE writes")  # as a damaged card does
        writes = GuardedWrites("shed", log=log, clock=clock)

        with pytest.raises(DeviceConfigError, match="cannot be used"):
            asyncio.run(writes.put(POWER, 5, send=lambda: memory.send(5)))
        asyncio.run(writes.put(MODE, 2, send=lambda: memory.send(2), essential=True))

    assert memory.sent == [2]
