"""What a real gateway writes is what the service reads, to the sign."""

import asyncio
import time

from aggregator.service.ingest.schema import read_telemetry
from aggregator.service.store.channels import CHANNELS
from devices.battery import BatteryState, MeterState
from devices.clock import SystemClock
from devices.inverter_readings import InverterState
from hems.agent.health import Health
from hems.agent.mqtt.courier import Courier
from hems.agent.mqtt.settings import BrokerSettings, CourierSettings, TelemetrySettings
from hems.agent.reading import Reading
from hems.agent.settings import HomeSettings
from hems.agent.store import Store

NAMES = {each.number: each.name for each in CHANNELS}
IN_OUR_SIGNS = {
    "storage.Active power": -1_200.0,
    "storage.State of charge": 51.5,
    "storage.Frequency": 50.02,
    "storage.L1.Phase voltage": 230.0,
    "storage.L2.Phase voltage": 231.0,
    "storage.L3.Phase voltage": 232.0,
    "storage.L1.Line current": 1.5,
    "storage.L2.Line current": 1.6,
    "storage.L3.Line current": 1.7,
    "storage.Reactive power": -30.0,
    "meter.consumption.Active power": 400.0,
    "meter.production.Active power": 900.0,
    "meter.grid.Active power": -1_700.0,
}


def reading(clock):
    return Reading(
        utc=clock.utc(),
        monotonic_s=clock.monotonic_s(),
        battery=BatteryState(soc=0.515, battery_power_w=-1_200.0, following=False),
        meter=MeterState(load_w=400.0, pv_w=900.0, grid_power_w=-1_700.0),
        inverter=InverterState(
            frequency_hz=50.02,
            phase_voltages_v=(230.0, 231.0, 232.0),
            line_currents_a=(1.5, 1.6, 1.7),
            reactive_power_var=-30.0,
        ),
    )


async def first_letter(tmp_path):
    """Return the first message of a gateway whose broker is away."""
    clock = SystemClock()
    courier = Courier(
        CourierSettings(
            broker=BrokerSettings(host="127.0.0.1", port=1, tls=False, announce=False),
            telemetry=TelemetrySettings(sample_s=1.0, period_s=1.0),
        ),
        home=HomeSettings(name="Home 7", device_id="home-7", state_folder=tmp_path),
        store=Store(),
        clock=clock,
        health=Health([].append),
        desk=None,
        facts=lambda: None,
        forecast_errors=lambda: {"load": {"4": {"relative": 0.31}}},
    )
    task = asyncio.create_task(courier.run())
    try:
        async with asyncio.timeout(60):
            while not (letters := courier.spool.next(1, now_s=time.time())):
                courier.add(reading(clock))
                await asyncio.sleep(0.1)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await courier.close()
    return letters[0]


def test_every_row_of_a_gateway_comes_in_with_the_signs_of_the_house(tmp_path):
    letter = asyncio.run(first_letter(tmp_path))
    assert letter.topic == "gridpact/home-7/telemetry"
    now_ms = round(time.time() * 1000)

    told = read_telemetry("home-7", letter.payload, from_ms=now_ms - 600_000, now_ms=now_ms)

    assert (told.id, told.dropped) == (letter.id, 0)
    assert {NAMES[row[1]]: row[3:] for row in told.rows} == {
        name: (value, value, value, value) for name, value in IN_OUR_SIGNS.items()
    }
    assert {row[2] for row in told.rows} == {1_000}
    assert told.now() == (0.515, -1_200.0, 400.0, 900.0, -1_700.0)
