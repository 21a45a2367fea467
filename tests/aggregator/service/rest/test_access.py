"""Who may ask for what: over every route, as the description lists them."""

import itertools
import json

import httpcore
import pytest
from sqlalchemy import select

from aggregator.service.registry.audit import read_deeds
from aggregator.service.rest.access import Access, Principal, Scope, permitted
from aggregator.service.rest.guard import GuardedRoute, guarded_router, needs
from aggregator.service.store.tables import homes

OTHERS = "SECRET-OF-2"
FILLED = {
    "device": "storage",
    "tariff": "day",
    "number": "1",
    "request": "order-1",
    "day": "2026-01-01",
    "step": "score",
    "kind": "plan",
    "version": "0" * 16,
    "name": "app.js",
}
QUERY = {"channel": "storage.State of charge", "from_ms": 0, "to_ms": 10, "day": "2026-01-01"}
WHOLE = True
"""With the routes of every part of the service."""
PARTS_OF_ROUTES = ("/api/day/", "/api/diagnosis/", "/api/orders", "/api/page", "/api/homes/")
OPERATOR, VIEWER, ONE, TWO, NOBODY = "operator", "viewer", "home-1", "home-2", None


def allowed(access, who, home):
    """Say it in a table of its own, beside the rule."""
    return {
        "public": True,
        "token": who is not NOBODY,
        "home": who in {OPERATOR, VIEWER} or (home is not None and who == home),
        "viewer": who in {OPERATOR, VIEWER},
        "operator": who == OPERATOR,
    }[access]


def routes(description):
    return [
        (method, path, operation["x-access"])
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]


def filled(path, home):
    for name, value in {"home": home, **FILLED}.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path
    return path


@pytest.fixture(scope="module")
def description(served):
    return served.ask("GET", "/openapi.json").json()


def ask(client, method, path):
    if path.endswith("/events"):
        with client.stream(method, path) as answer:
            return answer.status_code, next(answer.iter_text())
    more = {"json": {}} if method in {"put", "post"} else {}
    answer = client.request(method, path, params=QUERY, **more)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("access", "who", "home"),
    itertools.product(
        Access,
        [
            None,
            Principal(token_id="1", name="", scope=Scope.OPERATOR),
            Principal(token_id="2", name="", scope=Scope.VIEWER),
            Principal(token_id="3", name="", scope=Scope.HOME, home="home-1"),
            Principal(token_id="4", name="", scope=Scope.HOME, home=None),
        ],
        [None, "home-1", "home-2"],
    ),
)
def test_the_rule_is_its_table(access, who, home):
    named = None if who is None else (who.home or "") if who.scope is Scope.HOME else who.scope

    assert permitted(access, who, home) == allowed(access, named, home)


@pytest.mark.parametrize("who", [OPERATOR, VIEWER, ONE, TWO, NOBODY])
def test_every_route_lets_in_whom_it_is_for_and_nobody_else(served, description, who):
    wrong = []
    with served.client(who) as client:
        for (method, path, access), home in itertools.product(routes(description), (ONE, TWO)):
            status, _ = ask(client, method, filled(path, home))
            of_home = home if "{home}" in path else None
            if (status not in {401, 403}) != allowed(access, who, of_home):
                wrong.append((method, path, home, status))
            if status == 401 and who is not NOBODY:
                wrong.append((method, path, home, status))

    assert wrong == []


def test_a_home_reads_nothing_of_another(served, description):
    told = []
    with served.client(ONE) as client:
        for (method, path, _), home in itertools.product(routes(description), (ONE, TWO)):
            _, text = ask(client, method, filled(path, home))
            told += [(method, path, home)] if OTHERS in text else []

    assert told == []
    assert OTHERS in served.ask("GET", f"/api/homes/{TWO}", TWO).text


def test_a_home_cannot_tell_whether_another_is_there(served):
    there = served.ask("GET", "/api/homes/home-2", ONE)
    absent = served.ask("GET", "/api/homes/home-3", ONE)

    assert (there.status_code, there.text) == (absent.status_code, absent.text)


