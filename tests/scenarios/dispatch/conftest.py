"""A campus's year for tests, and the System Advisor Model to hold a run against."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pytest

from hems.dispatch.policies import GridTarget, InputDispatch, ManualDispatch, PeakShaving, Period

HOUR = np.arange(8760) % 24
DAY = np.arange(8760) // 24
CELLS_WH = 22 * 139 * 2.25 * 3.6
"""22 strings of 139 cells: SAM counts whole strings."""


@pytest.fixture(scope="session")
def campus_year():
    """Return load and PV of a campus with weekends, a summer break and cloudy days. [W]"""
    rng = np.random.default_rng(20)
    season = 0.7 + 0.3 * np.cos(2 * np.pi * DAY / 365)
    day = 10 + 10 * np.exp(-(((HOUR - 10) / 3) ** 2)) + 28 * np.exp(-(((HOUR - 19) / 2.2) ** 2))
    load = np.where(DAY % 7 < 5, day, 20.0) * season * rng.normal(1, 0.06, 8760) + 6
    light = np.sin(np.clip((HOUR + 0.5 - 6) / 12, 0, 1) * np.pi) * (1.3 - season)
    pv = 64.34 * 0.8 * light * rng.beta(3, 1.5, 365)[DAY] * rng.uniform(0.75, 1, 8760)
    return np.maximum(load, 0) * 1000, pv * 1000


@dataclass(frozen=True, slots=True)
class SamYear:
    """What SAM's battery did, per step; powers in kW."""

    grid_import_kw: np.ndarray
    battery_to_load_kw: np.ndarray
    capacity_left: float


@pytest.fixture(scope="session")
def sam(left_out):
    """Return a function that runs SAM's battery: AC-connected, behind the meter, PV at any time."""
    if find_spec("PySAM") is None:
        left_out("PySAM is needed: pip install nrel-pysam")
    return _run_sam


def _run_sam(load_w, pv_w, policy, *, window, years=1, power_w=13_800, grid=False):
    import PySAM.Battery as Battery  # noqa: PLC0415, PLR0402 -- where it is needed, if at all

    model = Battery.default("CustomGenerationBatteryCommercial")
    _set_cells(model.BatteryCell, window)
    _set_bank(model.BatterySystem, power_w)
    orders = model.BatteryDispatch
    orders.batt_dispatch_auto_can_gridcharge = int(grid)
    orders.batt_dispatch_charge_only_system_exceeds_load = 0
    _set_policy(orders, policy)
    model.Load.load = tuple(load_w / 1000)
    model.Load.crit_load = tuple(0 * load_w)
    model.Lifetime.system_use_lifetime_output = int(years > 1)
    model.Lifetime.analysis_period = years
    model.value("gen", tuple(np.tile(pv_w / 1000, years)))
    model.execute()
    found = model.Outputs
    return SamYear(
        grid_import_kw=np.maximum(-np.array(found.grid_power), 0),
        battery_to_load_kw=np.array(found.batt_to_load),
        capacity_left=found.batt_capacity_percent[-1] / 100,
    )


def _set_cells(cell, window):
    import PySAM.BatteryStateful as Stateful  # noqa: PLC0415

    known = Stateful.default("LFPGraphite").export()
    data, pack = known["ParamsCell"], known["ParamsPack"]
    for name in ("C_rate", "Qexp", "Qfull", "Qnom", "Vcut", "Vexp", "Vfull", "Vnom", "resistance"):
        setattr(cell, f"batt_{name}", data[name])
    cell.batt_Vnom_default = data["Vnom_default"]
    for name in ("choice", "q0", "a", "b", "c"):
        setattr(cell, f"batt_calendar_{name}", data[f"calendar_{name}"])
    cell.batt_life_model, cell.batt_lifetime_matrix = 0, data["cycling_matrix"]
    cell.cap_vs_temp, cell.batt_room_temperature_celsius = pack["cap_vs_temp"], (20.0,)
    cell.batt_minimum_SOC, cell.batt_maximum_SOC = (100 * end for end in window)
    cell.batt_initial_SOC = 50


def _set_bank(bank, power_w):
    bank.batt_computed_series, bank.batt_computed_strings = 139, 22
    bank.batt_computed_bank_capacity = CELLS_WH / 1000
    bank.batt_current_choice, bank.batt_replacement_option = 0, 0
    for way, share in (("charge", 1 / 0.96), ("discharge", 0.96)):
        setattr(bank, f"batt_power_{way}_max_kwdc", power_w / 1000)
        setattr(bank, f"batt_power_{way}_max_kwac", power_w / 1000 * share)
    bank.batt_mass = 152.227 * CELLS_WH / 10_000
    bank.batt_surface_area = 1.53934 * (CELLS_WH / 10_000) ** (2 / 3)


def _set_policy(orders, policy):
    match policy:
        case PeakShaving():
            orders.batt_dispatch_choice = 0
            behind = int(policy.look == "behind")
            orders.batt_dispatch_wf_forecast_choice = behind
            orders.batt_dispatch_load_forecast_choice = behind
        case GridTarget():
            orders.batt_dispatch_choice, orders.batt_target_choice = 1, 0
            orders.batt_target_power_monthly = tuple(policy.target_w / 1000)
        case InputDispatch():
            orders.batt_dispatch_choice = 2
            orders.batt_custom_dispatch = tuple(-policy.power_w / 1000)
        case ManualDispatch():
            orders.batt_dispatch_choice = 3
            _set_periods(orders, policy)


def _set_periods(orders, policy):
    periods = [*policy.periods, *[Period()] * (6 - len(policy.periods))]
    orders.dispatch_manual_charge = tuple(float(one.charge_from_pv) for one in periods)
    orders.dispatch_manual_discharge = tuple(float(one.discharge) for one in periods)
    orders.dispatch_manual_gridcharge = tuple(float(one.charge_from_grid) for one in periods)
    orders.dispatch_manual_percent_discharge = tuple(
        one.discharge_percent_per_h for one in periods if one.discharge
    ) or (0.0,)
    orders.dispatch_manual_percent_gridcharge = tuple(
        one.grid_charge_percent_per_h for one in periods if one.charge_from_grid
    ) or (0.0,)
    orders.dispatch_manual_sched = tuple(map(tuple, policy.weekday.astype(float)))
    orders.dispatch_manual_sched_weekend = tuple(map(tuple, policy.weekend.astype(float)))
