"""What the tables of the broker may say, and what is refused with place and remedy."""

from pathlib import Path

import pytest

from devices.errors import DeviceConfigError
from devices.settings import read_settings
from hems.agent.mqtt.settings import (
    BrokerSettings,
    CommandSettings,
    HomeAssistantSettings,
    TelemetrySettings,
)


def test_the_port_is_the_usual_one_of_its_kind():
    assert BrokerSettings(host="b").port_used == 8_883
    assert BrokerSettings(host="b", tls=False).port_used == 1_883
    assert BrokerSettings(host="b", port=18_883).port_used == 18_883


@pytest.mark.parametrize(
    ("cls", "table", "text"),
    [
        (BrokerSettings, {"host": "b", "port": 70_000}, "port is 70000; give 1..65535"),
        (BrokerSettings, {"host": "b", "protocol": "4"}, "give one of auto, 5, 3.1.1"),
        (BrokerSettings, {"host": "b", "topic_root": "a/#"}, "topic_root is 'a/#'; give levels"),
        (BrokerSettings, {"host": "b", "topic_root": "/a"}, "topic_root is '/a'"),
        (BrokerSettings, {"host": "b", "user": "u"}, "user and password_file go together"),
        (BrokerSettings, {"host": "b", "key_file": "k"}, "cert_file and key_file go together"),
        (
            BrokerSettings,
            {"host": "b", "tls": False, "user": "u", "password_file": "p"},
            "set tls = true",
        ),
        (BrokerSettings, {"host": "b", "password": "secret"}, "password is no setting"),
        (TelemetrySettings, {"sample_s": 15, "period_s": 50}, "a whole number of sample_s"),
        (TelemetrySettings, {"sample_s": 60, "period_s": 15}, "period_s is 15; give 60..86400"),
        (TelemetrySettings, {"spool_rows": 1}, "spool_rows is 1; give 100..1e+06"),
        (CommandSettings, {"longest_min": 2_000}, "longest_min is 2000; give 0.001..1440"),
        (CommandSettings, {"senders": "a,b/c"}, "senders names 'b/c'"),
        (HomeAssistantSettings, {"currency": "pounds"}, "give an ISO 4217 code"),
        (HomeAssistantSettings, {"prefix": "a b"}, "prefix is 'a b'"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_the_remedy(cls, table, text):
    with pytest.raises(DeviceConfigError) as caught:
        read_settings(cls, table, where="home.toml [x]")

    assert str(caught.value).startswith("home.toml [x]: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_of_toml_is_read_whole():
    table = {
        "host": "broker.example.org",
        "ca_file": "ca.pem",
        "user": "home-7",
        "password_file": "broker.password",
        "timeout_s": 5,
    }
    assert read_settings(BrokerSettings, table, where="x") == BrokerSettings(
        host="broker.example.org",
        ca_file=Path("ca.pem"),
        user="home-7",
        password_file=Path("broker.password"),
        timeout_s=5.0,
    )
