"""Requests as Burgio et al. 2023 print them (Tables 3 and 4), and whatever arrives."""

import pytest

from devices.errors import DeviceRefusedError
from devices.quantities import Quantity
from devices.requests import Action, ReadRequest, WriteRequest, decode_command


@pytest.mark.parametrize(
    ("message", "quantity"),
    [
        (b'{"read": "Frequency"}', Quantity.FREQUENCY),
        (b'{"read": "Phase voltage"}', Quantity.PHASE_VOLTAGE),
        (b'{"read": "Line current"}', Quantity.LINE_CURRENT),
        (b'{"read": "Active power"}', Quantity.ACTIVE_POWER),
        (b'{"read": "Reactive power"}', Quantity.REACTIVE_POWER),
        (b'{"read":"State of charge"}', Quantity.STATE_OF_CHARGE),
    ],
)
def test_every_read_of_table_3_is_understood(message, quantity):
    assert decode_command(message) == ReadRequest(quantity=quantity)


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (
            b'{"write": "charge", "power": 50, "interval": 60}',
            WriteRequest(action=Action.CHARGE, power_percent=50, interval_s=3600),
        ),
        (
            b'{"write": "discharge", "power": 80, "interval": 60}',
            WriteRequest(action=Action.DISCHARGE, power_percent=80, interval_s=3600),
        ),
        (
            b'{"write": "profile": "self-consumption", "backup": 20}',  # sic: no JSON
            WriteRequest(action=Action.PROFILE, backup_soc=0.2),
        ),
        (
            b'{"write": "profile", "profile": "self-consumption", "backup": 20}',
            WriteRequest(action=Action.PROFILE, backup_soc=0.2),
        ),
        (b'{"write": "stop"}', WriteRequest(action=Action.STOP)),
    ],
)
def test_every_write_of_table_4_is_understood_with_minutes_and_per_cent(message, request_):
    assert decode_command(message) == request_


def test_interval_can_be_seconds_where_an_adapter_means_seconds():
    message = b'{"write":"charge","power":50,"interval":60}'

    assert decode_command(message, interval_unit_s=1.0) == WriteRequest(
        action=Action.CHARGE, power_percent=50, interval_s=60
    )


def test_an_id_is_kept_for_the_answer():
    assert decode_command(b'{"read":"Frequency","id":"a-7"}').id == "a-7"
    assert decode_command(b'{"read":"Frequency","id":7}').id == 7
    assert decode_command(b'{"read":"Frequency","id":{"no":1}}').id is None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"read": "Humidity"}',
        b'{"read": 5}',
        b'{"write": "fly"}',
        b'{"write": "charge"}',
        b'{"write": "charge", "power": 50}',
        b'{"write": "charge", "power": 101, "interval": 1}',
        b'{"write": "charge", "power": -1, "interval": 1}',
        b'{"write": "charge", "power": true, "interval": 1}',
        b'{"write": "charge", "power": NaN, "interval": 1}',
        b'{"write": "charge", "power": 50, "interval": 0}',
        b'{"write": "charge", "power": 50, "interval": 1e300}',
        b'{"write": "profile", "profile": "backup"}',
        b'{"write": "profile", "backup": 120}',
        b"[" * 5000,
        b"x" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_command_is_refused_in_one_line(message):
    with pytest.raises(DeviceRefusedError) as refused:
        decode_command(message)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("depth", [100, 500, 900, 4_000])
def test_brackets_without_end_are_refused_like_everything_else(depth):
    with pytest.raises(DeviceRefusedError, match=r"send read or write|is no JSON"):
        decode_command(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
