"""What is due when, and the scheduler that runs it."""

import asyncio
import tomllib
from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import insert

from aggregator.publish import SOC_MARGIN
from aggregator.service.day.made import ms
from aggregator.service.day.part import DayPart
from aggregator.service.day.schedule import due, run_due
from aggregator.service.day.settings import DaySettings
from aggregator.service.day.steps import STEPS, runs_of
from aggregator.service.errors import ServiceConfigError
from aggregator.service.serve import House, known_tables
from aggregator.service.settings import read_service
from aggregator.service.store.tables import homes, papers, rollups_due, runs, settlements
from aggregator.service.template import TEMPLATE
from devices.clock import SystemClock


@pytest.fixture
def ended(world):
    """Return what writes down that steps of a day ended."""

    def write(day, state, *names, at):
        with world.desk.store.write() as connection:
            for name in names:
                row = {"step": name, "day": str(day), "state": state, "asked_by": "test"}
                times = {"began_ms": at.timestamp() * 1000, "ended_ms": at.timestamp() * 1000}
                connection.execute(insert(runs).values(**row, **times))

    return write


BEFORE = ("prices", "forecast", "plan", "offer", "award", "publish")
AFTER = ("imbalance", "settle", "revenue", "reliability", "score")


def test_of_many_homes_the_last_ones_that_come_back_hold_nobody_up(world, hour, local_day):
    at_ms = ms(hour(local_day, -20))
    mark = {"size_ms": 60_000, "start_ms": at_ms, "taken": False}
    told = [world.desk.told_until_ms()]
    with world.desk.store.write() as connection:
        connection.execute(insert(rollups_due).values(home_number=1, **mark))
    told.append(world.desk.told_until_ms())
    more = [{"id": f"more-{each}", "created_ms": 0} for each in range(200 - len(world.numbers))]
    with world.desk.store.write() as connection:
        connection.execute(insert(homes), more)
        connection.execute(insert(rollups_due).values(home_number=2, **mark))
    told.append(world.desk.told_until_ms())
    with world.desk.store.write() as connection:
        connection.execute(insert(rollups_due).values(home_number=3, **mark))
    told.append(world.desk.told_until_ms())

    now_ms = ms(hour(local_day, -9)) - 600_000
    assert told == [now_ms, at_ms, now_ms, at_ms]


def test_steps_are_due_at_their_local_times_of_the_day_before(world, ended, hour, local_day):
    ended(local_day - timedelta(days=1), "done", *STEPS, at=hour(local_day, -30))
    for days in (2, 3, 4):
        ended(local_day - timedelta(days=days), "done", *STEPS, at=hour(local_day, -60))
    world.desk.clock.now = hour(local_day, -10.6)  # 13:24, in winter
    early = due(world.desk)
    world.desk.clock.now = hour(local_day, -10.4)

    assert early == []
    assert due(world.desk) == [("prices", local_day)]


def test_a_step_waits_for_what_it_needs_and_is_tried_again(world, ended, hour, local_day):
    for days in (1, 2, 3, 4):
        ended(local_day - timedelta(days=days), "done", *STEPS, at=hour(local_day, -60))
    now = world.desk.clock.now = hour(local_day, -9)
    ended(local_day, "failed", "prices", at=now - timedelta(minutes=9))

    soon = due(world.desk)
    ended(local_day, "done", "forecast", at=now)
    world.desk.clock.now = now + timedelta(minutes=1)

    assert soon == [("forecast", local_day)]
    assert due(world.desk) == [("prices", local_day), ("plan", local_day)]


def test_a_day_that_has_begun_is_watched_and_not_planned_any_more(world, ended, hour, local_day):
    for days in (1, 2, 3, 4):
        ended(local_day - timedelta(days=days), "done", *STEPS, at=hour(local_day, -60))
    ended(local_day, "done", "publish", at=hour(local_day, -9))
    world.desk.clock.now = hour(local_day, 3)

    first = due(world.desk)
    ended(local_day, "unfinished", "watch", at=hour(local_day, 3))

    assert first == [("watch", local_day)]
    assert due(world.desk) == []
    world.desk.clock.now = hour(local_day, 3.1)
    assert due(world.desk) == [("watch", local_day)]


