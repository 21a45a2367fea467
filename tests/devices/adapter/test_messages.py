"""Requests as Burgio et al. 2023 print them (Tables 2 to 4, §3.2, §3.3), and whatever arrives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.adapter.messages import (
    COMMAND,
    CONFIGURATION,
    MONITORING,
    StorageConfig,
    decode_configuration,
)
from devices.errors import DeviceError, DeviceRefusedError
from devices.requests import decode_command

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
