"""A conformance suite that every battery driver passes, for those in here and for yours.

Write a rig, an asynchronous context manager that starts your device or its emulator and opens your
driver, and run every check on it::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_driver_conforms(check):
        asyncio.run(check(my_rig))

A check raises ``AssertionError`` with what the device did instead.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from devices.battery import Battery, BatteryState, Meter
from devices.emulators.emulator import Emulator
from devices.emulators.faults import Fault, FaultPlan
from devices.errors import (
    DeviceError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)
from devices.hand_clock import HandClock

_GIVE_UP_S: Final = 60.0
"""How long anything may take. [s]"""
_PATIENT_TRIES: Final = 20
"""How often a device in good health is asked."""


class Opened(Battery, Protocol):
    """A driver's battery that can be closed."""

    async def close(self) -> None:
        """Return to self-consumption and let go."""
        ...


@dataclass(kw_only=True)
class Rig:
    """A driver, the device it drives, and the hands on the device's house and clock."""

    battery: Opened
    """What the driver opened."""
    meter: Meter | None
    """Its meter, None where it has none."""
    emulator: Emulator
    """The device."""
    clock: HandClock
    """Moves time for the driver and the device."""
    house: Callable[[float, float], None]
    """Sets load and production of the house. [W, W]"""
    die: Callable[[], None]
    """Kills the driver without a farewell: its tasks are cancelled, its connection dropped."""
    power_step_w: float
    """What the device rounds powers to, or loses of them. [W]"""
    soc_step: float
    """What the device rounds the state of charge to."""
    watchdog_s: float | None
    """When the device gives up a command that nobody renews; None where it never does. [s]"""


class RigFactory(Protocol):
    """Starts a device whose house takes ``load_w`` and whose sun gives ``pv_w``, and opens it."""

    def __call__(
        self,
        *,
        soc: float = 0.5,
        load_w: float = 500.0,
        pv_w: float = 0.0,
        read_only: bool = False,
    ) -> AbstractAsyncContextManager[Rig]:
        """Return the rig, ready to be entered."""
        ...


async def check_reads_tell_the_truth(factory: RigFactory) -> None:
    """State and meter show what the house does, with our signs, resting or following."""
    async with factory(soc=0.5, load_w=800.0, pv_w=300.0) as rig:
        state, truth = await rig.battery.read(), rig.emulator.home.state()

        assert state.following, state
        assert abs(state.soc - truth.estimated_soc) <= rig.soc_step, (state, truth)
        assert abs(state.battery_power_w + 500.0) <= rig.power_step_w, (state, truth)
        if rig.meter is not None:
            reading = await rig.meter.read_meter()
            assert abs(reading.load_w - 800.0) <= 2 * rig.power_step_w, reading
            assert abs(reading.pv_w - 300.0) <= 2 * rig.power_step_w, reading
            assert abs(reading.grid_power_w) <= 2 * rig.power_step_w, reading


async def check_set_points_hold(factory: RigFactory) -> None:
    """Charging, discharging and resting are done as told, whatever the house takes."""
    for set_point_w in (1_000.0, -300.0, 0.0):
        async with factory(load_w=500.0) as rig:
            await rig.battery.set_power(set_point_w, valid_s=60)
            await rig.clock.advance(5)
            rig.house(700.0, 0.0)
            await rig.clock.advance(5)

            await _require_power(rig, set_point_w, following=False)


async def check_limits_hold(factory: RigFactory) -> None:
    """A set-point beyond what the device can do is held at the limit, and NaN is refused."""
    async with factory() as rig:
        await rig.battery.set_power(1e9, valid_s=60)
        await rig.clock.advance(5)
        state = await rig.battery.read()
        before = rig.emulator.writes.copy()

        for power_w, valid_s in ((math.nan, 60.0), (math.inf, 60.0), (0.0, 0.0), (0.0, math.inf)):
            try:
                await rig.battery.set_power(power_w, valid_s=valid_s)
            except DeviceRefusedError:
                continue
            raise AssertionError(f"{power_w} W for {valid_s} s was taken")

        assert 0 < state.battery_power_w < 1e6, state
        assert rig.emulator.writes == before, "a refused set-point was written"


