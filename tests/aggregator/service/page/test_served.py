"""What is served without a browser that looks at it."""

import re
from datetime import UTC, datetime
from importlib.resources import files
from importlib.util import find_spec

import httpx
import pytest
from sqlalchemy import insert

from aggregator.service.day.steps import STEPS
from aggregator.service.page.files import POLICY, read_page
from aggregator.service.page.routes import page_router
from aggregator.service.page.settings import PageSettings
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.channels import LOAD
from aggregator.service.store.tables import commands, telemetry_15min
from scenarios.bench.service_page import page_figures
from scenarios.bench.service_page_fill import ORDER
from scenarios.bench.service_rest import serve_rest
from scenarios.report.palette import DARK, LIGHT

pytestmark = pytest.mark.xdist_group("page")

STATIC = files("aggregator.service.page").joinpath("static")
TEXTS = {each.name: each.read_text(encoding="utf-8") for each in STATIC.iterdir()}
TWINS = {"plan": "forecast", "price": "actual"}


@pytest.fixture(scope="module")
def client(world):
    headers = {"Authorization": f"Bearer {world.secrets['viewer']}"}
    with httpx.Client(base_url=world.url, headers=headers, timeout=60, verify=False) as asking:
        yield asking


def test_the_document_runs_nothing_but_its_own_files(client):
    answer = client.get("/", headers={"Authorization": ""})

    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["Cache-Control"] == "no-cache"
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text) == []


def test_every_file_that_is_named_is_there_once_and_for_ever(client):
    document = client.get("/").text
    named = re.findall(r'(?:src|href)="(page/[^"]+)"', document)
    imported = {
        name for text in TEXTS.values() for name in re.findall(r'from "\./([a-z_.]+)"', text)
    }

    later = {
        name for text in TEXTS.values() for name in re.findall(r'"\./([a-z_.]+)"', text)
    } - imported
    assert {"cycle.js", "revenue.js"} <= later
    assert imported | later <= set(TEXTS)
    begun = {each.rpartition("/")[2] for each in named}
    # what a view fetches when it is first shown is not fetched before
    assert not begun & later
    assert {"fleet.js", "mosaic.js", "style.css", "icon.svg"} <= begun
    folder = named[0].rpartition("/")[0]
    for each in [*named, *(f"{folder}/{name}" for name in set(TEXTS) - begun - {"index.html"})]:
        answer = client.get(f"/{each}")
        assert answer.status_code == 200
        assert answer.text == TEXTS[each.rpartition("/")[2]]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("path", ["0000000000000000/app.js", "{version}/none.js", "x/app.js"])
def test_a_file_that_is_not_there_is_a_refusal(client, path):
    answer = client.get(f"/page/{path.replace('{version}', read_page().version)}")

    assert (answer.status_code, answer.json()["status"]) in {(404, 404), (422, 422)}


def test_no_file_names_another_host_or_makes_markup_of_text():
    for name, text in TEXTS.items():
        hosts = set(re.findall(r"https?://[^\s\"'`]+", text))
        assert hosts <= {"http://www.w3.org/2000/svg"}, name
        assert (
            re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|document\.write", text) == []
        )


def test_the_page_has_the_colours_of_the_house():
    pairs = dict(re.findall(r"--([a-z-]+): light-dark\((.*?)\);", TEXTS["style.css"]))
    shared = {role: TWINS.get(role, role) for role in pairs}

    wrong = {
        role: (shown, LIGHT[of], DARK[of])
        for role, of in shared.items()
        if of in LIGHT and (shown := pairs[role]) != f"{LIGHT[of]}, {DARK[of]}"
    }
    assert wrong == {}
    assert len([of for of in shared.values() if of in LIGHT]) >= 18


def test_the_page_is_told_what_it_needs_before_it_asks_further(client):
    told = client.get("/api/page").json()

    assert {name: told[name] for name in told if name != "now_ms"} == {
        "scope": "viewer",
        "name": "viewer",
        "home": None,
        "silent_ms": 300_000,
        "zone": "Europe/London",
        "currency": "GBP",
        "explorer_url": "https://explorer.example.org/tx/{transaction}",
        "runs_days": True,
    }


