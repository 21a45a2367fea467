"""The validation tests of Burgio et al. 2023, §3: what goes over the wire, byte for byte."""

import pytest

from scenarios.errors import ScenarioInputError
from scenarios.wire.burgio_tests import NAMES, run
from scenarios.wire.wire_tap import Heard, compact, modbus_lines


def said(trace):
    """Return every line of a trace."""
    return [line for step in trace.steps for line in step.lines]


def test_test_1_sends_the_papers_json_to_the_react2_and_tells_the_cloud():
    trace = run("burgio-1")

    lines = said(trace)
    assert lines[0] == (
        '{"storage_id": "000000001", "CMDMode": "charge", "timeout": 1800000, "percSetpoint": 100}'
    )
    posted = lines.index("> POST /v1/ess/poc/config/ HTTP/1.1")
    assert lines[posted + 1] == '> {"timeout": 1800000, "setpoint_percent": 100}'
    assert lines[-1] == (
        '{"consumption": {"powerActive": {"discharge": 0, "charge": 3000, "measure_unit": "W"}}}'
    )
    assert trace.battery_power_w == {"charge 100 %": 3_000.0, "30 minutes": -500.0}


def test_test_2_schedules_the_papers_event_and_writes_the_inverters_registers():
    trace = run("burgio-2")

    lines = said(trace)
    posted = lines.index("> POST /v1/commands/schedule-der-event HTTP/1.1")
    for part in (
        '"derId": "90e8dcc3-c70d-4725-a348-01a33b5f0612"',
        '"commandUri": "chargeStorage"',
        '"priority": "1"',
        '"parameters": {"chargePowerPercent": "35"}',
    ):
        assert part in lines[posted + 1]
    configuration = next(line for line in lines if line.startswith("> /sunadp/configuration"))
    for part in ('"storage": "solaredge"', '"model": "Storedge 4"', '"crate": {"max": 4000.0}'):
        assert part in configuration
    assert any('{"write": "charge", "power": 35.0, "interval": 1.0' in line for line in lines)
    frames = [line[8:] for line in lines if line.startswith("> 00")]
    # E00E = 1400.0 W low word first (0x44AF0000), E00D = 3 charge from PV and AC, 4 discharge
    assert any(frame.endswith("01 10 e0 0e 00 02 04 00 00 44 af") for frame in frames)
    assert any(frame.endswith("01 06 e0 0d 00 03") for frame in frames)
    assert any(frame.endswith("01 06 e0 0d 00 04") for frame in frames)
    assert trace.battery_power_w == {
        "Grid Services charge 35 %": 1_400.0,
        "Grid Services endTime": -500.0,
        "charge 35 %": 1_400.0,
        "discharge 35 %": -1_400.0,
        "self-consumption": -500.0,
    }


def test_test_3_puts_the_sonnen_into_manual_mode_and_sets_watts():
    trace = run("burgio-3")

    requests = [line for line in said(trace) if line.startswith(("> GET", "> PUT"))]
    writes = [line.split()[2] for line in requests if "status" not in line]
    assert writes == [
        "/api/setting?OperatingMode=1",
        "/api/v1/setpoint/discharge/0",
        "/api/v1/setpoint/charge/1200",
        "/api/v1/setpoint/charge/0",
        "/api/v1/setpoint/discharge/1500",
        "/api/setting?OperatingMode=2",
    ]
    assert trace.battery_power_w == {
        "charge 40 %": 1_200.0,
        "discharge 50 %": -1_500.0,
        "self-consumption": -500.0,
    }
    assert trace.lines()[0].startswith("burgio-3: a Sonnen charges at 40 %")


def test_another_name_is_refused():
    assert NAMES == ("burgio-1", "burgio-2", "burgio-3")
    with pytest.raises(ScenarioInputError, match="burgio-1, burgio-2, burgio-3"):
        run("burgio-4")


def test_frames_that_came_together_are_told_apart():
    data = bytes.fromhex("000100000006010300000001000200000006010300000002")

    assert modbus_lines(Heard(request=True, data=data)) == [
        "00 01 00 00 00 06 01 03 00 00 00 01",
        "00 02 00 00 00 06 01 03 00 00 00 02",
    ]
    assert compact("x" * 500).endswith("... (500 characters)")