async def check_validity_ends(factory: RigFactory) -> None:
    """When its validity is over, a set-point gives way to self-consumption."""
    async with factory(load_w=500.0) as rig:
        await rig.battery.set_power(1_000.0, valid_s=30)
        await rig.clock.advance(29)
        await _require_power(rig, 1_000.0, following=False)

        await rig.clock.advance(10)

        await _require_power(rig, -500.0, following=True)


async def check_set_points_are_renewed(factory: RigFactory) -> None:
    """A valid set-point outlives the device's own watchdog, for as long as the driver lives."""
    async with factory(load_w=500.0) as rig:
        if rig.watchdog_s is None:
            return
        await rig.battery.set_power(1_000.0, valid_s=5 * rig.watchdog_s)

        for _ in range(6):
            await rig.clock.advance(rig.watchdog_s / 2)

        await _require_power(rig, 1_000.0, following=False)


async def check_a_dead_driver_is_given_up(factory: RigFactory) -> None:
    """The device returns to self-consumption by itself when nobody renews its command."""
    async with factory(load_w=500.0) as rig:
        if rig.watchdog_s is None:
            return
        await rig.battery.set_power(1_000.0, valid_s=10 * rig.watchdog_s)

        rig.die()
        await rig.clock.advance(rig.watchdog_s + 10)

        power_w = rig.emulator.home.state().battery_power_w
        assert abs(power_w + 500.0) <= rig.power_step_w, f"still {power_w} W"


async def check_closing_returns_to_self_consumption(factory: RigFactory) -> None:
    """A driver that is closed leaves the battery to itself."""
    async with factory(load_w=500.0) as rig:
        await rig.battery.set_power(1_000.0, valid_s=600)

        await rig.battery.close()
        await rig.clock.advance(10)

        power_w = rig.emulator.home.state().battery_power_w
        assert abs(power_w + 500.0) <= rig.power_step_w, f"still {power_w} W"


async def check_nothing_is_written_when_nothing_changed(factory: RigFactory) -> None:
    """The same set-point again, before a timer has to be renewed, costs no write."""
    async with factory() as rig:
        await rig.battery.set_power(1_000.0, valid_s=60)
        first = rig.emulator.writes.copy()

        for _ in range(3):
            await rig.battery.set_power(1_000.0, valid_s=60)

        assert rig.emulator.writes == first, (rig.emulator.writes, first)


async def check_read_only_never_writes(factory: RigFactory) -> None:
    """A device opened for reading is read, and nothing is ever written to it."""
    async with factory(read_only=True) as rig:
        await rig.battery.read()
        for attempt in (rig.battery.set_power(500.0, valid_s=60), rig.battery.follow()):
            try:
                await attempt
            except DeviceReadOnlyError:
                continue
            raise AssertionError("a write was not refused")
        await rig.clock.advance(10)
        await rig.battery.close()

        assert not rig.emulator.writes, dict(rig.emulator.writes)


async def check_an_ignored_write_is_noticed(factory: RigFactory) -> None:
    """A device that takes a set-point and does not do it is found out."""
    async with factory(load_w=500.0) as rig:
        if Fault.WRITE_IGNORED not in rig.emulator.offered:
            return
        await rig.battery.set_power(500.0, valid_s=600)
        rig.emulator.faults = FaultPlan.always(Fault.WRITE_IGNORED)
        attempt = asyncio.ensure_future(rig.battery.set_power(-1_000.0, valid_s=600))
        await _until(rig.clock, attempt)

        error = attempt.exception()
        assert isinstance(error, DeviceIgnoredError), repr(error)
        rig.emulator.faults = FaultPlan.none()
        await rig.clock.advance(60)
        await _require_power(rig, -500.0, following=True)


async def check_every_fault_is_survived(factory: RigFactory) -> None:
    """Whatever goes wrong once is a `DeviceError`, nothing unasked is set, and it works after."""
    async with factory() as rig:
        offered = sorted(rig.emulator.offered, key=lambda fault: fault.name)
    for fault in offered:
        for after in range(3):
            async with factory(load_w=500.0) as rig:
                plan = rig.emulator.faults = FaultPlan.once(fault, after=after)
                error = await _survive(rig, fault)
                if after == 0:
                    assert plan.seen[fault] == 1, f"{fault.name} was never injected"
                    if fault is Fault.UNAUTHORISED:
                        assert isinstance(error, DeviceUnauthorisedError), repr(error)


