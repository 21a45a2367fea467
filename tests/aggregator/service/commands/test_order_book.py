"""An order is one row a home and a line of the audit log, before anything is sent."""

import re

import pytest
from sqlalchemy import insert, select

from aggregator.service.registry.errors import RegistryAbsentError, RegistryInputError
from aggregator.service.rest.orders import Placed
from aggregator.service.store.tables import audit, commands, devices


def test_an_order_to_the_fleet_is_a_row_for_each_home_in_use_under_one_id(desk):
    desk.homes(3)
    desk.change_home("home-2", retired=True)

    assert desk.order() == Placed(request_id="o1", homes=2)
    with desk.store.read() as connection:
        (first, second) = connection.execute(select(commands)).mappings().all()
        (deed,) = connection.execute(select(audit)).mappings().all()
    assert (first["correlation_id"], second["correlation_id"]) == ("o1-1", "o1-3")
    assert dict(first) | {"correlation_id": 0, "home_number": 0} == {
        "correlation_id": 0,
        "home_number": 0,
        "request_id": "o1",
        "target": "fleet",
        "body": {"write": "charge", "power": 50, "interval": 60},
        "asked_by": "token-1",
        "state": "waiting",
        "asked_ms": desk.now_ms,
        "expires_ms": desk.now_ms + 60_000,
        "late": False,
        "sends": 0,
        **dict.fromkeys(
            ("sent_ms", "last_sent_ms", "acknowledged_ms", "finished_ms", "outcome", "code",
             "reason")
        ),
    }  # fmt: skip
    assert dict(deed) == {
        "number": 1,
        "at_ms": desk.now_ms,
        "who": "token-1",
        "action": "command",
        "target": "fleet",
        "outcome": "done",
        "detail": {
            "request": "o1",
            "homes": 2,
            "command": {"write": "charge", "power": 50, "interval": 60},
            "expires_ms": desk.now_ms + 60_000,
        },
    }


def test_a_group_and_a_home_are_commanded_by_their_names(quick_desk):
    quick_desk.homes(4)
    quick_desk.change_home("home-2", group_name="north")
    quick_desk.change_home("home-4", group_name="north")

    assert quick_desk.order("group:north", write="stop").homes == 2
    assert quick_desk.order("home:home-3", read="State of charge").homes == 1
    assert quick_desk.rows("home_number", "body") == [
        (2, {"write": "stop"}),
        (3, {"read": "State of charge"}),
        (4, {"write": "stop"}),
    ]


@pytest.mark.parametrize("target", ["home:home-9", "group:south", "home:home-1"])
def test_a_target_without_a_home_in_use_is_refused_and_leaves_nothing(quick_desk, target):
    quick_desk.homes(1, retired=True)

    with pytest.raises(RegistryAbsentError, match=f"{target} names no home in use"):
        quick_desk.order(target)
    assert quick_desk.rows() == []


def test_an_order_that_would_expire_before_its_last_homes_turn_is_refused(sqlite_store, new_desk):
    desk = new_desk(sqlite_store, per_s=1.0)
    desk.homes(3)

    with pytest.raises(
        RegistryInputError, match=r"take 3\.0 s at 1 a second, and the order expires"
    ):
        desk.order(expires_in_s=3.0)
    assert desk.rows() == []
    assert desk.order(expires_in_s=3.1).homes == 3


def test_a_write_takes_the_place_of_earlier_ones_that_no_gateway_has(desk):
    desk.homes(3)
    desk.order(read="State of charge")
    desk.order()
    desk.set("o2-1", state="accepted")
    desk.set("o2-2", state="sent")
    desk.now_ms += 1
    desk.order("home:home-2", write="stop")
    desk.order("home:home-1", write="release")

    assert sorted(desk.rows()) == [
        ("o1-1", "waiting", None),
        ("o1-2", "waiting", None),
        ("o1-3", "waiting", None),
        ("o2-1", "accepted", None),
        ("o2-2", "refused", "superseded"),
        ("o2-3", "waiting", None),
        ("o3-2", "waiting", None),
        ("o4-1", "waiting", None),
    ]


def test_a_device_is_commanded_where_it_is_its_homes_only_battery(quick_desk):
    quick_desk.homes(2)
    columns = ("home_number", "id", "kind", "retired")
    rows = [(1, "storage", "battery", False), (1, "old", "battery", True),
            (1, "wallbox", "charger", False),
            (2, "east", "battery", False), (2, "west", "battery", False)]  # fmt: skip
    with quick_desk.store.write() as connection:
        connection.execute(insert(devices), [dict(zip(columns, row, strict=True)) for row in rows])

    assert quick_desk.order("device:home-1/storage", write="stop").homes == 1
    assert quick_desk.rows("correlation_id", "target", "body") == [
        ("o1-1", "device:home-1/storage", {"write": "stop"})
    ]
    for target, kind, why in (
        ("home-1/wallbox", RegistryInputError, "is no battery but a charger, and a gateway steers"),
        ("home-1/old", RegistryAbsentError, "names no device in use"),
        ("home-9/storage", RegistryAbsentError, "names no device in use"),
        ("home-2/east", RegistryInputError, "home-2 has 2 batteries (east, west)"),
    ):
        with pytest.raises(kind, match=re.escape(why)):
            quick_desk.order(f"device:{target}", write="stop")
