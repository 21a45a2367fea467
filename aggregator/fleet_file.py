"""The fleet's ratings from TOML or JSON: one virtual battery, or a list of homes to aggregate.

::

    [[homes]]
    capacity_wh = 10300
    power_max_w = 5300
    charge_efficiency = 0.9
    discharge_efficiency = 0.9
    soc_min = 0.1
    soc_max = 1.0
    soc = 0.5

or a single ``[battery]`` with the fields of `VirtualBattery`.
"""

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np

from aggregator.errors import FileError, PlanInputError
from aggregator.files import Json, read_text
from aggregator.virtual_battery import VirtualBattery, aggregate
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank

SOC = "soc"
"""State of charge of a home's battery at the start of the plan, 0..1."""
BATTERY_FIELDS = tuple(field.name for field in fields(VirtualBattery))
HOME_FIELDS = (*(field.name for field in fields(BatteryBank)), SOC)


def read_fleet(path: Path) -> VirtualBattery:
    """Read the fleet's virtual battery.

    Raises
    ------
    FileError
        Naming the home and the field that is missing, unknown or out of range.
    """
    body = _parse(path)
    try:
        if "battery" in body:
            rating = _numbers(path, "battery", body["battery"], BATTERY_FIELDS)
            return VirtualBattery(**rating)
        return _aggregate(path, body.get("homes", []))
    except PlanInputError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(path, str(error), "mend the rating") from error


def _parse(path: Path) -> Json:
    """Return the file's table, TOML by its suffix and JSON otherwise."""
    text = read_text(path)
    try:
        body = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        toml = path.suffix == ".toml"
        remedy = "mend the syntax" if toml else "mend the syntax, or call it .toml if it is TOML"
        raise FileError(path, f"is not {'TOML' if toml else 'JSON'} ({error})", remedy) from error
    if not isinstance(body, dict) or not body.keys() & {"battery", "homes"}:
        raise FileError(path, "has neither battery nor homes", "describe one of them")
    if body.keys() >= {"battery", "homes"}:
        raise FileError(path, "has both battery and homes", "describe one of them")
    return body


def _aggregate(path: Path, homes: object) -> VirtualBattery:
    """Return the homes' batteries as one."""
    if not isinstance(homes, list) or not homes:
        raise FileError(path, "homes is not a list of batteries", "give one [[homes]] for each")
    rows = [_numbers(path, f"home {i}", home, HOME_FIELDS) for i, home in enumerate(homes)]
    columns: dict[str, FloatArray] = {
        name: np.array([row[name] for row in rows]) for name in HOME_FIELDS
    }
    soc = columns.pop(SOC)
    try:
        bank = BatteryBank(**columns)
    except ValueError as error:
        raise FileError(path, str(error), "mend the rating") from error
    return aggregate(bank, soc * bank.capacity_wh)


def _numbers(path: Path, who: str, entry: object, names: tuple[str, ...]) -> dict[str, float]:
    """Return the named numbers of a table, none missing, none unknown."""
    if not isinstance(entry, dict):
        raise FileError(path, f"{who} is not a table", f"give {', '.join(names)}")
    for name in sorted(entry.keys() ^ set(names)):
        state = "unknown" if name in entry else "missing"
        raise FileError(path, f"{who}: {name} is {state}", f"give {', '.join(names)}")
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FileError(path, f"{who}: {name} is {value!r}", "give a number")
    return {name: float(entry[name]) for name in names}
