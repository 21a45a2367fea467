"""Meter values of OCPP 1.6 and 2.0.1: units, multipliers, phases, one sample for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from devices.drivers.json_values import POWER_BOUND_W, number_of
from devices.errors import DeviceReplyError

POWER: Final = "Power.Active.Import"
POWER_BACK: Final = "Power.Active.Export"
ENERGY: Final = "Energy.Active.Import.Register"
"""Measurands that are read; `ENERGY` is also what a value without one means."""
_FACTORS: Final = {
    POWER: {"W": 1.0, "kW": 1_000.0},
    POWER_BACK: {"W": 1.0, "kW": 1_000.0},
    ENERGY: {"Wh": 1.0, "kWh": 1_000.0},
}
_PHASES: Final = {"L1": 0, "L2": 1, "L3": 2, "L1-N": 0, "L2-N": 1, "L3-N": 2}
_ENERGY_BOUND_WH: Final = 1e10
"""No charger has delivered more: beyond it a value is damage. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a charger measured at one moment; None where it does not tell."""

    power_w: float | None = None
    """Power into the car; < 0 where the car feeds the house. [W]"""
    energy_wh: float | None = None
    """Its energy register: into all cars since it was made. [Wh]"""


def decode_meter_values(meter_value: object, *, where: str) -> Sample:
    """Return the latest of a list of samples: the last that tells power, and that tells energy.

    Parameters
    ----------
    meter_value : object
        The field ``meterValue`` of a request.
    where : str
        What messages call it.

    Raises
    ------
    DeviceReplyError
        If it is no list of samples. A value that is damaged, signed (encrypted) or of a unit that
        is not known counts as not told.
    """
    power_w: float | None = None
    energy_wh: float | None = None
    for moment in _tables(meter_value, f"{where} meterValue"):
        values = list(_tables(moment.get("sampledValue"), f"{where} sampledValue"))
        inward_w, outward_w = _total(values, POWER), _total(values, POWER_BACK)
        if inward_w is not None or outward_w is not None:
            power_w = (inward_w or 0.0) - (outward_w or 0.0)
        energy_wh = _last(_total(values, ENERGY), energy_wh)
    if power_w is not None and abs(power_w) > POWER_BOUND_W:
        power_w = None
    if energy_wh is not None and not 0 <= energy_wh <= _ENERGY_BOUND_WH:
        energy_wh = None
    return Sample(power_w=power_w, energy_wh=energy_wh)


def _last(newer: float | None, older: float | None) -> float | None:
    return older if newer is None else newer


def _tables(value: object, where: str) -> Iterable[Mapping[str, object]]:
    """Return the objects of a list; one alone counts as a list of one."""
    listed = [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        msg = f"{where} is no list of samples; ask again"
        raise DeviceReplyError(msg)
    return listed


def _total(values: Iterable[Mapping[str, object]], measurand: str) -> float | None:
    """Return a measurand in W or Wh: its total where it is told, else the sum of its phases."""
    total: float | None = None
    by_phase: dict[int, float] = {}
    for value in values:
        if value.get("measurand", ENERGY) != measurand or value.get("format") == "SignedData":
            continue
        number = _in_our_unit(value, measurand)
        phase = value.get("phase")
        if number is None:
            continue
        if phase is None:
            total = number
        elif isinstance(phase, str) and phase in _PHASES:
            by_phase[_PHASES[phase]] = number
    if total is None and by_phase:
        return sum(by_phase.values())
    return total


def _in_our_unit(value: Mapping[str, object], measurand: str) -> float | None:
    """Return a value in W or Wh; None where its unit is not known."""
    factors = _FACTORS[measurand]
    unit: object = value.get("unit")
    multiplier = 0.0
    described = value.get("unitOfMeasure")
    if isinstance(described, dict):  # 2.0.1
        unit = described.get("unit", unit)
        multiplier = number_of(described, "multiplier") or 0.0
    number = number_of(value, "value")
    if unit is None:
        unit = next(iter(factors))
    if number is None or not isinstance(unit, str) or unit not in factors or abs(multiplier) > 9:
        return None
    return float(number * factors[unit] * 10.0**multiplier)
