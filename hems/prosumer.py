"""What a planner of home batteries is given, what it answers, and what a plan comes to.

A planner schedules the hours ahead for arrays of homes (Becchi 2024): rules, optimisers and no
controller at all are compared behind `Planner`. All energies are per step; a step is an hour by
default.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from devices.arrays import FloatArray, IntArray
from devices.battery_bank import BatteryBank
from hems.errors import ControlInputError

FEASIBLE_WH = 1e-6
"""A plan this close to the ends of the window is within it; only rounding was wrong. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """All that homes know of the hours ahead when they plan.

    Raises
    ------
    ControlInputError
        If a shape is wrong, a value is not finite or out of its range.
    """

    bank: BatteryBank
    """Ratings of the batteries, shape (homes,)."""
    stored_wh: FloatArray
    """Energy in the cells, shape (homes,). [Wh]"""
    load_wh: FloatArray
    """Expected consumption, shape (homes, hours). [Wh]"""
    pv_wh: FloatArray
    """Expected production, shape (homes, hours). [Wh]"""
    import_price_per_mwh: FloatArray
    """Price of import, shape (homes, hours), (1, hours) if all pay alike. [currency/MWh]"""
    export_price_per_mwh: FloatArray
    """Price of export, likewise. [currency/MWh]"""
    day: IntArray
    """Local calendar day of each hour, any numbering that does not fall, shape (hours,)."""
    shortfall_wh: FloatArray
    """Mean error of the forecasts of past negative slots, demand less expected, (homes,). [Wh]"""
    wear_price_per_mwh: float = 0.0
    """Ageing per energy into or out of the cells; `devices.ageing.wear_price_per_mwh`."""
    step_h: float = 1.0
    """Length of a step, > 0. [h]"""

    def __post_init__(self) -> None:
        if self.load_wh.ndim != 2:
            msg = f"prospect: load_wh has shape {self.load_wh.shape}, expected (homes, hours)"
            raise ControlInputError(msg)
        homes, hours = self.load_wh.shape
        for name in ("load_wh", "pv_wh"):
            _check(name, getattr(self, name), {(self.bank.homes, hours)}, low=0.0)
        for name in ("import_price_per_mwh", "export_price_per_mwh"):
            _check(name, getattr(self, name), {(1, hours), (homes, hours)}, low=-np.inf)
        _check("stored_wh", self.stored_wh, {(homes,)}, low=0.0)
        _check("shortfall_wh", self.shortfall_wh, {(homes,)}, low=-np.inf)
        if self.day.shape != (hours,) or not hours or (self.day[1:] < self.day[:-1]).any():
            msg = f"prospect: days must be one rising number per hour, are {self.day}"
            raise ControlInputError(msg)
        if not (0 <= self.wear_price_per_mwh < np.inf and 0 < self.step_h < np.inf):
            msg = f"prospect: wear price {self.wear_price_per_mwh} or step {self.step_h} h is wrong"
            raise ControlInputError(msg)
        if (self.stored_wh > self.bank.capacity_wh * (1 + 1e-9)).any():
            home = int(np.argmax(self.stored_wh - self.bank.capacity_wh))
            msg = (
                f"prospect: home {home} stores {self.stored_wh[home]:g} Wh, more than its "
                f"capacity of {self.bank.capacity_wh[home]:g} Wh; correct the rating"
            )
            raise ControlInputError(msg)

    @property
    def hours(self) -> int:
        """Number of steps ahead."""
        return int(self.load_wh.shape[1])

    @property
    def net_wh(self) -> FloatArray:
        """Expected surplus, pv − load, shape (homes, hours). [Wh]"""
        return self.pv_wh - self.load_wh

    def later(self, stored_wh: FloatArray) -> "Prospect":
        """Return the prospect after the first hour, at what is then stored, shape (homes,). [Wh]"""
        return replace(
            self,
            stored_wh=stored_wh,
            load_wh=self.load_wh[:, 1:],
            pv_wh=self.pv_wh[:, 1:],
            import_price_per_mwh=self.import_price_per_mwh[:, 1:],
            export_price_per_mwh=self.export_price_per_mwh[:, 1:],
            day=self.day[1:],
        )


