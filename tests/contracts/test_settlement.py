"""Prices are posted, revenue is shared."""

import pytest

from contracts.abi import event_topic
from contracts.chain import Call
from contracts.errors import (
    SettlementAlreadyPosted,
    SettlementAlreadySettled,
    SettlementIntervalRange,
    SettlementNotFinal,
    SettlementNothingPromised,
    SettlementNotLast,
    SettlementNotPosted,
    SettlementOutOfOrder,
    SettlementPriceRange,
    SettlementUnfunded,
)
from contracts.promise import Settlement
from contracts.settlement_client import SETTLE

OVER_S = 1800 + 600


@pytest.mark.parametrize("price", [10**15 + 1, -(10**15) - 1])
@pytest.mark.parametrize("which", ["price", "imbalance_price"])
def test_a_price_in_a_wrong_unit_is_refused(world, price, which):
    world.promise(1)

    with pytest.raises(SettlementPriceRange) as refused:
        world.ledger.settlement.post([world.clearing(**{which: price})])

    assert refused.value.price_micro_per_mwh == price


def test_where_nothing_was_promised_there_is_nothing_to_post(world):
    with pytest.raises(SettlementNothingPromised) as refused:
        world.ledger.settlement.post([world.clearing()])

    assert refused.value.interval == world.first


def test_prices_are_posted_once(delivered):
    delivered.ledger.settlement.post([delivered.clearing()])

    with pytest.raises(SettlementAlreadyPosted):
        delivered.ledger.settlement.post([delivered.clearing()])


def test_an_interval_without_prices_cannot_be_settled(delivered):
    with pytest.raises(SettlementNotPosted):
        delivered.ledger.settlement.settle([delivered.first])


def test_prices_are_posted_when_no_report_and_no_promise_can_change_any_more(delivered):
    delivered.at(3600 + 599)

    with pytest.raises(SettlementNotFinal) as refused:
        delivered.ledger.settlement.post([delivered.clearing(slot=1)])

    assert refused.value.interval == delivered.first + 1
    delivered.at(3600 + 600)
    delivered.ledger.settlement.post([delivered.clearing(slot=1)])


def test_revenue_waits_for_funds(delivered):
    delivered.ledger.settlement.fund(89_999)

    with pytest.raises(SettlementUnfunded) as refused:
        delivered.settle()

    assert repr(refused.value) == repr(SettlementUnfunded(delivered.first, 90_000, 89_999))


def test_nothing_is_settled_twice(delivered):
    delivered.ledger.settlement.fund(10**6)
    delivered.settle()

    with pytest.raises(SettlementAlreadySettled):
        delivered.ledger.settlement.settle([delivered.first])


def test_revenue_is_shared_in_proportion_to_exports(delivered, books):
    settlement = delivered.ledger.settlement
    settlement.fund(100_000)

    # 1000 Wh at 100 per MWh, less 200 Wh of deviation at 50 per MWh; a fee of 10 %.
    settled = delivered.settle()

    assert settled == Settlement(
        interval=delivered.first,
        revenue_micro=90_000,
        fee_micro=9_000,
        pool_micro=81_000,
        repaid_micro=0,
        loss_micro=0,
    )
    assert settlement.settlement(delivered.first) == settled
    credits_micro = [settlement.credit_micro(home, delivered.first) for home in delivered.homes]
    assert credits_micro == [36_000, 45_000, 0]
    assert settlement.books() == books(
        balance_micro=100_000, funds_micro=10_000, fees_micro=9_000, credits_micro=81_000
    )


def test_an_interval_not_settled_is_none_and_owes_nothing(delivered):
    settlement = delivered.ledger.settlement

    assert settlement.settlement(delivered.first) is None
    assert settlement.credit_micro(delivered.homes[0], delivered.first) == 0
    assert settlement.claim(delivered.homes[0], delivered.first, 2) == 0


def test_credits_are_paid_once_and_intervals_not_settled_are_passed_over(delivered):
    settlement, token = delivered.ledger.settlement, delivered.ledger.token
    home = delivered.homes[1]
    settlement.fund(10**6)
    delivered.settle()

    paid = [settlement.claim(home, delivered.first - 5, 10) for _ in range(2)]

    assert paid == [45_000, 0]
    assert token.balance_micro(home) == 45_000
    assert settlement.credit_micro(home, delivered.first) == 0
    assert settlement.claim(delivered.stranger, delivered.first, 1) == 0


def test_a_retired_member_is_still_paid(delivered):
    delivered.ledger.fleet.retire(delivered.homes[0])
    delivered.ledger.settlement.fund(10**6)
    delivered.settle()

    assert delivered.ledger.settlement.claim(delivered.homes[0], delivered.first, 1) == 36_000


def test_the_owner_gets_its_fee_once(delivered):
    settlement, token = delivered.ledger.settlement, delivered.ledger.token
    settlement.fund(10**6)
    delivered.settle()
    before = token.balance_micro(delivered.owner)

    assert [settlement.claim_fee(), settlement.claim_fee()] == [9_000, 0]
    assert token.balance_micro(delivered.owner) == before + 9_000


