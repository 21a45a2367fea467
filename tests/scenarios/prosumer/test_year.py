"""Homes lived through hour by hour: what is known, what happens, what it comes to."""

from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.timegrid import TimeGrid
from devices.ageing_law import AgeingLaw
from devices.battery_bank import BatteryBank
from hems.prosumer import Leave, course
from hems.prosumer_rules import FirstHour, RuleBased
from hems.prosumer_unplanned import Unplanned
from scenarios.errors import DataFormatError, ScenarioInputError
from scenarios.prosumer.forecasts import Outlook, Persistence
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.rules_compiled import CompiledRules
from scenarios.prosumer.series import ProsumerSeries
from scenarios.prosumer.year import Span, live


def series(net_wh, imports=300.0, exports=100.0, *, start=datetime(2022, 3, 1, tzinfo=UTC)):
    """Return homes of a surplus or demand per hour."""
    net = np.atleast_2d(np.array(net_wh, dtype=np.float64))
    hours = net.shape[1]
    return ProsumerSeries(
        grid=TimeGrid(start=start, step_s=3600, count=hours),
        zone="Europe/Rome",
        load_wh=np.maximum(-net, 0.0),
        pv_wh=np.maximum(net, 0.0),
        import_price_per_mwh=np.broadcast_to(np.array(imports, dtype=np.float64), (1, hours)),
        export_price_per_mwh=np.broadcast_to(np.array(exports, dtype=np.float64), (1, hours)),
        currency="EUR",
        source="generated",
        provenance=("by hand",),
    )


def bank(homes=1, **fields):
    given = {"capacity_wh": 4000.0, "power_max_w": 2000.0, "efficiency": 0.8} | fields
    return BatteryBank.uniform(homes, **given)


def week(seed=0, homes=1, days=7):
    """Return homes with sun and demand of a week, and prices that move."""
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    sun = np.maximum(np.sin((hours % 24 - 6) / 12 * np.pi), 0) * 1800
    net = sun * rng.uniform(0.3, 1.2, (homes, hours.size)) - rng.exponential(
        400, (homes, hours.size)
    )
    price = rng.uniform(50, 400, hours.size)
    return series(net, price * 1.8, price)


def test_two_hours_by_hand():
    lived = live(series([1000.0, -500.0]), Unplanned(), bank(), stored_wh=np.array([0.0]))

    # 1000 in at 0.8; 500 out takes 625
    assert lived.battery_wh.tolist() == [[1000.0, -500.0]]
    assert lived.stored_wh.tolist() == [[0.0, 800.0, 175.0]]
    assert lived.grid_wh.tolist() == [[0.0, 0.0]]
    assert lived.income_micro.tolist() == [[0.0, 0.0]]
    # 175 Wh give 140 at the terminals, half-way between 100 and 300
    assert lived.left_micro == pytest.approx([140 * 200])
    assert lived.cash_flow == pytest.approx([140 * 200 / 1e6])


def test_what_is_exported_is_sold_and_what_is_imported_paid_for():
    lived = live(series([5000.0, -4000.0]), Unplanned(), bank(), stored_wh=np.array([0.0]))

    # the cells take 2000 at most, and give 2000 x 0.8
    assert lived.grid_wh.tolist() == [[-2500.0, 2400.0]]
    assert lived.income_micro.tolist() == [[2500 * 100.0, -2400 * 300.0]]


@pytest.mark.parametrize("planner", [Unplanned(), CompiledRules(), Milp(), Milp(trade=False)])
def test_energy_closes_in_every_hour_and_the_battery_keeps_its_window(planner):
    homes = week(homes=3)
    batteries = bank(3, soc_min=0.1)

    lived = live(homes, planner, batteries, span=Span(horizon_h=24))

    np.testing.assert_allclose(
        lived.grid_wh, lived.battery_wh + homes.load_wh - homes.pv_wh, atol=1e-9
    )
    cells_wh = np.diff(lived.stored_wh)
    np.testing.assert_allclose(
        cells_wh, np.where(cells_wh > 0, lived.battery_wh * 0.8, lived.battery_wh / 0.8), atol=1e-6
    )
    assert lived.stored_wh.min() >= 400 - 1e-6
    assert lived.stored_wh.max() <= 4000 + 1e-6


def test_homes_side_by_side_live_as_each_alone():
    together = live(week(homes=3), CompiledRules(), bank(3))

    for home in range(3):
        both = week(homes=3)
        alone = ProsumerSeries(
            **{
                name: getattr(both, name)
                for name in ("grid", "zone", "currency", "source", "provenance")
            },
            load_wh=both.load_wh[home : home + 1],
            pv_wh=both.pv_wh[home : home + 1],
            import_price_per_mwh=both.import_price_per_mwh,
            export_price_per_mwh=both.export_price_per_mwh,
        )
        np.testing.assert_allclose(
            live(alone, CompiledRules(), bank()).battery_wh[0], together.battery_wh[home], atol=1e-6
        )


