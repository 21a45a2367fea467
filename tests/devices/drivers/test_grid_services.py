"""Scheduling events with an emulated cloud on a real socket."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.faults import FaultPlan
from devices.emulators.grid_services import GridServicesEmulator
from devices.emulators.house import EmulatedHome
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
    WriteBudgetError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog


@asynccontextmanager
async def opened(*, settings=None, read_only=False, **options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    cloud = GridServicesEmulator(home, clock=clock, **options)
    await cloud.start()
    with WriteLog() as log:
        site = Site(name="cloud", where="test", clock=clock, log=log, read_only=read_only)
        table = {**cloud.settings, "timeout_s": 5.0, **(settings or {})}
        device = await open_device(table, site)
        try:
            yield cloud, device.connection, clock
        finally:
            cloud.faults = FaultPlan.none()
            await clock.advance(120)
            await device.close()
            await cloud.stop()


def power_w(cloud):
    return round(cloud.home.state().battery_power_w)


def test_an_event_holds_its_power_and_ends_by_itself():
    async def run():
        async with opened() as (cloud, battery, clock):
            confirmation = await battery.set_power(1_400.0, valid_s=60)
            await clock.advance(59)
            during = power_w(cloud)
            await clock.advance(2)

            assert (confirmation.status, confirmation.percent) == ("Delivered", 35.0)
            assert (during, power_w(cloud)) == (1_400, -500)

    asyncio.run(run())


def test_a_new_event_puts_the_one_before_aside_and_follow_ends_it():
    async def run():
        async with opened(settings={"pause_s": 0}) as (cloud, battery, clock):
            await battery.set_power(1_400.0, valid_s=600)
            await battery.set_power(-2_000.0, valid_s=600)
            turned = power_w(cloud)
            await battery.follow()
            await clock.advance(2)

            assert (turned, power_w(cloud)) == (-2_000, -500)
            assert await battery.follow() is None
            assert cloud.writes.total() == 3

    asyncio.run(run())


def test_closing_ends_an_event_that_still_runs():
    async def run():
        async with opened() as (cloud, battery, clock):
            await battery.set_power(1_400.0, valid_s=600)
            await battery.close()
            await clock.advance(2)

            assert power_w(cloud) == -500

    asyncio.run(run())


def test_calls_keep_their_distance_but_for_the_one_that_ends_an_event():
    async def run():
        async with opened() as (cloud, battery, clock):
            await battery.set_power(1_400.0, valid_s=600)
            await clock.advance(4)
            with pytest.raises(DeviceUnavailableError, match="not sent") as caught:
                await battery.set_power(1_000.0, valid_s=600)
            await battery.follow()

            assert caught.value.retry_after_s == 6
            assert cloud.writes.total() == 2

    asyncio.run(run())


def test_too_many_calls_are_answered_with_the_pause_to_keep():
    async def run():
        async with opened(settings={"pause_s": 0}, calls_per_minute=1) as (_, battery, clock):
            await battery.set_power(1_400.0, valid_s=5)
            with pytest.raises(DeviceUnavailableError) as caught:
                await battery.set_power(1_000.0, valid_s=5)
            await clock.advance(60)

            assert caught.value.retry_after_s == 60
            assert (await battery.set_power(1_000.0, valid_s=5)).percent == 25

    asyncio.run(run())


def test_the_days_calls_are_a_budget():
    async def run():
        settings = {"pause_s": 0, "calls_per_day": 2}
        async with opened(settings=settings) as (cloud, battery, _):
            for _ in range(2):
                await battery.set_power(1_000.0, valid_s=5)
            with pytest.raises(WriteBudgetError, match="written 2 times today"):
                await battery.set_power(1_000.0, valid_s=5)

            assert cloud.writes.total() == 2

    asyncio.run(run())


def test_read_only_never_calls():
    async def run():
        async with opened(read_only=True) as (cloud, battery, _):
            for attempt in (battery.set_power(1_000.0, valid_s=5), battery.follow()):
                with pytest.raises(DeviceReadOnlyError):
                    await attempt
            assert not cloud.writes

    asyncio.run(run())


@pytest.mark.parametrize("fault", sorted(GridServicesEmulator.offered.fget(None), key=str))
def test_every_fault_is_an_error_of_ours_or_none_and_works_after(fault):
    async def run():
        async with opened() as (cloud, battery, clock):
            cloud.faults = FaultPlan.once(fault)
            with contextlib.suppress(DeviceError):
                await battery.set_power(1_400.0, valid_s=30)
            await clock.advance(40)
            await battery.set_power(1_000.0, valid_s=30)

            assert power_w(cloud) == 1_000

    asyncio.run(run())


def test_a_wrong_token_is_named_and_not_shown(tmp_path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for file, text in ((right, "right"), (wrong, "n0t-th1s")):
        file.write_text(text)
        file.chmod(0o600)

    async def run():
        async with opened(token_file=right) as (_, battery, _):
            assert (await battery.set_power(1_000.0, valid_s=5)).status == "Delivered"
        settings = {"token_file": str(wrong)}
        async with opened(token_file=right, settings=settings) as (_, battery, _):
            with pytest.raises(DeviceUnauthorisedError) as caught:
                await battery.set_power(1_000.0, valid_s=5)
            assert "n0t-th1s" not in f"{caught.value!r} {vars(battery)!r}"
            assert await battery.follow() is None  # what was refused does not run

    asyncio.run(run())


@pytest.mark.parametrize(("power", "valid_s"), [(float("nan"), 5), (1.0, 0), (1.0, float("inf"))])
def test_what_cannot_be_held_is_refused_unsent(power, valid_s):
    async def run():
        async with opened() as (cloud, battery, _):
            with pytest.raises(DeviceRefusedError, match="cannot hold"):
                await battery.set_power(power, valid_s=valid_s)
            assert not cloud.writes

    asyncio.run(run())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://example.org"}, "give https"),
        ({"url": "http://192.0.2.1"}, "give https"),
        ({"url": "https://me:pw@example.org"}, "without name, password or query"),
        ({"url": "example"}, "must be a scheme"),
        ({"der_id": ""}, "der_id is empty"),
        ({"rated_w": 0}, "rated_w is 0"),
        ({"calls_per_day": 0}, "calls_per_day > 0"),
    ],
)
def test_settings_that_cannot_be_used_are_named(changes, said):
    async def run():
        table = {"url": "https://example.org/x", "der_id": "1", "rated_w": 4_000, **changes}
        with WriteLog() as log:
            site = Site(name="cloud", where="home.toml", clock=HandClock(), log=log)
            with pytest.raises(DeviceConfigError, match=said):
                await open_device({"driver": "solaredge-grid-services", **table}, site)

    asyncio.run(run())
