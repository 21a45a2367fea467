"""What a gateway says to a SunSpec adapter and makes of its answers: pure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryLimits
from devices.drivers.sunspec_adapter_codec import (
    Answer,
    battery_power_w_of,
    check_answer,
    decode_answer,
    encode_document,
    follow_document,
    hold_document,
    read_document,
    soc_of,
)
from devices.error_codes import CODES
from devices.errors import DeviceError, DeviceReplyError, DeviceUnavailableError
from devices.quantities import Quantity
from devices.requests import Action, ReadRequest, WriteRequest, decode_command

REPORT = (
    b'{"timestamp": 1, "device": "storage", "quantity": "Active power", "unit": "W", "type":'
    b' "absorbed", "min": 1, "max": 3, "avg": 2, "last": 2949, "mode": "charge", "power": 50,'
    b' "id": "a-1"}'
)


@pytest.mark.parametrize("quantity", Quantity)
def test_an_adapter_understands_every_read_of_ours(quantity):
    message = encode_document(read_document(quantity), marked="a-1")

    assert decode_command(message) == ReadRequest(quantity=quantity, id="a-1")


def test_an_adapter_understands_every_write_of_ours():
    charge = encode_document(hold_document(Action.CHARGE, 50, 60), marked=None)

    assert charge == b'{"write": "charge", "power": 50, "interval": 60}'
    assert decode_command(charge) == WriteRequest(
        action=Action.CHARGE, power_percent=50, interval_s=3_600
    )
    assert decode_command(encode_document(follow_document(), marked=None)) == WriteRequest(
        action=Action.PROFILE
    )


def test_a_report_is_read_whole():
    assert decode_answer(REPORT) == Answer(
        id="a-1",
        quantity=Quantity.ACTIVE_POWER,
        last=2949.0,
        direction="absorbed",
        mode="charge",
        power_percent=50.0,
    )


@pytest.mark.parametrize(
    "message",
    [
        b'{"read": "State of charge", "value": "55"}',
        b'{"State of charge": 55}',
        b'{"quantity": "state of charge ", "last": [55.0, 1]}',
    ],
)
def test_answers_of_other_adapters_are_read_too(message):
    answer = decode_answer(message)

    assert (answer.quantity, soc_of(answer, "x")) == (Quantity.STATE_OF_CHARGE, 0.55)


def test_what_is_absorbed_charges_and_what_is_delivered_discharges():
    powers_w = [
        battery_power_w_of(Answer(last=1_000.0, direction=direction), "x", rated_w=4_000)
        for direction in ("absorbed", "delivered", None)
    ]

    assert powers_w == [1_000.0, -1_000.0, 1_000.0]


@pytest.mark.parametrize("last", [None, -1.0, 100.5])
def test_a_state_of_charge_that_cannot_be_is_an_error(last):
    with pytest.raises(DeviceReplyError):
        soc_of(Answer(last=last), "x")


@pytest.mark.parametrize("last", [None, 6_001.0, -1e9])
def test_a_power_that_cannot_be_is_an_error(last):
    with pytest.raises(DeviceReplyError):
        battery_power_w_of(Answer(last=last), "x", rated_w=4_000)


def test_every_code_of_an_adapter_is_raised_as_the_error_it_was():
    raised = {}
    for code in [*CODES, "of-another-adapter"]:
        with pytest.raises(DeviceError) as error:
            check_answer(Answer(code=code, error="why"), "x")
        raised[code] = type(error.value)

    assert raised == {**CODES, "of-another-adapter": DeviceUnavailableError}
    check_answer(Answer(), "x")


def test_limits_come_with_the_acknowledged_configuration():
    answer = decode_answer(
        b'{"configured": true, "charge_max_w": 4000, "discharge_max_w": 3000, "capacity_wh": 0,'
        b' "exports_to_grid": false}'
    )

    assert answer.limits == BatteryLimits(
        charge_max_w=4_000, discharge_max_w=3_000, exports_to_grid=False
    )


KEYS = [each.value for each in Quantity]
KEYS += ["quantity", "read", "last", "value", "type", "mode", "power", "id", "code", "error"]
KEYS += ["charge_max_w", "discharge_max_w"]


@given(
    st.one_of(
        st.binary(max_size=100),
        st.tuples(st.integers(0, len(REPORT)), st.binary(max_size=4)).map(
            lambda cut: REPORT[: cut[0]] + cut[1] + REPORT[cut[0] + len(cut[1]) :]
        ),
        st.dictionaries(
            st.sampled_from(KEYS),
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers()
            | st.text(max_size=4)
            | st.lists(st.floats(), max_size=2)
            | st.just("Active power"),
        ).map(lambda document: json.dumps(document).encode()),
        st.just(b"[" * 5_000),
        st.just(b'{"last": ' + b"9" * 5_000 + b"}"),
    )
)
def test_whatever_an_adapter_sends_only_our_own_errors_come_out(payload):
    try:
        answer = decode_answer(payload)
        check_answer(answer, "x")
        soc_of(answer, "x")
        battery_power_w_of(answer, "x", rated_w=4_000)
    except DeviceError as error:
        assert "\n" not in str(error) or b"\\n" in payload  # noqa: PT017 -- every error's text
