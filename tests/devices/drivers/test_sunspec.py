"""SunSpec devices: the chain, requests, signs, control by 704 and 124, what cannot be believed."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.battery_model import BatteryModel
from devices.drivers.sunspec import SunSpecSettings, new_link
from devices.drivers.sunspec_codec import decode_block
from devices.drivers.sunspec_translate import Plan, meter_of, state_of
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, RefusalError
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.emulators.sunspec_readings import METER_EXPORT_WH, METER_IMPORT_WH
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    WriteBudgetError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog

OLD = SunSpecMake(chain=(103, 120, 124))


@asynccontextmanager
async def running(make=None, *, load_w=500.0, pv_w=0.0, soc=0.5, **given):
    """Start a device and open it; yields device, emulator, clock and log."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=soc,
        clock=clock.monotonic_s,
        demand=lambda _: (load_w, pv_w),
    )
    emulator = SunSpecEmulator(home, clock=clock, make=make)
    await emulator.start()
    with WriteLog() as log:
        site = Site(name="inverter", where="test", clock=clock, log=log)
        table = {**emulator.settings, "timeout_s": 5.0, **given}
        try:
            device = await open_device(table, site)
            try:
                yield device, emulator, clock, log
            finally:
                await device.close()
        finally:
            await emulator.stop()


@pytest.mark.parametrize(
    ("make", "requests"),
    [(None, 2), (OLD, 1), (SunSpecMake(chain=(701, 702, 704, 713)), 2)],
)
def test_a_full_read_takes_few_requests(make, requests):
    async def run():
        async with running(make) as (device, _, _, _):
            link = device.battery._link
            await device.battery.read()
            before = link.requests
            await device.battery.read()
            return link.requests - before

    assert asyncio.run(run()) == requests


@pytest.mark.parametrize("power_w", [1_500.0, -1_500.0])
def test_the_sign_is_turned_once_discharging_is_below_zero_for_us(power_w):
    """SunSpec shows what leaves the inverter as > 0; 704 is given the same sign."""

    async def run():
        async with running() as (device, emulator, _, _):
            await device.battery.set_power(power_w, valid_s=60)
            told = emulator._image.values(emulator._image.section(704))["WSet"]
            port = emulator.home.state().battery_power_w
            return told, port, (await device.battery.read()).battery_power_w

    assert asyncio.run(run()) == (-power_w, power_w, power_w)


def test_state_limits_and_meter_are_what_the_house_does():
    async def run():
        async with running(load_w=800.0, pv_w=300.0) as (device, _, _, _):
            return (
                await device.battery.read(),
                await device.battery.limits(),
                await device.meter.read_meter(),
            )

    state, limits, meter = asyncio.run(run())

    assert state == BatteryState(
        soc=0.5, battery_power_w=-500, following=True, soh=0.98, temperature_c=20.0
    )
    assert limits == BatteryLimits(charge_max_w=5000, discharge_max_w=5000, capacity_wh=10_000)
    assert meter == MeterState(
        load_w=800,
        pv_w=300,
        grid_power_w=0,
        import_wh=METER_IMPORT_WH,
        export_wh=METER_EXPORT_WH,
    )


@pytest.mark.parametrize("meter", [203, 213])
def test_a_meter_s_counters_are_what_flowed_each_way(meter):
    usual = SunSpecMake().chain
    make = SunSpecMake(chain=tuple(meter if each == 203 else each for each in usual))

    async def run():
        async with running(make, load_w=200.0, pv_w=1_100.0) as (device, _, clock, _):
            await device.battery.set_power(0.0, valid_s=600)
            await clock.advance(41)
            return await device.meter.read_meter()

    # 900 W for 41 s, of which a counter shows the whole Wh
    assert asyncio.run(run()) == MeterState(
        load_w=200,
        pv_w=1_100,
        grid_power_w=-900,
        import_wh=METER_IMPORT_WH,
        export_wh=METER_EXPORT_WH + 10,
    )


def test_a_meter_with_one_counter_or_none_has_none():
    blocks = {203: {"ID": 203, "W": 100.0, "TotWhImp": 5.0, "TotWhExp": None}, 103: {"W": 0.0}}
    plan = Plan(inverter=103, ports=None, store=713, control=None, meter=203)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)

    found = meter_of(blocks, plan, limits, export_positive=False, name="it")

    assert found == MeterState(load_w=100.0, pv_w=0.0, grid_power_w=100.0)