@pytest.mark.parametrize(
    ("name", "given", "remedy"),
    [
        ("currency", "pounds", "three capitals, such as GBP"),
        ("explorer_url", "javascript:run//{transaction}", "https://… with {transaction} in it"),
        ("explorer_url", "https://explorer.example.org", "https://… with {transaction} in it"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(name, given, remedy):
    with pytest.raises(ValueError, match=re.escape(f"{name} is {given!r}; give {remedy}")):
        PageSettings(**{name: given})


def test_the_bench_tells_how_soon_the_page_is_painted(browser, left_out):
    if find_spec("playwright") is None:
        left_out("playwright is needed: pip install playwright")

    figures = page_figures(homes_count=20, runs=1)

    assert figures["page_homes"] == 20
    assert 0 < figures["page_first_content_ms"] <= figures["page_first_paint_ms"]
    assert figures["page_first_paint_ms"] == figures["page_first_paint_worst_ms"]
    assert figures["page_again_ms"] > 0


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [
        ("/", None, 200),
        ("/api/page", None, 401),
        ("/api/page", "home", 200),
        ("/api/orders", None, 401),
        ("/api/orders", "home", 403),
        ("/api/orders", "viewer", 200),
        ("/api/page/day/2026-06-01", None, 401),
        ("/api/page/day/2026-06-01", "home", 403),
        ("/api/page/day/2026-06-01/forecasts", "home", 403),
    ],
)
def test_each_route_lets_in_whom_it_is_for(client, world, path, who, status):
    token = "" if who is None else f"Bearer {world.secrets[who]}"

    assert client.get(path, headers={"Authorization": token}).status_code == status


def test_a_step_is_due_by_the_markets_clock_also_where_it_goes_forward(client):
    of_day = client.get("/api/page/day/2026-03-29").json()

    due = {
        each["name"]: datetime.fromtimestamp(each["due_ms"] / 1000, UTC).isoformat()
        for each in of_day["steps"]
    }
    assert list(due) == list(STEPS)
    assert due["prices"] == "2026-03-28T13:30:00+00:00"
    assert due["watch"] == "2026-03-29T00:00:00+00:00"
    assert due["settle"] == "2026-03-30T00:00:00+00:00"
    assert len(of_day["start_ms"]) == 46
    assert of_day["end_ms"] - of_day["start_ms"][0] == 23 * 3_600_000
    assert (of_day["scheduled"], of_day["zone"]) == (True, "Europe/London")
    assert set(of_day["papers"].values()) == {None}
    sourceless = {each["name"] for each in of_day["steps"] if each["sourceless"]}
    assert sourceless == {"weather", "imbalance"}
    assert [each["name"] for each in of_day["steps"] if each["each_min"]] == ["watch"]


def test_what_came_stands_beside_what_was_forecast(client, world):
    [demand, production] = client.get("/api/page/day/2026-06-01/forecasts").json()

    assert (demand["quantity"], production["quantity"]) == ("demand_wh", "production_wh")
    assert demand["expected"]["knn"][0] == 70_000
    assert production["expected"].keys() == {"knn", "linear"}
    # one home is measured, which counts for all that are heard of
    [quarter, following] = [
        bin_["mean"]
        for start_ms in (1780268400000, 1780269300000)
        for bin_ in world.rows(telemetry_15min, channel_number=LOAD, start_ms=start_ms)
    ]
    assert demand["came"][0] == round((quarter + following) / 4, 3)
    assert demand["came"][-1] is None
    [tomorrow, _] = client.get("/api/page/day/2026-06-02/forecasts").json()
    assert (tomorrow["expected"], set(tomorrow["came"])) == ({}, {None})


def test_a_process_that_runs_no_market_days_says_so(sqlite_store):
    parts = RestParts(
        store=sqlite_store,
        clock_ms=lambda: 0,
        hub=EventHub("none"),
        checks={},
        day=SettledDay(sqlite_store),
        routers=(page_router(PageSettings(), zone="Europe/London"),),
    )
    _, secret = parts.tokens.make("none", "viewer", who="test", at_ms=0)
    with (
        serve_rest(parts) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}) as asking,
    ):
        answer = asking.get("/api/page/day/2026-06-01")
        assert asking.get("/api/page").json()["runs_days"] is False

    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "this process runs no market days; ask one with the part day",
    )


def test_orders_come_newest_first_each_in_one_line_and_in_pages(client, world):
    now_ms = world.parts.clock_ms()
    given = [
        {
            "correlation_id": f"read-{order:02}-{home}",
            "request_id": f"read-{order:02}",
            "home_number": home,
            "target": "group:x",
            "body": {"read": "State of charge"},
            "asked_by": "test",
            "state": "done" if home == 1 else "unanswered",
            # older than any other order, two at a time
            "asked_ms": now_ms - 86_400_000 - order // 2,
            "expires_ms": now_ms,
            "late": home == 2,
        }
        for order in range(60)
        for home in (1, 2, 3)
    ]
    with world.store.write() as connection:
        connection.execute(insert(commands), given)

    first = client.get("/api/orders").json()
    second = client.get("/api/orders", params={"cursor": first["next"]}).json()

    items = [*first["items"], *second["items"]]
    ours = [each for each in items if each["request_id"].startswith("read-")]
    expected = sorted(range(60), key=lambda order: (order // 2, -order))
    assert [each["request_id"] for each in ours] == [f"read-{order:02}" for order in expected]
    assert second["next"] is None
    assert ours[0] == {
        "request_id": "read-01",
        "target": "group:x",
        "body": {"read": "State of charge"},
        "asked_by": "test",
        "asked_ms": given[0]["asked_ms"],
        "expires_ms": now_ms,
        "homes": 3,
        "states": {"done": 1, "unanswered": 2},
        "late": 1,
    }
    evening = next(each for each in items if each["request_id"] == ORDER)
    assert (evening["homes"], evening["states"]) == (250, {"done": 223, "refused": 27})
