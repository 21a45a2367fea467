"""SunSpec devices: the chain, requests, signs, control by 704 and 124, what cannot be believed."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.battery_model import BatteryModel
from devices.drivers.modbus_link import IllegalAddressError
from devices.drivers.sunspec import SunSpecSettings, new_link
from devices.drivers.sunspec_codec import decode_block
from devices.drivers.sunspec_device import ModelPlace, SunSpecDevice, find_chain, merged
from devices.drivers.sunspec_translate import Plan, limits_of, state_of
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, RefusalError
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
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
        table = {**emulator.settings, "timeout_s": 0.2, **given}
        try:
            device = await open_device(table, site)
            try:
                yield device, emulator, clock, log
            finally:
                await device.close()
        finally:
            await emulator.stop()


class Listed:
    """A link to registers in a list, that counts what it is asked."""

    name = "listed"

    def __init__(self, words, *, borders=()):
        self.words, self.borders, self.asked = words, borders, []

    async def read(self, address, count):
        self.asked.append((address, count))
        inside = all(address + i in self.words for i in range(count))
        if not inside or any(address < each < address + count for each in self.borders):
            raise IllegalAddressError("not there")
        return tuple(self.words[address + i] for i in range(count))


def chain(base, *models, end=True):
    words, at = {base: 0x5375, base + 1: 0x6E53}, base + 2
    for model_id, length in models:
        words |= dict.fromkeys(range(at, at + 2 + length), 0)
        words |= {at: model_id, at + 1: length}
        at += 2 + length
    return words | ({at: 0xFFFF, at + 1: 0} if end else {})


@pytest.mark.parametrize("base", [40_000, 0, 50_000])
@pytest.mark.parametrize("end", [True, False], ids=("end", "no end"))
def test_the_chain_is_found_wherever_it_begins(base, end):
    link = Listed(chain(base, (1, 65), (103, 50), (65_234, 3), end=end))

    assert asyncio.run(find_chain(link)) == (
        ModelPlace(model_id=1, address=base + 2, length=65),
        ModelPlace(model_id=103, address=base + 69, length=50),
        ModelPlace(model_id=65_234, address=base + 121, length=3),
    )


def test_a_device_without_the_sign_or_with_a_broken_chain_is_told():
    with pytest.raises(DeviceRefusedError, match="no SunSpec models at 40000, 0, 50000"):
        asyncio.run(find_chain(Listed({40_000: 1, 40_001: 2})))
    with pytest.raises(DeviceReplyError, match="breaks off at register 40069"):
        asyncio.run(find_chain(Listed(chain(40_000, (1, 65), (0, 5)))))


def test_spans_are_merged_into_the_fewest_requests():
    assert merged([(0, 52), (52, 80), (80, 106)]) == [(0, 106)]
    assert merged([(200, 323), (0, 100), (100, 126)]) == [(0, 100), (100, 126), (200, 323)]
    assert merged([(0, 10), (10, 20)], most=0) == [(0, 10), (10, 20)]


def test_a_device_that_refuses_reads_across_models_is_read_model_by_model():
    async def run():
        words = chain(40_000, (1, 65), (103, 50), (120, 26))
        link = Listed(words, borders=(40_069, 40_121))
        device = SunSpecDevice(link)
        await device.scan()
        link.asked.clear()
        found = await device.read_many((103, 120))
        await device.read_many((103, 120))
        return found.keys(), link.asked

    keys, asked = asyncio.run(run())

    apart = [(40_069, 52), (40_121, 28)]
    assert (list(keys), asked) == ([103, 120], [(40_069, 80), *apart, *apart])


def test_a_chain_that_has_moved_is_walked_anew():
    async def run():
        link = Listed(chain(40_000, (1, 65), (103, 50)))
        device = SunSpecDevice(link)
        await device.read(103)
        link.words = chain(40_000, (1, 66), (103, 50))
        with pytest.raises(DeviceReplyError, match="103 is no longer at 40069"):
            await device.read(103)
        return (await device.read(103))["ID"]

    assert asyncio.run(run()) == 103


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
    assert meter == MeterState(load_w=800, pv_w=300, grid_power_w=0)


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
    ("charging_w", "discharging_w", "done_w"),
    [(300, 0, 300), (0, 400, -400), (None, 400, -400), (300, None, 300)],
)
def test_a_tracker_that_hides_while_idle_is_nothing(charging_w, discharging_w, done_w):
    plan = Plan(inverter=103, ports=160, store=124, control=124, meter=None)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
    trackers = {
        "ID": 160,
        "module[0].IDStr": "StCha 3",
        "module[0].DCW": charging_w,
        "module[1].IDStr": "StDisCha 4",
        "module[1].DCW": discharging_w,
    }
    store = {"ID": 124, "ChaState": 50.0, "StorCtl_Mod": 0}

    state = state_of({160: trackers, 124: store}, plan, limits, name="x")

    assert state.battery_power_w == done_w


def test_trackers_that_both_hide_are_no_power():
    plan = Plan(inverter=103, ports=160, store=124, control=124, meter=None)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
    store = {"ID": 124, "ChaState": 50.0, "StorCtl_Mod": 0}

    with pytest.raises(DeviceReplyError, match="160 shows no power of the battery"):
        state_of({160: {"ID": 160}, 124: store}, plan, limits, name="x")


def test_a_rating_of_nothing_gives_way_to_one_of_another_model():
    """An inverter's nameplate may leave the battery's at zero where model 124 has them."""
    blocks = {120: {"MaxChaRte": 0, "WHRtg": 0}, 124: {"WChaMax": 3_300}, 713: {"WHRtg": 9_600}}
    plan = Plan(inverter=103, ports=None, store=713, control=None, meter=None)

    limits = limits_of(blocks, plan, from_grid=True, name="x")

    assert limits == BatteryLimits(charge_max_w=3_300, discharge_max_w=3_300, capacity_wh=9_600)
    for broken in ({120: {"WHRtg": 0}, **blocks, 713: {}}, {}, {124: {"WChaMax": 0}}):
        with pytest.raises(DeviceReplyError, match="ask again"):
            limits_of(broken, plan, from_grid=True, name="x")


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
