"""The battery is told what is new, seldom, and found out when it does something else."""

import asyncio
import contextlib

import pytest

from devices.battery import BatteryState
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.hand_clock import HandClock
from hems.agent.health import Health
from hems.agent.steering.grip import Grip
from hems.agent.steering.wish import Wish

HOLD_S = 124.0


class Battery:
    """Takes set-points, or complains; notes what it was told."""

    def __init__(self):
        self.told, self.complaint = [], None

    async def read(self):
        raise NotImplementedError

    async def set_power(self, battery_power_w, *, valid_s):
        self._note((battery_power_w, valid_s))

    async def follow(self):
        self._note("follow")

    def _note(self, what):
        self.told.append(what)
        if self.complaint is not None:
            raise self.complaint


class Stage:
    def __init__(self):
        self.battery, self.clock, self.lines = Battery(), HandClock(), []
        self.grip = Grip(self._open, clock=self.clock, health=Health(self.lines.append))
        self.seen = None

    async def _open(self):
        return self.battery

    def looks(self, *, following):
        state = BatteryState(soc=0.5, battery_power_w=0.0, following=following)
        self.seen = (self.clock.monotonic_s(), state)

    async def do(self, power_w, *, low_w=-5e3, high_w=5e3):
        wish = Wish(battery_power_w=power_w, why="decision", low_w=low_w, high_w=high_w)
        await self.grip.do(wish, valid_s=HOLD_S, seen=self.seen)


def play(story):
    stage = Stage()
    asyncio.run(story(stage))
    return stage


def test_what_it_does_already_is_not_told_again():
    async def story(stage):
        for power_w in (None, None, 1_000.0, 1_010.0, 1_000.0, 1_100.0, 5.0, 0.0, None):
            await stage.do(power_w)

    told = play(story).battery.told
    powers = [each if each == "follow" else each[0] for each in told]
    assert powers == ["follow", 1_000.0, 1_100.0, 5.0, 0.0, "follow"]


def test_a_set_point_is_prolonged_once_that_gains_a_quarter_of_its_time():
    async def story(stage):
        for _ in range(4):
            await stage.do(1_000.0)
            await stage.clock.advance(20.0)

    assert play(story).battery.told == [(1_000.0, HOLD_S)] * 2


def test_a_power_within_the_dead_band_is_told_where_a_limit_demands_it():
    async def story(stage):
        await stage.do(1_000.0)
        await stage.do(995.0, high_w=995.0)

    assert [power_w for power_w, _ in play(story).battery.told] == [1_000.0, 995.0]


def test_a_refusal_is_told_once_and_retried_less_and_less():
    async def story(stage):
        stage.battery.complaint = DeviceRefusedError("battery: 403")
        for _ in range(120):
            with contextlib.suppress(DeviceRefusedError):
                await stage.do(1_000.0)
            await stage.clock.advance(1.0)

    stage = play(story)
    assert len(stage.battery.told) == 6  # after 0, 2, 6, 14, 30, 62 seconds
    assert stage.lines == ["battery set-point lost: battery: 403"]


def test_what_is_lost_is_back_when_the_battery_is_seen_to_do_it():
    async def story(stage):
        stage.battery.complaint = DeviceUnavailableError("battery: no answer")
        with pytest.raises(DeviceUnavailableError):
            await stage.do(1_000.0)
        stage.battery.complaint = None
        stage.grip.try_now()
        await stage.do(1_000.0)
        await stage.clock.advance(20.0)
        stage.looks(following=False)
        await stage.do(1_000.0)

    lines = play(story).lines
    assert lines == ["battery set-point lost: battery: no answer", "battery set-point back"]


def test_a_battery_that_does_something_else_is_told_again_after_a_pause():
    async def story(stage):
        await stage.do(1_000.0)
        stage.looks(following=True)  # too soon to mean anything
        await stage.do(1_000.0)
        assert len(stage.battery.told) == 1
        await stage.clock.advance(16.0)
        stage.looks(following=True)
        await stage.do(1_000.0)
        assert len(stage.battery.told) == 1
        await stage.clock.advance(2.0)
        await stage.do(1_000.0)

    stage = play(story)
    assert [power_w for power_w, _ in stage.battery.told] == [1_000.0, 1_000.0]
    assert stage.lines == [
        "battery set-point lost: it was told to hold a set-point and follows the house; see "
        "whether another controller steers it"
    ]


def test_a_battery_that_does_not_follow_is_sent_back_again():
    async def story(stage):
        await stage.do(None)
        await stage.clock.advance(16.0)
        stage.looks(following=False)
        await stage.do(None)
        await stage.clock.advance(2.0)
        await stage.do(None)

    assert play(story).battery.told == ["follow", "follow"]


def test_a_set_point_that_has_run_out_is_no_battery_that_does_something_else():
    async def story(stage):
        await stage.do(1_000.0)
        await stage.clock.advance(HOLD_S)
        stage.looks(following=True)  # as it should: its validity is over
        await stage.do(-800.0)
        await stage.clock.advance(1.0)
        await stage.do(None)  # what was seen is from before the new set-point

    stage = play(story)

    assert stage.battery.told == [(1_000.0, HOLD_S), (-800.0, HOLD_S), "follow"]
    assert stage.lines == []