def test_a_token_in_an_address_is_no_token(served):
    asked = {"access_token": served.secrets[OPERATOR], "token": served.secrets[OPERATOR]}

    answer = served.ask("GET", "/api/me", None, params=asked)

    assert answer.status_code == 401
    deeds = read_deeds(served.parts.store, before=None, limit=3)
    assert not [deed for deed in deeds if served.secrets[OPERATOR] in repr(deed)]


def test_nobody_is_sent_where_the_host_header_says(served):
    for path in ("/api/homes/", "/health/"):
        answer = served.ask("GET", path, headers={"Host": "evil.example"})

        assert (answer.status_code, "location" in answer.headers) == (404, False)


@pytest.mark.parametrize("path", ["/api/homes/home-1%2F..%2Fhome-2", "/api/homes/home-1/../home-2"])
def test_a_path_that_leads_around_leads_nowhere(served, path):
    headers = [("Host", "x"), ("Authorization", f"Bearer {served.secrets[ONE]}")]
    # a client that sends paths as they are
    with httpcore.ConnectionPool() as pool:
        answer = pool.request(
            "GET",
            httpcore.URL(
                scheme=b"http",
                host=b"127.0.0.1",
                port=int(served.url.rpartition(":")[2]),
                target=path.encode(),
            ),
            headers=headers,
        )

    assert answer.status in {403, 404}
    assert OTHERS.encode() not in answer.content


def test_a_refused_request_is_in_the_audit_log_without_its_secret(served):
    served.ask("GET", "/api/audit", ONE)

    deed = read_deeds(served.parts.store, before=None, limit=1)[0]

    assert (deed.who, deed.action, deed.target, deed.outcome, deed.detail) == (
        served.ids[ONE],
        "GET",
        "/api/audit",
        "refused",
        {"address": "127.0.0.1", "needs": "operator"},
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer gridpact_" + "x" * 43]
)
def test_what_is_no_token_is_refused(served, header):
    answer = served.ask("GET", "/api/me", None, headers={"Authorization": header})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_revoked_and_expired_tokens_are_refused(served):
    tokens = served.parts.tokens
    now_ms = served.parts.clock_ms()
    made, revoked = tokens.make("a", "viewer", who="test", at_ms=now_ms)
    tokens.revoke(made.id, who="test", at_ms=now_ms)
    _, expired = tokens.make("b", "viewer", who="test", at_ms=now_ms, expires_ms=now_ms)

    found = [
        served.ask("GET", "/api/me", None, headers={"Authorization": f"Bearer {secret}"})
        for secret in (revoked, expired)
    ]

    assert [answer.status_code for answer in found] == [401, 401]


def test_every_route_is_behind_the_guard(served, description):
    described = description["paths"]

    kept = {
        (method.lower(), route.path)
        for router in served.app.routes
        for route in router.original_router.routes
        if isinstance(route, GuardedRoute)
        for method in route.methods
    }

    assert kept == {(method, path) for path, each in described.items() for method in each}
    assert all(hasattr(router, "original_router") for router in served.app.routes)
    for part in PARTS_OF_ROUTES:
        assert any(path.startswith(part) for path in described), part


def test_the_description_loads_nothing_from_elsewhere(served, description):
    assert "http" not in json.dumps(description).replace('"http"', "").replace("HTTP", "")
    assert {route.path for route in served.app.routes if hasattr(route, "path")} == set()


def test_a_route_that_does_not_say_whom_it_is_for_cannot_be_made():
    router = guarded_router()

    with pytest.raises(ValueError, match="'None' is not a valid Access"):
        router.get("/api/secret")(lambda: None)
    with pytest.raises(ValueError, match=r"route /api/x is for a home and names none"):
        router.get("/api/x", **needs(Access.HOME))(lambda: None)


def test_the_store_holds_what_the_other_home_is_asked_for(served):
    with served.parts.store.read() as connection:
        names = connection.scalars(select(homes.c.name).order_by(homes.c.id)).all()

    assert names == ["SECRET-OF-1", OTHERS]
