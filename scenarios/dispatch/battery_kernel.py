"""A battery in compiled code: what limits leave of a power, and what that does to it.

Powers and currents that charge are positive (§3).
"""

from typing import NamedTuple

import numpy as np

from devices.arrays import FloatArray
from hems.mpc_kernel import compiled
from scenarios.dispatch.ageing_kernel import CHARGES, LEFT, Calendar, Table, pass_time, turn, unworn
from scenarios.dispatch.cell_kernel import (
    Cells,
    Warmth,
    Wish,
    current,
    held,
    voltage,
    warm_share,
    warmed,
)
from scenarios.dispatch.inlined import inlined

CHARGE, FULL, USABLE, WARM, CELSIUS, VOLT, WAITED, NOISE, STATES = range(9)
"""State of a cell: charge, charge of a full one, the same at its temperature, rise of temperature,
its mean in the last step, voltage, time since the current turned, and by which share of its charge
it missed the end of its window."""
NEAR_SOC = 0.00002
"""So near to an end of its window a battery is there (SAM's tolerance)."""
OVER = 1.01
"""Power may exceed its limit by as much before it is cut back to it (SAM's tolerance)."""
LEAST_CHARGE_W = 2.0
"""Less than this is not charged (SAM's tolerance). [W]"""
EMPTY_NOISE, LEAST_NOISE = 6e-8, 2e-17
"""By how much a battery that has just been emptied misses the end of its window in SAM, and when
that is nothing."""
DAY_H = 24.0


class Plant(NamedTuple):
    """What does not change in a run, but for the cells."""

    step_h: float
    """Length of a step. [h]"""
    power_max_w: float
    """Limit of the power of the cells, infinite where only the current is limited. [W]"""
    current_max_a: float
    """Limit of the current of a cell, infinite where only the power is limited. [A]"""
    soc_min: float
    """Lower end of the window."""
    soc_max: float
    """Upper end of the window."""
    soc_begin: float
    """State of charge at the start."""
    from_pv: float
    """Power of the cells over power that PV gives up at the AC side."""
    from_grid: float
    """Power of the cells over power from the grid."""
    to_load: float
    """Power at the AC side over power of the cells that discharge."""
    charges_from_pv: bool
    """PV may charge."""
    charges_from_grid: bool
    """The grid may charge."""
    only_surplus: bool
    """PV may charge only beyond the load."""
    replace_at: float
    """Capacity left at which it is replaced; 0: never."""
    turn_wait_h: float
    """Time after a turn of the current before the next. [h]"""


class Site(NamedTuple):
    """A plant with all that changes in a run."""

    plant: Plant
    """What does not change."""
    cells: Cells
    """The battery's cells."""
    warmth: Warmth
    """What they hold when cold."""
    table: Table
    """What cycles cost of their life."""
    calendar: Calendar
    """What time costs of it."""
    state: FloatArray
    """State of a cell, shape (STATES,)."""
    past: FloatArray
    """What the battery remembers; see `scenarios.dispatch.ageing_kernel`."""
    points: FloatArray
    """Turning points that are open. [%]"""


@compiled
def begin(site: Site) -> None:
    """Set up a new battery."""
    state, cells = site.state, site.cells
    state[:] = 0.0
    state[FULL] = state[USABLE] = cells.full_ah
    state[CHARGE] = site.plant.soc_begin * cells.full_ah
    state[CELSIUS] = cells.room_c
    state[WAITED] = np.inf
    state[VOLT] = voltage(cells, held(cells, state[CHARGE], cells.full_ah), 0.0, 0.0)
    unworn(site.past)


@compiled
def soc_of(state: FloatArray) -> float:
    """Return the state of charge."""
    return float(state[CHARGE] / state[USABLE])


@compiled
def window_wh(site: Site) -> float:
    """Return the energy of the window at the present voltage. [Wh]

    Notes
    -----
    As SAM counts it: capacity less age, but not less cold.
    """
    window = site.plant.soc_max - site.plant.soc_min
    return float(site.state[VOLT] * site.cells.number * site.state[FULL] * window)


