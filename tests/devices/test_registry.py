"""From a driver's name to an open device, for every driver and its emulator."""

import asyncio
from collections import Counter

import pytest

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.commands.catalogue import CATALOGUE
from devices.emulators.faults import FaultPlan
from devices.emulators.house import EmulatedHome
from devices.errors import DeviceConfigError
from devices.hand_clock import HandClock
from devices.registry import DRIVERS, EMULATORS, Site, open_device, resolve
from devices.steering import steering_of
from devices.write_log import WriteLog


def site(log, **options):
    return Site(name="shed", where="home.toml [shed]", clock=SystemClock(), log=log, **options)


def test_every_driver_is_emulated_and_in_the_overview():
    assert list(DRIVERS) == list(EMULATORS)
    assert sorted(CATALOGUE) == sorted(DRIVERS)


@pytest.mark.parametrize("name", DRIVERS)
def test_every_emulator_names_the_settings_that_open_its_driver_with_what_the_overview_says(name):
    async def abilities():
        clock = SystemClock()
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=0.5,
            clock=clock.monotonic_s,
            demand=lambda _: (500.0, 0.0),
        )
        emulator = resolve(EMULATORS[name])(home, clock=clock, host="127.0.0.1", port=0)
        assert isinstance(emulator.faults, FaultPlan)
        assert emulator.writes == Counter()
        assert emulator.offered
        await emulator.start()
        try:
            with WriteLog() as log:
                device = await open_device(emulator.settings, site(log, read_only=True))
                try:
                    assert (device.name, device.driver) == ("shed", name)
                    parts = ("battery", "meter", "relay", "charger")
                    found = tuple(part for part in parts if getattr(device, part) is not None)
                    return found or (("set-points",) if steering_of(device) else ())
                finally:
                    await device.close()
        finally:
            await emulator.stop()

    assert asyncio.run(abilities()) == CATALOGUE[name].does


@pytest.mark.parametrize("name", DRIVERS)
def test_a_setting_that_no_driver_has_is_one_line_that_names_the_table(name):
    async def refused():
        with WriteLog() as log:
            with pytest.raises(DeviceConfigError) as found:
                await open_device({"driver": name, "nonsense": 1}, site(log))
            return str(found.value)

    line = asyncio.run(refused())

    assert line.startswith("home.toml [shed]: nonsense is no setting here; it takes ")
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("table", [{"driver": "sonnen"}, {"driver": 5}])
def test_a_driver_that_does_not_exist_is_refused_with_those_that_do(table):
    async def refused():
        with WriteLog() as log:
            with pytest.raises(DeviceConfigError) as found:
                await open_device(table, site(log))
            return str(found.value)

    assert asyncio.run(refused()) == (
        f"home.toml [shed]: driver is {table['driver']!r}; give one of {', '.join(DRIVERS)}"
    )


def test_a_table_without_a_driver_is_told_what_to_add():
    async def refused():
        with WriteLog() as log:
            with pytest.raises(DeviceConfigError) as found:
                await open_device({"host": "a"}, site(log))
            return str(found.value)

    assert asyncio.run(refused()) == (
        f'home.toml [shed] names no driver; add driver = "...", one of {", ".join(DRIVERS)}'
    )


def test_a_site_hands_out_writes_that_keep_to_it():
    with WriteLog() as log:
        one = Site(name="shed", where="[shed]", clock=HandClock(), log=log, read_only=True)

        assert one.writes().read_only
        assert not site(log).writes().read_only
