"""The Xtender's driver on its emulator's pseudo-terminal: what the conformance suite leaves out."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery import BatteryLimits, MeterState
from devices.battery_model import BatteryModel
from devices.drivers.xtender import open_xtender
from devices.drivers.xtender_objects import CHARGE_A
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.errors import (
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
)
from devices.hand_clock import HandClock
from devices.registry import Site
from devices.switches import RelayState
from devices.write_log import WriteLog


class Bench:
    """An emulated system, and hands to open drivers on it."""

    def __init__(self, clock, emulator, log, demand_w):
        self.clock, self.emulator, self.log, self.demand_w = clock, emulator, log, demand_w

    @property
    def unit(self):
        return self.emulator.units[101]

    @property
    def power_w(self):
        return self.emulator.home.state().battery_power_w

    async def open(self, *, read_only=False, **changed):
        site = Site(
            name="xtender", where="test", clock=self.clock, log=self.log, read_only=read_only
        )
        settings = {**self.emulator.settings, "timeout_s": 5.0, **changed}
        del settings["driver"]
        return await open_xtender(settings, site)


@asynccontextmanager
async def bench(*, load_w=500.0, pv_w=0.0, model=None, **options):
    clock, demand_w = HandClock(), [(load_w, pv_w)]
    home = EmulatedHome(
        model=model or BatteryModel.lead_acid(1),
        soc=0.6,
        clock=clock.monotonic_s,
        demand=lambda _: demand_w[0],
    )
    emulator = XtenderEmulator(home, clock=clock, **options)
    await emulator.start()
    try:
        with WriteLog() as log:
            yield Bench(clock, emulator, log, demand_w)
    finally:
        await emulator.stop()


async def killed(device):
    """Let a driver die without a farewell."""
    device.battery._keeper.cancel()
    await device.battery._link.close()


@pytest.mark.parametrize("wanted_w", [600.0, 1_500.0, -700.0])
def test_loop_brings_the_power_to_within_half_a_step(wanted_w):
    async def run():
        async with bench() as table:
            device = await table.open(loop_s=10.0)
            await device.battery.set_power(wanted_w, valid_s=600)
            await table.clock.advance(35)
            power_w, feed = table.power_w, wanted_w < 0
            await device.close()
            return power_w, feed

    power_w, feed = asyncio.run(run())

    # an ampere at 49 V is at most 63 W at the terminals of a battery of 78 %; 0.2 A at 230 V is 46
    assert abs(power_w - wanted_w) <= (23 if feed else 32)


def test_nothing_is_ever_written_to_flash():
    async def run():
        async with bench() as table:
            device = await table.open(watchdog_s=60)
            for power_w in (800.0, -500.0, 0.0):
                await device.battery.set_power(power_w, valid_s=60)
            await device.relay.set_relay(closed=False)
            await device.close()
            return table.unit.flash_writes, table.unit.unsaved

    flash_writes, unsaved = asyncio.run(run())
    saved = {1127: 1.0, 1128: 1.0, 1138: 60.0, 1525: 1200.0, 1526: 1200.0, 1628: 0.0, 1629: 60.0}

    assert flash_writes == {}
    assert unsaved.pop(1523) == pytest.approx(16.0, abs=0.1)
    assert unsaved == saved


def test_set_point_is_what_the_parameters_say():
    async def run():
        async with bench() as table:
            device = await table.open(feed_down_to_v=46.5)
            seen = []
            for power_w in (1_000.0, 0.0, -1_000.0):
                await device.battery.set_power(power_w, valid_s=60)
                unit = table.unit.unsaved
                seen.append({key: round(value, 1) for key, value in unit.items()})
            await device.close()
            return seen

    charging, resting, feeding = asyncio.run(run())

    assert charging == {1138: 19.0, 1127: 0.0}
    assert resting == {1138: 0.0, 1127: 0.0}
    assert feeding == {1138: 0.0, 1127: 1.0, 1523: 4.4, 1524: 46.5, 1525: 0.0, 1526: 1440.0}


def test_three_units_share_a_power():
    async def run():
        async with bench(units=3, model=BatteryModel.lfp(1, capacity_wh=30_000)) as table:
            device = await table.open()
            await device.battery.set_power(2_400.0, valid_s=600)
            await table.clock.advance(25)
            told = [unit.unsaved[1138] for unit in table.emulator.units.values()]
            state = await device.battery.read()
            await device.close()
            return told, state.battery_power_w, table.power_w

    told, read_w, after_w = asyncio.run(run())

    assert told == [14.0] * 3
    assert abs(read_w - 2_400) <= 90  # an ampere of each unit is a step of 170 W
    assert after_w == -500.0


def test_limits_are_the_settings_inside_what_the_installer_saved():
    async def run():
        async with bench(saved={1138: 20.0, 1523: 5.0, 1127: 1.0}) as table:
            device = await table.open(capacity_wh=26_000.0)
            limits = await device.battery.limits()
            await device.battery.set_power(4_000.0, valid_s=60)
            told_a = table.unit.value(CHARGE_A)
            await device.close()
            return limits, told_a

    limits, told_a = asyncio.run(run())

    assert told_a <= 20.0
    assert limits == BatteryLimits(
        charge_max_w=pytest.approx(20 * 49, abs=20),
        discharge_max_w=pytest.approx(5 * 230, abs=1),
        capacity_wh=26_000.0,
        exports_to_grid=True,
    )


@pytest.mark.parametrize(("wanted_w", "limit_w"), [(9e9, 1_000.0), (-9e9, 1_000.0)])
def test_a_power_at_the_limit_is_approached_from_below(wanted_w, limit_w):
    async def run():
        async with bench() as table:
            device = await table.open(charge_max_w=limit_w, discharge_max_w=limit_w, loop_s=10.0)
            await device.battery.set_power(wanted_w, valid_s=600)
            await table.clock.advance(3)
            first_w = abs(table.power_w)
            await table.clock.advance(35)
            settled_w = abs(table.power_w)
            await device.close()
            return first_w, settled_w

    first_w, settled_w = asyncio.run(run())

    assert 0.5 * limit_w < first_w <= limit_w
    assert abs(settled_w - limit_w) <= 32  # half an ampere on the battery's side


def test_without_permission_to_feed_the_battery_only_rests_and_charges():
    async def run():
        async with bench() as table:
            device = await table.open(feeds_grid=False)
            limits = await device.battery.limits()
            await device.battery.set_power(-1_000.0, valid_s=60)
            power_w, feeding = table.power_w, table.unit.unsaved[1127]
            await device.close()
            return limits.discharge_max_w, limits.exports_to_grid, power_w, feeding

    assert asyncio.run(run()) == (0.0, False, 0.0, 0.0)


def test_battery_is_driven_down_into_the_grid_beyond_what_the_house_takes():
    async def run():
        async with bench(load_w=300.0) as table:
            device = await table.open()
            await device.battery.set_power(-1_500.0, valid_s=600)
            await table.clock.advance(25)
            meter = await device.meter.read_meter()
            await device.close()
            return meter

    meter = asyncio.run(run())

    assert meter.load_w == pytest.approx(300, abs=1)
    assert abs(meter.grid_power_w + 1_200) <= 24


def test_driver_that_comes_back_after_a_crash_releases_what_the_dead_one_left():
    async def run():
        async with bench() as table:
            dead = await table.open()
            await dead.battery.set_power(2_000.0, valid_s=600)
            await killed(dead)
            left_w = table.power_w
            device = await table.open()
            state = await device.battery.read()
            await device.battery.follow()
            released_w = table.power_w
            await device.close()
            return left_w > 1_800, state.following, released_w

    assert asyncio.run(run()) == (True, False, -500.0)


def test_reset_that_loses_the_set_point_is_noticed_and_mended_in_a_loop():
    async def run():
        async with bench() as table:
            device = await table.open(loop_s=10.0)
            await device.battery.set_power(1_000.0, valid_s=600)
            table.emulator._reset(at_s=table.clock.monotonic_s())
            lost_w = table.power_w
            await table.clock.advance(25)
            found_w = table.power_w
            await device.close()
            return lost_w, found_w

    lost_w, found_w = asyncio.run(run())

    assert lost_w == -500.0
    assert abs(found_w - 1_000) <= 32


def test_relay_opens_into_an_island_and_closing_the_driver_closes_it():
    async def run():
        async with bench() as table:
            device = await table.open()
            closed = await device.relay.read_relay()
            await device.relay.set_relay(closed=False)
            opened = await device.relay.read_relay()
            state, meter = await device.battery.read(), await device.meter.read_meter()
            with pytest.raises(DeviceRefusedError, match="island"):
                await device.battery.set_power(1_000.0, valid_s=60)
            await device.close()
            return closed, opened, state.following, meter, table.emulator.home.islanded

    assert asyncio.run(run()) == (
        RelayState(closed=True),
        RelayState(closed=False),
        True,
        MeterState(load_w=500.0, pv_w=0.0, grid_power_w=0.0),
        False,
    )


def test_relay_is_closed_again_although_the_line_is_noisy():
    async def run():
        async with bench() as table:
            device = await table.open()
            await device.relay.set_relay(closed=False)
            table.emulator.faults = FaultPlan.once(Fault.BUSY)
            closing = asyncio.ensure_future(device.close())
            while not closing.done():
                await asyncio.sleep(0.01)
                await table.clock.advance(1)
            await closing
            return table.emulator.home.islanded

    assert asyncio.run(run()) is False


def test_relay_of_a_device_open_for_reading_stays():
    async def run():
        async with bench() as table:
            device = await table.open(read_only=True)
            with pytest.raises(DeviceReadOnlyError):
                await device.relay.set_relay(closed=False)
            await device.close()
            return dict(table.emulator.writes)

    assert asyncio.run(run()) == {}


def test_state_of_charge_comes_from_the_unit_where_there_is_no_monitor():
    async def run():
        async with bench() as table:
            with_bsp, without = await table.open(), await table.open(bsp=False)
            first = await with_bsp.battery.read()
            await with_bsp.close()
            second = await without.battery.read()
            await without.close()
            return first, second

    first, second = asyncio.run(run())

    assert (first.soc, first.soh, first.temperature_c) == (0.6, 1.0, 25.0)
    assert (second.soc, second.soh, second.temperature_c) == (0.6, None, None)


def test_measurement_that_the_device_does_not_have_is_a_reply_error():
    async def run():
        async with bench() as table:
            device = await table.open()
            table.emulator.faults = FaultPlan.always(Fault.NOT_IMPLEMENTED_VALUE)
            with pytest.raises(DeviceReplyError, match=r"xtender 101\.3137 .* has no value"):
                await device.battery.read()
            await device.close()

    asyncio.run(run())


def test_sign_of_the_input_can_be_turned():
    async def run():
        async with bench(saved={}) as table:
            device, turned = await table.open(), await table.open(input_sign=-1)
            meter = await device.meter.read_meter()
            await device.close()
            other = await turned.meter.read_meter()
            await turned.close()
            return meter, other

    meter, other = asyncio.run(run())

    assert meter.grid_power_w > 3_000
    assert other.grid_power_w == -meter.grid_power_w
