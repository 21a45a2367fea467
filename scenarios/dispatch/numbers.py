"""A battery and a policy in the numbers that `scenarios.dispatch.kernel` runs on."""

from datetime import datetime, timedelta

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.dispatch.policies import (
    HOURS,
    MONTHS,
    GridTarget,
    InputDispatch,
    ManualDispatch,
    PeakShaving,
    Period,
    Policy,
)
from scenarios.dispatch.ageing_kernel import PAST, POINTS_MAX, Calendar, table_of
from scenarios.dispatch.battery_kernel import STATES, Plant, Site
from scenarios.dispatch.cell_kernel import Cells, Warmth
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.policy_kernel import INPUT, MANUAL, PEAK, TARGET, Order
from scenarios.errors import ScenarioInputError

HOUR_S, DAY_S = 3600.0, 86_400.0
MARGIN_2020 = 0.03
"""Share by which SAM raised the target of peak shaving until 2022."""
TURN_WAIT_H = 11 / 60
"""More than ten minutes must pass between two turns of the current, as in SAM. [h]"""
REFERENCE_WH = 10_000.0
"""Capacity of the battery whose surface a cell's data name. [Wh]"""


def site_of(battery: DispatchBattery, step_s: float) -> Site:
    """Return a battery with room for all that changes in a run."""
    law, cell = battery.law(), battery.cell
    return Site(
        plant=plant_of(battery, step_s),
        cells=cells_of(battery, step_s),
        warmth=Warmth(np.array(cell.temperatures_c), np.array(cell.warm_capacity)),
        table=table_of(law),
        calendar=Calendar(law.q0, law.a, law.b, law.c, law.adds),
        state=np.zeros(STATES),
        past=np.zeros(PAST),
        points=np.zeros(POINTS_MAX),
    )


def cells_of(battery: DispatchBattery, step_s: float) -> Cells:
    """Return the cells of a battery; their number need not be whole.

    Notes
    -----
    Tremblay 2009: A, B, K and E0 from three points of the curve of discharge.
    """
    cell = battery.cell
    A, B = cell.full_v - cell.exponential_v, 3 / cell.exponential_ah
    fallen = cell.full_v - cell.nominal_v + A * (np.exp(-B * cell.nominal_ah) - 1)
    K = fallen * (cell.full_ah - cell.nominal_ah) / cell.nominal_ah
    count = battery.capacity_wh / (cell.full_ah * cell.rated_v)
    series = cell.bank_v / cell.rated_v
    surface = cell.surface_m2_at_10_kwh * (battery.capacity_wh / REFERENCE_WH) ** (2 / 3)
    gives_w_per_k = surface * cell.transfer_w_per_m2_k
    holds_j_per_k = cell.mass_kg_per_wh * battery.capacity_wh * cell.heat_j_per_kg_k
    pace = gives_w_per_k * step_s / holds_j_per_k
    return Cells(
        E0=cell.full_v + K + cell.resistance_ohm * cell.full_ah * cell.c_rate - A,
        K=K,
        A=A,
        B=B,
        R=cell.resistance_ohm,
        empty_v=cell.cut_off_v,
        c_rate=cell.c_rate,
        full_ah=cell.full_ah,
        number=count,
        strings=count / series,
        room_c=cell.room_c,
        kelvin_per_a2=cell.resistance_ohm / gives_w_per_k,
        keeps=float(np.exp(-pace)),
        mean_keeps=float((1 - np.exp(-pace)) / pace),
    )


def plant_of(battery: DispatchBattery, step_s: float) -> Plant:
    """Return what surrounds the cells."""
    cell = battery.cell
    dc = battery.coupling == "dc"
    # PV is named at the AC side: on the DC side there is as much more of it as its inverter takes
    from_pv = (
        battery.dc_efficiency / battery.discharge_efficiency if dc else battery.charge_efficiency
    )
    behind = battery.dc_efficiency if dc else 1.0
    count = battery.capacity_wh / (cell.full_ah * cell.rated_v)
    ampere = battery.power_max_w / cell.rated_v / count
    return Plant(
        step_h=step_s / HOUR_S,
        power_max_w=np.inf if battery.limits == "current" else battery.power_max_w,
        current_max_a=np.inf if battery.limits == "power" else ampere,
        soc_min=battery.soc_min,
        soc_max=battery.soc_max,
        soc_begin=battery.soc_begin,
        from_pv=from_pv,
        from_grid=battery.charge_efficiency * behind,
        to_load=battery.discharge_efficiency * behind,
        charges_from_pv=battery.charge_from_pv,
        charges_from_grid=battery.charge_from_grid,
        only_surplus=battery.pv_charges_only_surplus or (battery.generation == "2020" and not dc),
        replace_at=battery.replace_at or 0.0,
        turn_wait_h=TURN_WAIT_H,
    )


def order_of(  # noqa: PLR0917 -- a policy on its calendar
    battery: DispatchBattery, policy: Policy, month: IntArray, start: datetime, step_s: float
) -> Order:
    """Return what a policy tells the battery in a year whose steps fall in some months."""
    today = battery.generation == "2025"
    periods = policy.periods if isinstance(policy, ManualDispatch) else (Period(),)
    return Order(
        kind=_kind(policy),
        month=month,
        behind=isinstance(policy, PeakShaving) and policy.look == "behind",
        at_midnight=not today,
        margin=0.0 if today else MARGIN_2020,
        counted_efficiency=battery.charge_efficiency if today else 1.0,
        target_w=policy.target_w if isinstance(policy, GridTarget) else np.zeros(MONTHS),
        power_w=_series(policy, month.size),
        period=_period(policy, month, start, step_s),
        pv=np.array([period.charge_from_pv for period in periods], dtype=np.int64),
        grid=np.array([period.charge_from_grid for period in periods], dtype=np.int64),
        discharge=np.array([period.discharge for period in periods], dtype=np.int64),
        out_share=np.array([period.discharge_percent_per_h / 100 for period in periods]),
        in_share=np.array([period.grid_charge_percent_per_h / 100 for period in periods]),
    )


def _kind(policy: Policy) -> int:
    if isinstance(policy, PeakShaving):
        return PEAK
    if isinstance(policy, GridTarget):
        return TARGET
    return INPUT if isinstance(policy, InputDispatch) else MANUAL


def _series(policy: Policy, steps: int) -> FloatArray:
    """Return the powers that a user gave, as many as the year has steps."""
    if not isinstance(policy, InputDispatch):
        return np.zeros(1)
    if policy.power_w.size != steps:
        msg = f"input dispatch: {policy.power_w.size} values, {steps} steps; give one for each"
        raise ScenarioInputError(msg)
    return np.ascontiguousarray(policy.power_w, np.float64)


def _period(policy: Policy, month: IntArray, start: datetime, step_s: float) -> IntArray:
    """Return the period of each step, from 0."""
    if not isinstance(policy, ManualDispatch):
        return np.zeros(1, dtype=np.int64)
    per_hour = round(HOUR_S / step_s)
    hour = np.arange(month.size) // per_hour % HOURS
    days = month.size // (per_hour * HOURS)
    rest = np.array([(start + timedelta(days=day)).weekday() > 4 for day in range(days)])
    weekend = np.repeat(rest, per_hour * HOURS)
    both = np.where(weekend, policy.weekend[month, hour], policy.weekday[month, hour])
    return both.astype(np.int64) - 1
