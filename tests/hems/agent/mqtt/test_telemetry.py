"""What a period was like: whole rows, nothing invented, nothing dropped."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryState, MeterState
from devices.inverter_readings import InverterState
from devices.quantities import Quantity
from hems.agent.mqtt.telemetry import Telemetry, rows_of
from hems.agent.reading import Reading

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def reading(second, *, battery_w=None, meter=None, inverter=None, soc=0.5):
    battery = None
    if battery_w is not None:
        battery = BatteryState(soc=soc, battery_power_w=battery_w, following=True)
    return Reading(
        utc=NOON + timedelta(seconds=second),
        monotonic_s=second,
        battery=battery,
        meter=meter,
        inverter=inverter,
    )


def period(readings, *, until=60):
    """Return what a minute from noon gives, sampled each 15 s just after a reading."""
    telemetry = Telemetry(sample_s=15, period_s=60)
    over = []
    for second in range(15, until + 1, 15):
        if second in readings:
            telemetry.add(readings[second])
        over += telemetry.sample(NOON + timedelta(seconds=second), now_s=second)
    return over


def test_a_minute_is_minimum_maximum_average_and_last_of_each_quantity():
    powers_w = {15: 1_000.0, 30: 3_000.0, 45: -500.0, 60: 2_000.0}
    over = period({each: reading(each, battery_w=power) for each, power in powers_w.items()})

    assert over == [
        (
            NOON + timedelta(seconds=60),
            [
                {
                    "device": "storage",
                    "details": "",
                    "quantity": "Active power",
                    "direction": "absorbed",
                    "unit": "W",
                    "min": -500.0,
                    "max": 3_000.0,
                    "avg": 1_375.0,
                    "last": 2_000.0,
                },
                {
                    "device": "storage",
                    "details": "",
                    "quantity": "State of charge",
                    "direction": None,
                    "unit": "%",
                    "min": 50.0,
                    "max": 50.0,
                    "avg": 50.0,
                    "last": 50.0,
                },
            ],
        )
    ]


def test_all_of_table_3_and_the_meters_powers_are_told_with_direction_and_phase():
    inverter = InverterState(
        frequency_hz=49.98,
        phase_voltages_v=(230.0, 231.0, 229.0),
        line_currents_a=(4.0, 5.0, 6.0),
        reactive_power_var=-120.0,
    )
    meter = MeterState(load_w=800.0, pv_w=3_000.0, grid_power_w=-1_700.0)
    ((_, rows),) = period({60: reading(60, battery_w=-500.0, meter=meter, inverter=inverter)})

    names = ("device", "details", "quantity", "direction", "unit", "last")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("storage", "", "Active power", "delivered", "W", 500.0),
        ("storage", "", "State of charge", None, "%", 50.0),
        ("storage", "", "Frequency", None, "Hz", 49.98),
        ("storage", "L1", "Phase voltage", None, "V", 230.0),
        ("storage", "L2", "Phase voltage", None, "V", 231.0),
        ("storage", "L3", "Phase voltage", None, "V", 229.0),
        ("storage", "L1", "Line current", None, "A", 4.0),
        ("storage", "L2", "Line current", None, "A", 5.0),
        ("storage", "L3", "Line current", None, "A", 6.0),
        ("storage", "", "Reactive power", "delivered", "var", 120.0),
        ("meter", "consumption", "Active power", "absorbed", "W", 800.0),
        ("meter", "production", "Active power", "delivered", "W", 3_000.0),
        ("meter", "grid", "Active power", "delivered", "W", 1_700.0),
    ]


def test_production_is_delivered_also_at_night():
    meter = MeterState(load_w=0.0, pv_w=0.0, grid_power_w=0.0)
    ((_, rows),) = period({60: reading(60, meter=meter)})

    assert [(row["details"], row["direction"], row["last"]) for row in rows] == [
        ("consumption", "absorbed", 0.0),
        ("production", "delivered", 0.0),
        ("grid", "absorbed", 0.0),
    ]


def test_what_is_absent_late_repeated_or_no_number_is_left_out():
    telemetry = Telemetry(sample_s=15, period_s=60)
    telemetry.add(reading(1, battery_w=9_000.0))  # 29 s old when it is sampled: late
    assert telemetry.sample(NOON + timedelta(seconds=30), now_s=30) == []
    telemetry.add(reading(45, battery_w=math.nan, soc=math.inf))
    assert telemetry.sample(NOON + timedelta(seconds=45), now_s=45) == []
    once = reading(50, battery_w=100.0)
    telemetry.add(once)
    telemetry.sample(NOON + timedelta(seconds=50), now_s=50)
    ((ends, rows),) = telemetry.sample(NOON + timedelta(seconds=60), now_s=60)

    assert ends == NOON + timedelta(seconds=60)
    assert [(row["quantity"], row["avg"]) for row in rows] == [
        ("Active power", 100.0),
        ("State of charge", 50.0),
    ]
    assert telemetry.sample(NOON + timedelta(seconds=120), now_s=120) == []


def test_a_period_whose_last_sample_was_missed_is_closed_by_the_next_one():
    telemetry = Telemetry(sample_s=15, period_s=60)
    telemetry.add(reading(30, battery_w=1.0))
    telemetry.sample(NOON + timedelta(seconds=30), now_s=30)
    telemetry.add(reading(75, battery_w=2.0))
    over = telemetry.sample(NOON + timedelta(seconds=75), now_s=75)

    assert [(ends, rows[0]["last"]) for ends, rows in over] == [(NOON + timedelta(seconds=60), 1.0)]


def test_a_read_is_answered_with_the_storages_rows_alone():
    meter = MeterState(load_w=800.0, pv_w=0.0, grid_power_w=300.0)
    seen = reading(0, battery_w=-500.0, meter=meter)

    (row,) = rows_of(seen, Quantity.ACTIVE_POWER)
    assert (row["device"], row["direction"], row["last"]) == ("storage", "delivered", 500.0)
    assert rows_of(seen, Quantity.FREQUENCY) == []


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=4, max_size=4))
def test_figures_are_those_of_the_samples_that_came(powers_w):
    seconds = (15, 30, 45, 60)
    over = period(
        {
            each: reading(each, battery_w=power)
            for each, power in zip(seconds, powers_w, strict=True)
        }
    )
    came = [power for power in powers_w if power is not None]

    if not came:
        assert over == []
        return
    sign = -1.0 if came[-1] < -5e-4 else 1.0  # figures are told to a thousandth
    row = over[0][1][0]
    told = [row[name] for name in ("min", "max", "last")]
    expected = [
        min(sign * each for each in came),
        max(sign * each for each in came),
        sign * came[-1],
    ]
    assert told == [round(each, 3) for each in expected]
    assert math.isclose(row["avg"], sign * sum(came) / len(came), abs_tol=2e-3)
