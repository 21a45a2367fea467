"""A whole agent: an order stays inside the battery's window, and its end too early is told."""

import asyncio
from datetime import timedelta

import pytest

from devices.errors import DeviceRefusedError
from hems.agent.orders import Order


@pytest.fixture
def ordered():
    """Return what has an agent take an order, letting the time pass that the battery needs."""

    async def take(alive, **way):
        until = alive.clock.utc() + timedelta(minutes=60)
        given = Order(correlation_id="o-1", until=until, **way)
        task = asyncio.ensure_future(alive.agent.parts.steering.take(given))
        await alive.done(task)

    return take


@pytest.mark.parametrize(
    ("begins_at", "battery_power_w"), [(0.06, -2_000.0), (0.985, 2_000.0)], ids=["empty", "full"]
)
def test_an_order_brings_the_battery_to_the_end_of_its_window_and_no_further(
    living, ordered, begins_at, battery_power_w
):
    async def run():
        async with living(soc=begins_at) as alive:
            await alive.pass_s(10)
            await ordered(alive, battery_power_w=battery_power_w)
            assert alive.power_w == battery_power_w
            await alive.until(lambda: alive.power_w == 0)
            at_the_end = alive.battery.home.state().soc
            await alive.pass_s(30)
            assert alive.power_w == 0
            assert alive.battery.home.state().soc == at_the_end
            assert alive.agent.parts.steering.order is not None

    asyncio.run(run())


def test_an_order_that_the_battery_does_no_more_is_given_up_and_told_once(living, ordered):
    async def run():
        async with living(power_w=1_000.0) as alive:
            await alive.until(lambda: alive.power_w == 1_000)
            given_up = []
            alive.agent.parts.steering.tell(given_up.append)
            await ordered(alive, battery_power_w=-700.0)
            alive.battery.vpp = True
            await alive.until(lambda: alive.told("battery set-point"))
            alive.battery.vpp = False  # a short gap ends nothing
            await alive.until(lambda: alive.power_w == -700)
            await alive.pass_s(60)
            assert given_up == []
            alive.battery.vpp = True
            await alive.until(lambda: given_up)
            alive.battery.vpp = False
            await alive.until(lambda: alive.power_w == 1_000, within_s=1_000)

            (told,) = given_up
            assert (told.correlation_id, told.code) == ("o-1", "refused")
            assert "not done any more for 60 s: " in told.reason
            assert alive.agent.parts.steering.order is None

    asyncio.run(run())


def test_a_stop_needs_no_meter_and_ends_what_stood_also_where_it_cannot_be_done(living, ordered):
    async def run():
        async with living(power_w=1_000.0, meter=True) as alive:
            given_up = []
            alive.agent.parts.steering.tell(given_up.append)
            await alive.until(lambda: alive.power_w == 1_000)
            await ordered(alive, battery_power_w=-700.0)
            await alive.meter.stop()
            await alive.pass_s(20)
            await ordered(alive, battery_power_w=0.0)
            await alive.pass_s(75)
            assert (alive.power_w, given_up) == (0, [])
            await alive.meter_again()
            await alive.until(lambda: alive.told("meter") == ["meter lost", "meter back"])
            await ordered(alive, battery_power_w=-700.0)
            alive.battery.vpp = True
            with pytest.raises(DeviceRefusedError, match="HTTP 403"):
                await ordered(alive, battery_power_w=0.0)
            alive.battery.vpp = False

            assert alive.agent.parts.steering.order is None
            await alive.until(lambda: alive.power_w == 1_000, within_s=1_000)

    asyncio.run(run())
