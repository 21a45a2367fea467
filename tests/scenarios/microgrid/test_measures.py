"""What runs come to, by hand; and controllers of microgrids."""

from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.timegrid import TimeGrid
from devices.battery_bank import BatteryBank
from hems.fuzzy.habib import HabibFuzzy
from hems.fuzzy.relay import RelayInertia, SteadyEdge
from hems.fuzzy.soc_rules import SocRules
from scenarios.microgrid.connected import AlwaysConnected
from scenarios.microgrid.kept_relay import KeptRelay
from scenarios.microgrid.measures import Tariff, measures
from scenarios.microgrid.model import Surroundings, simulate
from scenarios.microgrid.plant import Microgrid
from scenarios.microgrid.violations import broken_cycles, violations

START = datetime(2020, 5, 11, tzinfo=UTC)
LOSSLESS = BatteryBank.uniform(1, capacity_wh=1000.0, power_max_w=5000.0, efficiency=1.0)


class Listed:
    """Gives one order after the other."""

    def __init__(self, *orders: tuple[float, bool]) -> None:
        self.orders = iter(orders)

    def edge(self, power_balance_w, soc, price_level):
        del power_balance_w, price_level
        power_w, closed = next(self.orders)
        return np.full(soc.shape, power_w), np.full(soc.shape, closed)


def around(load_w, pv_w, *, step_s) -> Surroundings:
    load_w, pv_w = np.atleast_2d(load_w).astype(float), np.atleast_2d(pv_w).astype(float)
    return Surroundings(
        grid=TimeGrid(start=START, step_s=step_s, count=load_w.shape[1]),
        load_w=load_w,
        pv_w=pv_w,
        price_level=np.full(load_w.shape, 0.5),
        deviation_hz=np.zeros(load_w.shape),
    )


def test_four_hours_by_hand():
    given = around([100, 100, 100, 500], [0, 300, 0, 0], step_s=3600)
    orders = Listed((100.0, True), (0.0, False), (-100.0, True), (0.0, False))
    microgrid = Microgrid(bank=LOSSLESS, power_max_w=400.0, soc_min=0.5, soc_max=0.85)
    trace = simulate(microgrid, given, orders, soc_start=np.array([0.6]), cycle_s=3600)
    prices = np.array([[100.0, 100.0, 100.0, 200.0]])

    found = measures(
        trace,
        Tariff(import_per_mwh=2 * prices, export_per_mwh=prices),
        Tariff(import_per_mwh=prices, export_per_mwh=prices),
        every_s=3600,
    )

    # 60 % charges to 70, as an island to 90, gives 10 back, and as an island 50 more
    assert trace.soc[0] == pytest.approx([0.6, 0.7, 0.9, 0.8, 0.3])
    assert found.import_wh.tolist() == [200.0]
    assert found.export_wh.tolist() == [0.0]
    # 200 Wh at 200, and 300 Wh fewer in the battery at half of (250 + 125)
    assert found.cost == pytest.approx([200 * 200e-6 + 300 * 187.5e-6])
    assert found.cost_at_market == pytest.approx([200 * 100e-6 + 300 * 125e-6])
    assert found.island_share.tolist() == [0.5]
    assert found.soc_step == pytest.approx([0.9 / 4])
    assert found.soc_turn == pytest.approx([(0.1 + 0.3 + 0.4) / 3])
    assert found.outside_share.tolist() == [0.5]
    assert found.overload_share.tolist() == [0.25]
    assert found.switchings == pytest.approx([3 * 6])
    assert found.cycles == pytest.approx([0.9 / 2 * 6])
    assert found.means()["cost"] == float(found.cost[0])


