"""What use and time take from batteries: counted piece by piece, for arrays of homes.

A state of charge here is Becchi's eq. (7): the charge over what the battery can hold now.
"""

from dataclasses import dataclass

import numpy as np

from devices.ageing_law import AgeingLaw
from devices.arrays import FloatArray
from devices.battery_efficiency import require_range
from devices.rainflow import Cycles, Trail, count, halves, turning_points

YEAR_H = 8766.0
"""A year of 365.25 days. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingState:
    """All that batteries remember of their past; per-home fields have shape (homes,)."""

    open_points: Trail
    """Turning points whose cycles are not closed yet, the present state of charge last."""
    now: Trail
    """The present: one point per home."""
    calendar_loss: FloatArray
    """Loss by time on the straight line, share of nominal capacity."""
    cycle_loss: FloatArray
    """Loss by closed cycles on the straight line, share of nominal capacity."""
    closed_cycles: FloatArray
    """Closed cycles, halves as halves."""

    @property
    def full_equivalent_cycles(self) -> FloatArray:
        """Throughput over twice the capacity, shape (homes,)."""
        return self.now.throughput / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Lost capacity as a share of nominal, shape (homes,)."""

    cycle: FloatArray
    """D_cycle: by use."""
    calendar: FloatArray
    """D_age: by time."""

    @property
    def total(self) -> FloatArray:
        """D: both; becomes 1 at most."""
        return np.minimum(self.cycle + self.calendar, 1.0)

    @property
    def state_of_health(self) -> FloatArray:
        """SOH = Q_max / Q_max-nom, Becchi 2024, eq. (8)."""
        return 1.0 - self.total


def start(soc: FloatArray) -> AgeingState:
    """Return new batteries at a state of charge, shape (homes,)."""
    require_range("state of charge", soc, 0.0, 1.0)
    homes = soc.shape[0]
    nothing = np.zeros(homes)
    now = Trail(
        home=np.arange(homes),
        soc=soc.astype(np.float64),
        moving_h=nothing,
        throughput=nothing,
        heat_ch=nothing,
    )
    return AgeingState(
        open_points=now,
        now=now,
        calendar_loss=nothing,
        cycle_loss=nothing,
        closed_cycles=nothing,
    )


def advance(
    law: AgeingLaw,
    state: AgeingState,
    soc: FloatArray,
    *,
    step_s: float,
    temperature_c: FloatArray | float = 25.0,
) -> AgeingState:
    """Age batteries by a stretch of their use.

    Parameters
    ----------
    law : AgeingLaw
        How fast they age.
    state : AgeingState
        Their past.
    soc : FloatArray, shape (homes, steps)
        State of charge at the end of each step, 0..1.
    step_s : float
        Length of a step, > 0. [s]
    temperature_c : FloatArray | float
        Temperature of the cells in each step, or what broadcasts to it. [°C]

    Returns
    -------
    AgeingState
        The same, but for rounding, however a series is cut into stretches.

    Raises
    ------
    ValueError
        If a value is not finite or out of range.
    """
    require_range("state of charge", soc, 0.0, 1.0)
    warmth = np.asarray(temperature_c, dtype=np.float64)
    require_range("temperature", warmth, -273.15, 1e3)
    if not soc.shape[1]:
        return state
    stretch, path = _trail(state.now, soc, step_s, warmth)
    middle = (path[:, 1:] + path[:, :-1]) / 2
    per_year = law.calendar_per_year.at(warmth, middle)
    points = state.open_points.then(stretch.pick(turning_points(stretch.home, stretch.soc)))
    closed, left = count(points.pick(turning_points(points.home, points.soc)))
    ends = np.arange(1, soc.shape[0] + 1) * path.shape[1] - 1
    homes = soc.shape[0]
    return AgeingState(
        open_points=left,
        now=stretch.pick(ends),
        calendar_loss=state.calendar_loss + per_year.sum(axis=1) * (step_s / 3600 / YEAR_H),
        cycle_loss=state.cycle_loss + _cycle_loss(law, closed, homes),
        closed_cycles=state.closed_cycles + np.bincount(closed.home, closed.count, homes),
    )