@pytest.mark.parametrize("trade", [False, True])
def test_with_the_same_rights_rules_by_worth_earn_what_the_optimum_does(trade):
    rules = RuleBased(first_hour=FirstHour.TRADE if trade else FirstHour.WORTH)

    best, found = (
        live(week(3), planner, bank(), span=Span(horizon_h=48), wear_price_per_mwh=10.0)
        for planner in (Milp(trade=trade), CompiledRules(rules=rules))
    )

    assert found.cash_flow == pytest.approx(best.cash_flow, abs=1e-3)


class Ahead:
    """Keeps the prospects that it is shown."""

    def __init__(self):
        self.seen = []

    def plan(self, prospect):
        self.seen.append(prospect)
        nothing = np.zeros(prospect.bank.homes)
        return course(
            prospect,
            np.zeros(prospect.load_wh.shape),
            leave=Leave(low_wh=nothing, high_wh=nothing),
        )


def test_a_plan_sees_its_horizon_and_less_at_the_end():
    kept = Ahead()

    live(week(days=3), kept, bank(), span=Span(begin=10, hours=62, horizon_h=24))

    assert [each.hours for each in kept.seen] == [24] * 39 + list(range(23, 0, -1))
    assert (kept.seen[0].net_wh == (week(days=3).pv_wh - week(days=3).load_wh)[:, 10:34]).all()


def test_forecasts_learn_from_the_hours_before_and_from_none_after():
    kept, homes = Ahead(), week(days=3)

    live(
        homes,
        kept,
        bank(),
        outlook=Outlook.same(Persistence()),
        span=Span(begin=30, hours=1, horizon_h=24),
    )

    assert (kept.seen[0].load_wh == homes.load_wh[:, 6:30]).all()


def test_what_forecasts_of_negative_slots_missed_is_remembered():
    kept = Ahead()
    homes = series([500.0, -300.0, -300.0, 500.0, -100.0, 500.0])
    expected = series([500.0, -200.0, -200.0, 500.0, -100.0, 500.0])

    live(
        homes,
        kept,
        bank(),
        outlook=Outlook.perfect(expected.load_wh, expected.pv_wh, first_hour=homes.first_hour),
    )

    assert [float(each.shortfall_wh[0]) for each in kept.seen] == [0, 0, 0, 0, 200, 200]


def test_days_are_local_ones_and_the_clock_changes():
    # Italian clocks went forward on 27 March 2022
    grid = TimeGrid(start=datetime(2022, 3, 26, 23, tzinfo=UTC), step_s=3600, count=24)
    found = series(np.zeros(24), start=grid.start)

    assert found.hour_of_day.tolist() == [0, 1, *range(3, 24), 0]
    assert np.diff(found.day).tolist() == [0] * 22 + [1]


@pytest.mark.parametrize(
    ("hour", "places"),
    [
        # midnight in Rome is 23 h in UTC; at noon only today is known, at 13 h tomorrow, too
        (11, [*range(11, 23), *range(-1, 11)]),
        (12, [*range(12, 36)]),
    ],
)
def test_prices_not_yet_published_are_expected_as_on_the_last_known_day(hour, places):
    found = series(np.zeros(72), np.arange(72.0), np.arange(72.0) + 1000)
    places = [max(place, 0) for place in places]

    imports, exports = found.known_prices(hour, 24, "published")

    assert imports.tolist() == [places]
    assert exports.tolist() == [[place + 1000 for place in places]]
    assert found.known_prices(hour, 24, "all")[0].tolist() == [list(range(hour, hour + 24))]


def test_no_more_is_lived_than_there_is():
    with pytest.raises(
        ScenarioInputError, match="hours 10 to 34 with a horizon of 72 h were asked"
    ):
        live(series(np.zeros(30)), Unplanned(), bank(), span=Span(begin=10, hours=24))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"load_wh": np.array([[1.0, -2.0]])}, "load_wh of home 0 at .* is -2; mend it"),
        ({"pv_wh": np.array([[np.nan, 1.0]])}, "pv_wh of home 0 at .* is nan; mend it"),
        ({"import_price_per_mwh": np.ones((3, 2))}, r"shape \(3, 2\), must be \(homes, 2\)"),
        (
            {"grid": TimeGrid(start=datetime(2022, 3, 1, tzinfo=UTC), step_s=900, count=2)},
            "a step of 900 s, must be 3600 s",
        ),
    ],
)
def test_a_series_that_is_none_is_refused(change, says):
    whole = series([1.0, -1.0])
    fields = {name: getattr(whole, name) for name in whole.__dataclass_fields__}

    with pytest.raises(DataFormatError, match=says):
        ProsumerSeries(**fields | change)


def test_ageing_is_that_of_what_was_stored():
    lived = live(week(), Unplanned(), bank())
    law = AgeingLaw.lfp()

    lost = lived.ageing(law, bank())

    cost = lived.ageing_cost(law, bank(), 3000.0)
    assert cost == pytest.approx(lost.total / 0.2 * 3000)
    assert 0 < lost.cycle[0] < lost.calendar[0]
