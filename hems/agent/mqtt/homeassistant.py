"""What the home's owner sees in Home Assistant: MQTT device discovery, without I/O.

One retained message describes the gateway with all its entities; it stays until it is replaced by
an empty one. The entities' values come in one state message, of which each picks its own.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.agent.mqtt.settings import HomeAssistantSettings, Topics
from hems.agent.reading import Reading
from hems.agent.standing import Standing

FOLLOWING: Final = "self-consumption"
"""Mode of a battery that follows residual demand."""
HOLDING: Final = "set-point"
"""Mode of a battery that holds a power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entity:
    """One value that is shown."""

    key: str
    name: str
    device_class: str | None = None
    unit: str | None = None
    state_class: str | None = None
    options: tuple[str, ...] = ()


def _power(key: str, name: str) -> _Entity:
    return _Entity(key=key, name=name, device_class="power", unit="W", state_class="measurement")


_ENTITIES: Final = (
    _Entity(key="soc", name="Battery", device_class="battery", unit="%", state_class="measurement"),
    _power("battery_power_w", "Battery power"),
    _power("grid_power_w", "Grid power"),
    _power("load_w", "Load"),
    _power("pv_w", "Solar production"),
    _Entity(key="commitment_wh", name="Fleet commitment", device_class="energy", unit="Wh"),
    _Entity(key="owed_wh", name="Owed by this home", unit="Wh", state_class="measurement"),
    _Entity(key="earned", name="Earned", device_class="monetary", state_class="total"),
    _Entity(key="mode", name="Mode", device_class="enum", options=(FOLLOWING, HOLDING)),
)


def discovery_topic(settings: HomeAssistantSettings, device_id: str) -> str:
    """Return where Home Assistant looks for the gateway's description."""
    # the id is a level of its own, which a broker's access list can compare with the user's name
    return f"{settings.prefix}/device/{_level(device_id)}/gridpact/config"


def discovery(settings: HomeAssistantSettings, topics: Topics, *, name: str, version: str) -> bytes:
    """Return the gateway's description, to be retained.

    Parameters
    ----------
    settings : HomeAssistantSettings
        The currency.
    topics : Topics
        Where state and status are.
    name : str
        What the owner calls the home.
    version : str
        Version of this program.
    """
    device = f"gridpact_{_level(topics.device_id)}"
    document = {
        "device": {
            "identifiers": [device],
            "name": name,
            "manufacturer": "Gridpact",
            "model": "home gateway",
            "sw_version": version,
        },
        "origin": {"name": "gridpact", "sw_version": version},
        "availability_topic": topics.status,
        "state_topic": topics.state,
        "qos": 1,
        "components": {each.key: _component(each, device, settings.currency) for each in _ENTITIES},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def state(reading: Reading | None, standing: Standing | None) -> bytes:
    """Return the entities' values; what is not known is left out and shown as unknown."""
    values = {**_measured(reading), **_promised(standing)}
    known = {
        key: round(value, 2) if isinstance(value, float) else value
        for key, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
    return json.dumps(known, allow_nan=False, separators=(",", ":")).encode()


def _measured(reading: Reading | None) -> dict[str, object]:
    values: dict[str, object] = {}
    if reading is not None and reading.battery is not None:
        battery = reading.battery
        values["soc"] = 100 * battery.soc
        values["battery_power_w"] = battery.battery_power_w
        values["mode"] = FOLLOWING if battery.following else HOLDING
    if reading is not None and reading.meter is not None:
        meter = reading.meter
        values["grid_power_w"] = meter.grid_power_w
        values["load_w"] = meter.load_w
        values["pv_w"] = meter.pv_w
    return values


def _promised(standing: Standing | None) -> dict[str, object]:
    if standing is None or standing.source == "none":
        return {}
    values: dict[str, object] = {
        "commitment_wh": standing.commitment_wh,
        "owed_wh": standing.owed_wh,
    }
    if standing.earned_micro is not None:
        values["earned"] = standing.earned_micro / 1e6
    return values


def _component(entity: _Entity, device: str, currency: str) -> Mapping[str, object]:
    unit = currency if entity.device_class == "monetary" else entity.unit
    told: dict[str, object] = {
        "platform": "sensor",
        "unique_id": f"{device}_{entity.key}",
        "name": entity.name,
        # a key that is missing gives "None", which Home Assistant shows as unknown
        "value_template": f"{{{{ value_json.get('{entity.key}') }}}}",
        "device_class": entity.device_class,
        "unit_of_measurement": unit,
        "state_class": entity.state_class,
        "options": list(entity.options) or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _level(device_id: str) -> str:
    """Return the id in the characters that Home Assistant takes, which are ours without the dot."""
    return device_id.replace(".", "_2e_")
