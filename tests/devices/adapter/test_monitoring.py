"""What an adapter says: the paper's fields, in numbers that a machine can take."""

import json

from devices.adapter.monitoring import Mode, encode_done, encode_error, encode_report, mode_of
from devices.error_codes import code_of
from devices.errors import (
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
    WriteBudgetError,
)
from devices.quantities import Quantity, Window
from devices.requests import Action, WriteRequest

CHARGING = Mode(name="charge", power_percent=50)


def window_of(*samples):
    window = Window()
    for sample in samples:
        window.add(sample)
    return window


def test_a_report_holds_what_the_paper_lists():
    window = window_of((1_000.0,), (3_000.0,), (2_000.0,))

    report = json.loads(
        encode_report(Quantity.ACTIVE_POWER, window, time_s=1_667_753_520.0, mode=CHARGING)
    )

    assert report == {
        "timestamp": 1_667_753_520.0,
        "device": "storage",
        "quantity": "Active power",
        "unit": "W",
        "type": "absorbed",
        "min": 1_000.0,
        "max": 3_000.0,
        "avg": 2_000.0,
        "last": 2_000.0,
        "mode": "charge",
        "power": 50,
    }


def test_what_the_battery_gives_is_delivered_and_positive():
    window = window_of((-1_000.0,), (500.0,), (-2_000.0,))

    report = json.loads(encode_report(Quantity.ACTIVE_POWER, window, time_s=0, mode=CHARGING))

    assert (report["type"], report["min"], report["max"], report["last"]) == (
        "delivered",
        -500.0,
        2_000.0,
        2_000.0,
    )


def test_phases_are_told_one_by_one():
    window = window_of((230.0, 231.0, 229.0), (232.0, 229.0, 229.5))

    report = json.loads(
        encode_report(Quantity.PHASE_VOLTAGE, window, time_s=0, mode=CHARGING, marked="a-1")
    )

    assert report["min"] == [230.0, 229.0, 229.0]
    assert report["max"] == [232.0, 231.0, 229.5]
    assert report["avg"] == [231.0, 230.0, 229.25]
    assert report["last"] == [232.0, 229.0, 229.5]
    assert (report["type"], report["id"]) == (None, "a-1")


def test_an_acknowledgement_tells_what_stands():
    request = WriteRequest(action=Action.CHARGE, power_percent=50, interval_s=3_600, id=3)

    done = json.loads(encode_done(request, time_s=1.0, mode=CHARGING, interval_unit_s=60.0))

    assert done == {
        "timestamp": 1.0,
        "device": "storage",
        "write": "charge",
        "accepted": True,
        "interval": 60.0,
        "mode": "charge",
        "power": 50,
        "id": 3,
    }


def test_an_error_says_what_to_do_in_a_word_for_programs():
    told = json.loads(encode_error("refused", "no", time_s=1.0, marked=None))

    assert told == {
        "timestamp": 1.0,
        "device": "storage",
        "accepted": False,
        "error": "no",
        "code": "refused",
    }
    assert [
        code_of(error)
        for error in (
            WriteBudgetError("x"),
            DeviceRefusedError("x"),
            DeviceReplyError("x"),
            DeviceUnavailableError("x"),
            DeviceError("x"),
        )
    ] == ["budget-spent", "refused", "reply", "unavailable", "unavailable"]


def test_a_mode_is_what_the_storage_says_of_itself_before_what_it_was_told():
    told = WriteRequest(action=Action.DISCHARGE, power_percent=80, interval_s=60)

    assert mode_of(told, following=True) == Mode(name="self-consumption")
    assert mode_of(told, following=False) == Mode(name="discharge", power_percent=80)
    assert mode_of(None, following=False) == Mode(name="other")
