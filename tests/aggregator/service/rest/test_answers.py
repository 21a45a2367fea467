"""What is answered: homes, the fleet, series, commands, alarms, refusals, counts."""

import gzip

import httpx
import pytest
from sqlalchemy import delete, insert, select, update

from aggregator.service.errors import BrokerUnavailableError
from aggregator.service.rest.fleet import home_now, home_row
from aggregator.service.rest.series import Resolution, choose
from aggregator.service.store.channels import SOC
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import (
    alarms,
    homes,
    homes_now,
    settlements,
    telemetry,
    telemetry_1day,
    telemetry_1min,
)
from aggregator.service.store.telemetry import DAY_MS, MINUTE_MS

NOW_MS = 1_780_315_260_000
HOUR_MS = 3_600_000
NEW = {"If-None-Match": "*"}


def test_a_home_is_made_changed_for_its_version_and_retired(served):
    path = "/api/homes/home-7"
    body = {"name": "Seven", "zone": "Europe/Rome"}

    made = served.ask("PUT", path, json=body, headers=NEW, params={"comment": "moved in"})
    assert (made.status_code, made.json(), made.headers["etag"]) == (200, {"version": 1}, '"1"')
    assert served.ask("PUT", path, json=body, headers=NEW).status_code == 412
    assert served.ask("PUT", path, json={}, headers={"If-Match": '"1"'}).json() == {"version": 2}
    assert served.ask("PUT", path, json={}, headers={"If-Match": '"1"'}).status_code == 412
    assert served.ask("DELETE", path, headers={"If-Match": '"2"'}).json() == {"version": 3}

    shown = served.ask("GET", path)
    assert shown.headers["etag"] == '"3"'
    assert (shown.json()["version"], shown.json()["retired"]) == (3, True)
    history = served.ask("GET", f"{path}/history").json()["items"]
    assert [(each["version"], each["changed"], each["comment"]) for each in history] == [
        (3, ["retired"], ""),
        (2, ["name", "zone"], ""),
        (1, sorted(history[2]["configuration"]), "moved in"),
    ]
    assert {each["changed_by"] for each in history} == {served.ids["operator"]}
    assert served.ask("GET", f"{path}/history?at_ms={NOW_MS}").json()["items"] == history
    for query in (f"at_ms={NOW_MS - 1}", "cursor=0", "cursor=1"):
        nothing = served.ask("GET", f"{path}/history?{query}")
        assert (nothing.status_code, nothing.json()) == (200, {"items": [], "next": None})

    older = dict(history[-1]["configuration"])
    assert older.pop("retired") is False
    back = served.ask("PUT", path, json=older, headers={"If-Match": '"3"'})
    assert back.json() == {"version": 4}
    assert served.ask("GET", path).json()["configuration"] == older


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({}, 428, "a change names the version it is for; "),
        ({"If-Match": '"1"', **NEW}, 428, "a change names the version it is for; "),
        ({"If-Match": "one"}, 412, "If-Match is 'one'; send the ETag as it was given"),
        ({"If-Match": '"9"'}, 412, "home 'home-1' is of version 1, not 9; "),
    ],
)
def test_a_change_without_the_right_version_is_refused(served, headers, status, says):
    answer = served.ask("PUT", "/api/homes/home-1", json={}, headers=headers)

    assert answer.status_code == status
    assert answer.json()["detail"].startswith(says)


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "says"),
    [
        ("GET", "/api/nothing", {}, 404, "GET /api/nothing: Not Found"),
        ("GET", "/api/homes/home-9", {}, 404, "home 'home-9' is unknown; configure it first"),
        ("PATCH", "/api/homes/home-1", {}, 405, "PATCH /api/homes/home-1: Method Not Allowed"),
        ("GET", "/api/homes?limit=0", {}, 422, "query.limit is '0': "),
        ("GET", "/api/homes/a%00b", {}, 422, "path.home is 'a\\x00b': "),
        ("PUT", "/api/homes/x", {"content": b"{", "headers": NEW}, 422, "body"),
        (
            "PUT",
            "/api/homes/x",
            {"content": b"x" * 70_000, "headers": NEW},
            413,
            "the body has more",
        ),
        ("GET", "/api/commands/none", {}, 404, "order 'none' is unknown; "),
    ],
)
def test_a_refusal_is_one_line_in_one_form(served, method, path, more, status, says):
    answer = served.ask(method, path, **more)

    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"], told["type"]) == (status, status, "about:blank")
    assert told["detail"].startswith(says)
    assert "\n" not in told["detail"]


