"""The fuzzy manager: within its constraints for every input, and as the table has it at corners."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.controller import set_point_w
from hems.errors import ControlInputError
from hems.fuzzy.edge import PAPER_LIMITS, Limits, PriceBand, current_a
from hems.fuzzy.habib import HabibFuzzy
from hems.fuzzy.inference import Sugeno
from hems.fuzzy.rule_file import packaged
from hems.fuzzy.soc_rules import SocRules

RULES = [HabibFuzzy(), SocRules()]
CLOSE_W = 1e-6


def edge(controller, balance_w, soc, level=0.5):
    """Return a controller's answer at one point."""
    power_w, closed = controller.edge(np.array([balance_w]), np.array([soc]), np.array([level]))
    return float(power_w[0]), bool(closed[0])


@pytest.mark.parametrize(
    ("balance_w", "soc", "level", "power_w", "closed"),
    [
        # full words: one rule each
        *((0.0, 0.4, 0.0, 4_000.0, True), (0.0, 0.7, 0.0, 2_000.0, True)),
        (4_000.0, 0.9, 0.5, -2_000.0, True),
        (-4_000.0, 0.9, 0.5, -4_000.0, True),
        (4_000.0, 0.7, 0.5, 0.0, True),
        # islands: the battery takes the balance
        (-2_000.0, 0.7, 0.5, -2_000.0, False),
        (2_000.0, 0.7, 1.0, 2_000.0, False),
        # the rules want an island, the inverter cannot carry it or the battery would leave 50 %
        (-2_000.0, 0.51, 1.0, -1_572.48, True),
        # nothing above 90 % is charged, nothing below 50 % fed in
        (2_000.0, 0.95, 0.0, 0.0, True),
        (-2_000.0, 0.5, 1.0, 0.0, True),
    ],
)
def test_the_table_holds_where_one_rule_does(balance_w, soc, level, power_w, closed):
    found_w, found = edge(HabibFuzzy(), balance_w, soc, level)

    assert (round(found_w, 6), found) == (power_w, closed)


def test_the_rules_come_to_rest_about_three_quarters():
    soc = np.linspace(0.5, 0.9, 401)

    def rest(level):
        wish = HabibFuzzy().wish(PAPER_LIMITS, np.full(401, 4_000.0), soc, np.full(401, level))
        return round(float(soc[np.abs(wish.battery_power_w).argmin()]), 3)

    assert (rest(0.0), rest(0.5)) == (0.8, 0.7)


@pytest.mark.parametrize("controller", RULES, ids=["fuzzy", "soc"])
@given(
    balance_w=st.floats(-10_000, 10_000),
    soc=st.floats(0, 1),
    level=st.floats(0, 1),
)
def test_set_points_keep_both_constraints_for_a_cycle_of_what_is_measured(
    controller, balance_w, soc, level
):
    power_w, closed = edge(controller, balance_w, soc, level)

    # eq. (4), and (5) from where the battery is: it may be outside, and goes no further
    after = soc + power_w * (600 / 3600) / (546 * 48)
    assert abs(power_w) <= 4_000 + CLOSE_W
    assert min(soc, 0.5) - 1e-9 <= after <= max(soc, 0.9) + 1e-9
    assert closed or power_w == balance_w


@given(balance_w=st.floats(-10_000, 10_000), soc=st.floats(0, 1))
def test_what_an_island_cannot_carry_closes_the_relay(balance_w, soc):
    within_w = abs(balance_w) <= 4_000
    after = soc + balance_w * (600 / 3600) / (546 * 48)
    within = min(soc, 0.5) <= after <= max(soc, 0.9)

    if not (within_w and within):
        assert [
            edge(each, balance_w, soc, level)[1] for each in RULES for level in (0, 0.5, 1)
        ] == [True] * 6


def test_homes_and_times_are_decided_as_each_alone():
    rng = np.random.default_rng(0)
    balance_w, soc, level = rng.uniform(-5e3, 5e3, (3, 4)), rng.uniform(0, 1, (3, 4)), rng.random(4)

    for controller in RULES:
        power_w, closed = controller.edge(balance_w, soc, level)
        alone = [
            edge(controller, balance_w[home, at], soc[home, at], level[at])
            for home in range(3)
            for at in range(4)
        ]
        assert power_w.shape == closed.shape == (3, 4)
        np.testing.assert_allclose(power_w.ravel(), [each[0] for each in alone], atol=CLOSE_W)
        assert closed.ravel().tolist() == [each[1] for each in alone]


