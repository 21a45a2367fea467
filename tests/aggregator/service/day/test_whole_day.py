"""A market day from telemetry to money, and again."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.service.day.ledger import member_address, session
from aggregator.service.day.made import ms
from aggregator.service.day.schedule import due
from aggregator.service.day.steps import runs_of
from aggregator.service.day.view import MarketDay
from aggregator.service.store.tables import reliability, revenues, settlements
from aggregator.settle import revenue_micro
from contracts.timegrid import TimeGrid
from devices.feeds.settings import PriceSettings

BEFORE = ("prices", "forecast", "plan", "offer", "award", "publish")
AFTER = ("watch", "imbalance", "settle", "revenue", "reliability", "score")


def test_what_is_delivered_on_the_ledger_is_what_the_homes_meters_told(played, local_day):
    world, lived, _ = played
    grid = TimeGrid.local_day(local_day)
    by_home_wh = -lived.grid_power_w.reshape(3, grid.count, 2).sum(axis=2) / 4

    expected = [sum(round(home) for home in slot) for slot in by_home_wh.T.tolist()]

    told = world.paper("deliveries")["deliveries"]
    assert [each["delivered_wh"] for each in told] == expected
    assert [each["interval"] for each in told] == list(grid.intervals)
    assert all(each["final"] for each in told)


def test_a_promised_interval_is_settled_at_the_markets_prices(played):
    world, _, _ = played
    award = world.paper("award")

    rows = world.rows(settlements)

    assert [row["commitment_wh"] for row in rows] == [wh for wh in award["quantity_wh"] if wh]
    assert rows
    for row in rows:
        assert row["revenue_micro"] == revenue_micro(
            commitment_wh=row["commitment_wh"],
            delivered_wh=row["delivered_wh"],
            price_micro_per_mwh=row["price_micro_per_mwh"],
            imbalance_price_micro_per_mwh=row["imbalance_price_micro_per_mwh"],
        )


def test_every_micro_of_the_revenue_is_a_homes_the_fee_a_repaid_loss_or_dust(played):
    world, _, _ = played
    rows, (fleet, *homes) = world.rows(settlements), world.rows(revenues)

    with session(world.desk) as reached:
        settled = [reached.ledger.settlement.settlement(row["interval_number"]) for row in rows]
    pool = sum(each.pool_micro for each in settled)
    fee = sum(each.fee_micro for each in settled)
    repaid = sum(each.repaid_micro for each in settled)
    dust = pool - sum(row["revenue_micro"] for row in homes)

    assert pool + fee + repaid == fleet["revenue_micro"]
    assert 0 <= dust < len(homes) * len(rows)
    assert fleet["revenue_micro"] - fleet["cost_micro"] == fee + repaid + dust - sum(
        row["loss_micro"] for row in rows
    )


def test_homes_are_owed_what_the_contract_says_they_may_claim(played, local_day):
    world, _, _ = played
    with session(world.desk) as reached:
        claimable = [
            sum(
                reached.ledger.settlement.credit_micro(member_address(f"simu-{home}"), interval)
                for interval in TimeGrid.local_day(local_day).intervals
            )
            for home in (1, 2, 3)
        ]

    rows = world.rows(revenues)

    assert [row["revenue_micro"] for row in rows[1:]] == claimable
    assert sum(claimable) > 0
    fleet = rows[0]
    losses = sum(row["loss_micro"] for row in world.rows(settlements))
    assert fleet["cost_micro"] == sum(claimable) + losses
    assert all(row["baseline_micro"] > row["cost_micro"] for row in rows[1:])


@settings(max_examples=3, deadline=None)
@given(order=st.permutations((*BEFORE, *AFTER)))
def test_steps_run_again_in_any_order_see_the_same_and_write_the_same_rows(played, order):
    world, _, _ = played
    rows, before = world.everything(), last_runs(world)

    again = {run.step: run for run in world.run(*order)}

    assert world.everything() == rows
    assert {name: outcome(run) for name, run in again.items()} == before


def last_runs(world):
    """Return state, line and hash of the last run of each step."""
    return {run.step: outcome(run) for run in runs_of(world.desk, world.day)}


def outcome(run):
    # what publish and settle say of the ledger is how they found it
    line = run.line.replace("stood already", "published").partition(", 3 homes enrolled")[0]
    return run.state, line, run.input_hash


def test_a_step_that_failed_in_between_leaves_what_others_made(played_again, tmp_path):
    world = played_again(tmp_path)
    rows, before = world.everything(), last_runs(world)
    away = PriceSettings(source="file", file=tmp_path / "gone.csv", currency="GBP")
    desk, world.desk = world.desk, replace(world.desk, prices=away, imbalance=away)

    failed = world.run("imbalance", "prices")
    world.done("settle", "plan", "revenue", "award", "forecast", "offer")
    world.desk = desk
    world.done("imbalance", "prices", "watch", "publish", "score", "reliability")

    assert [run.state for run in failed] == ["failed"] * 2
    assert world.everything() == rows
    assert last_runs(world) == before
    world.desk.store.close()


def test_the_page_sees_price_plan_promise_delivery_and_charge_of_the_day(played, local_day):
    world, lived, _ = played

    shown = MarketDay(world.desk).day(local_day)

    assert shown.committed_wh == world.paper("schedule")["commitment_wh"]
    assert shown.price_per_mwh == world.paper("award")["price_per_mwh"]
    assert None not in (*shown.delivered_wh, *shown.soc, *shown.imbalance_price_per_mwh)
    assert shown.soc_planned == [bp / 10_000 for bp in world.paper("schedule")["soc_bp"]]
    assert shown.soc[-1] == round(float(lived.soc[:, -1].mean()), 4)
    assert sum(each is not None for each in shown.revenue_micro) == len(world.rows(settlements))


def test_a_day_of_which_nothing_is_known_is_empty(played):
    world, _, _ = played

    shown = MarketDay(world.desk).day(world.desk.clock.utc().date().replace(year=2031))

    assert json.loads(shown.model_dump_json())["start_ms"] == []


def test_a_promise_cannot_be_settled_before_its_day_is_over(world, hour, local_day):
    world.done(*BEFORE)
    world.set_time(hour(local_day, 12))

    (run,) = world.run("settle")

    assert run.state == "failed"
    assert run.line == "2026-03-29 is not over, or its homes have not told all; settle it later"


def test_a_day_under_way_is_watched_interval_by_interval(world, hour, local_day):
    world.done(*BEFORE)
    world.live_the_day()
    world.set_time(hour(local_day, 6.2))

    (run,) = world.run("watch")

    assert run.state == "unfinished"
    told = world.paper("deliveries")
    assert told["reported"] == 12
    assert len(told["deliveries"]) == 13  # the thirteenth has begun
    world.set_time(hour(local_day, 26))
    assert world.done("watch") == [world.run("watch")[0].line]
    assert world.paper("deliveries")["reported"] == 46


def test_nobody_is_entered_as_silent_before_what_was_kept_for_us_is_here(world, hour, local_day):
    world.done(*BEFORE)
    world.live_the_day()
    # the service was down: the broker brought a night and a morning, of which nothing is rolled up
    world.desk.clock.now = hour(local_day, 6.2)
    (waiting,) = world.run("watch")
    world.set_time(hour(local_day, 6.2))
    back_ms = ms(hour(local_day, 6.1))
    desk, world.desk = world.desk, replace(world.desk, heard_since_ms=lambda: back_ms)
    (listening,) = world.run("watch")
    world.set_time(hour(local_day, 6.3))
    (told,) = world.run("watch")

    lines = [run.line.partition(",")[0] for run in (waiting, listening, told)]
    assert lines == [f"{over} of 46 intervals over" for over in (0, 0, 12)]
    assert "without telemetry" not in told.line

    # the same before a day is accounted
    world.set_time(hour(local_day, 26))
    accounts = ("settle", "revenue", "reliability", "score")
    world.desk = replace(desk, heard_since_ms=lambda: ms(hour(local_day, 25.9)))
    later = f"{local_day}: homes have not told all yet, or it is not rolled up; run this step later"
    assert {run.line for run in world.run(*accounts)} == {later}
    assert not {name for name, day in due(world.desk) if day == local_day} & {*accounts}
    world.set_time(hour(local_day, 26.1))
    world.done("watch", "imbalance", *accounts)


def test_a_step_whose_paper_is_missing_names_the_step_that_makes_it(world):
    (run,) = world.run("offer")

    assert (run.state, run.line) == (
        "failed",
        "2026-03-29: there is no plan yet; run the step plan first",
    )


def test_the_day_is_the_same_in_postgresql(played, postgres_world, hour, local_day):
    world, _, _ = played
    other = postgres_world
    other.done(*BEFORE)
    other.live_the_day()
    other.set_time(hour(local_day, 26))
    other.done(*AFTER)
    first = other.everything()

    other.done(*BEFORE, *AFTER)

    assert other.everything() == first
    for table in (settlements, revenues, reliability):
        assert first[table.name] == world.rows(table)
