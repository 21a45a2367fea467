"""What a real market took of an offer: entered, checked, and gone by."""

import json
from datetime import date
from threading import Event

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import PlanInputError
from aggregator.market import Bid
from aggregator.service.day.result import Accepted, ResultMarket, enter_result
from aggregator.service.day.schedule import due, run_due
from aggregator.service.store.tables import audit, runs
from contracts.timegrid import TimeGrid
from scenarios.cli import cli

DAY = "2026-03-29"
GRID = TimeGrid.local_day(date(2026, 3, 29))
FIRST = GRID.first_interval


@pytest.fixture
def offered(world):
    """Return a world whose day is offered, and its bids."""
    world.done("prices", "forecast", "plan", "offer")
    return world, world.paper("offer")["bids"]


def taken(bids, *, share=0.5, price=70.0):
    """Return a market's result: a part of every second bid."""
    return [
        {
            "interval": bid["interval"],
            "quantity_wh": int(bid["quantity_wh"] * share),
            "price_per_mwh": price,
        }
        for bid in bids[::2]
    ]


def test_a_result_that_is_entered_is_promised_at_its_prices_and_stands(offered, asking):
    world, bids = offered
    (alone,) = world.done("award")
    sold = taken(bids)
    with asking(world.desk) as ask:
        path = f"/api/day/{DAY}/result"
        answer = ask("POST", path, "operator", json={"accepted": sold})
        award = ask("POST", f"/api/day/{DAY}/award", "operator").json()
        paper = ask("GET", f"/api/day/{DAY}/papers/result").json()
        world.done("publish")
        late = ask("POST", path, "operator", json={"accepted": sold[1:]})
        same = ask("POST", path, "operator", json={"accepted": sold[::-1]})

    total_wh = sum(each["quantity_wh"] for each in sold)
    run = answer.json()
    assert (answer.status_code, run["step"], run["state"]) == (200, "result", "done")
    assert (
        run["line"] == f"the market took {total_wh} Wh in {len(sold)} intervals; award goes by it"
    )
    assert ", as a price-taker; " in alone
    assert award["line"].startswith(
        f"awarded {total_wh} Wh in {len(sold)} intervals, by the market's result; "
    )
    assert paper == {"accepted": sold}
    by_interval = {each["interval"]: each["quantity_wh"] for each in sold}
    expected = [by_interval.get(interval, 0) for interval in GRID.intervals]
    assert world.paper("schedule")["commitment_wh"] == expected
    prices = dict(zip(GRID.intervals, world.paper("award")["price_per_mwh"], strict=True))
    assert {prices[interval] for interval in by_interval} == {70.0}
    assert (late.status_code, late.json()["detail"]) == (
        422,
        f"the promise of {DAY} is published and is of other quantities; it stands",
    )
    assert same.status_code == 200
    deeds = [(row["action"], row["outcome"]) for row in world.rows(audit)]
    entered = [outcome for action, outcome in deeds if action == "enter result"]
    assert entered == ["done", "refused", "done"]


def test_a_published_promise_is_not_drawn_up_anew(offered):
    world, bids = offered
    world.done("award", "publish")
    before = world.paper("schedule")
    with world.desk.store.write() as connection:
        body = json.dumps({"bids": bids[1:], "flexibility": []})
        connection.exec_driver_sql("UPDATE papers SET body = ? WHERE kind = 'offer'", (body,))

    (run,) = world.run("award")

    assert (run.state, run.line) == (
        "failed",
        f"the promise of {DAY} is published and would be another now; it stands",
    )
    assert world.paper("schedule") == before