def _check(name: str, values: FloatArray, shapes: set[tuple[int, ...]], *, low: float) -> None:
    """Raise for the first value that a planner cannot use."""
    if values.shape not in shapes:
        msg = f"prospect: {name} has shape {values.shape}, expected {min(shapes)}"
        raise ControlInputError(msg)
    # one reduction tells whether all are finite; NaN spreads, infinities too
    if values.size and (values.min() < low or not np.isfinite(values.sum())):
        place = tuple(int(i) for i in np.argwhere(~(np.isfinite(values) & (values >= low)))[0])
        msg = f"prospect: {name}{list(place)} is {values[place]:g}; reject the sample before"
        raise ControlInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What a battery may do in the hour that begins, whatever the house then does.

    It follows the real surplus between two bounds: both equal is a set-point, both infinite is
    self-consumption.
    """

    low_wh: FloatArray
    """Least energy at the terminals, > 0 charges, shape (homes,). [Wh]"""
    high_wh: FloatArray
    """Greatest energy at the terminals, shape (homes,). [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A plan and what comes of it where the forecast holds."""

    battery_wh: FloatArray
    """Energy at the battery's terminals, > 0 charges, shape (homes, hours). [Wh]"""
    stored_wh: FloatArray
    """Energy in the cells at the end of each hour, shape (homes, hours). [Wh]"""
    soc: FloatArray
    """The same over nominal capacity, 0..1."""
    grid_wh: FloatArray
    """Exchange with the grid, > 0 imports, shape (homes, hours). [Wh]"""
    cost_micro: FloatArray
    """Import paid for less export sold, shape (homes,). [micro]"""
    wear_micro: FloatArray
    """Cost of the ageing by the plan's throughput, shape (homes,). [micro]"""
    leave: Leave
    """What the battery may do in the first hour."""
    proved: bool = False
    """True where the plan is a proved optimum of its planner's problem."""


class Planner(Protocol):
    """Schedules all homes at once; pure and synchronous."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the course for the hours ahead."""
        ...


def course(prospect: Prospect, battery_wh: FloatArray, *, leave: Leave | None = None) -> Course:
    """Return what comes of wanted actions, as far as power and window allow them.

    Parameters
    ----------
    prospect : Prospect
        What the homes know.
    battery_wh : FloatArray, shape (homes, hours)
        Wanted energy at the terminals, > 0 charges. [Wh]
    leave : Leave | None
        What the first hour may do; None holds the first action as a set-point.
    """
    bank = prospect.bank
    share = np.where(
        battery_wh >= 0, bank.charge_efficiency[:, None], 1 / bank.discharge_efficiency[:, None]
    )
    return course_of_cells(prospect, battery_wh * share, leave=leave)


def course_of_cells(
    prospect: Prospect, cells_wh: FloatArray, *, leave: Leave | None = None
) -> Course:
    """Return the same of actions at the cells, > 0 charges, shape (homes, hours). [Wh]"""
    cells_wh, stored_wh = _carried(prospect, cells_wh)
    bank = prospect.bank
    share = np.where(
        cells_wh >= 0, 1 / bank.charge_efficiency[:, None], bank.discharge_efficiency[:, None]
    )
    done_wh = cells_wh * share
    grid_wh = done_wh - prospect.pv_wh
    grid_wh += prospect.load_wh
    price = np.where(grid_wh > 0, prospect.import_price_per_mwh, prospect.export_price_per_mwh)
    if leave is None:
        leave = Leave(low_wh=done_wh[:, 0], high_wh=done_wh[:, 0])
    return Course(
        battery_wh=done_wh,
        stored_wh=stored_wh,
        soc=stored_wh / bank.capacity_wh[:, None],
        grid_wh=grid_wh,
        cost_micro=np.einsum("hs,hs->h", grid_wh, price),
        wear_micro=np.abs(cells_wh).sum(axis=1) * prospect.wear_price_per_mwh,
        leave=leave,
    )


def carry_out(
    bank: BatteryBank,
    stored_wh: FloatArray,
    leave: Leave,
    net_wh: FloatArray,
    *,
    step_h: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Live through an hour under a plan's leave.

    Parameters
    ----------
    bank : BatteryBank
        Ratings.
    stored_wh : FloatArray, shape (homes,)
        Energy in the cells at the start. [Wh]
    leave : Leave
        What the plan lets the battery do.
    net_wh : FloatArray, shape (homes,)
        The real surplus, pv − load. [Wh]
    step_h : float
        Length of the step. [h]

    Returns
    -------
    tuple[FloatArray, FloatArray]
        Energy in the cells at the end [Wh], and energy at the terminals, > 0 charges [Wh].
    """
    wanted_wh = np.minimum(np.maximum(net_wh, leave.low_wh), leave.high_wh)
    after_wh, power_w = bank.advance(stored_wh, wanted_wh / step_h, step_h * 3600)
    return after_wh, power_w * step_h


def _carried(prospect: Prospect, wanted_wh: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the change of energy in the cells, and the energy after each hour. [Wh]"""
    bank = prospect.bank
    most_wh = (bank.power_max_w * prospect.step_h)[:, None]
    cells_wh = np.minimum(np.maximum(wanted_wh, -most_wh), most_wh)
    low_wh, high_wh = bank.soc_min * bank.capacity_wh, bank.soc_max * bank.capacity_wh
    stored_wh = np.cumsum(cells_wh, axis=1)
    stored_wh += prospect.stored_wh[:, None]
    deepest_wh, fullest_wh = stored_wh.min(axis=1), stored_wh.max(axis=1)
    below, above = low_wh - FEASIBLE_WH > deepest_wh, fullest_wh > high_wh + FEASIBLE_WH
    if below.any() or above.any() or not _inside(prospect):
        return _clipped(prospect, cells_wh)
    np.maximum(stored_wh, low_wh[:, None], out=stored_wh)
    return cells_wh, np.minimum(stored_wh, high_wh[:, None], out=stored_wh)


def _inside(prospect: Prospect) -> bool:
    """Return whether all homes start within their window."""
    share = prospect.stored_wh / prospect.bank.capacity_wh
    return bool(((share >= prospect.bank.soc_min) & (share <= prospect.bank.soc_max)).all())


def _clipped(prospect: Prospect, wanted_wh: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Do the same hour by hour: a battery found outside its window may only come back."""
    before_wh = prospect.stored_wh
    cells_wh, stored_wh = np.empty(wanted_wh.shape), np.empty(wanted_wh.shape)
    for hour in range(prospect.hours):
        low_wh, high_wh = prospect.bank.window_wh(before_wh)
        after_wh = np.minimum(np.maximum(before_wh + wanted_wh[:, hour], low_wh), high_wh)
        cells_wh[:, hour] = after_wh - before_wh
        stored_wh[:, hour] = before_wh = after_wh
    return cells_wh, stored_wh
