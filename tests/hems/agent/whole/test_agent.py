"""A whole agent: what it does when all is well, when something is lost, and when it ends."""

import asyncio
from datetime import timedelta

import pytest

from devices.clock import SystemClock
from devices.emulators.faults import Fault, FaultPlan
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from hems.agent.agent import Agent
from hems.agent.orders import Order
from hems.agent.status import read_status
from hems.errors import (
    AgentConfigError,
    AgentFailedError,
    AgentRunningError,
    ControlInputError,
    StoreError,
)

STARTED = "Test: agent runs, mpc each 60 s, devices each 5 s"
STOPPED = "Test: stopped, the battery is back in self-consumption"


def order(alive, *, minutes, name="o-1", **way):
    until = alive.clock.utc() + timedelta(minutes=minutes)
    return Order(correlation_id=name, until=until, **way)


async def taken(alive, given):
    """Have an order taken, letting the time pass that the battery needs."""
    task = asyncio.ensure_future(alive.agent.parts.steering.take(given))
    await alive.done(task)


def seen(folder):
    """Return whether a meter's reading stands in a gateway's status."""
    try:
        return "meter" in (read_status(folder)["reading"] or {})
    except StoreError:
        return False


def test_an_agent_alone_follows_the_house_and_says_little(living):
    async def run():
        async with living(own=True, load_w=700.0) as alive:
            folder = alive.agent._config.home.state_folder
            await alive.pass_s(200)
            await alive.until(lambda: seen(folder))  # a busy computer has not got so far by then
            assert alive.power_w == "follows"
            status = read_status(folder)
            await alive.end()

            assert alive.lines == [STARTED, STOPPED]
            assert status["wish"] == {"battery_power_w": None, "why": "decision"}
            assert status["reading"]["meter"]["load_w"] == 700.0

    asyncio.run(run())


def test_a_decision_is_held_and_a_stop_sends_the_battery_back_to_its_house(living):
    async def run():
        async with living(power_w=-1_500.0) as alive:
            await alive.until(lambda: alive.power_w == -1_500)
            writes = dict(alive.battery.writes)
            await alive.pass_s(200)  # what is held is not written again, but renewed
            assert alive.power_w == -1_500
            assert alive.battery.writes["OperatingMode"] == writes["OperatingMode"]
            await alive.end()

            assert alive.power_w == "follows"
            assert alive.lines == [STARTED, STOPPED]

    asyncio.run(run())


def test_decisions_come_at_whole_minutes_utc(living):
    async def run():
        async with living() as alive:
            await alive.pass_s(30.5)
            alive.clock.ahead_s = 17.0
            await alive.pass_s(320)

            later = [utc for utc, _ in alive.decider.decided[2:]]
            assert len(later) >= 3
            assert {(utc.second, utc.microsecond) for utc in later} == {(0, 0)}

    asyncio.run(run())


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_stops_neither_readings_nor_decisions(living, by_s):
    async def run():
        async with living(power_w=800.0) as alive:
            await alive.until(lambda: alive.power_w == 800)
            before = len(alive.decider.decided)
            alive.clock.ahead_s = by_s
            alive.decider.says = -900.0
            await alive.until(lambda: alive.power_w == -900, within_s=200.0)
            await alive.pass_s(180)

            assert 3 <= len(alive.decider.decided) - before <= 6
            assert alive.power_w == -900
            assert alive.lines == [STARTED]

    asyncio.run(run())


def test_set_points_stay_within_battery_and_connection(living):
    async def run():
        async with living(power_w=-9_000.0, load_w=500.0) as alive:
            await alive.until(lambda: alive.power_w not in {"follows", 0})
            await alive.pass_s(20)
            assert alive.battery.home.state().grid_power_w >= -5_000 - 1
            alive.decider.says = 9_000.0
            alive.demand[0] = 8_000.0
            await alive.until(lambda: alive.power_w not in {"follows", 0} and alive.power_w > 0)
            await alive.pass_s(20)

            assert 0 < alive.battery.home.state().grid_power_w <= 10_000 + 1

    asyncio.run(run())


def test_an_order_outranks_the_decision_and_then_control_returns(living):
    async def run():
        async with living(power_w=1_000.0) as alive:
            await alive.until(lambda: alive.power_w == 1_000)
            await taken(alive, order(alive, minutes=5, battery_power_w=-2_000.0))
            assert alive.power_w == -2_000
            await alive.pass_s(240)
            assert alive.power_w == -2_000
            await alive.until(lambda: alive.power_w == 1_000)
            await taken(alive, order(alive, minutes=5, follow=True))
            assert alive.power_w == "follows"
            await alive.agent.parts.steering.end_order()
            await alive.until(lambda: alive.power_w == 1_000)

    asyncio.run(run())