def test_a_body_in_pieces_is_bounded_too(served):
    pieces = (b"x" * 1000 for _ in range(100))

    assert served.ask("PUT", "/api/homes/x", content=pieces, headers=NEW).status_code == 413


def test_the_fleet_is_shown_as_lists_and_again_only_when_it_changed(serving, new_parts, populate):
    parts = new_parts()
    secrets, _ = populate(parts)
    with serving(parts) as url, httpx.Client(base_url=url, verify=False) as client:
        client.headers["Authorization"] = f"Bearer {secrets['viewer']}"
        plain = client.get("/api/fleet", headers={"Accept-Encoding": "identity"})
        packed = client.get("/api/fleet")
        again = client.get("/api/fleet", headers={"If-None-Match": plain.headers["etag"]})

    assert plain.json() == {
        "as_of_ms": NOW_MS - 1000,
        "ids": ["home-1", "home-2"],
        "names": ["SECRET-OF-1", "SECRET-OF-2"],
        "groups": ["all", "all"],
        "health": ["unknown", "alarm"],
        "heard_ms": [None, NOW_MS - 1000],
        "soc": [None, 0.5],
        "battery_power_w": [None, -700],
        "load_w": [None, 500],
        "pv_w": [None, 100],
        "grid_power_w": [None, -300],
    }
    assert (packed.headers["content-encoding"], packed.json()) == ("gzip", plain.json())
    assert gzip.decompress(parts.fleet.show(NOW_MS).packed) == plain.content
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("online", "heard_ago_ms", "health"),
    [(True, 0, "ok"), (True, 300_000, "ok"), (True, 300_001, "silent"), (False, 0, "offline")],
)
def test_health_is_what_was_heard_last(new_parts, populate, online, heard_ago_ms, health):
    parts = new_parts()
    populate(parts)
    with parts.store.write() as connection:
        connection.execute(delete(alarms))
        connection.execute(update(homes_now).values(online=online, heard_ms=NOW_MS - heard_ago_ms))

    with parts.store.read() as connection:
        assert home_now(home_row(connection, "home-2"), NOW_MS).health == health
    assert parts.fleet.read(NOW_MS).health == ["unknown", health]


@pytest.fixture(scope="module")
def measured(served):
    """Write an hour of minutes, of raw periods and a day for home-1."""
    with served.parts.store.write() as connection:
        number = connection.scalar(select(homes.c.number).where(homes.c.id == "home-1"))
        figures = {"low": 1.0, "high": 3.0, "mean": 2.0, "last": 2.5}
        common = {"home_number": number, "channel_number": SOC, **figures}
        for table, size_ms, count in ((telemetry_1min, MINUTE_MS, 60), (telemetry_1day, DAY_MS, 2)):
            rows = [
                {**common, "start_ms": k * size_ms, "covered_ms": size_ms, "last_ms": k * size_ms}
                for k in range(count)
            ]
            connection.execute(insert(table), rows)
        raw = [{**common, "end_ms": (k + 1) * MINUTE_MS, "period_ms": MINUTE_MS} for k in range(60)]
        connection.execute(insert(telemetry), raw)
    return served


def series(measured, **query):
    asked = {"channel": "storage.State of charge", "from_ms": 0, **query}
    return measured.ask("GET", "/api/homes/home-1/series", "home-1", params=asked).json()


@pytest.mark.parametrize(
    ("query", "resolution", "starts"),
    [
        ({"to_ms": HOUR_MS}, "raw", range(0, HOUR_MS, MINUTE_MS)),
        ({"to_ms": 3 * HOUR_MS}, "1min", range(0, HOUR_MS, MINUTE_MS)),
        ({"to_ms": 30 * DAY_MS}, "1day", range(0, 2 * DAY_MS, DAY_MS)),
        ({"to_ms": HOUR_MS, "resolution": "1day"}, "1day", [0]),
        ({"to_ms": 10 * DAY_MS}, "15min", []),
    ],
)
def test_a_series_comes_in_a_resolution_that_fits_its_span(measured, query, resolution, starts):
    found = series(measured, **query)

    assert (found["resolution"], found["start_ms"]) == (resolution, list(starts))
    assert found["mean"] == [2.0] * len(starts)
    assert found["unit"] == "%"
    assert found["next_ms"] is None


