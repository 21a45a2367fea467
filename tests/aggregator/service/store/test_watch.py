"""What is told of a database that does not answer, by whoever notices it."""

import asyncio
import os
import signal
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.store.news import StoreNews
from aggregator.service.store.store import open_store
from aggregator.service.store.watch import StoreWatch

LONG_S = 60.0


@contextmanager
def stopped(process):
    """Let a process hang, as one does whose disk is stuck."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def lines_told(lines, count):
    async with asyncio.timeout(LONG_S):
        while len(lines) < count:  # noqa: ASYNC110 -- another thread's
            await asyncio.sleep(0.02)


def test_a_database_that_hangs_is_told_of_once_and_once_when_it_goes_on(postgres_url):
    store, lines = open_store(postgres_url), []

    async def story():
        watch = StoreWatch(store, lines.append, silent_s=0.1)
        with store.look() as connection:
            worker = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with stopped(worker):
            await watch.start()
            await lines_told(lines, 1)
        await lines_told(lines, 2)
        watch.check()
        await watch.stop()

    asyncio.run(story())
    store.close()

    assert lines == [
        f"store lost: {store.name} has not answered for 0.1 s; look at it and at its disk",
        "store back",
    ]


def test_a_connection_to_a_computer_that_is_cut_off_ends_within_a_minute(postgres_url):
    store = open_store(postgres_url)

    for opened in (store.read, store.write):
        with opened() as connection:
            asked = connection.connection.driver_connection.info.get_parameters()
        sounded_s = int(asked["keepalives_interval"]) * int(asked["keepalives_count"])
        assert int(asked["keepalives_idle"]) + sounded_s <= 60
        assert 0 < int(asked["tcp_user_timeout"]) <= 60_000
    store.close()


def test_whoever_uses_a_database_that_is_away_has_it_told_once(tmp_path):
    store, lines = open_store(f"sqlite:///{tmp_path / 'away' / 'service.db'}"), []
    store.news.tell = lines.append
    for opened in (store.read, store.write, store.look):
        with pytest.raises(StoreUnavailableError), opened():
            pass
    (tmp_path / "away").mkdir()
    with store.write():
        pass
    store.ping()
    store.close()

    lost, back = lines
    assert lost.startswith(f"store lost: {store.name} does not answer (")
    assert back == "store back"


def test_a_database_that_is_read_but_not_written_is_not_back():
    lines = []
    news = StoreNews(lines.append)
    news.lost("its disk is full", writes=True)
    news.answered(writes=False)
    news.lost("its disk is full", writes=True)
    assert lines == ["store lost: its disk is full"]

    news.answered(writes=True)
    assert lines[1:] == ["store back"]


def test_the_database_s_files_are_its_owner_s_alone_wherever_they_lie(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'service.db'}")
    with store.write() as connection:
        connection.execute(text("CREATE TABLE things (number INTEGER)"))
        store.ping()

        files = sorted(tmp_path.iterdir())
        assert [each.name for each in files] == ["service.db", "service.db-shm", "service.db-wal"]
        assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    store.close()
