"""Microgrids in simulated time: a decision each cycle, physics each step."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.errors import ScenarioInputError
from scenarios.microgrid.kernel import Flows, Given, Limits, World, advance
from scenarios.microgrid.plant import Microgrid

CYCLE_S: Final = 600
"""The paper's cycle. [s]"""


class EdgeController(Protocol):
    """What decides at the edge: of battery and relay, from what was measured last."""

    def edge(
        self, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return set-points, > 0 charges [W], and whether relays are closed, shape (homes,).

        Parameters
        ----------
        power_balance_w : FloatArray, shape (homes,)
            Production less load, ΔP. [W]
        soc : FloatArray, shape (homes,)
            State of charge, 0..1.
        price_level : FloatArray, shape (homes,)
            Place of the price between the lowest, 0, and the highest, 1, of those known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What happens around microgrids.

    Raises
    ------
    ScenarioInputError
        If a shape is wrong or a value is not finite, or less than it can be.
    """

    grid: TimeGrid
    """Steps, a minute each unless told."""
    load_w: FloatArray
    """Load, >= 0, shape (homes, steps). [W]"""
    pv_w: FloatArray
    """Production that the sun offers, at the AC terminals, >= 0, shape (homes, steps). [W]"""
    price_level: FloatArray
    """Place of the price as controllers see it, 0..1, shape (homes, steps)."""
    deviation_hz: FloatArray
    """Of the grid's frequency from nominal, shape (homes, steps). [Hz]"""

    def __post_init__(self) -> None:
        shape = (self.load_w.shape[0], self.grid.count)
        for name, low in _LEAST.items():
            values = getattr(self, name)
            if values.shape != shape:
                msg = f"surroundings {name} has shape {values.shape}, must be {shape}"
                raise ScenarioInputError(msg)
            bad = values[~(np.isfinite(values) & (values >= low))]
            if bad.size:
                msg = f"surroundings {name} is {bad[0]:g}, must be finite and >= {low:g}; mend it"
                raise ScenarioInputError(msg)

    @property
    def homes(self) -> int:
        """Number of microgrids."""
        return int(self.load_w.shape[0])

    def measured_w(self, begin: int) -> FloatArray:
        """Return what controllers know of the balance as a step begins, shape (homes,). [W]

        Notes
        -----
        That of the step before; before the first step its own, for want of another.
        """
        last = max(begin - 1, 0)
        balance_w: FloatArray = self.pv_w[:, last] - self.load_w[:, last]
        return balance_w


_LEAST: Final = {"load_w": 0.0, "pv_w": 0.0, "price_level": 0.0, "deviation_hz": -np.inf}
"""Least values by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What microgrids did; powers by step, orders by cycle."""

    grid: TimeGrid
    """Steps."""
    cycle_steps: int
    """Steps from one decision to the next."""
    microgrid: Microgrid
    """Which."""
    surroundings: Surroundings
    """What happened around them."""
    flows: Flows
    """Powers and stored energy, shape (homes, steps)."""
    set_point_w: FloatArray
    """What was ordered, and does not count with an open relay, shape (homes, cycles). [W]"""
    closed: BoolArray
    """Whether relays were ordered closed, shape (homes, cycles)."""

    @property
    def soc(self) -> FloatArray:
        """State of charge at the beginning of each step and at the end, (homes, steps + 1)."""
        shares: FloatArray = self.flows.stored_wh / self.microgrid.bank.capacity_wh[:, None]
        return shares

    def soc_every(self, seconds: int) -> FloatArray:
        """Return the same at the beginning of every so many seconds, and at the end. [s]"""
        marks = [*range(0, self.grid.count, seconds // self.grid.step_s), self.grid.count]
        return self.soc[:, marks]

    @property
    def imbalance_w(self) -> FloatArray:
        """What the balance of each step leaves, 0 but for rounding, (homes, steps). [W]"""
        flows, around = self.flows, self.surroundings
        left_w: FloatArray = (
            (around.pv_w - flows.curtailed_w + flows.grid_power_w)
            - (around.load_w - flows.unserved_w)
            - flows.battery_power_w
        )
        return left_w


def simulate(
    microgrid: Microgrid,
    around: Surroundings,
    controller: EdgeController,
    *,
    soc_start: FloatArray,
    cycle_s: int = CYCLE_S,
) -> Trace:
    """Live through some days.

    Parameters
    ----------
    microgrid : Microgrid
        A microgrid per home.
    around : Surroundings
        What happens around them.
    controller : EdgeController
        Asked at the beginning of each cycle, with what the step before brought.
    soc_start : FloatArray, shape (homes,)
        State of charge, 0..1.
    cycle_s : int
        From one decision to the next, whole steps. [s]

    Raises
    ------
    ScenarioInputError
        If the cycle is no whole number of steps, or numbers of homes differ.
    """
    steps = _cycle_steps(around, cycle_s)
    _require_homes(microgrid, around, soc_start)
    flows = _room(microgrid.homes, around.grid.count)
    flows.stored_wh[:, 0] = soc_start * microgrid.bank.capacity_wh
    world = World(_limits(microgrid, around.grid.step_h), _given(around), flows)
    begins = range(0, around.grid.count, steps)
    set_point_w = np.empty((microgrid.homes, len(begins)))
    closed = np.empty(set_point_w.shape, dtype=np.bool_)
    for cycle, begin in enumerate(begins):
        soc = flows.stored_wh[:, begin] / microgrid.bank.capacity_wh
        set_point_w[:, cycle], closed[:, cycle] = controller.edge(
            around.measured_w(begin), soc, around.price_level[:, begin]
        )
        span = (begin, min(begin + steps, around.grid.count))
        advance(span, (set_point_w[:, cycle].copy(), closed[:, cycle].copy()), world)
    return Trace(
        grid=around.grid,
        cycle_steps=steps,
        microgrid=microgrid,
        surroundings=around,
        flows=flows,
        set_point_w=set_point_w,
        closed=closed,
    )


def _require_homes(microgrid: Microgrid, around: Surroundings, soc_start: FloatArray) -> None:
    if (microgrid.homes,) != soc_start.shape or around.homes != microgrid.homes:
        msg = (
            f"microgrids are {microgrid.homes}, their surroundings {around.homes}, their states "
            f"of charge {soc_start.shape}; give one of each per home"
        )
        raise ScenarioInputError(msg)


def _cycle_steps(around: Surroundings, cycle_s: int) -> int:
    step_s = around.grid.step_s
    if cycle_s <= 0 or cycle_s % step_s:
        msg = f"a cycle is {cycle_s} s, must be whole steps of {step_s} s"
        raise ScenarioInputError(msg)
    return cycle_s // step_s


def _room(homes: int, steps: int) -> Flows:
    """Return where flows are written."""
    wide = (homes, steps)
    return Flows(
        stored_wh=np.empty((homes, steps + 1)),
        battery_power_w=np.zeros(wide),
        grid_power_w=np.zeros(wide),
        curtailed_w=np.zeros(wide),
        unserved_w=np.zeros(wide),
        overload_w=np.zeros(wide),
        closed=np.zeros(wide, dtype=np.bool_),
    )


def _limits(microgrid: Microgrid, step_h: float) -> Limits:
    bank = microgrid.bank
    return Limits(
        low_wh=bank.soc_min * bank.capacity_wh,
        high_wh=bank.soc_max * bank.capacity_wh,
        cell_power_w=bank.power_max_w,
        eta_c=bank.charge_efficiency,
        eta_d=bank.discharge_efficiency,
        power_max_w=microgrid.power_max_w,
        droop_hz=microgrid.droop_hz,
        fade_hz=microgrid.fade_hz,
        step_h=step_h,
    )


def _given(around: Surroundings) -> Given:
    # one layout, so that the kernel is compiled once
    load_w, pv_w, deviation_hz = (
        np.ascontiguousarray(each, dtype=np.float64)
        for each in (around.load_w, around.pv_w, around.deviation_hz)
    )
    return Given(load_w=load_w, pv_w=pv_w, deviation_hz=deviation_hz)
