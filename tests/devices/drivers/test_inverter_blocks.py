"""What an inverter measures, from the blocks of its SunSpec models."""

from devices.drivers.inverter_blocks import inverter_of
from devices.inverter_readings import InverterState


def test_a_three_phase_inverter_tells_three_phases_and_given_reactive_power_is_negative():
    block = {"Hz": 50.01, "PhVphA": 230.0, "PhVphB": 231.0, "PhVphC": 229.0}
    block |= {"AphA": 1.0, "AphB": 2.0, "AphC": 3.0, "VAr": 120.0}

    assert inverter_of(103, block) == InverterState(
        frequency_hz=50.01,
        phase_voltages_v=(230.0, 231.0, 229.0),
        line_currents_a=(1.0, 2.0, 3.0),
        reactive_power_var=-120.0,
    )


def test_what_is_not_implemented_is_left_out():
    block = {"Hz": None, "VL1": 230.0, "VL2": None, "AL1": 1.5, "Var": None}

    assert inverter_of(701, block) == InverterState(
        phase_voltages_v=(230.0,), line_currents_a=(1.5,)
    )
    assert inverter_of(101, {}) == InverterState()
