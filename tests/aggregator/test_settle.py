import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import PlanInputError
from aggregator.settle import imbalance_cost, revenue_micro, settle_market

ENERGY_WH = st.integers(0, 2**32 - 1)
NET_WH = st.integers(-(2**31), 2**31 - 1)
PRICE_MICRO = st.integers(-(2**63), 2**63 - 1)


def settled(rule):
    return settle_market(
        committed_wh=np.array([10_000.0, 10_000.0, 0.0, 0.0]),
        delivered_wh=np.array([8_000.0, 13_000.0, 4_000.0, -6_000.0]),
        price_per_mwh=np.full(4, 50.0),
        imbalance_price_per_mwh=np.array([100.0, 100.0, 100.0, 100.0]),
        rule=rule,
    )


def test_the_paper_charges_every_deviation():
    found = settled("paper")

    # 10 kWh at 0.05 twice; 2 kWh short and 3 kWh over at 0.1.
    assert found.revenue == pytest.approx([0.5, 0.5, 0.0, 0.0])
    assert found.imbalance_cost == pytest.approx([0.2, 0.3, 0.0, 0.0])
    assert found.net == pytest.approx(0.5)


def test_a_single_price_pays_for_a_surplus():
    found = settled("single_price")

    assert found.imbalance_cost == pytest.approx([0.2, -0.3, 0.0, 0.0])
    assert found.net == pytest.approx(1.1)


def test_a_negative_single_price_turns_who_pays():
    cost = imbalance_cost(np.array([-2_000.0, 3_000.0]), np.full(2, -100.0), rule="single_price")

    assert cost == pytest.approx([-0.2, 0.3])


def test_an_interval_without_commitment_is_reported_not_settled():
    found = settled("paper")

    assert found.unpaid_export_wh.tolist() == [0.0, 0.0, 4_000.0, 0.0]
    assert found.deviation_wh.tolist() == [-2_000.0, 3_000.0, 0.0, 0.0]


def test_an_unknown_rule_and_a_nan_are_refused():
    with pytest.raises(PlanInputError, match="choose one of"):
        settled("dual")
    with pytest.raises(PlanInputError, match="delivered_wh is nan in slot 0"):
        settle_market(
            committed_wh=np.ones(1), delivered_wh=np.array([np.nan]), price_per_mwh=np.ones(1),
            imbalance_price_per_mwh=np.ones(1),
        )  # fmt: skip


def test_revenue_rounds_down_also_below_zero():
    def revenue(delivered_wh):
        return revenue_micro(
            commitment_wh=3, delivered_wh=delivered_wh, price_micro_per_mwh=500_000,
            imbalance_price_micro_per_mwh=900_000,
        )  # fmt: skip

    # 3 × 0.5 = 1.5 → 1; 1.5 − 2 × 0.9 = −0.3 → −1.
    assert revenue(3) == 1
    assert revenue(1) == -1


@given(committed=ENERGY_WH, delivered=NET_WH, price=PRICE_MICRO, imbalance=PRICE_MICRO)
def test_revenue_is_the_exact_quotient_rounded_down(committed, delivered, price, imbalance):
    found = revenue_micro(
        commitment_wh=committed, delivered_wh=delivered, price_micro_per_mwh=price,
        imbalance_price_micro_per_mwh=imbalance,
    )  # fmt: skip

    exact = Fraction(committed * price - abs(delivered - committed) * imbalance, 10**6)
    assert found == math.floor(exact)


@given(
    committed=st.integers(1, 10**6), delivered=st.integers(-(10**6), 10**6),
    price=st.integers(-(10**9), 10**9), imbalance=st.integers(-(10**9), 10**9),
)  # fmt: skip
def test_money_and_micro_units_agree_to_a_unit(committed, delivered, price, imbalance):
    in_money = settle_market(
        committed_wh=np.array([float(committed)]),
        delivered_wh=np.array([float(delivered)]),
        price_per_mwh=np.array([price / 1e6]),
        imbalance_price_per_mwh=np.array([imbalance / 1e6]),
    ).net
    in_micro = revenue_micro(
        commitment_wh=committed, delivered_wh=delivered, price_micro_per_mwh=price,
        imbalance_price_micro_per_mwh=imbalance,
    )  # fmt: skip

    assert in_micro - 1e-3 <= in_money * 1e6 <= in_micro + 1 + 1e-3
