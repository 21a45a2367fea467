"""What holds for every plan, whatever the prices."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.award import Award
from aggregator.outcome import cost, outcome
from aggregator.plan import plan_day, replan
from aggregator.problem import Limit, PlanOptions, Problem
from aggregator.virtual_battery import VirtualBattery

ENERGY_WH = st.floats(0.0, 20_000.0).map(lambda wh: round(wh, 1))
PRICE = st.one_of(
    st.sampled_from([-50.0, 0.0, 40.0, 40.0, 100.0]), st.floats(-200.0, 400.0).map(round).map(float)
)
COUNT = st.shared(st.integers(1, 6), key="count")
STEP_S = st.sampled_from([900, 1800, 3600])


def series(values):
    return COUNT.flatmap(lambda count: st.lists(values, min_size=count, max_size=count))


@st.composite
def batteries(draw):
    capacity_wh = draw(st.floats(1_000.0, 30_000.0))
    soc_min = draw(st.floats(0.0, 0.4))
    soc_max = draw(st.floats(0.5, 1.0))
    return VirtualBattery(
        capacity_wh=capacity_wh,
        power_max_w=draw(st.floats(0.0, 20_000.0)),
        charge_efficiency=draw(st.floats(0.5, 1.0)),
        discharge_efficiency=draw(st.floats(0.5, 1.0)),
        stored_min_wh=soc_min * capacity_wh,
        stored_max_wh=soc_max * capacity_wh,
        stored_wh=draw(st.floats(0.0, 1.0)) * capacity_wh,
    )


LIMITS_W = st.one_of(st.none(), st.floats(0.0, 10_000.0))
OPTIONS = st.builds(
    PlanOptions,
    end_soc=st.one_of(st.just("start"), st.none(), st.floats(0.0, 1.0)),
    import_limit_w=LIMITS_W,
    export_limit_w=LIMITS_W,
)


def assert_physical(plan, battery, forecast):
    """Limits, exclusivity, balance (2) and storage (4) of any plan."""
    step_h, rounding_wh = forecast.grid.step_h, 1e-6
    cell_max_wh = battery.power_max_w * step_h + rounding_wh
    stored_wh = plan.soc * battery.capacity_wh
    before_wh = np.concatenate(([battery.stored_wh], stored_wh[:-1]))
    terminal_wh = (
        plan.charge_wh / battery.charge_efficiency
        - battery.discharge_efficiency * plan.discharge_wh
    )
    assert (plan.charge_wh <= cell_max_wh).all()
    assert (plan.discharge_wh <= cell_max_wh).all()
    assert plan.soc.min() >= 0
    assert plan.soc.max() <= 1
    assert (plan.charge_wh * plan.discharge_wh == 0).all()
    assert (plan.import_wh * plan.export_wh == 0).all()
    balance_wh = plan.import_wh - plan.export_wh - terminal_wh + forecast.surplus_wh
    assert np.abs(balance_wh).max() <= rounding_wh
    recursion_wh = stored_wh - before_wh - plan.charge_wh + plan.discharge_wh
    assert np.abs(recursion_wh).max() <= rounding_wh


@given(
    battery=batteries(), options=OPTIONS, step_s=STEP_S, demand=series(ENERGY_WH),
    production=series(ENERGY_WH), bought=series(PRICE), sold=series(PRICE),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_plan_is_physical_proved_and_lists_what_it_breaks(
    day, battery, options, step_s, demand, production, bought, sold
):
    forecast = day(
        demand_wh=demand, production_wh=production, import_price=bought, export_price=sold,
        step_s=step_s, count=1,
    )  # fmt: skip

    plan = plan_day(battery, forecast, options=options)

    assert_physical(plan, battery, forecast)
    assert plan.status.kind == "proved"
    listed = {(breach.limit, breach.interval - plan.grid.first_interval) for breach in plan.broken}
    for slot in range(plan.grid.count):
        stored_wh = plan.soc[slot] * battery.capacity_wh
        above = stored_wh > battery.stored_max_wh + 1
        below = stored_wh < battery.stored_min_wh - 1
        assert not above or (Limit.STORED_HIGH, slot) in listed
        assert not below or (Limit.STORED_LOW, slot) in listed
        if options.export_limit_w is not None:
            spilled = plan.export_wh[slot] > options.export_limit_w * plan.grid.step_h + 1
            assert not spilled or (Limit.EXPORT_HIGH, slot) in listed


@given(
    battery=batteries(), demand=series(ENERGY_WH), production=series(ENERGY_WH),
    bought=series(PRICE), sold=series(PRICE),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_a_plan_costs_no_more_than_doing_nothing(day, battery, demand, production, bought, sold):
    forecast = day(
        demand_wh=demand, production_wh=production, import_price=bought, export_price=sold, count=1
    )
    # An idle battery breaks nothing only inside its window.
    inside_wh = min(max(battery.stored_wh, battery.stored_min_wh), battery.stored_max_wh)
    options = PlanOptions(smoothing_per_mwh=0.0)
    battery = VirtualBattery(
        **{name: getattr(battery, name) for name in battery.__slots__ if name != "stored_wh"},
        stored_wh=inside_wh,
    )
    problem = Problem(
        battery=battery, forecast=forecast, options=options,
        committed_wh=np.zeros(forecast.grid.count), bidding=True,
    )  # fmt: skip
    idle = cost(problem, outcome(problem, np.zeros(forecast.grid.count)))

    plan = plan_day(battery, forecast, options=options)

    assert plan.broken == ()
    assert plan.cost <= idle + 1e-4


@given(
    battery=batteries(), options=OPTIONS, demand=series(ENERGY_WH), production=series(ENERGY_WH),
    bought=series(PRICE), quantity_wh=series(st.integers(0, 15_000)), price=PRICE,
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_every_re_plan_is_physical_and_lists_what_it_does_not_deliver(
    day, battery, options, demand, production, bought, quantity_wh, price
):
    forecast = day(demand_wh=demand, production_wh=production, import_price=bought, count=1)
    count = forecast.grid.count
    award = Award(
        grid=forecast.grid, quantity_wh=tuple(quantity_wh), price_per_mwh=(price,) * count
    )

    plan = replan(battery, forecast, award, options=options)

    assert_physical(plan, battery, forecast)
    assert plan.status.kind == "proved"
    listed = {
        breach.interval - plan.grid.first_interval
        for breach in plan.broken
        if breach.limit in {Limit.COMMITMENT_SHORT, Limit.COMMITMENT_OVER}
    }
    delivered_wh = plan.export_wh - plan.import_wh
    missed = [
        slot for slot, wh in enumerate(quantity_wh) if wh > 0 and abs(delivered_wh[slot] - wh) > 1
    ]
    assert set(missed) <= listed