def test_the_scheduler_takes_the_award_again_before_it_publishes(offered, hour, local_day):
    world, bids = offered
    world.done("award")
    world.set_time(hour(local_day, -9))
    sold = [Accepted(**each) for each in taken(bids)]
    enter_result(world.desk, local_day, sold, who="test")
    told = []

    steps = [name for name, day in due(world.desk) if day == local_day]
    run_due(world.desk, tell=told.append, ending=Event())

    assert steps == ["award"]
    ran = [(row["step"], row["state"]) for row in world.rows(runs) if row["day"] == DAY]
    assert ran[-3:] == [("result", "done"), ("award", "done"), ("publish", "done")]
    assert sum(world.paper("schedule")["commitment_wh"]) == sum(each.quantity_wh for each in sold)
    assert [name for name, day in due(world.desk) if day == local_day] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quantity_wh": 1_000_000}, "accepts 1000000 Wh of the {offered} Wh offered"),
        ({"interval": FIRST + 46}, "begins 2026-03-29 23:00Z and is none of the day's"),
        ({"interval": 2**32 - 1}, "interval 4294967295 is none of the day's"),
        ({"price_per_mwh": -1.0}, "clears at -1, below the bid's limit of 0"),
        ({"quantity_wh": 1.5}, "accepted.1.quantity_wh: Input should be a valid integer (1.5)"),
        ({"quantity_wh": -1}, "accepted.1.quantity_wh: Input should be greater than or equal to"),
        ({"price_per_mwh": float("nan")}, "accepted.1.price_per_mwh: Input should be"),
        ({"note": "x"}, "accepted.1.note: Extra inputs are not permitted"),
        ({"twice": True}, "accepted[1] of 2026-03-29: interval {first} is there twice"),
    ],
)
def test_a_file_that_is_not_of_the_offer_is_refused_with_the_place(
    entered_by_hand, tmp_path, changed, said
):
    folder, bids, before = entered_by_hand
    sold = taken(bids)
    if changed.pop("twice", False):
        changed["interval"] = sold[0]["interval"]
    sold[1] |= changed
    file = tmp_path / "result.json"
    file.write_text(json.dumps({"accepted": sold}))

    told = CliRunner().invoke(
        cli, ["serve", "--folder", str(folder), "result", str(file), "--date", DAY]
    )

    said = said.format(offered=bids[2]["quantity_wh"], first=sold[0]["interval"])
    assert told.exit_code != 0
    assert said in str(told.exception)
    assert "\n" not in str(told.exception)
    assert before() == []


@pytest.fixture(scope="module")
def entered_by_hand(make_world, tmp_path_factory):
    """Return the folder of a service whose day is offered, its bids, and what was entered."""
    folder = tmp_path_factory.mktemp("result")
    world = make_world(folder)
    world.done("prices", "forecast", "plan", "offer")
    yield (
        folder,
        world.paper("offer")["bids"],
        lambda: [row for row in world.rows(runs) if row["step"] == "result"],
    )
    world.desk.store.close()


def test_a_file_is_entered_at_the_command_line(entered_by_hand, tmp_path):
    folder, bids, entered = entered_by_hand
    file = tmp_path / "result.json"
    command = ["serve", "--folder", str(folder), "result", str(file), "--date", DAY]
    file.write_text(json.dumps({"accepted": taken(bids)}))

    told = CliRunner().invoke(cli, command)
    other = CliRunner().invoke(cli, [*command[:-1], "2026-04-02"])
    file.write_text("{")
    broken = CliRunner().invoke(cli, command)

    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("done: the market took ")
    assert [row["state"] for row in entered()] == ["done"]
    assert str(broken.exception).startswith(f"{file}: it: Invalid JSON")
    assert str(other.exception) == ("2026-04-02: there is no offer yet; run the step offer first")
    assert len(entered()) == 1


quantities = st.lists(st.integers(0, 3_000), min_size=46, max_size=46)


@settings(max_examples=30, deadline=None)
@given(offered_wh=quantities, taken_wh=quantities, price=st.floats(-2e6, 2e6))
def test_a_result_is_taken_as_it_is_or_not_at_all(offered_wh, taken_wh, price):
    bids = [
        Bid(interval=FIRST + slot, quantity_wh=wh, limit_price_per_mwh=-50.0)
        for slot, wh in enumerate(offered_wh)
        if wh
    ]
    accepted = [
        Accepted(interval=FIRST + slot, quantity_wh=wh, price_per_mwh=price)
        for slot, wh in enumerate(taken_wh)
        if wh
    ]
    market = ResultMarket(
        day=date(2026, 3, 29), grid=GRID, accepted=accepted, elsewhere_per_mwh=np.full(46, 9.0)
    )
    fits = all(got <= had for had, got in zip(offered_wh, taken_wh, strict=True))
    if (fits and -50.0 <= price <= 1e6) or not accepted:
        award = market.clear(bids)
        assert award.quantity_wh == tuple(taken_wh)
        assert award.price_per_mwh == tuple(price if wh else 9.0 for wh in taken_wh)
    else:
        with pytest.raises(PlanInputError, match=r"^accepted\[\d+\] of 2026-03-29: interval "):
            market.clear(bids)
