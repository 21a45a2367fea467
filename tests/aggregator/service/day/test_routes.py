"""Market days over HTTP and at the command line."""

import json

import pytest
from click.testing import CliRunner

from aggregator.service.day.steps import STEPS
from aggregator.service.store.tables import audit
from scenarios.cli import cli

DAY = "2026-03-29"


@pytest.fixture(scope="module")
def lived(played):
    """Return a world whose day is over, and its folder."""
    world, _, folder = played
    return world, folder


@pytest.fixture(scope="module")
def ask(lived, asking):
    """Return what asks as an operator, a viewer or a home."""
    world, _ = lived
    with asking(world.desk) as request:
        yield request


def test_an_operator_runs_a_step_again_and_the_log_says_so(ask, lived):
    world, _ = lived

    answer = ask("POST", f"/api/day/{DAY}/plan", "operator")

    assert answer.status_code == 200
    run = answer.json()
    assert (run["step"], run["day"], run["state"]) == ("plan", DAY, "done")
    assert ask("GET", f"/api/day/{DAY}/runs").json()[-1] == run
    deed = world.rows(audit)[-1]
    assert (deed["action"], deed["target"], deed["who"]) == (
        "run step",
        f"{DAY} plan",
        run["asked_by"],
    )


@pytest.mark.parametrize(
    ("method", "path", "who", "status"),
    [
        ("POST", f"/api/day/{DAY}/plan", "viewer", 403),
        ("POST", f"/api/day/{DAY}/dance", "operator", 422),
        ("POST", "/api/day/yesterday/plan", "operator", 422),
        ("POST", f"/api/day/{DAY}/result", "viewer", 403),
        ("GET", f"/api/day/{DAY}/papers/result", "viewer", 404),
        ("GET", f"/api/day/{DAY}/runs", "simu-1", 403),
        ("GET", "/api/homes/simu-2/revenue", "simu-1", 403),
        ("GET", "/api/homes/simu-9/revenue", "viewer", 404),
        ("GET", "/api/day/2026-03-30/papers/plan", "viewer", 404),
    ],
)
def test_what_may_not_be_or_is_not_there_is_refused(ask, method, path, who, status):
    assert ask(method, path, who).status_code == status


def test_papers_scores_revenue_and_reliability_of_a_day_are_shown(ask, lived):
    world, _ = lived

    offer = ask("GET", f"/api/day/{DAY}/papers/offer").json()
    scores = ask("GET", f"/api/day/{DAY}/scores").json()
    revenue = ask("GET", f"/api/day/{DAY}/revenue").json()
    reliable = ask("GET", f"/api/day/{DAY}/reliability").json()

    assert offer == world.paper("offer")
    assert [(each["quantity"], each["source"], each["slots"]) for each in scores] == [
        (quantity, source, 46)
        for quantity in ("demand_wh", "production_wh")
        for source in ("knn", "linear")
    ]
    assert [each["home"] for each in revenue] == [None, "simu-1", "simu-2", "simu-3"]
    assert [each["score"] for each in reliable] == [1.0, 1.0, 1.0]
    assert ask("GET", "/api/homes/simu-1/revenue", "simu-1").json() == [revenue[1]]
    assert ask("GET", "/api/revenue").json() == [revenue[0]]


def test_the_fleets_day_is_drawn_from_the_papers(ask, lived):
    world, _ = lived

    shown = ask("GET", f"/api/fleet/day?day={DAY}").json()

    assert shown["committed_wh"] == world.paper("schedule")["commitment_wh"]


@pytest.fixture(scope="module")
def folder(played_again, tmp_path_factory):
    """Return the folder of a service whose day is over."""
    found = tmp_path_factory.mktemp("by-hand")
    played_again(found).desk.store.close()
    return found


def test_a_step_is_run_by_hand_at_the_command_line(folder):
    command = ["serve", "--folder", str(folder), "step", "reliability", "--date", DAY]

    told = CliRunner().invoke(cli, [*command, "--json"])
    plain = CliRunner().invoke(cli, command)

    assert told.exit_code == 0, told.output
    run = json.loads(told.stdout)
    assert (run["step"], run["state"], run["line"]) == (
        "reliability",
        "done",
        "3 batteries scored: mean 1.000, least 1.000",
    )
    assert plain.stdout == f"done: {run['line']}\n"


def test_a_step_that_fails_by_hand_is_one_line(folder):
    command = ["serve", "--folder", str(folder), "step", "prices", "--date", DAY]

    told = CliRunner().invoke(cli, command)

    assert str(told.exception) == (
        "prices of 2026-03-29: no source of day-ahead prices; name one in [prices]"
    )


def test_every_step_has_its_time_or_its_pause(lived):
    world, _ = lived

    for name in STEPS:
        if name != "watch":
            world.desk.settings.at(name)