@compiled
def allowed_w(plant: Plant, state: FloatArray, charges: float, asked_w: float) -> float:
    """Return what power limit, window and the pause between turns leave of a power. [W]"""
    soc = soc_of(state)
    if asked_w > 0 and (soc >= plant.soc_max - NEAR_SOC or asked_w < LEAST_CHARGE_W):
        return 0.0
    if asked_w < 0 and soc <= plant.soc_min + NEAR_SOC:
        return 0.0
    turns = (asked_w > 0) != (charges > 0)
    if turns and state[WAITED] < plant.turn_wait_h:
        return 0.0
    if abs(asked_w) > OVER * plant.power_max_w:
        return float(plant.power_max_w * np.sign(asked_w))
    return asked_w


@compiled
def flow(plant: Plant, cells: Cells, state: FloatArray, power_w: float) -> float:
    """Let a power flow for a step, as far as the window holds; return the current of a cell. [A]"""
    room_ah = max(plant.soc_max * state[USABLE] - state[CHARGE], 0.0)
    stock_ah = max(state[CHARGE] - plant.soc_min * state[USABLE], 0.0)
    low_a = -min(stock_ah / plant.step_h, plant.current_max_a)
    high_a = min(room_ah / plant.step_h, plant.current_max_a)
    before = held(cells, state[CHARGE], state[FULL])
    wish = Wish(power_w / cells.number, low_a, high_a, plant.step_h)
    ampere = current(cells, before, wish)
    if ampere != 0:
        state[NOISE] = EMPTY_NOISE if ampere == low_a and plant.soc_min > 0 else 0.0
    state[VOLT] = voltage(cells, before, ampere, plant.step_h)
    state[CHARGE] += ampere * plant.step_h
    return ampere


@compiled
def warm(cells: Cells, warmth: Warmth, state: FloatArray, ampere: float) -> None:
    """Warm the cells by a current; SAM looks at what they hold only while one flows."""
    state[WARM], mean_k = warmed(cells, state[WARM], ampere)
    state[CELSIUS] = cells.room_c + mean_k
    if ampere != 0:
        state[USABLE] = state[FULL] * warm_share(warmth, state[CELSIUS])


@compiled
def noise_a(state: FloatArray) -> float:
    """Return the sign of the current of a battery that is empty and asked to discharge on.

    Notes
    -----
    SAM corrects by how much it missed the end of the window, in shares of the capacity without
    the cold, and so overshoots: a current of 1e-6 A and less whose sign changes step by step until
    it underflows. Nothing flows, but each change is a turning point and counts as a cycle.
    """
    missed = state[NOISE]
    if abs(missed) < LEAST_NOISE:
        return 0.0
    state[NOISE] *= 1 - state[FULL] / state[USABLE]
    return float(-missed)


@inlined
def age(site: Site, ampere: float, soc_before: float) -> None:
    """Take what a step's current and time cost of life, and let the capacity shrink to the rest."""
    plant, state, past = site.plant, site.state, site.past
    state[WAITED] += plant.step_h
    if ampere != 0 and (ampere > 0) != (past[CHARGES] > 0):
        past[CHARGES] = 1.0 - past[CHARGES]
        state[WAITED] = plant.step_h
        turn(site.table, past, site.points, (1 - soc_before) * 100)
    pass_time(site.calendar, past, soc_of(state), state[CELSIUS], plant.step_h / DAY_H)
    share = state[USABLE] / state[FULL]
    state[FULL] = site.cells.full_ah * past[LEFT]
    state[USABLE] = state[FULL] * share
    state[CHARGE] = min(state[CHARGE], plant.soc_max * state[USABLE])


@compiled
def renew_if_worn(plant: Plant, full_ah: float, state: FloatArray, past: FloatArray) -> None:
    """Put in a new battery once the old one is worn."""
    if plant.replace_at > 0 and past[LEFT] <= plant.replace_at:
        state[CHARGE] += (full_ah - state[FULL]) * plant.soc_begin
        state[FULL] = state[USABLE] = full_ah
        unworn(past)