def test_an_order_for_the_connection_is_led_there_and_held(living):
    async def run():
        async with living(load_w=500.0) as alive:
            await alive.pass_s(10)
            await taken(alive, order(alive, minutes=30, grid_power_w=-1_000.0))
            near = lambda: abs(alive.battery.home.state().grid_power_w + 1_000.0) <= 60.0  # noqa: E731
            await alive.until(near)
            alive.demand[0] = 1_500.0
            await alive.until(lambda: not near())
            await alive.until(near)

    asyncio.run(run())


def test_an_order_stands_through_a_restart(living):
    async def run():
        async with living(power_w=1_000.0) as alive:
            await alive.until(lambda: alive.power_w == 1_000)
            await taken(alive, order(alive, minutes=30, battery_power_w=-700.0))
            await alive.end()
            assert alive.power_w == "follows"
            alive.agent._stopped.clear()
            alive.task = asyncio.ensure_future(alive.agent.run())
            await alive.begun()
            await alive.until(lambda: alive.power_w == -700)

    asyncio.run(run())


def test_an_order_that_is_over_or_blind_is_refused_and_changes_nothing(living):
    async def run():
        async with living(power_w=1_000.0, meter=True) as alive:
            await alive.until(lambda: alive.power_w == 1_000)
            with pytest.raises(DeviceRefusedError, match="order o-1 ended at"):
                await taken(alive, order(alive, minutes=-1, battery_power_w=0.0))
            await alive.meter.stop()
            await alive.until(lambda: alive.power_w == 0)
            with pytest.raises(DeviceUnavailableError, match="no meter answers"):
                await taken(alive, order(alive, minutes=5, battery_power_w=500.0))

            assert alive.agent.parts.steering.order is None

    asyncio.run(run())


def test_a_reserve_that_the_device_cannot_keep_is_kept_by_the_agent(living):
    async def run():
        async with living(soc=0.3, load_w=600.0) as alive:
            await alive.pass_s(20)
            assert alive.power_w == "follows"
            await alive.agent.parts.steering.keep_reserve(0.4)
            await alive.until(lambda: alive.power_w == 0)
            alive.demand[1] = 1_800.0
            await alive.until(lambda: alive.power_w not in {0, "follows"})
            assert alive.power_w == pytest.approx(1_200, abs=30)
            with pytest.raises(DeviceRefusedError, match=r"reserve is 1\.5; give 0\.\.1"):
                await alive.agent.parts.steering.keep_reserve(1.5)

    asyncio.run(run())


def test_without_a_meter_the_battery_is_stopped_until_it_is_back(living):
    async def run():
        async with living(power_w=1_200.0, meter=True) as alive:
            await alive.until(lambda: alive.power_w == 1_200)
            await alive.meter.stop()
            await alive.until(lambda: alive.power_w == 0)
            await alive.pass_s(200)
            assert alive.power_w == 0
            await alive.meter_again()
            await alive.until(lambda: alive.power_w == 1_200)

            assert alive.told("meter") == ["meter lost", "meter back"]

    asyncio.run(run())


def test_a_battery_that_refuses_set_points_is_told_once_and_asked_less_and_less(living):
    async def run():
        async with living(power_w=1_200.0) as alive:
            alive.battery.vpp = True
            await alive.until(lambda: alive.told("battery set-point"))
            assert alive.power_w == "follows"
            alive.battery.vpp = False
            await alive.until(lambda: alive.power_w == 1_200, within_s=1_000)
            await alive.until(lambda: "battery set-point back" in alive.lines)

            assert alive.told("battery set-point") == [
                "battery set-point lost",
                "battery set-point back",
            ]
            assert "403" in alive.lines[1]

    asyncio.run(run())


def test_a_battery_that_answers_garbage_is_told_once_and_steered_again_after(living):
    async def run():
        async with living(power_w=1_200.0) as alive:
            await alive.until(lambda: alive.power_w == 1_200)
            alive.battery.faults = FaultPlan.always(Fault.HTML_INSTEAD_OF_JSON)
            await alive.until(lambda: alive.told("battery") and alive.told("meter"))
            alive.battery.faults = FaultPlan.none()
            await alive.until(lambda: alive.power_w == 1_200)
            await alive.pass_s(60)

            for thing in ("meter", "battery"):
                assert alive.told(thing) == [f"{thing} lost", f"{thing} back"]

    asyncio.run(run())


