"""What `SteeredBattery` does with a link: limits, validity, renewal, and giving up."""

import asyncio
import math

import pytest

from devices.battery import BatteryLimits, BatteryState
from devices.errors import (
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)
from devices.hand_clock import HandClock
from devices.steered import SteeredBattery


class Link:
    """A device in memory that writes down what it is told, and fails when it is told to."""

    name = "shed"

    def __init__(self, *, refresh_s=None, limits=None):
        self.refresh_s = refresh_s
        self.told = []
        self.failures = []
        self.following = False
        self._limits = limits or BatteryLimits(charge_max_w=3_000.0, discharge_max_w=2_000.0)

    async def limits(self):
        return self._limits

    async def read(self):
        return BatteryState(soc=0.5, battery_power_w=0.0, following=self.following)

    async def command(self, battery_power_w, *, hold_s):
        self._note((battery_power_w, hold_s))

    async def release(self):
        self._note("release")

    async def close(self):
        self.told.append("close")

    def _note(self, request):
        self.told.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure


def steered(story, **options):
    """Run ``story(battery, link, clock)``; return what the device was told."""

    async def run():
        clock, link = HandClock(), Link(**options)
        await story(SteeredBattery(link, clock=clock), link, clock)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        return link.told

    return asyncio.run(run())


@pytest.mark.parametrize(("asked_w", "held_w"), [(9e9, 3_000.0), (-9e9, -2_000.0), (17.5, 17.5)])
def test_a_set_point_is_clipped_to_what_the_device_can(asked_w, held_w):
    async def story(battery, link, clock):
        await battery.set_power(asked_w, valid_s=60)

    assert steered(story) == [(held_w, 60)]


@pytest.mark.parametrize(
    ("power_w", "valid_s"), [(math.nan, 60), (math.inf, 60), (0, 0), (0, -1), (0, math.inf)]
)
def test_a_set_point_that_makes_no_sense_is_refused_and_nothing_sent(power_w, valid_s):
    async def story(battery, link, clock):
        with pytest.raises(DeviceRefusedError, match=r"shed: cannot hold .*; nothing set"):
            await battery.set_power(power_w, valid_s=valid_s)

    assert steered(story) == []


def test_a_set_point_that_stands_is_not_sent_again_but_lives_longer():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=60)
        await clock.advance(50)
        await battery.set_power(100, valid_s=60)
        await clock.advance(59)
        assert link.told == [(100, 60)]
        await clock.advance(1)

    assert steered(story) == [(100, 60), "release"]


def test_a_watched_set_point_is_renewed_until_its_validity_ends():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=70)
        await clock.advance(300)

    assert steered(story, refresh_s=30) == [(100, 70), (100, 40), (100, 10), "release"]


def test_a_watched_set_point_given_again_keeps_its_times_of_renewal():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=70)
        await clock.advance(20)
        await battery.set_power(100, valid_s=70)
        await clock.advance(10)

    assert steered(story, refresh_s=30) == [(100, 70), (100, 60)]


def test_a_set_point_shorter_than_a_renewal_is_sent_again_before_the_device_ends_it():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=20)
        await clock.advance(10)
        await battery.set_power(100, valid_s=20)

    assert steered(story, refresh_s=30) == [(100, 20), (100, 20)]


def test_a_new_power_is_sent_at_once():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=60)
        await battery.set_power(-50, valid_s=60)

    assert steered(story) == [(100, 60), (-50, 60)]


def test_a_set_point_that_the_device_lost_is_sent_again():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=60)
        link.following = True
        await battery.read()
        await battery.set_power(100, valid_s=60)

    assert steered(story) == [(100, 60), (100, 60)]


def test_a_command_that_fails_half_way_is_undone_and_told():
    async def story(battery, link, clock):
        link.failures = [DeviceIgnoredError("shed took 100 and shows 0")]
        with pytest.raises(DeviceIgnoredError):
            await battery.set_power(100, valid_s=60)
        await clock.advance(60)

    assert steered(story) == [(100, 60), "release"]


def test_a_device_that_does_not_answer_is_released_as_soon_as_it_does():
    async def story(battery, link, clock):
        lost = DeviceUnavailableError("no answer from shed")
        link.failures = [lost, lost, lost]
        with pytest.raises(DeviceUnavailableError):
            await battery.set_power(100, valid_s=60)
        assert battery.fault is lost
        await clock.advance(10)
        assert battery.fault is None

    assert steered(story) == [(100, 60), "release", "release", "release"]