async def check_random_faults_are_survived(factory: RigFactory) -> None:
    """An hour of a fault in five requests: only `DeviceError` comes out, limits hold."""
    async with factory(load_w=500.0) as rig:
        rates = dict.fromkeys(rig.emulator.offered, 0.2 / max(len(rig.emulator.offered), 1))
        rig.emulator.faults = FaultPlan.random(rates, seed=5)
        asked_w = {-500.0}
        for step in range(20):
            power_w = (600.0, -400.0, 0.0)[step % 3]
            asked_w.add(power_w)
            attempt = asyncio.ensure_future(_try(rig, power_w))
            await _until(rig.clock, attempt)
            await attempt
            await rig.clock.advance(20)
            done_w = rig.emulator.home.state().battery_power_w
            near = min(abs(done_w - each) for each in asked_w)
            assert near <= rig.power_step_w, f"{done_w} W was never asked for"
        rig.emulator.faults = FaultPlan.none()
        await rig.clock.advance(120)
        await _set_at_last(rig, 600.0)
        await rig.clock.advance(5)
        await _require_power(rig, 600.0, following=False)


CHECKS: Final = (
    check_reads_tell_the_truth,
    check_set_points_hold,
    check_limits_hold,
    check_validity_ends,
    check_set_points_are_renewed,
    check_a_dead_driver_is_given_up,
    check_closing_returns_to_self_consumption,
    check_nothing_is_written_when_nothing_changed,
    check_read_only_never_writes,
    check_an_ignored_write_is_noticed,
    check_every_fault_is_survived,
    check_random_faults_are_survived,
)
"""Every check; each takes a `RigFactory`."""
HANGING: Final = frozenset({check_every_fault_is_survived, check_random_faults_are_survived})
"""Those in which a device is silent until the driver gives up waiting."""


def timeout_s(check: Callable[[RigFactory], Awaitable[None]]) -> float:
    """Return how long a driver under ``check`` should wait for an answer: a setting of the rig. [s]

    Where devices answer, a slow computer must not be taken for a silent device.
    """
    return 0.6 if check in HANGING else 10.0


async def _require_power(rig: Rig, battery_power_w: float, *, following: bool) -> BatteryState:
    """Return the state, which must show a power, as must the battery itself."""
    state, truth = await rig.battery.read(), rig.emulator.home.state()
    assert abs(truth.battery_power_w - battery_power_w) <= rig.power_step_w, (truth, state)
    assert abs(state.battery_power_w - battery_power_w) <= rig.power_step_w, (state, truth)
    assert state.following == following, state
    return state


async def _try(rig: Rig, battery_power_w: float) -> DeviceError | None:
    """Read and set, and return what the driver said of it, if that is an error of ours."""
    try:
        await rig.battery.read()
        await rig.battery.set_power(battery_power_w, valid_s=120)
    except DeviceError as error:
        return error
    return None


async def _set_at_last(rig: Rig, battery_power_w: float) -> None:
    """Set a power on a device in good health, which a slow computer may keep from being quick."""
    for _ in range(_PATIENT_TRIES):
        try:
            await rig.battery.set_power(battery_power_w, valid_s=60)
        except DeviceUnavailableError:
            continue
        return
    raise AssertionError("the driver does not come back to a device that is well again")


async def _until(clock: HandClock, attempt: "asyncio.Future[Any]") -> None:
    """Move the clock until ``attempt`` is done: it waits for read-backs or time-outs."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + _GIVE_UP_S
    while not attempt.done():
        if loop.time() > deadline_s:
            attempt.cancel()
            raise AssertionError(
                f"the driver does not come back within {_GIVE_UP_S:g} s of real time"
            )
        await asyncio.sleep(0.01)
        await clock.advance(0.2)


async def _survive(rig: Rig, fault: Fault) -> DeviceError | None:
    """Meet ``fault`` and return what came of it; the device is read and steered afterwards."""
    before_w = rig.emulator.home.state().battery_power_w
    attempt = asyncio.ensure_future(_try(rig, 600.0))
    await _until(rig.clock, attempt)
    error = await attempt
    done_w = rig.emulator.home.state().battery_power_w
    near = min(abs(done_w - each) for each in (before_w, 600.0))
    assert near <= rig.power_step_w, f"{fault.name}: {done_w} W was never asked for"

    rig.emulator.faults = FaultPlan.none()
    await rig.clock.advance(60)
    await _set_at_last(rig, -400.0)
    await rig.clock.advance(10)
    await _require_power(rig, -400.0, following=False)
    return error