@pytest.mark.parametrize("resolution", ["raw", "1min"])
def test_a_long_series_is_read_in_pages(measured, resolution):
    starts, from_ms = [], 0
    while from_ms is not None:
        page = series(measured, from_ms=from_ms, to_ms=HOUR_MS, resolution=resolution, limit=25)
        starts += page["start_ms"]
        from_ms = page["next_ms"]

    assert starts == list(range(0, HOUR_MS, MINUTE_MS))


def test_a_span_that_ends_before_it_begins_is_refused(measured):
    assert series(measured, from_ms=10, to_ms=10)["detail"] == (
        "to_ms 10 is not after from_ms 10; swap them"
    )


def test_no_picture_gets_more_bins_than_it_has_use_for():
    assert [
        choose(span_ms) for span_ms in (1, 1500 * MINUTE_MS, 1500 * 15 * MINUTE_MS, 10**12)
    ] == [
        Resolution.RAW,
        Resolution.MINUTE,
        Resolution.QUARTER,
        Resolution.DAY,
    ]


def test_what_was_settled_is_shown_by_pages_and_by_day(serving, new_parts, populate):
    parts = new_parts()
    secrets, _ = populate(parts)
    first_ms = 1_780_268_400_000  # 2026-06-01 00:00 in London
    rows = [
        {
            "interval_number": first_ms // 1_800_000 + k,
            "start_ms": first_ms + k * 1_800_000,
            "commitment_wh": 100 + k,
            "delivered_wh": 90,
            "price_micro_per_mwh": 85_000_000,
            "imbalance_price_micro_per_mwh": 120_000_000,
            "revenue_micro": 7,
            "fee_micro": 1,
            "loss_micro": 0,
        }
        for k in range(50)
    ]
    with parts.store.write() as connection:
        connection.execute(insert(settlements), rows)

    headers = {"Authorization": f"Bearer {secrets['viewer']}"}
    with (
        serving(parts) as url,
        httpx.Client(base_url=url, headers=headers, timeout=60, verify=False) as client,
    ):
        day = client.get("/api/fleet/day?day=2026-06-01").json()
        page = client.get("/api/settlement?limit=2").json()
        following = client.get(f"/api/settlement?limit=2&cursor={page['next']}").json()

    assert day["committed_wh"] == [100 + k for k in range(48)]
    assert day["price_per_mwh"] == [85.0] * 48
    assert day["start_ms"] == [row["start_ms"] for row in rows[:48]]
    told = [each["commitment_wh"] for each in page["items"] + following["items"]]
    assert told == [149, 148, 147, 146]


def test_a_command_goes_to_a_group_and_is_shown_to_its_homes(served):
    order = {"target": "group:all", "command": {"write": "charge", "power": 50, "interval": 60}}

    placed = served.ask("POST", "/api/commands", json=order)

    assert placed.status_code == 202
    request = placed.json()["request_id"]
    assert placed.json()["homes"] == 2
    shown = served.ask("GET", f"/api/commands/{request}", "viewer").json()["items"]
    assert [(each["home"], each["body"], each["state"]) for each in shown] == [
        (home, order["command"] | {"power": 50.0, "interval": 60.0}, "waiting")
        for home in ("home-2", "home-1")
    ]
    own = served.ask("GET", "/api/homes/home-1/commands", "home-1").json()["items"]
    assert [(each["home"], each["request_id"]) for each in own] == [("home-1", request)]
    first = served.ask("GET", "/api/commands?limit=1").json()
    second = served.ask("GET", "/api/commands", params={"limit": 1, "cursor": first["next"]}).json()
    assert [each["home"] for each in first["items"] + second["items"]] == ["home-2", "home-1"]
    deed = served.ask("GET", "/api/audit?limit=1").json()["items"][0]
    assert (deed["action"], deed["target"]) == ("command", "group:all")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"write": "charge", "power": 101, "interval": 60}, "charge.power is 101: "),
        ({"write": "discharge", "power": 50}, "discharge.interval is "),
        ({"write": "stop", "power": 50}, "stop.power is 50: "),
        ({"write": "power reference", "power_w": "x", "interval": 1}, "power reference.power_w "),
        ({"read": "Mood"}, "read.read is 'Mood': "),
        *(
            (given, f" is {given!r}: give a read, or a write of charge, discharge, ")
            for given in ({"write": "fly"}, {"write": ["stop"]}, {}, None)
        ),
    ],
)
def test_a_command_that_no_gateway_takes_is_refused_with_its_own_fault(served, command, says):
    answer = served.ask("POST", "/api/commands", json={"target": "fleet", "command": command})

    assert answer.status_code == 422
    assert answer.json()["detail"].removeprefix("body.command").removeprefix(".").startswith(says)


