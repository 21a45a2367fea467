"""Generated homes: standby, fridge, screens and appliances, in whole watts as a meter reads."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.data.models.appliances import (
    APPLIANCES,
    SCREEN,
    Appliance,
    Pulses,
    add_pulses,
    run_program,
)
from scenarios.data.models.clock import LocalClock
from scenarios.data.models.streams import Kind, UtcDays, daily_normals, stream

SPILL_DAYS = 1
"""Days before the span whose programs may still run at its beginning."""
BEGIN, RUN = 100, 200
"""Parts of an appliance's streams: when it is switched on, and what it then does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTraits:
    """What tells one home from another; every field has shape (homes,)."""

    standby_w: FloatArray
    """What never stops. [W]"""
    hum_w: FloatArray
    """Standard deviation of the standby from minute to minute. [W]"""
    fridge_w: FloatArray
    """A running compressor. [W]"""
    fridge_minutes: FloatArray
    """From one start of the compressor to the next. [min]"""
    activity: FloatArray
    """Uses of appliances against the mean home's."""
    commutes: BoolArray
    """Nobody at home on most weekdays."""


def draw_traits(seed: int, homes: int) -> HomeTraits:
    """Return the homes' traits; home i's do not depend on ``homes``."""
    bell = stream(seed, Kind.HOME, 0).standard_normal((homes, 4)).T
    share = stream(seed, Kind.HOME, 1).random((homes, 2)).T
    return HomeTraits(
        standby_w=131.0 * np.exp(0.35 * bell[0]),
        hum_w=0.65 * np.exp(0.5 * bell[1]),
        fridge_w=88.0 * np.exp(0.25 * bell[2]),
        fridge_minutes=35.0 + 35.0 * share[0],
        activity=np.exp(0.35 * bell[3] - 0.06),
        commutes=share[1] < 0.55,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all appliances of a fleet have in common over a span of whole UTC days."""

    seed: int
    """Seed of every stream."""
    traits: HomeTraits
    """The homes."""
    days: UtcDays
    """The span."""
    clock: LocalClock
    """Local time of its minutes."""
    awake: BoolArray
    """Where somebody is awake at home, shape (homes, minutes)."""


def generated_loads_w(seed: int, homes: int, grid: TimeGrid) -> FloatArray:
    """Return the load of every home on a grid of minutes, shape (homes, minutes). [W]"""
    days = UtcDays.around(grid, memory_days=SPILL_DAYS)
    clock, traits = LocalClock.of(days.grid(60)), draw_traits(seed, homes)
    awake = presence(seed, traits, clock)
    fleet = Setting(seed=seed, traits=traits, days=days, clock=clock, awake=awake)
    load_w = _standby_w(fleet) + _screens_w(fleet)
    for part, appliance in enumerate(APPLIANCES, start=1):
        load_w += _used_w(fleet, part, appliance)
    return np.rint(np.maximum(days.cut(load_w, grid), 0.0))


def presence(seed: int, traits: HomeTraits, clock: LocalClock) -> BoolArray:
    """Return where somebody is awake at home, shape (homes, minutes).

    Notes
    -----
    Every home gets up and goes to bed at a time drawn for the local day; commuters are away between
    two more, on most weekdays, others on some days.
    """
    homes = traits.activity.size
    awake = np.zeros((homes, clock.minute.size), dtype=np.bool_)
    for ordinal in np.unique(clock.day):
        on_day = np.flatnonzero(clock.day == ordinal)
        day = date.fromordinal(int(ordinal))
        bell = stream(seed, Kind.PRESENCE, 0, day).standard_normal((homes, 4)).T
        share = stream(seed, Kind.PRESENCE, 1, day).random(homes)
        weekend = bool(clock.weekend[on_day[0]])
        up = (8.0 if weekend else 6.8) + 1.1 * bell[0]
        down = 23.2 + 1.0 * bell[1]
        leave, back = 8.4 + 0.7 * bell[2], 17.3 + 1.4 * bell[3]
        away = share < np.where(traits.commutes, 0.15 if weekend else 0.8, 0.2)
        hour = clock.minute[on_day] / 60
        home_now = (hour >= up[:, None]) & (hour < down[:, None])
        out_now = away[:, None] & (hour >= leave[:, None]) & (hour < back[:, None])
        awake[:, on_day] = home_now & ~out_now
    return awake


def _standby_w(fleet: Setting) -> FloatArray:
    """Return standby with its hum, and the fridge's compressor, shape (homes, minutes). [W]"""
    traits = fleet.traits
    hum = _texture(fleet, part=0, per_day=1440)
    duty = 0.38 + 0.06 * np.clip(_texture(fleet, part=1, per_day=24), -2.5, 2.5)
    grid = fleet.days.grid(60)
    minute = grid.first_interval + np.arange(grid.count, dtype=np.float64)
    period = traits.fridge_minutes[:, np.newaxis]
    since_start = minute % period
    # A compressor that stops within a minute runs for a part of it.
    running = np.clip(np.repeat(duty, 60, axis=1) * period - since_start, 0.0, 1.0)
    steady = traits.standby_w[:, np.newaxis] + traits.hum_w[:, np.newaxis] * hum
    return steady + traits.fridge_w[:, np.newaxis] * running


def _texture(fleet: Setting, *, part: int, per_day: int) -> FloatArray:
    """Return standard normal numbers of every home, shape (homes, days · per_day)."""
    return daily_normals(
        fleet.seed,
        Kind.TEXTURE,
        fleet.days,
        per_day=per_day,
        part=part,
        rows=fleet.traits.activity.size,
    )


def _used_w(fleet: Setting, part: int, appliance: Appliance) -> FloatArray:
    """Return what one kind of appliance takes, shape (homes, minutes). [W]"""
    homes, minutes = fleet.awake.shape
    owned = stream(fleet.seed, Kind.APPLIANCE, part).random(homes) < appliance.owners
    eager = fleet.traits.activity * owned
    chance = appliance.minute_chance()[fleet.clock.hour]
    pulses: list[Pulses] = []
    for number, day in enumerate(fleet.days.days):
        today = slice(1440 * number, 1440 * (number + 1))
        lot = stream(fleet.seed, Kind.APPLIANCE, BEGIN + part, day).random((homes, 1440))
        begun = lot < chance[today] * eager[:, np.newaxis]
        if appliance.awake:
            begun &= fleet.awake[:, today]
        home, minute = np.nonzero(begun)
        # A lot that was drawn is uniform below its chance: where, is the second within the minute.
        second = lot[home, minute] / (chance[today][minute] * eager[home])
        rng = stream(fleet.seed, Kind.APPLIANCE, RUN + part, day)
        pulses += run_program(appliance.program, home, today.start + minute + second, rng)
    return add_pulses(pulses, homes=homes, minutes=minutes)


def _screens_w(fleet: Setting) -> FloatArray:
    """Return what screens take, moving by a share of itself, shape (homes, minutes). [W]"""
    return _used_w(fleet, 0, SCREEN) * (1 + 0.12 * _texture(fleet, part=2, per_day=1440))
