"""From SunSpec's inverter models to what an inverter measures: pure."""

from collections.abc import Mapping
from typing import Final

from devices.inverter_readings import InverterState

INVERTER_MODELS: Final = (701, 103, 102, 101)
"""Models that tell it, the best first."""
_POINTS: Final = {
    701: (("VL1", "VL2", "VL3"), ("AL1", "AL2", "AL3"), "Var"),
}
_OLDER: Final = (("PhVphA", "PhVphB", "PhVphC"), ("AphA", "AphB", "AphC"), "VAr")
"""Points of models 101 to 103: voltages to neutral, currents, reactive power."""


def inverter_of(model_id: int, block: Mapping[str, object]) -> InverterState:
    """Return what an inverter model's block tells; SunSpec's reactive power > 0 is given.

    Parameters
    ----------
    model_id : int
        One of `INVERTER_MODELS`.
    block : Mapping
        Points by name, scaled; None where not implemented.
    """
    voltages, currents, reactive = _POINTS.get(model_id, _OLDER)
    given_var = _number(block.get(reactive))
    return InverterState(
        frequency_hz=_number(block.get("Hz")),
        phase_voltages_v=_numbers(block, voltages),
        line_currents_a=_numbers(block, currents),
        reactive_power_var=None if given_var is None else -given_var + 0.0,
    )


def _numbers(block: Mapping[str, object], names: tuple[str, ...]) -> tuple[float, ...]:
    found = (_number(block.get(name)) for name in names)
    return tuple(value for value in found if value is not None)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
