"""Plans of Couraud 2021, eq. (1)-(4), small enough to be solved by hand beside the test."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aggregator.award import Award
from aggregator.forecast import Forecast
from aggregator.plan import Plan, PlanStatus, plan_day, replan
from aggregator.problem import PlanOptions
from aggregator.virtual_battery import VirtualBattery, aggregate
from contracts.timegrid import TimeGrid
from devices.battery_bank import BatteryBank

EXACT_WH = 1e-2
EXACT_MONEY = 1e-7


def battery(
    *, efficiency: float = 0.9, stored_wh: float = 0.0, power_max_w: float = 10_000.0
) -> VirtualBattery:
    return VirtualBattery(
        capacity_wh=10_000.0,
        power_max_w=power_max_w,
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        stored_min_wh=0.0,
        stored_max_wh=10_000.0,
        stored_wh=stored_wh,
    )


def hours(
    demand_wh: list[float],
    production_wh: list[float],
    import_price: list[float],
    export_price: list[float],
) -> Forecast:
    grid = TimeGrid(start=datetime(2020, 5, 20, tzinfo=UTC), step_s=3600, count=len(demand_wh))
    return Forecast(
        grid=grid,
        demand_wh=np.array(demand_wh, dtype=np.float64),
        production_wh=np.array(production_wh, dtype=np.float64),
        import_price_per_mwh=np.array(import_price, dtype=np.float64),
        export_price_per_mwh=np.array(export_price, dtype=np.float64),
    )


def assert_energies(plan: Plan, **expected_wh: list[float]) -> None:
    for name, values in expected_wh.items():
        assert getattr(plan, name) == pytest.approx(np.array(values), abs=EXACT_WH), name


def test_buys_cheap_and_sells_dear():
    plan = plan_day(battery(efficiency=0.8), hours([0, 0], [0, 0], [50, 500], [0, 200]))

    # Cells take 10 kWh: terminals 10 / 0.8 = 12.5 kWh × 0.05 = 0.625.
    # They give 10 kWh: terminals 10 × 0.8 = 8 kWh × 0.2 = 1.6. Cost 0.625 − 1.6.
    assert_energies(
        plan, charge_wh=[10_000, 0], discharge_wh=[0, 10_000], import_wh=[12_500, 0],
        export_wh=[0, 8_000],
    )  # fmt: skip
    assert plan.soc == pytest.approx(np.array([1.0, 0.0]), abs=1e-6)
    assert plan.cost == pytest.approx(-0.975, abs=EXACT_MONEY)
    assert plan.status == PlanStatus(kind="proved")


def test_losses_larger_than_the_spread_leave_the_battery_idle():
    plan = plan_day(battery(efficiency=0.8), hours([0, 0], [0, 0], [100, 500], [0, 150]))

    # 1 kWh in the cells costs 0.1 / 0.8 = 0.125 and earns 0.15 × 0.8 = 0.12.
    assert_energies(plan, charge_wh=[0, 0], discharge_wh=[0, 0])
    assert plan.cost == pytest.approx(0.0, abs=EXACT_MONEY)


def test_noon_surplus_covers_the_evening_and_only_the_rest_is_sold():
    plan = plan_day(battery(), hours([0, 3_000], [5_000, 0], [200, 200], [50, 50]))

    # The evening needs 3 / 0.9 = 3.3333 kWh of cells, hence 3.3333 / 0.9 = 3.7037 kWh of surplus;
    # 5 − 3.7037 = 1.2963 kWh are sold at 0.05 = 0.064815.
    assert_energies(
        plan, charge_wh=[3333.333, 0], discharge_wh=[0, 3333.333], import_wh=[0, 0],
        export_wh=[1296.296, 0],
    )  # fmt: skip
    assert plan.cost == pytest.approx(-0.0648148, abs=1e-6)


def test_a_negative_price_is_earned_by_turns_never_by_both_flows_at_once():
    forecast = hours([0, 0], [0, 0], [-50, -50], [-60, -60])

    plan = plan_day(battery(efficiency=0.8, stored_wh=4_000), forecast)

    # Filling the 6 kWh of room earns 6 / 0.8 × 0.05 = 0.375. Emptying the 4 kWh first costs
    # 4 × 0.8 × 0.06 = 0.192 and lets 10 / 0.8 × 0.05 = 0.625 be earned: 0.433, which is more.
    # Charging and discharging in the same hour, which the relaxation would do, is not allowed.
    assert_energies(plan, charge_wh=[0, 10_000], discharge_wh=[4_000, 0], import_wh=[0, 12_500])
    assert plan.cost == pytest.approx(-0.433, abs=EXACT_MONEY)
    assert plan.status == PlanStatus(kind="proved")


def test_export_dearer_than_import_does_not_trade_within_an_hour():
    plan = plan_day(battery(power_max_w=0.0), hours([4_000], [0], [30], [40]))

    # Without battery power the fleet can only buy its 4 kWh: 0.12.
    assert_energies(plan, import_wh=[4_000], export_wh=[0])
    assert plan.cost == pytest.approx(0.12, abs=EXACT_MONEY)


def test_power_limits_the_cells_not_the_terminals():
    plan = plan_day(
        battery(efficiency=0.8, power_max_w=1_000), hours([0, 0], [0, 0], [10, 500], [0, 400])
    )

    # 1 kW × 1 h = 1 kWh at the cells (§3): 1.25 kWh bought at 0.01, 0.8 kWh sold at 0.4.
    assert_energies(plan, import_wh=[1_250, 0], export_wh=[0, 800])
    assert plan.cost == pytest.approx(0.0125 - 0.32, abs=EXACT_MONEY)


def test_a_free_end_empties_the_battery_as_the_paper_does():
    forecast = hours([0], [0], [100], [50])

    free = plan_day(battery(stored_wh=5_000), forecast, options=PlanOptions(end_soc=None))
    kept = plan_day(battery(stored_wh=5_000), forecast)

    # 5 kWh × 0.9 = 4.5 kWh × 0.05 = 0.225.
    assert free.cost == pytest.approx(-0.225, abs=EXACT_MONEY)
    assert free.soc == pytest.approx(np.array([0.0]), abs=1e-6)
    assert kept.cost == pytest.approx(0.0, abs=EXACT_MONEY)
    assert kept.soc == pytest.approx(np.array([0.5]), abs=1e-6)


def test_the_re_plan_keeps_what_was_awarded_and_stores_what_was_not():
    forecast = hours([0, 0, 0], [3_000, 0, 0], [100, 100, 100], [60, 60, 60])
    award = Award(grid=forecast.grid, quantity_wh=(0, 2_000, 0), price_per_mwh=(60.0, 60.0, 60.0))

    plan = replan(battery(), forecast, award)

    # Slot 0 earns nothing now, so its 3 kWh are stored: 2.7 kWh in the cells. The 2 kWh awarded
    # take 2 / 0.9 = 2.2222 kWh out; 0.4778 kWh stay for tomorrow. Revenue 2 × 0.06.
    assert_energies(
        plan, charge_wh=[2_700, 0, 0], discharge_wh=[0, 2222.222, 0], export_wh=[0, 2_000, 0],
        import_wh=[0, 0, 0],
    )  # fmt: skip
    assert plan.soc == pytest.approx(np.array([0.27, 0.0477778, 0.0477778]), abs=1e-6)
    assert plan.cost == pytest.approx(-0.12, abs=EXACT_MONEY)
    assert plan.follows.tolist() == [True, False, True]


def test_equation_3_weights_efficiency_by_capacity():
    bank = BatteryBank(
        capacity_wh=np.array([10_000.0, 5_000.0]),
        power_max_w=np.array([5_000.0, 3_000.0]),
        charge_efficiency=np.array([0.9, 0.96]),
        discharge_efficiency=np.array([0.95, 0.8]),
        soc_min=np.array([0.1, 0.2]),
        soc_max=np.array([1.0, 0.9]),
    )

    found = aggregate(bank, np.array([4_000.0, 1_000.0]))

    assert found.charge_efficiency == pytest.approx(0.92)  # (10 × 0.9 + 5 × 0.96) / 15
    assert found.discharge_efficiency == pytest.approx(0.90)  # (10 × 0.95 + 5 × 0.8) / 15
    assert (found.capacity_wh, found.power_max_w) == (15_000.0, 8_000.0)
    assert (found.stored_min_wh, found.stored_max_wh) == (2_000.0, 14_500.0)  # 1 + 1, 10 + 4.5
    assert found.stored_wh == 5_000.0
