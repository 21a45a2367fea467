"""Who bears a loss, and how the market gets it."""

import pytest

from contracts.chain import Call
from contracts.promise import Settlement
from contracts.settlement_client import CLAIM_LOSSES


def test_a_loss_is_paid_from_the_bond_rounded_against_the_aggregator(delivered, books):
    settlement, token = delivered.ledger.settlement, delivered.ledger.token
    settlement.deposit_bond(50_000)

    # 1000 Wh at -10 less 200 Wh at 0.0001: -10000.02, rounded down.
    settled = delivered.settle(-10_000_000, 100)

    assert settled == Settlement(
        interval=delivered.first,
        revenue_micro=-10_001,
        fee_micro=0,
        pool_micro=0,
        repaid_micro=0,
        loss_micro=10_001,
    )
    assert settlement.books() == books(balance_micro=50_000, bond_micro=39_999, losses_micro=10_001)
    assert settlement.claim_losses() == 10_001
    assert token.balance_micro(delivered.market) == 10_001
    assert settlement.books() == books(balance_micro=39_999, bond_micro=39_999)


@pytest.fixture
def indebted(delivered):
    """Return a world whose first interval lost 60,000 with a bond of 20,000."""
    delivered.ledger.settlement.deposit_bond(20_000)
    delivered.settle(-60_000_000, 0)
    return delivered


def test_what_the_bond_does_not_cover_is_carried(indebted, books):
    assert indebted.ledger.settlement.books() == books(
        balance_micro=20_000, losses_micro=20_000, carried_loss_micro=40_000
    )


def test_a_new_bond_pays_the_carried_loss_first(indebted, books):
    indebted.ledger.settlement.deposit_bond(30_000)
    indebted.ledger.settlement.deposit_bond(15_000)

    assert indebted.ledger.settlement.books() == books(
        balance_micro=65_000, bond_micro=5_000, losses_micro=60_000
    )


@pytest.mark.parametrize(
    ("price", "revenue", "repaid", "fee", "pool"),
    [(30_000_000, 30_000, 30_000, 0, 0), (100_000_000, 100_000, 40_000, 6_000, 54_000)],
)
def test_revenue_repays_the_carried_loss_before_it_is_shared(
    books, indebted, price, revenue, repaid, fee, pool
):
    settlement = indebted.ledger.settlement
    indebted.at(3500)
    indebted.report(indebted.homes[0], 500, slot=1)
    indebted.at(3600 + 600)
    settlement.fund(revenue)

    settled = indebted.settle(price, 0, slot=1)

    assert settled == Settlement(
        interval=indebted.first + 1,
        revenue_micro=revenue,
        fee_micro=fee,
        pool_micro=pool,
        repaid_micro=repaid,
        loss_micro=0,
    )
    assert settlement.books() == books(
        balance_micro=fee + pool + 20_000 + repaid,
        fees_micro=fee,
        credits_micro=pool,
        losses_micro=20_000 + repaid,
        carried_loss_micro=40_000 - repaid,
    )


def test_anybody_sends_the_market_its_losses_once(indebted):
    token = indebted.ledger.token
    call = Call(
        sender=indebted.stranger,
        to=indebted.deployment.settlement,
        data=CLAIM_LOSSES.encode(),
    )

    receipts = indebted.chain.send_all([call, call])

    assert [len(each.logs) for each in receipts] == [2, 0]
    assert token.balance_micro(indebted.market) == 20_000
    assert token.balance_micro(indebted.stranger) == 0


def test_where_nothing_is_due_nothing_is_paid(delivered):
    assert delivered.ledger.settlement.claim_losses() == 0
