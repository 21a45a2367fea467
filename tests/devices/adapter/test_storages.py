"""A storage serves Table 3 as far as its driver can measure."""

import asyncio
from dataclasses import replace

import pytest

from devices.adapter.messages import StorageConfig
from devices.adapter.storages import Storage
from devices.battery import BatteryState
from devices.errors import DeviceRefusedError
from devices.inverter_readings import InverterState
from devices.quantities import Quantity
from devices.registry import Device

CONFIG = StorageConfig(storage="sunspec", model="x", host="h", rated_w=4_000)
STATE = BatteryState(soc=0.55, battery_power_w=-1_000.0, following=True)


class Inverter:
    """An inverter that measures one phase and keeps a reserve, and nothing else."""

    reserve_soc = 0.0

    async def close(self):
        """Do nothing."""

    async def read_inverter(self):
        """Return fixed values."""
        return InverterState(frequency_hz=50.0, phase_voltages_v=(230.0,), reactive_power_var=-5.0)

    async def set_reserve(self, reserve_soc):
        """Keep it."""
        self.reserve_soc = reserve_soc


def storage_of(inverter=None):
    """Return a storage without a battery."""
    connection = inverter or Inverter()
    device = Device(
        name="x", driver="y", connection=connection, inverter=inverter, reserve=inverter
    )
    return Storage(config=CONFIG, device=device)


def test_a_temperature_is_told_where_the_battery_has_one():
    storage = storage_of(Inverter())
    warm = replace(STATE, temperature_c=31.5)

    assert asyncio.run(storage.read(Quantity.TEMPERATURE, warm)) == (31.5,)
    with pytest.raises(DeviceRefusedError, match="does not tell its temperature"):
        asyncio.run(storage.read(Quantity.TEMPERATURE, STATE))


def test_every_quantity_that_is_measured_is_served_and_another_is_refused_by_name():
    storage = storage_of(Inverter())

    found = {
        quantity: asyncio.run(storage.read(quantity, STATE))
        for quantity in Quantity
        if quantity not in (Quantity.LINE_CURRENT, Quantity.TEMPERATURE)
    }

    assert found == {
        Quantity.FREQUENCY: (50.0,),
        Quantity.PHASE_VOLTAGE: (230.0,),
        Quantity.ACTIVE_POWER: (-1_000.0,),
        Quantity.REACTIVE_POWER: (-5.0,),
        Quantity.STATE_OF_CHARGE: (pytest.approx(55.0),),
    }
    with pytest.raises(DeviceRefusedError, match="does not tell its line current"):
        asyncio.run(storage.read(Quantity.LINE_CURRENT, STATE))


def test_a_reserve_goes_to_an_inverter_that_keeps_one_and_is_refused_by_another():
    inverter = Inverter()

    asyncio.run(storage_of(inverter).set_reserve(0.2))

    assert inverter.reserve_soc == 0.2
    with pytest.raises(DeviceRefusedError, match="cannot be told a backup"):
        asyncio.run(storage_of().set_reserve(0.2))


def test_a_device_without_a_battery_is_refused():
    with pytest.raises(DeviceRefusedError, match="has no battery"):
        asyncio.run(storage_of(Inverter()).limits())
