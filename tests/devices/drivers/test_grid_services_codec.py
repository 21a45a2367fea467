"""The Grid Services codec against the bodies that Burgio 2023 prints (§3.2); and noise."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.grid_services_codec import (
    CHARGE,
    DISCHARGE,
    Confirmation,
    DerEvent,
    decode_confirmation,
    decode_event,
    encode_event,
    require_confirmed,
    to_event,
)
from devices.errors import DeviceError, DeviceIgnoredError, DeviceRefusedError, DeviceReplyError

DER = "90e8dcc3-c70d-4725-a348-01a33b5f0612"
START = datetime(2022, 11, 6, 16, 52, 0, 268_000, tzinfo=UTC)
END = datetime(2022, 11, 6, 17, 0, 0, 724_000, tzinfo=UTC)
EVENT = DerEvent(der_id=DER, command=CHARGE, percent=35, start=START, end=END)
CONFIRMED = {
    "id": "ca2d8cb3-12ab-45e0-9dde-54f12ab77848",
    "derType": "storage",
    "derSerial": "73170C77-0D-STORAGE",
    "commandUri": "chargeStorage",
    "createdOn": "2022-11-06T16:51:44.786Z",
    "startTime": "2022-11-06T16:52:00.268Z",
    "endTime": "2022-11-06T17:00:00.268Z",
    "status": "Delivered",
    "statusMessage": None,
    "statusTime": "2022-11-06T16:51:44.883Z",
    "parameters": {" chargePowerPercent ": "35"},
}


def test_the_body_is_the_papers():
    assert encode_event(EVENT) == {
        "derId": DER,
        "commandUri": "chargeStorage",
        "startTime": "2022-11-06T16:52:00.268Z",
        "endTime": "2022-11-06T17:00:00.724Z",
        "priority": "1",
        "parameters": {"chargePowerPercent": "35"},
    }


def test_the_confirmation_that_the_paper_prints_confirms_its_event():
    confirmation = decode_confirmation(json.dumps(CONFIRMED).encode(), "it")

    assert confirmation == Confirmation(
        event_id="ca2d8cb3-12ab-45e0-9dde-54f12ab77848",
        status="Delivered",
        command=CHARGE,
        percent=35.0,
        end=datetime(2022, 11, 6, 17, 0, 0, 268_000, tzinfo=UTC),
    )
    require_confirmed(EVENT, confirmation, "it")


@pytest.mark.parametrize(
    ("power_w", "command", "percent"),
    [
        (1_400.0, CHARGE, 35),
        (-1_400.0, DISCHARGE, 35),
        (0.0, CHARGE, 0),
        (9_999.0, CHARGE, 100),
    ],
)
def test_the_sign_chooses_the_command(power_w, command, percent):
    event = to_event(power_w, der_id=DER, rated_w=4_000.0, start=START, valid_s=60)

    assert event == DerEvent(
        der_id=DER,
        command=command,
        percent=percent,
        start=START,
        end=START + timedelta(seconds=60),
    )
    assert decode_event(json.dumps(encode_event(event)).encode(), "it") == event


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": "Failed"}, DeviceRefusedError),
        ({"status": "REJECTED"}, DeviceRefusedError),
        ({"commandUri": "dischargeStorage"}, DeviceIgnoredError),
        ({"parameters": {"chargePowerPercent": "53"}}, DeviceIgnoredError),
        ({"endTime": "2022-11-06T18:00:00.268Z"}, DeviceIgnoredError),
        ({"id": None}, DeviceReplyError),
        ({"status": ""}, DeviceReplyError),
    ],
)
def test_what_is_not_confirmed_is_told(changes, error):
    body = json.dumps({**CONFIRMED, **changes}).encode()
    with pytest.raises(DeviceError) as caught:
        require_confirmed(EVENT, decode_confirmation(body, "it"), "it")

    assert type(caught.value) is error


def test_a_terse_confirmation_is_enough():
    body = b'{"id":"1","status":"Scheduled","commandUri":" chargeStorage "}'

    require_confirmed(EVENT, decode_confirmation(body, "it"), "it")


@pytest.mark.parametrize(
    "changes",
    [{"command": "boil"}, {"percent": 101}, {"end": START}, {"end": datetime(2030, 1, 1)}],  # noqa: DTZ001
)
def test_an_event_that_cannot_be_is_refused(changes):
    values = {"der_id": DER, "command": CHARGE, "percent": 35, "start": START, "end": END}
    with pytest.raises(DeviceRefusedError, match="cannot be"):
        DerEvent(**{**values, **changes})


@given(st.binary(max_size=80))
def test_random_bytes_raise_nothing_but_our_errors(body):
    for decode in (decode_confirmation, decode_event):
        with contextlib.suppress(DeviceError):
            decode(body, "it")


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from([*CONFIRMED]), VALUES))
def test_mutated_answers_raise_nothing_but_our_errors(changes):
    body = json.dumps({**CONFIRMED, **changes}).encode()
    with contextlib.suppress(DeviceError):
        require_confirmed(EVENT, decode_confirmation(body, "it"), "it")
    with contextlib.suppress(DeviceError):
        decode_event(body, "it")
