"""An order in the words of a terminal means what the service is asked, or is refused in a line."""

import re

import pytest

from aggregator.service.commands.errors import OrderInputError
from aggregator.service.commands.order_words import command_of, seconds, target_of


def meant(what, amount=None, *, length_s=None, backup_percent=None):
    return command_of(what, amount, length_s=length_s, backup_percent=backup_percent)


def test_words_are_what_a_gateway_takes():
    assert [
        meant("charge", "50%", length_s=900.0),
        meant("discharge", "7.5 %", length_s=90.0),
        meant("import", "2kW", length_s=3_600.0),
        meant("export", "500 W", length_s=3_600.0),
        meant("profile", backup_percent=20.0),
        meant("profile"),
        meant("stop"),
        meant("release"),
        meant("read", "State of charge"),
    ] == [
        {"write": "charge", "power": 50.0, "interval": 15.0},
        {"write": "discharge", "power": 7.5, "interval": 1.5},
        {"write": "power reference", "power_w": 2_000.0, "interval": 60.0},
        {"write": "power reference", "power_w": -500.0, "interval": 60.0},
        {"write": "profile", "profile": "self-consumption", "backup": 20.0},
        {"write": "profile", "profile": "self-consumption"},
        {"write": "stop"},
        {"write": "release"},
        {"read": "State of charge"},
    ]
    assert [target_of(each) for each in ("home-7", "fleet", "group:north", "device:a/b")] == [
        "home:home-7",
        "fleet",
        "group:north",
        "device:a/b",
    ]
    assert [seconds(each) for each in ("90s", "15m", "2h")] == [90.0, 900.0, 7_200.0]


@pytest.mark.parametrize(
    ("what", "amount", "more", "why"),
    [
        ("charge", "2kW", {"length_s": 60.0}, "a share of the battery's rated power such as 50%"),
        ("charge", "101%", {"length_s": 60.0}, "a share of the battery's rated power such as 50%"),
        ("charge", "50%", {}, "charge needs a time; give one such as --for 15m"),
        ("charge", None, {"length_s": 60.0}, "charge needs to know a share such as 50%"),
        ("export", "50%", {"length_s": 60.0}, "export takes a power such as 500W or 2kW"),
        ("stop", None, {"length_s": 60.0}, "stop takes neither a power nor a time"),
        ("stop", None, {"backup_percent": 5.0}, "--backup means nothing to stop"),
        ("read", None, {}, "read needs to know which quantity"),
    ],
)
def test_what_means_nothing_is_refused_in_a_line(what, amount, more, why):
    with pytest.raises(OrderInputError, match=re.escape(why)) as refused:
        meant(what, amount, **more)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["15", "0m", "-5m", "15 days", "m", "1e3s", "nan h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(OrderInputError, match="is no time; give one such as 90s, 15m or 2h"):
        seconds(text)
