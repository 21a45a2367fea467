"""An order as a whole, what was answered, and what failed how often, by requests."""

import asyncio

import httpx
import pytest
from msgspec import json
from sqlalchemy import insert

from aggregator.service.commands.news import OrderNews
from aggregator.service.commands.routes import orders_router
from aggregator.service.rest.app import create_app
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.tables import devices


@pytest.fixture
def asked(desk):
    """Return what asks a service over the desk's store, with a viewer's token unless told."""
    parts = RestParts(
        store=desk.store,
        clock_ms=lambda: desk.now_ms,
        hub=EventHub("run"),
        checks={},
        day=SettledDay(desk.store),
        orders=desk.book,
        routers=(orders_router(),),
    )
    _, secret = parts.tokens.make("viewer", "viewer", who="test", at_ms=desk.now_ms)

    app = create_app(parts)

    async def get(path, query):
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get(path, params=query, headers=headers)

    def ask(path, **query):
        return asyncio.run(get(path, query))

    return ask


def test_a_diagnosis_counts_by_code_by_model_and_by_home(desk, asked):
    desk.homes(4)
    with desk.store.write() as connection:
        rows = [(1, "b", "battery", "Sonne 8"), (2, "b", "battery", "Akku 5"),
                (2, "c", "battery", "Zelle 1"), (3, "m", "meter", "Zähler")]  # fmt: skip
        names = ("home_number", "id", "kind", "model")
        connection.execute(insert(devices), [dict(zip(names, row, strict=True)) for row in rows])
    desk.order()
    desk.set("o1-1", state="done", sends=1)
    desk.set("o1-2", state="refused", code="unavailable", sends=2)
    desk.set("o1-3", state="done", late=True, sends=3)
    desk.now_ms += 1
    desk.order("home:home-2", write="stop")
    desk.set("o2-2", state="unanswered", code="no-outcome", sends=1)

    found = asked("/api/diagnosis/commands", from_ms=desk.now_ms - 1, to_ms=desk.now_ms + 1).json()
    assert found["commands"] == 5
    assert sorted((each["state"], each["code"], each["commands"], each["late"])
                  for each in found["by_code"]) == [
        ("done", None, 2, 1),
        ("refused", "unavailable", 1, 0),
        ("unanswered", "no-outcome", 1, 0),
        ("waiting", None, 1, 0),
    ]  # fmt: skip
    assert [tuple(each.values()) for each in found["by_model"]] == [
        ("Akku 5", 2, 2, 1),
        ("", 2, 0, 1),
        ("Sonne 8", 1, 0, 0),
    ]
    assert [tuple(each.values()) for each in found["by_home"]] == [("home-2", 2, 2, 1)]
    assert [tuple(each.values()) for each in found["by_kind"]] == [
        ("charge", 4, 1, 2),
        ("stop", 1, 1, 0),
    ]
    assert [tuple(each.values()) for each in found["orders"]] == [
        ("o1", "fleet", "charge", desk.now_ms - 1, 1),
        ("o2", "home:home-2", "stop", desk.now_ms, 1),
    ]
    for query, names in (
        ({"code": "unavailable"}, ["o1-2"]),
        ({"state": "done"}, ["o1-3", "o1-1"]),
        ({"failed": True, "kind": "stop"}, ["o2-2"]),
        ({"model": "Akku 5", "failed": True}, ["o2-2", "o1-2"]),
        ({"model": "", "to_ms": desk.now_ms}, ["o1-4", "o1-3"]),
        ({"from_ms": desk.now_ms}, ["o2-2"]),
    ):
        shown = asked("/api/commands", **query).json()["items"]
        assert [each["correlation_id"] for each in shown] == names
    later = asked("/api/diagnosis/commands", from_ms=desk.now_ms, to_ms=desk.now_ms + 1).json()
    assert later["commands"] == 1


def test_an_order_is_shown_as_a_whole_with_every_answer_as_it_came(desk, asked):
    desk.homes(2)
    desk.order(read="State of charge")
    desk.set("o1-1", state="done")
    rows = [{"quantity": "State of charge", "last": 51.5}]
    desk.answer("o1-1", 1, kind="acknowledgement", accepted=True)
    desk.answer("o1-1", 2, outcome="done", rows=rows)
    desk.answer("o1-1", 3, home=2, outcome="done")

    whole = asked("/api/orders/o1").json()
    assert (whole["body"], whole["homes"], whole["states"]) == (
        {"read": "State of charge"},
        2,
        {"done": 1, "waiting": 1},
    )
    page = asked("/api/orders/o1/answers", limit=1).json()
    assert (page["items"][0]["body"], page["items"][0]["home"]) == (
        {"outcome": "done", "rows": rows},
        "home-1",
    )
    rest = asked("/api/orders/o1/answers", limit=1, cursor=page["next"]).json()
    assert ([each["kind"] for each in rest["items"]], rest["next"]) == (["acknowledgement"], None)
    missing = [asked(path).status_code for path in ("/api/orders/o9", "/api/orders/o9/answers")]
    assert missing == [404, 404]
    assert asked("/api/diagnosis/commands", from_ms=5, to_ms=5).status_code == 422


def test_those_who_watch_hear_how_an_order_goes_and_nothing_twice(quick_desk):
    hub = EventHub("run")
    news = OrderNews(quick_desk.store, hub, lambda: quick_desk.now_ms)

    async def watched():
        watcher = hub.watch(None)
        quick_desk.homes(2)
        news.look()
        quick_desk.order()
        news.look()
        news.look()
        quick_desk.set("o1-2", state="sent")
        news.look()
        quick_desk.now_ms += 600_000
        news.look()
        return [json.decode(each.whole) for each in await watcher.next(20.0)]

    states = [{"waiting": 2}, {"sent": 1, "waiting": 1}]
    assert asyncio.run(watched()) == [
        {"orders": [{"request_id": "o1", "target": "fleet", "states": each}]} for each in states
    ]