def test_a_limit_breaks_only_in_cycles_in_which_it_held_at_first():
    # two cycles of three minutes: sun fills the battery beyond 90 % in the first, and stays there
    given = around([0] * 6, [0, 3000, 3000, 0, 0, 0], step_s=60)
    microgrid = Microgrid(bank=LOSSLESS, power_max_w=4000.0)
    orders = Listed((0.0, False), (0.0, False))
    trace = simulate(microgrid, given, orders, soc_start=np.array([0.85]), cycle_s=180)

    held, broke = broken_cycles(trace)["over-charge"]

    assert (held.tolist(), broke.tolist()) == ([[True, False]], [[True, False]])
    (found,) = violations(trace)
    assert (found.kind, found.start, found.steps) == ("over-charge", 2, 4)


def test_soc_rules_over_charge_when_the_sun_comes_within_a_cycle_as_the_paper_saw():
    # no surplus when the cycle begins at 89.9 %: the rules stay an island; then 3 kW arrive
    given = around([500] * 20, [500] * 11 + [3500] * 9, step_s=60)
    microgrid = Microgrid()

    trace = simulate(
        microgrid, given, SocRules(limits=microgrid.limits(600)), soc_start=np.array([0.899])
    )

    assert trace.closed.tolist() == [[False, False]]
    (found,) = violations(trace)
    assert (found.kind, found.start + found.steps) == ("over-charge", 20)
    assert found.worst == pytest.approx(0.899 + 9 * 3000 * 8 / 9 / 60 / (546 * 48) - 0.9)


def test_a_cycle_of_a_minute_sees_that_sun_and_closes():
    given = around([500] * 20, [500] * 11 + [3500] * 9, step_s=60)
    microgrid = Microgrid()

    trace = simulate(
        microgrid,
        given,
        SocRules(limits=microgrid.limits(60)),
        soc_start=np.array([0.899]),
        cycle_s=60,
    )

    assert trace.closed[0, 13:].all()
    assert trace.soc.max() < 0.9 + 0.0025
    assert violations(trace) == []  # by more than a tenth of a per cent


def test_the_fuzzy_rules_keep_an_overloaded_building_on_the_grid():
    given = around([6000] * 10, [0] * 10, step_s=60)
    microgrid = Microgrid()

    trace = simulate(
        microgrid, given, HabibFuzzy(limits=microgrid.limits(600)), soc_start=np.array([0.7])
    )

    assert trace.flows.closed.all()
    assert violations(trace) == []


def test_a_kept_relay_switches_less_often_than_its_rules():
    rng = np.random.default_rng(3)
    given = around(rng.uniform(0, 3000, 1440), rng.uniform(0, 3000, 1440), step_s=60)
    microgrid = Microgrid()
    limits = microgrid.limits(600)
    rules = HabibFuzzy(limits=limits)
    kept = KeptRelay(
        steady=SteadyEdge(rules=rules, limits=limits, inertia=RelayInertia(dwell_s=3600.0)),
        cycle_s=600,
    )

    free, steady = (
        simulate(microgrid, given, each, soc_start=np.array([0.7])).closed for each in (rules, kept)
    )

    switched = [int((each[:, 1:] != each[:, :-1]).sum()) for each in (free, steady)]
    assert 0 < switched[1] < switched[0]


@pytest.mark.parametrize(
    ("balance_w", "soc", "wanted_w"),
    [
        (1000.0, 0.7, 1000.0),
        (-9000.0, 0.7, -4000.0),
        (1000.0, 0.9, 0.0),
        (1000.0, 0.91, -0.01 * 26_208 * 6 * 8 / 9),
        (-1000.0, 0.49, 0.01 * 26_208 * 6 / (8 / 9)),
    ],
)
def test_always_connected_follows_the_balance_and_comes_back_into_the_window(
    balance_w, soc, wanted_w
):
    power_w, closed = AlwaysConnected(limits=Microgrid().limits(600)).edge(
        np.array([balance_w]), np.array([soc]), np.array([0.5])
    )

    assert power_w == pytest.approx([wanted_w])
    assert closed.tolist() == [True]
