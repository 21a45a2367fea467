"""The gateway's memory keeps whole transactions, through errors, kills and a full disk."""

import os
import signal
import subprocess
import sys

import pytest

from hems.agent.store import Store
from hems.errors import StoreError

TABLE = "CREATE TABLE IF NOT EXISTS numbers (value INTEGER)"


def test_a_transaction_stands_after_the_file_is_opened_again(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    store.create(TABLE)
    with store.transaction(wait=True) as base:
        base.execute("INSERT INTO numbers VALUES (1)")
    store.close()

    again = Store(tmp_path / "state.sqlite")
    assert again.rows("SELECT value FROM numbers") == [(1,)]
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o777 == 0o600
    again.close()


def test_a_block_that_raises_leaves_nothing():
    store = Store()
    store.create(TABLE)

    def half():
        with store.transaction() as base:
            base.execute("INSERT INTO numbers VALUES (1)")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    with store.transaction() as base:
        base.execute("INSERT INTO numbers VALUES (2)")
    assert store.rows("SELECT value FROM numbers") == [(2,)]
    store.close()


def test_a_killed_writer_leaves_what_it_committed_and_nothing_else(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from hems.agent.store import Store\n"
        f"store = Store(pathlib.Path({str(tmp_path / 'state.sqlite')!r}))\n"
        f"store.create({TABLE!r})\n"
        "with store.transaction() as base:\n"
        "    base.execute('INSERT INTO numbers VALUES (1)')\n"
        "with store.transaction() as base:\n"
        "    base.execute('INSERT INTO numbers VALUES (2)')\n"
        "    print('in the middle', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"in the middle\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(20)

    store = Store(tmp_path / "state.sqlite")
    assert store.rows("SELECT value FROM numbers") == [(1,)]
    store.close()


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_text("this is a shopping list, and a long one at that" * 50)
    with pytest.raises(StoreError, match=r"state\.sqlite: file is not a database"):
        Store(path)


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    store.create(TABLE)
    store.rows("PRAGMA max_page_count = 8")
    with store.transaction() as base:
        base.execute("INSERT INTO numbers VALUES (1)")

    def too_much():
        with store.transaction() as base:
            base.executemany("INSERT INTO numbers VALUES (?)", ((2,) for _ in range(20_000)))

    with pytest.raises(StoreError, match="full"):
        too_much()
    assert store.rows("SELECT value FROM numbers") == [(1,)]
    store.close()


def test_a_file_that_somebody_else_writes_is_not_waited_for_long(tmp_path):
    store, other = Store(tmp_path / "state.sqlite"), Store(tmp_path / "state.sqlite")
    store.create(TABLE)

    def write():
        with store.transaction() as base:
            base.execute("INSERT INTO numbers VALUES (1)")

    with other.transaction(), pytest.raises(StoreError, match="database is locked"):
        write()
    write()

    assert store.rows("PRAGMA busy_timeout") == [(200,)]
    assert store.rows("SELECT value FROM numbers") == [(1,)]
