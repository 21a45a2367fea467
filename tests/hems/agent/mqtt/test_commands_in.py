"""Commands as the operator sends them, and whatever else arrives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.quantities import Quantity
from devices.requests import Action, ReadRequest, WriteRequest
from hems.agent.mqtt.commands_in import (
    POWER_BOUND_W,
    Command,
    Envelope,
    PowerReference,
    Release,
    Why,
    correlation_of,
    decode,
)
from hems.agent.mqtt.settings import CommandSettings
from hems.errors import CommandRefusedError

NOW_S = 1_780_000_000.0
SETTINGS = CommandSettings()
BARE = Envelope()
GOOD = {"device": "home-7", "correlation_id": "c-1", "expires": NOW_S + 60}


def decoded(payload, envelope=BARE, *, settings=SETTINGS):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decode(body, envelope, device_id="home-7", now_s=NOW_S, settings=settings)


def refusal(payload, envelope=BARE):
    with pytest.raises(CommandRefusedError) as caught:
        decoded(payload, envelope)
    return caught.value.code, caught.value.correlation_id, str(caught.value)


@pytest.mark.parametrize(
    ("asked", "request_"),
    [
        (
            {"write": "charge", "power": 50, "interval": 60},
            WriteRequest(action=Action.CHARGE, power_percent=50, interval_s=3_600),
        ),
        (
            {"write": "discharge", "power": 80, "interval": 60},
            WriteRequest(action=Action.DISCHARGE, power_percent=80, interval_s=3_600),
        ),
        (
            {"write": "profile", "profile": "self-consumption", "backup": 20},
            WriteRequest(action=Action.PROFILE, backup_soc=0.2),
        ),
        ({"write": "stop"}, WriteRequest(action=Action.STOP)),
        (
            {"write": "power reference", "power_w": -1_500, "interval": 30},
            PowerReference(grid_power_w=-1_500, interval_s=1_800),
        ),
        ({"write": "Release"}, Release()),
        *(({"read": each.value}, ReadRequest(quantity=each)) for each in Quantity),
    ],
)
def test_every_line_of_tables_3_and_4_and_ours_is_understood(asked, request_):
    assert decoded({**GOOD, **asked}) == Command(
        correlation_id="c-1", expires_s=NOW_S + 60, request=request_
    )


def test_the_profile_is_read_as_the_paper_misprints_it():
    printed = (
        b'{"device": "home-7", "correlation_id": "c-1", "expires": 1780000060, '
        b'"write": "profile": "self-consumption", "backup": 20}'
    )
    assert decoded(printed).request == WriteRequest(action=Action.PROFILE, backup_soc=0.2)


def test_mqtt_5_may_carry_name_and_expiry_beside_the_command():
    beside = Envelope(correlation=b"c-9", expires_in_s=30)
    asked = {"device": "home-7", "write": "stop"}
    assert decoded(asked, beside) == Command(
        correlation_id="c-9", expires_s=NOW_S + 30, request=WriteRequest(action=Action.STOP)
    )
    both = decoded({**asked, "correlation_id": "c-9", "expires": NOW_S + 10}, beside)

    assert both.expires_s == NOW_S + 10


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ({"write": "charge", "power": 101, "interval": 60}, Why.MALFORMED, "power is 101"),
        ({"write": "charge", "power": -1, "interval": 60}, Why.MALFORMED, "power is -1"),
        ({"write": "charge", "power": True, "interval": 60}, Why.MALFORMED, "power is True"),
        ({"write": "charge", "interval": 60}, Why.MALFORMED, "power is None"),
        ({"write": "charge", "power": 50}, Why.MALFORMED, "interval is None"),
        ({"write": "charge", "power": 50, "interval": 0}, Why.MALFORMED, "more than 0"),
        ({"write": "charge", "power": 50, "interval": 1_441}, Why.MALFORMED, "interval is 1441"),
        ({"write": "power reference", "interval": 1}, Why.MALFORMED, "power_w is None"),
        (
            {"write": "power reference", "power_w": 2e6, "interval": 1},
            Why.MALFORMED,
            "from -1e+06 to 1e+06",
        ),
        (
            {"write": "power reference", "power_w": 1, "interval": 1e300},
            Why.MALFORMED,
            "interval is 1e+300",
        ),
        ({"write": "profile", "profile": "island"}, Why.MALFORMED, "self-consumption"),
        ({"write": "explode"}, Why.MALFORMED, "write is 'explode'"),
        ({"read": "Colour"}, Why.MALFORMED, "read is 'Colour'"),
        ({}, Why.MALFORMED, "send read or write"),
        ({"write": "stop", "device": "home-8"}, Why.WRONG_DEVICE, "this one is 'home-7'"),
        ({"write": "stop", "device": None}, Why.WRONG_DEVICE, "device is None"),
        ({"write": "stop", "expires": NOW_S + 1e6}, Why.MALFORMED, "at most 86400 s"),
        ({"write": "stop", "expires": "soon"}, Why.MALFORMED, "expires is 'soon'"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_reason(asked, code, text):
    told = refusal({**GOOD, **asked})

    assert told[:2] == (code, "c-1")
    assert text in told[2]
    assert "\n" not in told[2]


def test_a_command_without_a_name_or_without_an_end_is_refused():
    nameless = {key: value for key, value in GOOD.items() if key != "correlation_id"}
    endless = {key: value for key, value in GOOD.items() if key != "expires"}
    assert refusal({**nameless, "write": "stop"})[:2] == (Why.MALFORMED, None)
    assert refusal({**endless, "write": "stop"})[:2] == (Why.MALFORMED, "c-1")
    for name in ("", "x" * 65, "with space", "é", ["c"], True, 2**70):
        assert refusal({**GOOD, "correlation_id": name, "write": "stop"})[1] is None
    assert decoded({**GOOD, "correlation_id": 12, "write": "stop"}).correlation_id == "12"
    two_names = refusal({**GOOD, "write": "stop"}, Envelope(correlation=b"c-2"))

    assert "send one" in two_names[2]


def test_an_interval_is_bounded_by_the_homes_own_setting():
    asked = {**GOOD, "write": "charge", "power": 50, "interval": 31}
    with pytest.raises(CommandRefusedError, match="at most 30 minutes"):
        decoded(asked, settings=CommandSettings(longest_min=30))


def test_brackets_without_end_are_no_command():
    for depth in (100, 500, 900, 4_000):
        body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        assert refusal(body)[0] is Why.MALFORMED
    assert refusal(b"[" * 9_000)[0] is Why.MALFORMED


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
KEYS = ("write", "read", "power", "power_w", "interval", "backup", "profile", "expires")
WORDS = ["charge", "discharge", "profile", "stop", "release", "power reference", "Frequency"]
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES | st.sampled_from(WORDS))
ENVELOPES = st.builds(
    Envelope, correlation=st.none() | st.binary(max_size=8), expires_in_s=st.none() | st.floats(0)
)


@given(
    st.binary() | DOCUMENTS.map(lambda each: json.dumps(each).encode()), ENVELOPES, st.booleans()
)
def test_garbage_is_refused_and_raises_nothing_else(body, envelope, addressed):
    if addressed and body.startswith(b"{") and len(body) > 2:
        head = json.dumps({"device": "home-7", "correlation_id": "c"})[:-1].encode()
        body = head + b"," + body[1:]
    correlation_of(body, envelope)
    try:
        command = decode(body, envelope, device_id="home-7", now_s=NOW_S, settings=SETTINGS)
    except CommandRefusedError:
        return
    request = command.request
    assert command.expires_s <= NOW_S + 86_400
    if isinstance(request, WriteRequest):
        assert 0 <= request.power_percent <= 100
        assert request.interval_s is None or 0 < request.interval_s <= 86_400
        assert request.backup_soc is None or 0 <= request.backup_soc <= 1
    if isinstance(request, PowerReference):
        assert abs(request.grid_power_w) <= POWER_BOUND_W
        assert 0 < request.interval_s <= 86_400