def loss(law: AgeingLaw, state: AgeingState) -> Loss:
    """Return what batteries have lost so far; open cycles count as halves."""
    homes = state.calendar_loss.shape[0]
    cycle = state.cycle_loss + _cycle_loss(law, halves(state.open_points), homes)
    return Loss(cycle=law.grown(cycle), calendar=law.grown(state.calendar_loss))


def sequence_loss(
    law: AgeingLaw,
    soc: FloatArray,
    *,
    step_s: float,
    temperature_c: FloatArray | float = 25.0,
) -> Loss:
    """Return what a sequence takes from new batteries, soc of shape (homes, steps + 1) [s, °C]."""
    state = start(soc[:, 0])
    aged = advance(law, state, soc[:, 1:], step_s=step_s, temperature_c=temperature_c)
    return loss(law, aged)


def sequence_cost(law: AgeingLaw, lost: Loss, battery_price: FloatArray | float) -> FloatArray:
    """Return what a loss costs: D_seq / D_max × price of the battery, shape (homes,) [currency].

    Notes
    -----
    Becchi 2024, eq. (9). Its printed factor 100 belongs to losses in per cent.
    """
    cost: FloatArray = lost.total / law.end_of_life_loss * battery_price
    return cost


def wear_price_per_mwh(
    law: AgeingLaw,
    *,
    battery_price: float,
    capacity_wh: float,
    depth: float = 0.8,
    c_rate: float = 0.25,
    temperature_c: float = 25.0,
) -> float:
    """Return what moving energy into or out of the cells costs, by cycles of one kind.

    Parameters
    ----------
    law : AgeingLaw
        How fast the battery ages.
    battery_price : float
        Price of the whole battery. [currency]
    capacity_wh : float
        Its capacity. [Wh]
    depth, c_rate, temperature_c : float
        The kind of cycle; depth > 0. [-, 1/h, °C]

    Returns
    -------
    float
        Eq. (9) of one cycle over the energy it moves, both ways. [currency/MWh]
    """
    row, rate = np.array([depth]), np.array([c_rate])
    warmth = law.cycle_temperature.at(np.array([temperature_c]), np.zeros(1))
    lost = law.per_cycle.at(row, rate) * warmth
    moved_mwh = 2 * depth * capacity_wh / 1e6
    return float(lost[0] / law.end_of_life_loss * battery_price / moved_mwh)


def _trail(
    now: Trail, soc: FloatArray, step_s: float, temperature_c: FloatArray
) -> tuple[Trail, FloatArray]:
    """Return all points of a stretch with the present before them, flat and (homes, steps + 1)."""
    path = np.concatenate([now.soc[:, None], soc], axis=1)
    moved = np.abs(np.diff(path, axis=1))
    moving_h = np.where(moved > 0, step_s / 3600, 0.0)

    def meter(since: FloatArray, gained: FloatArray) -> FloatArray:
        shown = np.empty(path.shape)
        shown[:, 0] = since
        np.cumsum(gained, axis=1, out=shown[:, 1:])
        shown[:, 1:] += since[:, None]
        return shown.ravel()

    trail = Trail(
        home=np.repeat(now.home, path.shape[1]),
        soc=path.ravel(),
        moving_h=meter(now.moving_h, moving_h),
        throughput=meter(now.throughput, moved),
        heat_ch=meter(now.heat_ch, moving_h * temperature_c),
    )
    return trail, path


def _cycle_loss(law: AgeingLaw, cycles: Cycles, homes: int) -> FloatArray:
    """Return the loss by some cycles on the straight line, shape (homes,)."""
    warmth = law.cycle_temperature.at(cycles.temperature_c, np.zeros(cycles.count.shape))
    each = cycles.count * law.per_cycle.at(cycles.depth, cycles.c_rate) * warmth
    return np.bincount(cycles.home, each, homes).astype(np.float64)
