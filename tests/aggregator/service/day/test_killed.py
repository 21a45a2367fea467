"""A step that is killed in the middle of what it writes."""

import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from aggregator.service.day.errors import StepConflictError
from aggregator.service.day.ledger import session
from aggregator.service.store.tables import ledger_states, papers, runs

# The last thing a step does, made to take for ever: whoever has the lock is in the middle of it.
SLOW = """
CREATE TRIGGER slow BEFORE INSERT ON papers BEGIN
    SELECT (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000000000)
            SELECT max(x) FROM c);
END
"""
PROGRAM = """
import sys
from datetime import date, datetime

from aggregator.service.day.desk import Desk
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.day.steps import run_step
from aggregator.service.store.store import open_store
from devices.feeds.weather_settings import WeatherSettings

class Clock:
    def utc(self):
        return datetime.fromisoformat(sys.argv[3])

desk = Desk(
    store=open_store(f"sqlite:///{sys.argv[1]}"),
    clock=Clock(),
    settings=DaySettings(history_days=8),
    prices=None,
    imbalance=None,
    weather=WeatherSettings(),
    ledger=LedgerSettings(fee_bp=1000),
)
run_step(desk, "publish", date.fromisoformat(sys.argv[2]), who="test")
"""


def until_it_writes(path):
    """Wait until a step is in the middle of its transaction."""
    deadline_s = time.monotonic() + 180.0  # a busy computer takes long to start a program
    while not is_writing(path):
        assert time.monotonic() < deadline_s, "the step does not write"
        time.sleep(0.02)


def is_writing(path):
    base = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        running = base.execute("SELECT count(*) FROM runs WHERE state = 'running'").fetchone()[0]
        if not running:
            return False
        base.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    else:
        base.execute("ROLLBACK")
        return False
    finally:
        base.close()


def test_a_step_killed_while_it_writes_leaves_nothing_half_done(world, tmp_path, local_day):
    world.done("prices", "forecast", "plan", "offer", "award")
    database = tmp_path / "service.db"
    with sqlite3.connect(database) as base:
        base.execute(SLOW)
    now = world.desk.clock.utc().isoformat()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, database, str(local_day), now])
    try:
        until_it_writes(database)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert world.rows(ledger_states) == []
    assert "published" not in {row["kind"] for row in world.rows(papers)}
    assert world.rows(runs)[-1]["state"] == "running"
    with sqlite3.connect(database) as base:
        base.execute("DROP TRIGGER slow")

    (line,) = world.done("publish")

    assert line.startswith("published: ")
    assert line.endswith("3 homes enrolled")
    killed = world.rows(runs)[-2]
    assert (killed["state"], killed["line"]) == (
        "failed",
        "ended in the middle; nothing of it was kept",
    )
    assert world.paper("published")["intervals"] == 46


def test_a_ledger_that_another_process_went_on_with_is_not_overwritten(world):
    world.done("prices", "forecast", "plan", "offer", "award", "publish")
    world.live_the_day()

    with session(world.desk) as slow:
        slow.reach(slow.embedded.chain.now_s() + 60)
        slow.ledger.fleet.pause()
        with session(world.desk) as quick, world.desk.store.write() as connection:
            quick.ledger.fleet.pause()
            quick.keep(connection)
        stands = world.rows(ledger_states)
        with (
            pytest.raises(StepConflictError) as caught,
            world.desk.store.write() as connection,
        ):
            slow.keep(connection)

    assert str(caught.value) == (
        "the embedded ledger was changed by another process; run the step again"
    )
    assert world.rows(ledger_states) == stands


def test_a_day_that_has_begun_is_not_promised_any_more(world, hour, local_day):
    world.done("prices", "forecast", "plan", "offer", "award")
    world.desk.clock.now = hour(local_day, 0)

    (run,) = world.run("publish")

    assert (run.state, run.line) == (
        "failed",
        "the day that begins 2026-03-29 00:00Z has begun; promise a later one",
    )
    assert world.rows(ledger_states) == []
