"""The reading at the fleet's boundary, against what members reported."""

from dataclasses import replace

import pytest

from contracts.abi import event_topic
from contracts.chain import Call
from contracts.errors import (
    SettlementAlreadyPosted,
    SettlementBoundaryPosted,
    SettlementNotFinal,
    SettlementNothingPromised,
)
from contracts.promise import Settlement
from contracts.settlement_client import SETTLE

SCALED = event_topic("DeliveryScaled(uint32,int40,int40)")


def test_where_nothing_was_promised_there_is_no_reading_to_post(world):
    with pytest.raises(SettlementNothingPromised):
        world.ledger.settlement.post_boundary(world.first, 1)


def test_a_reading_waits_until_its_interval_is_final(delivered):
    with pytest.raises(SettlementNotFinal):
        delivered.ledger.settlement.post_boundary(delivered.first + 1, 1)


def test_a_reading_is_posted_once(delivered):
    delivered.ledger.settlement.post_boundary(delivered.first, 800)

    with pytest.raises(SettlementBoundaryPosted) as refused:
        delivered.ledger.settlement.post_boundary(delivered.first, 801)

    assert refused.value.interval == delivered.first


def test_a_reading_comes_before_the_prices(delivered):
    delivered.ledger.settlement.post([delivered.clearing()])

    with pytest.raises(SettlementAlreadyPosted):
        delivered.ledger.settlement.post_boundary(delivered.first, 800)


# The homes reported 400, 500 and -100: 800 Wh. The tolerance is 1 % of the reading.
@pytest.mark.parametrize(
    ("boundary_wh", "scaled", "revenue"),
    [
        (800, False, 90_000),
        (808, False, 90_000),
        (809, True, 90_450),
        (793, False, 90_000),
        (792, True, 89_600),
        (1000, True, 100_000),
        (0, True, 50_000),
        (-800, True, 10_000),
    ],
)
def test_a_reading_too_far_from_the_reports_counts_as_delivered(
    delivered, boundary_wh, scaled, revenue
):
    settlement = delivered.ledger.settlement
    settlement.fund(100_000)
    settlement.post_boundary(delivered.first, boundary_wh)

    # 1000 Wh at 100 per MWh, less the deviation at 50 per MWh; a fee of 10 %.
    settled = delivered.settle()

    assert settled == Settlement(
        interval=delivered.first,
        revenue_micro=revenue,
        fee_micro=revenue // 10,
        pool_micro=revenue - revenue // 10,
        repaid_micro=0,
        loss_micro=0,
        boundary_wh=boundary_wh,
        scaled=scaled,
    )


def test_shares_stay_in_proportion_to_the_reports_and_nothing_is_lost(delivered, books):
    settlement = delivered.ledger.settlement
    settlement.fund(100_000)
    settlement.post_boundary(delivered.first, 400)

    settled = delivered.settle()
    paid = [settlement.claim(home, delivered.first, 1) for home in delivered.homes]

    # Half as much as reported: 100,000 less 600 Wh at 50 per MWh.
    assert (settled.revenue_micro, settled.pool_micro) == (70_000, 63_000)
    assert paid == [28_000, 35_000, 0]
    assert settlement.books() == books(balance_micro=37_000, funds_micro=30_000, fees_micro=7_000)


def test_a_reading_can_make_a_loss(delivered):
    settlement = delivered.ledger.settlement
    settlement.deposit_bond(100_000)
    settlement.post_boundary(delivered.first, -2_000)

    # 100,000 less 3000 Wh at 50 per MWh.
    assert delivered.settle().loss_micro == 50_000


@pytest.mark.parametrize("boundary_wh", [2**39 - 1, -(2**39)])
def test_the_largest_reading_is_settled(delivered, boundary_wh):
    settlement = delivered.ledger.settlement
    settlement.post_boundary(delivered.first, boundary_wh)

    settled = delivered.settle(0, 10**15)

    assert settled.revenue_micro == -abs(boundary_wh - 1000) * 10**9


def test_scaling_is_written_to_the_log(delivered):
    delivered.ledger.settlement.fund(100_000)
    delivered.ledger.settlement.post_boundary(delivered.first, -5)
    delivered.ledger.settlement.post([delivered.clearing(100_000_000, 50_000_000)])
    to = delivered.deployment.settlement

    (receipt,) = delivered.chain.send_all(
        [Call(sender=delivered.stranger, to=to, data=SETTLE.encode(delivered.first))]
    )

    log = receipt.logs[0]
    assert log.topics == (SCALED, delivered.first.to_bytes(32, "big"))
    assert log.data == b"".join(n.to_bytes(32, "big", signed=True) for n in (800, -5))


def test_without_a_reading_reports_are_what_was_delivered(delivered):
    delivered.ledger.settlement.fund(100_000)

    settled = delivered.settle()

    assert settled == replace(settled, boundary_wh=None, scaled=False)