@pytest.mark.parametrize(
    ("power_w", "rates"), [(1_000.0, (-20, 20)), (-600.0, (12, -12)), (0.0, (0, 0))]
)
def test_model_124_is_pinned_from_both_sides_in_percent(power_w, rates):
    async def run():
        async with running(OLD) as (device, emulator, clock, _):
            await device.battery.set_power(power_w, valid_s=20)
            block = emulator._image.values(emulator._image.section(124))
            await clock.advance(1)
            return block, emulator.home.state().battery_power_w, emulator.writes

    block, done_w, writes = asyncio.run(run())

    assert (block["OutWRte"], block["InWRte"]) == rates
    assert (block["StorCtl_Mod"], block["InOutWRte_RvrtTms"]) == (3, 20)
    assert block["ChaGriSet"] == (1 if power_w > 0 else 0)
    assert done_w == power_w
    assert writes["124.OutWRte+InWRte"] == 1


def test_another_client_may_change_mode_before_rate_and_nothing_breaks():
    """As clients in the field write: permission, mode, rate, one register at a time."""

    async def run():
        async with running(OLD) as (_, emulator, clock, _):
            base = emulator._image.section(124).address
            for offset, word in ((17, 1), (5, 2), (12, 0xF830)):  # -20.00 %
                emulator.check(base + offset, (word,))
                emulator.write(base + offset, (word,))
            await clock.advance(1)
            return emulator.home.state().battery_power_w

    assert asyncio.run(run()) == 1_000.0


def test_a_device_that_ended_the_command_by_itself_is_commanded_anew():
    async def run():
        async with running(OLD) as (device, emulator, clock, _):
            await device.battery.set_power(1_000.0, valid_s=600)
            emulator.reboot()
            await device.battery.read()
            await device.battery.set_power(1_000.0, valid_s=600)
            await clock.advance(1)
            return emulator.home.state().battery_power_w

    assert asyncio.run(run()) == 1_000.0


def test_permission_to_charge_from_the_grid_has_a_budget():
    async def run():
        async with running(OLD) as (device, emulator, clock, log):
            for _ in range(20):
                log.record("inverter", "124.ChaGriSet", clock.utc().date())
            with pytest.raises(WriteBudgetError, match=r"124.ChaGriSet was written 20 times"):
                await device.battery.set_power(1_000.0, valid_s=60)
            return dict(emulator.writes)

    assert asyncio.run(run()) == {}


def test_a_ban_of_charging_from_the_grid_is_lent_and_put_back():
    async def run():
        async with running(OLD) as (device, emulator, _, _):
            place = device.battery._link._device.places[124][0].address + 17  # ChaGriSet

            def permission():
                return emulator.read(place, 1, None)[0]

            found = [permission()]
            await device.battery.set_power(1_000.0, valid_s=60)
            found.append(permission())
            await device.battery.follow()
            found.append(permission())
            await device.battery.close()
            return [*found, permission()], emulator.writes["124.ChaGriSet"]

    found, writes = asyncio.run(run())

    assert found == [0, 1, 1, 0]
    assert writes == 2


def test_a_device_without_a_model_for_control_is_read_and_refuses_to_be_steered():
    async def run():
        async with running(SunSpecMake(chain=(103, 120, 713))) as (device, _, _, _):
            state = await device.battery.read()
            with pytest.raises(DeviceRefusedError, match="no SunSpec model for control"):
                await device.battery.set_power(100.0, valid_s=60)
            return state.following

    assert asyncio.run(run()) is True


def test_a_device_without_a_battery_is_refused():
    async def run():
        async with running(SunSpecMake(chain=(103, 120))):
            pass

    with pytest.raises(DeviceRefusedError, match="none of its SunSpec models tells a state of"):
        asyncio.run(run())


@pytest.mark.parametrize("make", [None, OLD], ids=("704", "124"))
def test_one_wrong_scale_factor_is_read_again_and_never_becomes_a_state(make):
    async def run():
        async with running(make) as (device, emulator, _, _):
            truth = await device.battery.read()
            for after in range(4):
                emulator.faults = FaultPlan.once(Fault.WRONG_SCALE_FACTOR, after=after)
                assert await device.battery.read() == truth
            emulator.faults = FaultPlan.always(Fault.WRONG_SCALE_FACTOR)
            with pytest.raises(DeviceReplyError):
                await device.battery.read()

    asyncio.run(run())


def test_a_scale_factor_that_changes_for_good_is_taken_after_a_second_look():
    async def run():
        async with running(OLD) as (device, emulator, _, _):
            section = emulator._image.section(124)
            emulator._image.merge(section, {"ChaState_SF": -1, "ChaState": 50.0})
            return (await device.battery.read()).soc

    assert asyncio.run(run()) == 0.5


