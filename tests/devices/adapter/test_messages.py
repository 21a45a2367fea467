"""Requests as Burgio et al. 2023 print them (Tables 2 to 4, §3.2, §3.3), and whatever arrives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.adapter.messages import (
    COMMAND,
    CONFIGURATION,
    MONITORING,
    Action,
    Quantity,
    ReadRequest,
    StorageConfig,
    WriteRequest,
    decode_command,
    decode_configuration,
)
from devices.errors import DeviceError, DeviceRefusedError

SOLAREDGE_AS_PRINTED = b"""{ "storage": "solardge ", "model": "Storedge 4",
    "address": "192.168.1.20",
    "crate ": { "max": 4000 }, " soc ": { "mins": 5 } }"""
SONNEN_AS_PRINTED = b"""{ "storage": "sonnen", "model": "Ecobatteries 8.2",
    "address": [ "192.168.1.30" ], "crate": { "max": 3000 }, "soc": { "mins": 5 } }"""


def test_topics_are_those_of_table_2():
    assert (CONFIGURATION, COMMAND, MONITORING) == (
        "/sunadp/configuration",
        "/sunadp/command",
        "/sunadp/monitoring",
    )


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


def test_configuration_of_the_solaredge_test_is_understood_with_its_stray_spaces():
    assert decode_configuration(SOLAREDGE_AS_PRINTED) == StorageConfig(
        storage="solardge", model="Storedge 4", host="192.168.1.20", rated_w=4000, soc_min=0.05
    )


def test_configuration_of_the_sonnen_test_is_understood_with_its_list_of_one_address():
    assert decode_configuration(SONNEN_AS_PRINTED) == StorageConfig(
        storage="sonnen", model="Ecobatteries 8.2", host="192.168.1.30", rated_w=3000, soc_min=0.05
    )


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("192.168.1.20:1502", "192.168.1.20", 1502),
        ("inverter.local", "inverter.local", None),
        ("fe80::1", "fe80::1", None),
    ],
)
def test_an_address_may_carry_its_port(address, host, port):
    body = {"storage": "x", "model": "y", "address": address, "crate": {"max": "4000"}}

    config = decode_configuration(json.dumps(body).encode())

    assert (config.host, config.port, config.rated_w) == (host, port, 4000)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"read": "Temperature"}',
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


@pytest.mark.parametrize(
    "change",
    [
        {"storage": 5},
        {"model": None},
        {"address": ["a", "b"]},
        {"address": "http://x/"},
        {"address": "host:0"},
        {"crate": 4000},
        {"crate": {"max": 0}},
        {"soc": {"mins": 101}},
        {"unit": 300},
        {"port": "x"},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(change):
    body = {"storage": "x", "model": "y", "address": "h", "crate": {"max": 1}, **change}

    with pytest.raises(DeviceRefusedError):
        decode_configuration(json.dumps(body).encode())


KEYS = ["read", "write", "power", "interval", "backup", "profile", "id", "storage", "model"]
KEYS += ["address", "crate", "soc", "max", "mins", "port", "unit"]
PRINTED = [
    SOLAREDGE_AS_PRINTED,
    SONNEN_AS_PRINTED,
    b'{"read": "Frequency"}',
    b'{"write": "charge", "power": 50, "interval": 60}',
    b'{"write": "profile": "self-consumption", "backup": 20}',
]


@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(KEYS) | st.text(max_size=3),
                    inner,
                    max_size=6,
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
        st.tuples(st.sampled_from(PRINTED), st.integers(0, 200), st.binary(max_size=3)).map(
            lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + len(cut[2]) :]
        ),
    )
)
def test_whatever_arrives_only_our_own_errors_come_out(payload):
    for decode in (decode_command, decode_configuration):
        try:
            decode(payload)
        except DeviceError:
            continue
