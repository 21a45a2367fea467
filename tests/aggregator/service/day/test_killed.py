"""Steps that are killed in the middle of what they write, and processes that both run steps."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select

from aggregator.service.day.errors import StepConflictError
from aggregator.service.day.ledger import session
from aggregator.service.day.made import ms
from aggregator.service.day.schedule import due
from aggregator.service.day.turn import turn
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import ledger_states, runs
from devices.feeds.weather_settings import WeatherSettings

# The last thing a step writes, made to take for ever: whoever has the lock is in the middle of it.
SLOW = """
CREATE TRIGGER slow BEFORE UPDATE ON runs WHEN NEW.state IN ('done', 'unfinished') BEGIN
    SELECT (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000000000)
            SELECT max(x) FROM c);
END
"""
# Loads everything once; each step is a process of its own, which is told and then killed.
PROGRAM = """
import os, sys
from datetime import date, datetime
from pathlib import Path

import contracts.local.chain_revm
import aggregator.service.day.ledger
from aggregator.service.day.desk import Desk
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.day.steps import STEPS, run_step
from aggregator.service.store.store import open_store
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings

class Clock:
    def __init__(self, text):
        self.now = datetime.fromisoformat(text)

    def utc(self):
        return self.now

def prices(file):
    return PriceSettings(source="file", file=Path(file), currency="GBP")

for step in STEPS.values():
    step.functions()
_, database, day, market, imbalance, weather = sys.argv
for line in sys.stdin:
    name, now = line.split()
    child = os.fork()
    if not child:
        desk = Desk(
            store=open_store(f"sqlite:///{database}"),
            clock=Clock(now),
            settings=DaySettings(history_days=8),
            prices=prices(market),
            imbalance=prices(imbalance),
            weather=WeatherSettings(source="file", file=Path(weather)),
            ledger=LedgerSettings(fee_bp=1000),
        )
        run_step(desk, name, date.fromisoformat(day), who="test")
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
WAIT_S = 180.0  # a busy computer takes long to start a program


def until_it_writes(path):
    """Wait until a step is in the middle of its transaction."""
    deadline_s = time.monotonic() + WAIT_S
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


@contextmanager
def stepper(world, database, market, weather):
    """Yield what begins a step in a process of its own, and kills it while it writes."""
    arguments = [database, world.day, market["prices"], market["imbalance"], weather]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def kill_in(step):
        with sqlite3.connect(database) as base:
            base.execute(SLOW)
        process.stdin.write(f"{step} {world.desk.clock.utc().isoformat()}\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        try:
            until_it_writes(database)
        finally:
            os.kill(child, signal.SIGKILL)
            assert process.stdout.readline() == "gone\n"
        with sqlite3.connect(database) as base:
            base.execute("DROP TRIGGER slow")

    try:
        yield kill_in
    finally:
        process.stdin.close()
        process.wait(WAIT_S)
        process.stdout.close()


def test_each_step_killed_while_it_writes_leaves_nothing_and_is_done_when_run_again(
    world, tmp_path, market, hour, local_day, steps_of_a_day
):
    before, after = steps_of_a_day
    weather = tmp_path / "weather.csv"
    hours = [hour(local_day, each).isoformat() for each in range(-8 * 24, 24)]
    rows = [f"{each},100,10" for each in hours]
    weather.write_text("\n".join(["begin,irradiance_w_per_m2,temperature_c", *rows, ""]))
    world.desk = replace(world.desk, weather=WeatherSettings(source="file", file=weather))
    with stepper(world, tmp_path / "service.db", market, weather) as kill_in:
        for step in ("weather", *before, *after):
            if step == after[0]:
                world.live_the_day()
                world.set_time(hour(local_day, 26))
            made = world.everything()
            kill_in(step)
            assert world.everything() == made, step
            assert world.rows(runs)[-1]["state"] == "running"
            world.done(step)
            killed, again = world.rows(runs)[-2:]
            assert (killed["step"], killed["state"], killed["line"]) == (
                step,
                "failed",
                "ended in the middle; nothing of it was kept",
            )
            assert (again["step"], again["state"]) == (step, "done")


def test_a_step_waits_for_another_process_that_runs_one(world, local_day, tmp_path):
    world.done("prices")
    file = sqlite3.connect(f"{tmp_path / 'service.db'}-turn", isolation_level=None)
    file.execute("BEGIN EXCLUSIVE")  # as another process has it, until it ends

    with pytest.raises(StepConflictError) as caught, turn(world.desk.store, wait_s=0.1):
        pass
    assert str(caught.value) == "others ran steps for all of 0.1 s; run this one again"
    file.close()

    with turn(world.desk.store, wait_s=0.1):
        pass
    world.done("prices")


def test_in_postgresql_too_one_step_is_run_at_a_time(postgres_url):
    one, other = open_store(postgres_url), open_store(postgres_url)
    lock = select(func.pg_try_advisory_xact_lock(5_102_018))
    with turn(one), other.write() as connection:
        assert connection.scalar(lock) is False
    with other.write() as connection:
        assert connection.scalar(lock) is True
        with pytest.raises(StepConflictError), turn(one, wait_s=0.1):
            pass
    one.close()
    other.close()


def test_a_killed_run_is_due_again_after_the_pause_and_not_before(world, hour, local_day):
    with world.desk.store.write() as connection:
        row = {"day": str(local_day), "asked_by": "test", "began_ms": ms(hour(local_day, -9))}
        connection.execute(insert(runs).values(step="prices", state="running", **row))

    world.desk.clock.now = hour(local_day, -8.9)
    soon = [each for each in due(world.desk) if each == ("prices", local_day)]
    world.desk.clock.now = hour(local_day, -8.8)

    assert soon == []
    assert ("prices", local_day) in due(world.desk)


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
