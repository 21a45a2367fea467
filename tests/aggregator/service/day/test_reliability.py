"""What a battery did, and how far the planner counts on it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert

from aggregator.service.day.made import ms
from aggregator.service.day.reliability import Record, score
from aggregator.service.store.tables import commands, reliability, telemetry_15min

DAY_MS = 86_400_000


def record(day, *, away=0.0, failures=0, missed=0, done=0):
    return Record(
        day=day,
        disconnected_ms=round(away * DAY_MS),
        length_ms=DAY_MS,
        failures=failures,
        missed=missed,
        orders=failures + missed + done,
    )


def test_a_battery_that_is_always_there_counts_whole(local_day):
    assert score((record(local_day, done=7),), local_day) == 1.0


def test_a_new_batterys_bad_day_halves_its_score(local_day):
    # one good day is what it begins with
    assert score((record(local_day, away=1.0),), local_day) == 0.5


def test_failures_and_missed_orders_lower_the_score_alike(local_day):
    refused = score((record(local_day, failures=2, done=3),), local_day)
    missed = score((record(local_day, missed=2, done=3),), local_day)

    assert refused == missed == pytest.approx((5 + 3) / (5 + 5))


def test_what_is_a_half_life_old_weighs_half(local_day):
    old = record(local_day - timedelta(days=14), away=1.0)

    assert score((old,), local_day) == pytest.approx(1 / 1.5)


def test_an_unreliable_battery_lowers_the_capacity_that_the_plan_counts_on(world, local_day):
    world.done("prices", "forecast", "plan")
    whole = world.paper("plan")
    figures = {"failures": 3, "disconnected_ms": 0, "missed": 1}
    # the day before is scored when it is over: a plan that is made again later sees no more of it
    scores = {2: 0.25, 1: 0.75}
    rows = [
        {"home_number": number, "day": str(local_day - timedelta(days=back)), "score": each}
        | figures
        for number in world.numbers[:2]
        for back, each in scores.items()
    ]
    with world.desk.store.write() as connection:
        connection.execute(insert(reliability), rows)

    (line,) = world.done("plan")

    less = world.paper("plan")
    assert "counting on 15.4 of 30.9 kWh of 3 batteries" in line  # 10.3 x (0.25 + 0.25 + 1)
    moved = [sum(each["charge_wh"]) for each in (whole, less)]
    assert moved[1] < moved[0]
    assert less["cost"] > whole["cost"]


def test_a_day_that_is_not_over_is_not_scored(world, local_day):
    lines = [run.line for run in world.run("reliability", "revenue", "score")]

    assert lines == [f"{local_day} is not over; run this step after it"] * 3


def test_a_day_of_silence_and_unanswered_orders_are_scored(world, hour, local_day):
    world.desk.clock.now = hour(local_day, 1)
    silent, refusing, good = world.numbers
    day = local_day - timedelta(days=1)
    begin_ms = ms(world.desk.grid(day).start)
    with world.desk.store.write() as connection:
        gone = telemetry_15min.c.start_ms >= begin_ms
        connection.execute(
            delete(telemetry_15min).where(telemetry_15min.c.home_number == silent, gone)
        )
        for number, state in enumerate(["refused", "unanswered", "done"]):
            connection.execute(
                insert(commands).values(
                    correlation_id=f"c-{number}",
                    request_id="r",
                    home_number=refusing,
                    target="fleet",
                    body={},
                    asked_by="test",
                    state=state,
                    asked_ms=begin_ms + 1,
                    expires_ms=begin_ms + 60_000,
                )
            )

    world.done("reliability", day=day)

    rows = {row["home_number"]: row for row in world.rows(reliability)}
    assert rows[good]["score"] == 1.0
    assert rows[silent]["disconnected_ms"] == DAY_MS
    assert rows[silent]["score"] < 0.9
    assert (rows[refusing]["failures"], rows[refusing]["missed"]) == (1, 1)
    assert rows[refusing]["score"] == pytest.approx(6 / 8)