@pytest.mark.parametrize("make", [None, OLD], ids=("704", "124"))
def test_values_that_are_not_implemented_are_no_state(make):
    async def run():
        async with running(make) as (device, emulator, _, _):
            emulator.faults = FaultPlan.always(Fault.NOT_IMPLEMENTED_VALUE)
            with pytest.raises(DeviceReplyError, match="inverter: "):
                await device.battery.read()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"ChaState": 555.0}, "state of charge of 5.55 cannot be"),
        ({"ChaState": None}, "state of charge of None cannot be"),
        ({"W": 9_000}, "-9000 W is beyond"),
        ({"W": None}, "power of None W cannot be"),
        ({"W": -2.4e-41}, "power of -2.4e-41 W cannot be"),
        ({"W": 2.004, "Hz": 2.4e-41}, "shows 2.4e-41 Hz, so its power is not believed"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_so(values, what):
    plan = Plan(inverter=113, ports=None, store=124, control=124, meter=None)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
    inverter = {"ID": 113, "W": 100.0, **values}
    store = {"ID": 124, "ChaState": 50.0, "StorCtl_Mod": 0, **values}

    with pytest.raises(DeviceReplyError, match=what):
        state_of({113: inverter, 124: store}, plan, limits, name="x")


def test_points_are_written_by_name_and_scaled():
    async def run():
        async with running() as (device, emulator, _, _):
            models = device.battery._link._device
            await models.write(704, {"WSet": -1500.0, "WSetMod": 1.0, "WSetEna": 1.0})
            for name in ("WSetRvrtRem", "Nonsense"):
                with pytest.raises(DeviceRefusedError, match=f"704.{name} cannot be written"):
                    await models.write(704, {name: 1.0})
            return emulator.home.state().battery_power_w, await models.read(1)

    power_w, common = asyncio.run(run())

    assert power_w == 1500.0
    assert (common["Mn"], common["SN"]) == ("Gridpact", "E-0001")


def test_a_read_only_point_and_half_of_a_pair_are_refused_by_the_device():
    async def run():
        async with running() as (_, emulator, _, _):
            base = emulator._image.section(704).address
            for address, words in ((base + 33, (0, 5)), (base + 24, (1,)), (base, (1,))):
                with pytest.raises(RefusalError) as refused:
                    emulator.check(address, words)
                assert refused.value.code == ILLEGAL_ADDRESS

    asyncio.run(run())


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({}, "give host or serial"),
        ({"host": "a", "serial": "b"}, "give host or serial"),
        ({"host": "a", "watchdog_s": 5}, "watchdog_s in 10..3600"),
        ({"host": "a", "control": "123"}, "control is '123'"),
        ({"host": "a", "battery_power": "dc"}, "battery_power is 'dc'"),
        ({"host": "a", "slave": 1}, "slave is no setting"),
    ],
)
def test_settings_that_cannot_be_used_are_told(table, what):
    async def run():
        with WriteLog() as log:
            site = Site(name="x", where="home.toml", clock=HandClock(), log=log)
            await open_device({"driver": "sunspec", **table}, site)

    with pytest.raises(DeviceConfigError, match=f"home.toml: .*{what}"):
        asyncio.run(run())


def test_a_link_is_made_without_a_request():
    with WriteLog() as log:
        site = Site(name="x", where="x", clock=HandClock(), log=log)
        assert new_link(SunSpecSettings(host="nowhere"), site).requests == 0


def test_trackers_named_as_fronius_names_them_tell_battery_from_sun():
    """The battery's two directions are trackers of their own there."""

    async def run():
        make = SunSpecMake(chain=(103, 120, 124, 160))
        async with running(make, load_w=800.0, pv_w=300.0) as (device, emulator, _, _):
            words = emulator.read(emulator._image.section(160).address, 70, None)
            return await device.battery.read(), decode_block(words)["module[2].IDStr"]

    state, name = asyncio.run(run())

    assert (state.battery_power_w, name) == (-500, "StDisCha 3")


def test_an_inverter_tells_what_it_measures_at_its_connection():
    async def run():
        async with running(OLD) as (device, _, _, _):
            return await device.inverter.read_inverter()

    found = asyncio.run(run())

    assert found.frequency_hz == pytest.approx(50.0, abs=0.1)
    assert len(found.phase_voltages_v) in {1, 3}
    assert all(volts == pytest.approx(230.0, abs=1.0) for volts in found.phase_voltages_v)
    assert len(found.line_currents_a) in {1, 3}
    assert found.reactive_power_var == pytest.approx(0.0, abs=1.0)


def test_a_reserve_is_written_within_its_budget_and_seen():
    async def run():
        async with running(OLD) as (device, emulator, clock, log):
            await device.reserve.set_reserve(0.2)
            await device.reserve.set_reserve(0.2)
            with pytest.raises(DeviceRefusedError, match=r"cannot keep a reserve of 1.5"):
                await device.reserve.set_reserve(1.5)
            return dict(emulator.writes), log.counts("inverter", clock.utc().date())

    seen, counted = asyncio.run(run())

    assert seen == {"124.MinRsvPct": 1}
    assert counted == {"124.MinRsvPct": 1}


def test_a_device_without_model_124_keeps_no_reserve():
    async def run():
        async with running(SunSpecMake(chain=(701, 702, 704, 713))) as (device, _, _, _):
            return device.reserve

    assert asyncio.run(run()) is None