def test_an_alarm_is_acknowledged_and_resolved(served):
    number = served.ask("GET", "/api/alarms?state=raised").json()["items"][0]["number"]

    for verb in ("acknowledge", "resolve"):
        assert served.ask("POST", f"/api/alarms/{number}/{verb}").status_code == 204

    alarm = served.ask("GET", "/api/homes/home-2/alarms", "home-2").json()["items"][0]
    assert (alarm["state"], alarm["acknowledged_by"]) == ("resolved", served.ids["operator"])
    assert served.ask("POST", "/api/alarms/999/resolve").status_code == 404


def test_without_somebody_who_carries_them_out_commands_are_not_taken(serving, new_parts, populate):
    parts = new_parts(orders=None, alarms=None)
    secrets, _ = populate(parts)
    headers = {"Authorization": f"Bearer {secrets['operator']}"}
    order = {"target": "fleet", "command": {"write": "stop"}}
    with serving(parts) as url:
        found = [
            httpx.post(f"{url}{path}", json=order, headers=headers, verify=False).status_code
            for path in ("/api/commands", "/api/alarms/1/resolve")
        ]

    assert found == [503, 503]


def test_a_store_that_does_not_answer_is_503_and_not_ready(serving, new_parts, tmp_path):
    gone = open_store(f"sqlite:///{tmp_path}/nowhere/service.db")

    def unreachable():
        raise BrokerUnavailableError("broker at 10.1.2.3 does not answer")

    def odd():
        raise ValueError("no such chain")

    checks = {"store": gone.ping, "broker": unreachable, "chain": list, "odd": odd}
    parts = new_parts(store=gone, checks=checks)
    with serving(parts) as url:
        ready = httpx.get(f"{url}/ready", verify=False)
        alive = httpx.get(f"{url}/health", verify=False)
        headers = {"Authorization": "Bearer gridpact_x"}
        answer = httpx.get(f"{url}/api/me", headers=headers, verify=False)

    assert (ready.status_code, ready.json()) == (
        503,
        {
            "ready": False,
            "parts": {"store": "failing", "broker": "failing", "chain": "ok", "odd": "failing"},
        },
    )
    assert alive.json() == {"status": "ok"}
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"] == "the store does not answer; try again"


def test_prometheus_reads_counts_by_route_and_not_by_path(served):
    for home in ("home-1", "home-2"):
        served.ask("GET", f"/api/homes/{home}")
    served.ask("GET", "/what/ever")

    told = served.ask("GET", "/metrics", "viewer").text

    assert 'gridpact_requests_total{method="GET",route="/api/homes/{home}",status="200"}' in told
    assert 'route="other",status="404"' in told
    assert "/what/ever" not in told
    assert "gridpact_homes " in told
    assert "# TYPE gridpact_alarms gauge" in told


def test_every_answer_has_the_headers_that_keep_browsers_in(served):
    wanted = {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    for path, who in (
        ("/health", None),
        ("/api/homes", None),
        ("/api/homes", "viewer"),
        ("/x", None),
    ):
        headers = served.ask("GET", path, who, headers={"Origin": "https://evil.example"}).headers
        assert {name: headers.get(name) for name in wanted} == wanted
        assert not [name for name in headers if name.startswith("access-control")]