def test_homes_have_limits_of_their_own():
    limits = replace(PAPER_LIMITS, charge_max_w=np.array([4_000.0, 500.0]))
    power_w, closed = HabibFuzzy(limits=limits).edge(
        *np.array([[0.0, 0.0], [0.4, 0.4], [0.0, 0.0]])
    )

    # the scale of the second is what it can discharge
    assert (power_w.tolist(), closed.tolist()) == ([4_000.0, 500.0], [True, True])


def test_power_becomes_current_by_48_volts():
    assert current_a(np.array([4_800.0, -576.0])).tolist() == [100.0, -12.0]


def test_soc_rules_are_an_island_inside_the_window_and_come_back_outside():
    assert [edge(SocRules(), w, soc) for w, soc in ((500.0, 0.7), (-500.0, 0.7))] == [
        (500.0, False),
        (-500.0, False),
    ]
    # 6 A at 230 V, whatever the balance
    assert [edge(SocRules(), w, soc) for w, soc in ((3e3, 0.91), (-3e3, 0.91), (3e3, 0.49))] == [
        (-1_380.0, True),
        (-1_380.0, True),
        (1_380.0, True),
    ]
    # an overload of the inverter: the battery takes what it may, the grid the rest
    assert edge(SocRules(), 5_000.0, 0.7) == (4_000.0, True)


@pytest.mark.parametrize(
    ("low", "high", "price", "level"),
    [
        (50.0, 150.0, 100.0, 0.5),
        (50.0, 150.0, 200.0, 1.0),
        (-20.0, 80.0, -30.0, 0.0),
        (60.0, 60.0, 60.0, 0.5),
    ],
)
def test_a_price_is_placed_among_those_that_are_known(low, high, price, level):
    band = PriceBand.of(np.array([low, high, low]))

    assert band == PriceBand(low_per_mwh=low, high_per_mwh=high)
    assert band.level(np.array([price])).tolist() == [level]


def test_a_band_without_order_is_refused():
    with pytest.raises(ControlInputError, match="prices from 2 to 1: give the lowest first"):
        PriceBand(low_per_mwh=2.0, high_per_mwh=1.0)


def test_rules_about_something_else_are_refused():
    base = packaged("habib2023")
    swapped = replace(base, outputs=base.outputs[::-1])

    with pytest.raises(ControlInputError, match="to relay, battery_power: give rules from power_b"):
        HabibFuzzy(rules=Sugeno(swapped))


def test_a_fleets_homes_have_their_banks_limits_and_steer_their_relay(observe):
    bank = BatteryBank.uniform(3, efficiency=0.9)
    seen = observe(
        bank=bank,
        soc=[0.7, 0.7, 0.0],
        pv_w=1_000.0,
        load_w=[[2_000.0], [500.0], [2_000.0]],
        import_price_per_mwh=140.0,
    )

    decision = HabibFuzzy().knowing(np.array([40.0, 140.0])).decide(seen)

    # at the highest price two are islands, whose batteries follow; the empty one stays on the grid
    assert decision.relay_closed.tolist() == [False, False, True]
    assert decision.follow.tolist() == [True, True, False]
    assert set_point_w(decision, seen.load_w[:, 0], seen.pv_w[:, 0]).tolist()[:2] == [-1e3, 500.0]
    assert not decision.proved.any()


def test_without_a_band_every_price_is_medium(observe):
    seen = observe(homes=1, soc=0.7, pv_w=0.0, load_w=2_000.0, import_price_per_mwh=999.0)

    assert HabibFuzzy().decide(seen).relay_closed.tolist() == [False]
    assert HabibFuzzy().knowing(np.array([0.0, 5_000.0])).decide(seen).follow.tolist() == [False]


def test_a_home_on_the_grid_stays_within_its_connection(observe, random_homes):
    for seed in range(40):
        seen = random_homes(seed, homes=5)
        for controller in RULES:
            decision = controller.decide(seen)
            limits = Limits.of_bank(seen.bank, float(seen.block_s[0]))
            least_w, most_w = limits.bounds_w(seen.stored_wh / seen.bank.capacity_wh)
            closed, power_w = decision.relay_closed, decision.battery_power_w
            grid_w = seen.load_w[:, 0] + power_w - seen.pv_w[:, 0]
            over_w = np.maximum(grid_w - seen.import_limit_w, -grid_w - seen.export_limit_w)
            # a cap breaks only where the battery is at an end of what it can
            at_end = (power_w <= least_w + CLOSE_W) | (power_w >= most_w - CLOSE_W)
            assert (~closed | (over_w <= CLOSE_W) | at_end).all()
            excess_wh = np.maximum(over_w, 0.0) * seen.block_s[0] / 3600
            np.testing.assert_allclose(decision.cap_excess_wh, excess_wh, atol=CLOSE_W)
            assert (decision.follow == ~closed).all()