def test_what_comes_after_a_day_is_due_the_day_after(world, ended, hour, local_day):
    for days in (1, 2, 3):
        ended(local_day - timedelta(days=days), "done", *STEPS, at=hour(local_day, -60))
    ended(local_day, "done", *BEFORE, "watch", at=hour(local_day, 20))
    world.desk.clock.now = hour(local_day, 25)

    assert due(world.desk) == [
        (name, local_day) for name in ("imbalance", "settle", "reliability", "score")
    ]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"zone": "Mars/Base"}, "zone is 'Mars/Base'; give an IANA name such as Europe/Berlin"),
        ({"step_s": 600}, "step_s is 600; give one of (900, 1800, 3600)"),
        (
            {"zone": "Asia/Kolkata", "step_s": 3600},
            "step_s is 3600, on which no day of Asia/Kolkata begins; give less",
        ),
        ({"plan_at": "noon"}, "plan_at is 'noon'; give a local time such as \"13:30\""),
        ({"award_share": 1.5}, "award_share is 1.5; give 0..1"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_one_line(setting, said):
    with pytest.raises(ValueError, match=r".") as caught:
        DaySettings(**setting)

    assert str(caught.value) == said


def test_the_zone_that_requests_had_for_themselves_is_the_days(tmp_path):
    config = tmp_path / "service.toml"
    config.write_text('[rest]\nzone = "Europe/Berlin"\n')

    with pytest.raises(ServiceConfigError) as caught:
        read_service(config, folder=tmp_path, known=known_tables())

    assert str(caught.value) == ("service.toml [rest]: zone is [day] zone now; write it there")


def test_the_commented_file_shows_each_default_of_the_day():
    _, _, rest = TEMPLATE.partition("[day]\n")
    lines = [line.removeprefix("# ") for line in rest.partition("\n\n")[0].splitlines()]
    shown = tomllib.loads("\n".join(lines))

    defaults = asdict(DaySettings()) | {"end_soc": 0.5, "export_limit_w": 500_000.0}
    assert shown == defaults
    assert shown["soc_margin"] == SOC_MARGIN


def test_the_scheduler_runs_what_is_due_when_the_service_starts(world, tmp_path, market, local_day):
    config = tmp_path / "service.toml"
    config.write_text(
        "[day]\nhistory_days = 8\n"
        f'[prices]\nsource = "file"\nfile = "{market["prices"]}"\ncurrency = "GBP"\n'
    )
    told = []
    house = House(
        settings=read_service(config, folder=tmp_path, known=known_tables()),
        store=world.desk.store,
        clock=world.desk.clock,
        tell=told.append,
    )

    async def story():
        part = DayPart(house)
        await part.start()
        async with asyncio.timeout(120):
            while not any(run.step == "publish" and run.ended_ms for run in ran()):
                part.check()
                await asyncio.sleep(0.02)
        await part.stop()

    def ran():
        return runs_of(world.desk, local_day)

    asyncio.run(story())

    assert [(run.step, run.state, run.asked_by) for run in ran()] == [
        (name, "done", "schedule") for name in BEFORE
    ]
    assert told == []
    assert house.day.day(local_day).committed_wh == world.paper("schedule")["commitment_wh"]


def test_a_day_goes_by_from_its_plan_to_its_accounts(world, ended, hour, local_day):
    for days in range(1, 6):  # nobody promised anything of the days before
        ended(local_day - timedelta(days=days), "done", *STEPS, at=hour(local_day, -60))
    told = []
    lived = None

    for hours in (-12, -9, 0, 8, 16, 24, 25.5, 27):
        world.set_time(hour(local_day, hours))
        if hours == 0:
            lived = world.live_the_day()
        run_due(world.desk, tell=told.append, ending=Event())

    assert lived is not None
    found = Counter((run.step, run.state) for run in runs_of(world.desk, local_day))
    watched = found.pop(("watch", "unfinished"))
    assert found == Counter((name, "done") for name in STEPS if name != "weather")
    assert watched == 3  # at 0, 8 and 16 o'clock
    assert len(world.rows(settlements)) > 0
    assert [line for line in told if str(local_day) in line] == []


def test_what_cannot_be_done_is_told_once(world, ended, hour, local_day):
    for days in range(-1, 4):
        skipped = STEPS if days >= 0 else [name for name in STEPS if name != "prices"]
        ended(local_day - timedelta(days=days), "done", *skipped, at=hour(local_day, -60))
    world.desk = replace(world.desk, prices=world.desk.imbalance)
    world.desk.clock.now = hour(local_day, 15)
    told = []

    for _ in range(3):
        run_due(world.desk, tell=told.append, ending=Event())
        world.desk.clock.now += timedelta(minutes=20)

    tomorrow = local_day + timedelta(days=1)
    assert [line for line in told if line.startswith("prices")] == [
        f"prices of {tomorrow} unfinished: 0 prices of price file imbalance.csv, "
        "48 intervals not published yet"
    ]


def test_a_step_that_breaks_is_told_and_the_next_one_runs(world, local_day):
    world.done("prices")
    with world.desk.store.write() as connection:
        body = {"neither": "demand nor production"}
        run = {"kind": "forecast", "day": str(local_day), "run_number": 99, "body": body}
        connection.execute(insert(papers).values(run))
        row = {"step": "forecast", "day": str(local_day), "state": "done", "asked_by": "test"}
        connection.execute(insert(runs).values(**row, began_ms=0, ended_ms=0))
    told = []

    run_due(world.desk, tell=told.append, ending=Event())

    assert f"plan of {local_day} broke, tell us of it: KeyError('demand_wh')" in told
    assert [(run.step, run.state) for run in runs_of(world.desk, local_day)][-1] == (
        "plan",
        "failed",
    )


def test_without_a_source_of_prices_only_what_is_asked_for_is_run(world, tmp_path):
    told = []
    house = House(
        settings=read_service(None, folder=tmp_path),
        store=world.desk.store,
        clock=SystemClock(),
        tell=told.append,
    )

    async def story():
        part = DayPart(house)
        await part.start()
        await part.stop()

    asyncio.run(story())

    assert told == ["market days are run by hand alone: [prices] names no source"]
    assert world.rows(runs) == []