def test_a_battery_that_ignores_writes_is_told_once_and_left_in_self_consumption(living):
    async def run():
        async with living() as alive:  # nothing is written before the fault is there
            alive.clock.turns = 40  # readings wait for a read-back, which waits for the clock
            alive.battery.faults = FaultPlan.always(Fault.WRITE_IGNORED)
            alive.decider.says = 1_200.0
            await alive.until(lambda: len(alive.lines) > 1)
            await alive.pass_s(60)
            assert alive.power_w == "follows"
            assert alive.told("battery set-point") == ["battery set-point lost"]
            alive.battery.faults = FaultPlan.none()
            await alive.until(lambda: alive.power_w == 1_200)

    asyncio.run(run())


def test_a_decision_that_cannot_be_made_lets_the_battery_follow(living):
    async def run():
        async with living(power_w=1_200.0) as alive:
            await alive.until(lambda: alive.power_w == 1_200)
            alive.decider.says = ControlInputError("observation: no block ahead")
            await alive.until(lambda: alive.power_w == "follows")
            alive.decider.says = 700.0
            await alive.until(lambda: alive.power_w == 700)

            assert alive.lines[1:] == [
                "controller lost: observation: no block ahead; the battery follows the house",
                "controller back",
            ]

    asyncio.run(run())


def test_a_fault_of_its_own_ends_the_agent_with_the_battery_in_self_consumption(living):
    async def run():
        async with living(power_w=1_200.0) as alive:
            await alive.until(lambda: alive.power_w == 1_200)
            alive.decider.says = KeyError("nobody thought of it")
            await alive.until(lambda: alive.power_w == "follows", within_s=200.0)
            with pytest.raises(AgentFailedError, match=r"KeyError at conftest\.py:[0-9]+: 'nobody"):
                await alive.done(alive.task)

            assert alive.power_w == "follows"

    asyncio.run(run())


def test_a_second_agent_for_a_home_is_refused(living, written):
    async def run():
        async with living() as alive:
            await alive.pass_s(4)
            second = type(alive.agent)(alive.agent._config, clock=alive.clock, tell=print)
            with pytest.raises(AgentRunningError, match=r"an agent runs for the home of .*state"):
                await second.run()

            assert alive.lines == [STARTED]

    asyncio.run(run())


def test_settings_that_a_driver_refuses_end_the_start_in_one_line(written):
    config = written('[battery]\ndriver = "sonnen-v2"\nhost = "127.0.0.1"\nspeed = 3\n')
    with pytest.raises(AgentConfigError, match=r"home\.toml \[battery\]: speed is no setting"):
        asyncio.run(Agent(config, clock=SystemClock(), tell=print).run())


def test_a_state_file_that_takes_no_more_is_told_once_and_the_battery_goes_on(living):
    async def run():
        async with living(power_w=1_200.0) as alive:
            await alive.until(lambda: alive.power_w == 1_200)
            store = alive.agent.parts.store
            with store.transaction() as base:
                base.execute("CREATE TABLE filler (what BLOB)")
            ((pages,),) = store.rows("PRAGMA page_count")
            store.rows(f"PRAGMA max_page_count = {pages}")
            big = "x" * 20_000  # an order whose name no longer fits
            await taken(alive, order(alive, minutes=60, name=big, battery_power_w=-600.0))
            await alive.pass_s(150)
            assert alive.power_w == -600
            assert alive.told("memory of orders") == ["memory of orders lost"]
            assert "full" in next(line for line in alive.lines if line.startswith("memory"))
            store.rows(f"PRAGMA max_page_count = {pages + 1_000}")
            await alive.agent.parts.steering.end_order()
            await alive.until(lambda: alive.power_w == 1_200)

            assert alive.told("memory of orders") == [
                "memory of orders lost",
                "memory of orders back",
            ]

    asyncio.run(run())


def test_an_agent_that_cannot_remember_at_the_start_does_not_start(written, tmp_path):
    config = written('[battery]\ndriver = "sonnen-v2"\nhost = "127.0.0.1"\n')
    config.home.state_folder.mkdir()
    (config.home.state_folder / "state.sqlite").write_text("a shopping list, and a long one" * 99)
    with pytest.raises(StoreError, match="file is not a database"):
        asyncio.run(Agent(config, clock=SystemClock(), tell=print).run())
