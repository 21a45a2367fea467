"""What Home Assistant is told: entities with the classes it knows, values that are known."""

import json
import math

from devices.battery import BatteryState
from devices.hand_clock import HandClock
from hems.agent.mqtt.homeassistant import discovery, discovery_topic, state
from hems.agent.mqtt.settings import HomeAssistantSettings, Topics
from hems.agent.reading import Reading
from hems.agent.standing import Standing

SETTINGS = HomeAssistantSettings(enabled=True)


def test_nothing_known_is_nothing_said():
    assert state(None, None) == b"{}"
    assert state(None, Standing(source="none")) == b"{}"


def test_what_is_no_number_is_left_out():
    clock = HandClock()
    battery = BatteryState(soc=math.nan, battery_power_w=-250.0, following=True)
    seen = Reading(utc=clock.utc(), monotonic_s=0.0, battery=battery)

    assert json.loads(state(seen, None)) == {"battery_power_w": -250.0, "mode": "self-consumption"}


def test_an_unknown_earning_is_left_out_and_a_known_one_is_in_whole_currency():
    schedule = Standing(source="schedule", commitment_wh=-800, owed_wh=-0.125)
    assert json.loads(state(None, schedule)) == {"commitment_wh": -800, "owed_wh": -0.12}
    paid = Standing(source="answer", earned_micro=-1_500_000)

    assert json.loads(state(None, paid))["earned"] == -1.5


def test_every_entity_has_a_unit_and_a_class_that_home_assistant_allows_together():
    told = json.loads(discovery(SETTINGS, Topics("g", "home.7"), name="Elm", version="1"))
    allowed = {
        ("battery", "%", "measurement"),
        ("power", "W", "measurement"),
        ("energy", "Wh", None),
        (None, "Wh", "measurement"),
        ("monetary", "GBP", "total"),
        ("enum", None, None),
    }
    for key, each in told["components"].items():
        kind = tuple(each.get(k) for k in ("device_class", "unit_of_measurement", "state_class"))
        assert kind in allowed, key
    ids = [each["unique_id"] for each in told["components"].values()]

    assert len(set(ids)) == len(ids)
    assert discovery_topic(SETTINGS, "home.7") == "homeassistant/device/home_2e_7/gridpact/config"