def test_rounding_leaves_dust_and_loses_nothing(delivered, books):
    settlement = delivered.ledger.settlement
    settlement.fund(10**6)

    # 1000 Wh at 100.007 - 200 Wh at 50.003: 90006.4, rounded down.
    settled = delivered.settle(100_007_000, 50_003_000)
    paid = sum(settlement.claim(home, delivered.first, 1) for home in delivered.homes)

    assert (settled.revenue_micro, settled.fee_micro, settled.pool_micro) == (90_006, 9_000, 81_006)
    assert paid == 36_002 + 45_003
    assert settlement.books() == books(
        balance_micro=10**6 - paid, funds_micro=10**6 - 90_006, fees_micro=9_000, credits_micro=1
    )


def test_where_nobody_exported_all_is_fee(world):
    world.promise(1000)
    world.at(OVER_S)
    world.ledger.settlement.fund(10**6)

    settled = world.settle(100_000_000, -50_000_000)

    assert settled == Settlement(
        interval=world.first,
        revenue_micro=150_000,
        fee_micro=150_000,
        pool_micro=0,
        repaid_micro=0,
        loss_micro=0,
    )


def test_a_settlement_is_written_to_the_log(delivered):
    delivered.ledger.settlement.fund(10**6)
    delivered.ledger.settlement.post([delivered.clearing(100_000_000, 50_000_000)])
    call = Call(
        sender=delivered.stranger,
        to=delivered.deployment.settlement,
        data=SETTLE.encode(delivered.first),
    )
    (receipt,) = delivered.chain.send_all([call])

    (log,) = receipt.logs
    assert log.topics == (
        event_topic("IntervalSettled(uint32,int256,uint256,uint256,uint256)"),
        delivered.first.to_bytes(32, "big"),
    )
    numbers = [int.from_bytes(log.data[at : at + 32], "big") for at in range(0, 128, 32)]
    assert numbers == [90_000, 9_000, 81_000, 0]


@pytest.fixture
def two_posted(delivered):
    """Return a world with prices for two intervals, the second one's first."""
    delivered.at(3600 + 600)
    delivered.ledger.settlement.fund(10**6)
    delivered.ledger.settlement.post([delivered.clearing(slot=1), delivered.clearing()])
    return delivered


def test_an_interval_is_not_settled_before_one_that_was_posted_earlier(two_posted):
    with pytest.raises(SettlementOutOfOrder) as refused:
        two_posted.ledger.settlement.settle([two_posted.first])

    wanted = SettlementOutOfOrder(two_posted.first, two_posted.first + 1)
    assert repr(refused.value) == repr(wanted)


def test_what_was_posted_last_is_taken_back_and_posted_anew(two_posted, books):
    settlement, first = two_posted.ledger.settlement, two_posted.first
    settlement.retract(first)

    assert settlement.books().open_intervals == 1
    settlement.post_boundary(first, 900)
    settlement.post([two_posted.clearing()])
    assert [each.interval for each in settlement.settle([first + 1, first])] == [first + 1, first]


def test_a_reading_is_taken_back_with_the_prices(two_posted):
    settlement, first = two_posted.ledger.settlement, two_posted.first
    settlement.retract(first)
    settlement.post_boundary(first, 700)
    settlement.post([two_posted.clearing()])
    settlement.retract(first)
    settlement.post([two_posted.clearing()])

    (_, settled) = settlement.settle([first + 1, first])

    assert (settled.boundary_wh, settled.scaled) == (None, False)


def test_only_what_was_posted_last_and_is_not_settled_is_taken_back(two_posted):
    settlement, first = two_posted.ledger.settlement, two_posted.first

    with pytest.raises(SettlementNotLast) as not_last:
        settlement.retract(first + 1)
    with pytest.raises(SettlementNotPosted) as not_posted:
        settlement.retract(first + 2)
    settlement.settle([first + 1, first])
    with pytest.raises(SettlementAlreadySettled) as settled:
        settlement.retract(first)

    assert repr(not_last.value) == repr(SettlementNotLast(first + 1, first))
    assert repr(not_posted.value) == repr(SettlementNotPosted(first + 2))
    assert repr(settled.value) == repr(SettlementAlreadySettled(first))


def test_a_claim_beyond_the_last_interval_there_is_is_refused(delivered):
    home = delivered.homes[0]

    with pytest.raises(SettlementIntervalRange) as refused:
        delivered.ledger.settlement.claim(home, 2**32 - 1, 2)

    assert repr(refused.value) == repr(SettlementIntervalRange(2**32 - 1, 2))
    assert delivered.ledger.settlement.claim(home, 2**32 - 1, 1) == 0


def test_intervals_are_settled_in_the_order_in_which_they_were_posted(two_posted):
    first = two_posted.first

    settled = two_posted.ledger.settlement.settle([first + 1, first])

    assert [each.interval for each in settled] == [first + 1, first]
    assert two_posted.ledger.settlement.books().open_intervals == 0
