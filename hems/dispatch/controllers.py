"""The dispatch policies as controllers of homes, for a gateway as for a fleet.

A policy's day or hour is a value that the caller keeps: `controller_now` turns a policy and a
moment into a controller, `peak_shaving_day` a forecast. What they return decides like any other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Controller, Decision, Observation
from hems.dispatch.day_target import holdable_w, shave_target_w
from hems.dispatch.policies import (
    GridTarget,
    InputDispatch,
    ManualDispatch,
    PeakShaving,
    Period,
)
from hems.errors import ControlInputError

MANUAL_RESERVE = 0.01
"""Above this the lower end of its window, a battery discharges by its period's percentage."""
SATURDAY = 5
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldGrid:
    """Hold the import at a target: discharge above it, charge below it; keep what PV leaves over.

    Notes
    -----
    Marchi 2022, policies 1 to 3.
    """

    target_w: FloatArray
    """Import wanted, shape (homes,), or (1,) for all alike. [W]"""
    charge_from_grid: bool = False
    """The grid may charge."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        net_w = seen.load_w[:, 0] - seen.pv_w[:, 0]
        return _decided(seen, np.maximum(self.target_w - net_w, -net_w), self.charge_from_grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPower:
    """Ask the battery for a power; window, sources and load clip it.

    Notes
    -----
    Marchi 2022, policy 4.
    """

    power_w: FloatArray
    """Power at the terminals, > 0 charges, shape (homes,), or (1,) for all alike. [W]"""
    charge_from_grid: bool = False
    """The grid may charge."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        wanted_w = np.broadcast_to(self.power_w, (seen.bank.homes,))
        return _decided(seen, wanted_w, self.charge_from_grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class InPeriod:
    """Do what a period of manual dispatch allows.

    Notes
    -----
    Marchi 2022, policy 5. Energy of the window: capacity times its width; a controller knows no
    voltage.
    """

    period: Period
    """What the battery may do."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        bank, period = seen.bank, self.period
        net_w = seen.load_w[:, 0] - seen.pv_w[:, 0]
        window_wh = bank.capacity_wh * (bank.soc_max - bank.soc_min)
        wanted_w = np.maximum(-net_w, 0.0) * period.charge_from_pv
        if period.charge_from_grid:
            by_grid_w = window_wh * period.grid_charge_percent_per_h / 100 / bank.charge_efficiency
            wanted_w = np.maximum(wanted_w, by_grid_w)
        if period.discharge:
            out_w = window_wh * period.discharge_percent_per_h / 100 * bank.discharge_efficiency
            stocked = seen.stored_wh > (bank.soc_min + MANUAL_RESERVE) * bank.capacity_wh
            wanted_w = np.where((net_w > 0) & stocked, -np.minimum(out_w, net_w), wanted_w)
        by_pv: BoolArray = np.full(bank.homes, period.charge_from_pv)
        return _decided(seen, wanted_w, period.charge_from_grid, by_pv)


def peak_shaving_day(
    bank: BatteryBank,
    expected_net_w: FloatArray,
    step_s: float,
    reached_w: FloatArray,
    *,
    charge_from_grid: bool = False,
) -> HoldGrid:
    """Return the controller of a day of peak shaving.

    Parameters
    ----------
    bank : BatteryBank
        The batteries.
    expected_net_w : FloatArray, shape (homes, steps)
        Load less production in each step of the day: a forecast for look-ahead, the day before's
        for look-behind. [W]
    step_s : float
        Length of a step. [s]
    reached_w : FloatArray, shape (homes,)
        The target of the month's days so far, ``hems.dispatch.day_target.NO_PEAK_W`` on its first:
        the last controller's ``target_w``. [W]
    charge_from_grid : bool
        The grid may charge.

    Notes
    -----
    The target is SAM's (`hems.dispatch.day_target`), with the window's nominal energy; but where
    SAM lowers it beyond what the day can be held at, what it can be held at.
    """
    step_h, useful_wh = step_s / HOUR_S, bank.capacity_wh * (bank.soc_max - bank.soc_min)
    targets = []
    for home, net_w in enumerate(expected_net_w):
        share, most_wh = bank.charge_efficiency[home], useful_wh[home]
        sam_w = shave_target_w(net_w, step_h, most_wh, reached_w[home], share, 0.0)
        targets.append(max(sam_w, holdable_w(net_w, step_h, most_wh, share)))
    return HoldGrid(target_w=np.array(targets), charge_from_grid=charge_from_grid)


def controller_now(
    policy: GridTarget | InputDispatch | ManualDispatch,
    moment: datetime,
    *,
    charge_from_grid: bool = False,
) -> Controller:
    """Return the controller that a policy comes to at a moment.

    Parameters
    ----------
    policy : GridTarget | InputDispatch | ManualDispatch
        The policy; peak shaving needs a forecast: see `peak_shaving_day`.
    moment : datetime
        Local time: months, weekdays and hours are the place's own.
    charge_from_grid : bool
        The grid may charge, except that a manual dispatch says so itself.
    """
    match policy:
        case GridTarget():
            target_w = policy.target_w[[moment.month - 1]]
            return HoldGrid(target_w=target_w, charge_from_grid=charge_from_grid)
        case InputDispatch():
            power_w = policy.power_w[[_step_of_year(moment, policy.power_w.size)]]
            return HoldPower(power_w=power_w, charge_from_grid=charge_from_grid)
        case ManualDispatch():
            hours = policy.weekend if moment.weekday() >= SATURDAY else policy.weekday
            return InPeriod(period=policy.periods[hours[moment.month - 1, moment.hour] - 1])
    assert_never(policy)


def controller_of_day(
    policy: PeakShaving, bank: BatteryBank, net_by_day_w: FloatArray, reached_w: FloatArray
) -> HoldGrid:
    """Return the controller of peak shaving for the later of two days.

    Parameters
    ----------
    policy : PeakShaving
        Which of the two it looks at.
    bank : BatteryBank
        The batteries.
    net_by_day_w : FloatArray, shape (homes, 2, steps)
        Load less production of the day before and of the day itself. [W]
    reached_w : FloatArray, shape (homes,)
        As in `peak_shaving_day`. [W]
    """
    steps = net_by_day_w.shape[2]
    expected_w = net_by_day_w[:, 1].copy()
    if policy.look == "behind":
        # the first step is known when the day begins, as in SAM
        expected_w[:, 1:] = net_by_day_w[:, 0, 1:]
    return peak_shaving_day(bank, expected_w, 24 * HOUR_S / steps, reached_w)


def _step_of_year(moment: datetime, steps: int) -> int:
    """Return the step of a year that a moment is in; the last stands in for a leap day."""
    begin = moment.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    passed_s = (moment.replace(tzinfo=None) - begin.replace(tzinfo=None)).total_seconds()
    year_h = 8784 if steps % 8784 == 0 else 8760
    step = int(passed_s // (year_h * HOUR_S / steps))
    if steps % year_h:
        msg = f"input dispatch: {steps} values are no year of whole steps; give 8760 hours of them"
        raise ControlInputError(msg)
    return min(step, steps - 1)


def _decided(
    seen: Observation, wanted_w: FloatArray, by_grid: bool, by_pv: BoolArray | None = None
) -> Decision:
    """Return what load, sources, caps and batteries leave of powers at the terminals."""
    step_s = float(seen.block_s[0])
    load_w, pv_w = seen.load_w[:, 0], seen.pv_w[:, 0]
    net_w = load_w - pv_w
    free_w = pv_w if by_pv is None else np.where(by_pv, pv_w, 0.0)
    most_w = np.full(seen.bank.homes, np.inf) if by_grid else free_w
    wanted_w = np.clip(wanted_w, -np.maximum(net_w, 0.0), most_w)
    wanted_w = np.clip(wanted_w, -net_w - seen.export_limit_w, -net_w + seen.import_limit_w)
    _, power_w = seen.bank.advance(seen.stored_wh, wanted_w, step_s)
    grid_w = power_w + net_w
    over_w = np.maximum(grid_w - seen.import_limit_w, -grid_w - seen.export_limit_w)
    return Decision(
        follow=np.zeros(seen.bank.homes, dtype=bool),
        battery_power_w=power_w,
        proved=np.zeros(seen.bank.homes, dtype=bool),
        cap_excess_wh=np.maximum(over_w, 0.0) * step_s / HOUR_S,
    )