def test_a_device_that_stays_away_is_asked_less_and_less_often():
    async def story(battery, link, clock):
        lost = DeviceUnavailableError("no answer from shed")
        link.failures = [lost] * 20
        with pytest.raises(DeviceUnavailableError):
            await battery.set_power(100, valid_s=60)
        for pause_s in (2, 4, 8, 16, 32, 60, 60):
            before = len(link.told)
            await clock.advance(pause_s - 0.1)
            assert len(link.told) == before
            await clock.advance(0.1)
            assert len(link.told) == before + 1
        link.failures = []
        await battery.set_power(100, valid_s=600)
        assert battery.fault is None
        await clock.advance(599)

    assert steered(story)[-2:] == ["release", (100, 600)]


def test_a_fault_of_the_driver_s_own_code_leaves_no_set_point():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=100)
        link.failures = [KeyError("soc"), KeyError("soc")]
        await clock.advance(31)
        assert "its driver failed (KeyError: 'soc'); mend the driver" in str(battery.fault)
        await clock.advance(100)
        link.failures = [KeyError("soc")]
        with pytest.raises(KeyError):
            await battery.set_power(50, valid_s=100)
        await clock.advance(1)

    told = steered(story, refresh_s=30)
    assert told[-3:] == ["release", (50, 100), "release"]


def test_a_renewal_that_fails_is_tried_again_and_told():
    async def story(battery, link, clock):
        link.failures = [None, DeviceUnavailableError("no answer from shed")]
        await battery.set_power(100, valid_s=100)
        await clock.advance(31)
        assert isinstance(battery.fault, DeviceUnavailableError)
        await clock.advance(1)
        assert battery.fault is None

    assert steered(story, refresh_s=30) == [(100, 100), (100, 70), (100, 68)]


def test_following_ends_a_set_point_for_good():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=60)
        await battery.follow()
        await clock.advance(120)

    assert steered(story, refresh_s=30) == [(100, 60), "release"]


def test_a_release_that_fails_is_repeated_until_it_is_done():
    async def story(battery, link, clock):
        link.failures = [DeviceUnavailableError("no answer from shed")]
        with pytest.raises(DeviceUnavailableError):
            await battery.follow()
        await clock.advance(5)

    assert steered(story) == ["release", "release"]


def test_closing_releases_what_is_held_and_tries_more_than_once():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=600)
        link.failures = [DeviceUnavailableError("no answer from shed")]
        closing = asyncio.ensure_future(battery.close())
        await asyncio.sleep(0)
        await clock.advance(2)
        await closing
        await clock.advance(1_000)

    assert steered(story) == [(100, 600), "release", "release", "close"]


def test_a_set_point_that_waits_while_the_battery_is_closed_is_not_set():
    async def story(battery, link, _):
        await battery.set_power(-100.0, valid_s=60)
        closing = asyncio.create_task(battery.close())
        await asyncio.sleep(0)
        for late in (battery.set_power(-3_000.0, valid_s=60), battery.follow()):
            with pytest.raises(DeviceUnavailableError, match="shed: is closed; open it again"):
                await late
        await closing
        with pytest.raises(DeviceUnavailableError, match="shed: is closed"):
            await battery.set_power(-3_000.0, valid_s=60)

    assert steered(story) == [(-100.0, 60), "release", "close"]


def test_closing_that_cannot_release_says_so_and_closes_all_the_same():
    async def story(battery, link, clock):
        await battery.set_power(100, valid_s=600)
        link.failures = [DeviceRefusedError("shed: somebody else steers it")]
        with pytest.raises(DeviceRefusedError):
            await battery.close()

    assert steered(story) == [(100, 600), "release", "close"]


def test_a_battery_that_was_never_commanded_is_closed_without_a_write():
    async def story(battery, link, clock):
        async with battery:
            await battery.read()

    assert steered(story) == ["close"]


def test_a_device_open_for_reading_only_is_not_pestered():
    async def story(battery, link, clock):
        forbidden = DeviceReadOnlyError("shed is open for reading only")
        link.failures = [forbidden] * 9
        with pytest.raises(DeviceReadOnlyError):
            await battery.set_power(100, valid_s=60)
        with pytest.raises(DeviceReadOnlyError):
            await battery.follow()
        await clock.advance(600)
        await battery.close()

    assert steered(story) == [(100, 60), "release", "release", "close"]


@pytest.mark.parametrize("limit_w", [math.nan, -1.0])
def test_limits_that_are_none_bound_nothing_and_so_nothing_is_set(limit_w):
    async def story(battery, link, clock):
        with pytest.raises(DeviceReplyError, match="shed: cannot be limited by BatteryLimits"):
            await battery.set_power(1_000.0, valid_s=60)
        await battery.close()

    limits = BatteryLimits(charge_max_w=3_000.0, discharge_max_w=limit_w)

    assert steered(story, limits=limits) == ["close"]
