"""Who is owed what."""

import pytest

from contracts.abi import Function, event_topic
from contracts.artifact import load
from contracts.chain import Call
from contracts.client import Terms, deploy
from contracts.errors import (
    ERC20InsufficientBalance,
    LedgerRefusedError,
    OwnableInvalidOwner,
    OwnableUnauthorizedAccount,
    SettlementAddressMissing,
    SettlementAlreadyPosted,
    SettlementAlreadySettled,
    SettlementFeeRange,
    SettlementInsufficient,
    SettlementNotFinal,
    SettlementNothingPromised,
    SettlementNotPosted,
    SettlementOpenIntervals,
    SettlementOwnerNeeded,
    SettlementPriceRange,
    SettlementUnfunded,
)
from contracts.ledger import Books
from contracts.promise import Clearing, Settlement
from contracts.settlement_client import (
    CLAIM_FEE,
    DEPOSIT_BOND,
    FUND,
    POST,
    SETTLE,
    WITHDRAW_BOND,
)

OVER_S = 1800 + 600
NO_BOOKS = {
    "balance_micro": 0,
    "bond_micro": 0,
    "funds_micro": 0,
    "fees_micro": 0,
    "credits_micro": 0,
    "carried_loss_micro": 0,
    "open_intervals": 0,
}


def books(**entries: int) -> Books:
    return Books(**{**NO_BOOKS, **entries})


def clearing(world, price=1, imbalance_price=1, slot=0) -> Clearing:
    return Clearing(
        interval=world.first + slot,
        price_micro_per_mwh=price,
        imbalance_price_micro_per_mwh=imbalance_price,
    )


@pytest.fixture
def delivered(world):
    """Return a world whose first interval promised 1000 Wh and got 400, 500 and -100."""
    world.promise(1000, 1000)
    world.at(600)
    for home, energy_wh in zip(world.homes, (400, 500, -100), strict=True):
        world.report(home, energy_wh)
    world.at(OVER_S)
    return world


@pytest.mark.parametrize(
    "data",
    [
        DEPOSIT_BOND.encode(1),
        WITHDRAW_BOND.encode(1),
        FUND.encode(1),
        POST.encode(1, 1, 1),
        CLAIM_FEE.encode(),
    ],
)
def test_only_the_owner_handles_its_money_and_prices(world, data):
    call = Call(sender=world.homes[0], to=world.deployment.settlement, data=data)

    assert repr(world.chain.send_all([call])[0]) == repr(OwnableUnauthorizedAccount(world.homes[0]))


def test_a_fee_of_more_than_all_is_refused(world):
    with pytest.raises(SettlementFeeRange) as refused:
        deploy(world.chain, owner=world.owner, market=world.market, terms=Terms(fee_bp=10_001))

    assert refused.value.fee_bp == 10_001


@pytest.mark.parametrize("role", ["owner", "fleet", "token", "market"])
def test_a_role_of_nobody_is_refused(world, role):
    nobody = "0x" + 40 * "0"
    roles = {
        "owner": world.owner,
        "fleet": world.deployment.fleet,
        "token": world.deployment.token,
        "market": world.market,
    } | {role: nobody}

    with pytest.raises(LedgerRefusedError) as refused:
        world.chain.deploy(world.owner, load("Settlement").creation(*roles.values(), 1000))

    wanted = OwnableInvalidOwner(nobody) if role == "owner" else SettlementAddressMissing(role)
    assert repr(refused.value) == repr(wanted)


@pytest.mark.parametrize("sender", ["owner", "stranger"])
def test_a_settlement_keeps_its_owner(world, sender):
    data = Function("renounceOwnership()").encode()
    call = Call(sender=getattr(world, sender), to=world.deployment.settlement, data=data)

    (refused,) = world.chain.send_all([call])

    assert repr(refused) == repr(SettlementOwnerNeeded())
    world.ledger.settlement.fund(1)


@pytest.mark.parametrize("price", [10**15 + 1, -(10**15) - 1])
@pytest.mark.parametrize("which", ["price", "imbalance_price"])
def test_a_price_in_a_wrong_unit_is_refused(world, price, which):
    world.promise(1)

    with pytest.raises(SettlementPriceRange) as refused:
        world.ledger.settlement.post([clearing(world, **{which: price})])

    assert refused.value.price_micro_per_mwh == price


def test_where_nothing_was_promised_there_is_nothing_to_post(world):
    with pytest.raises(SettlementNothingPromised) as refused:
        world.ledger.settlement.post([clearing(world)])

    assert refused.value.interval == world.first


def test_prices_are_posted_once(delivered):
    delivered.ledger.settlement.post([clearing(delivered)])

    with pytest.raises(SettlementAlreadyPosted):
        delivered.ledger.settlement.post([clearing(delivered)])


def test_an_interval_without_prices_cannot_be_settled(delivered):
    with pytest.raises(SettlementNotPosted):
        delivered.ledger.settlement.settle([delivered.first])


def test_prices_are_posted_when_no_report_and_no_promise_can_change_any_more(delivered):
    delivered.at(3600 + 599)

    with pytest.raises(SettlementNotFinal) as refused:
        delivered.ledger.settlement.post([clearing(delivered, slot=1)])

    assert refused.value.interval == delivered.first + 1
    delivered.at(3600 + 600)
    delivered.ledger.settlement.post([clearing(delivered, slot=1)])


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


def test_revenue_is_shared_in_proportion_to_exports(delivered):
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


def test_rounding_leaves_dust_and_loses_nothing(delivered):
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


def test_a_loss_is_paid_from_the_bond_rounded_against_the_aggregator(delivered):
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
    assert token.balance_micro(delivered.market) == 10_001
    assert settlement.books() == books(balance_micro=39_999, bond_micro=39_999)


@pytest.fixture
def indebted(delivered):
    """Return a world whose first interval lost 60,000 with a bond of 20,000."""
    delivered.ledger.settlement.deposit_bond(20_000)
    delivered.settle(-60_000_000, 0)
    return delivered


def test_what_the_bond_does_not_cover_is_carried(indebted):
    assert indebted.ledger.token.balance_micro(indebted.market) == 20_000
    assert indebted.ledger.settlement.books() == books(carried_loss_micro=40_000)


def test_a_new_bond_pays_the_carried_loss_first(indebted):
    indebted.ledger.settlement.deposit_bond(30_000)
    indebted.ledger.settlement.deposit_bond(15_000)

    assert indebted.ledger.token.balance_micro(indebted.market) == 60_000
    assert indebted.ledger.settlement.books() == books(balance_micro=5_000, bond_micro=5_000)


@pytest.mark.parametrize(
    ("price", "revenue", "repaid", "fee", "pool"),
    [(30_000_000, 30_000, 30_000, 0, 0), (100_000_000, 100_000, 40_000, 6_000, 54_000)],
)
def test_revenue_repays_the_carried_loss_before_it_is_shared(
    indebted, price, revenue, repaid, fee, pool
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
    assert indebted.ledger.token.balance_micro(indebted.market) == 20_000 + repaid
    assert settlement.books() == books(
        balance_micro=fee + pool,
        fees_micro=fee,
        credits_micro=pool,
        carried_loss_micro=40_000 - repaid,
    )


@pytest.mark.parametrize("what", ["bond", "funds"])
def test_money_stays_while_intervals_are_open(delivered, what):
    settlement = delivered.ledger.settlement
    put = {"bond": settlement.deposit_bond, "funds": settlement.fund}[what]
    take = {"bond": settlement.withdraw_bond, "funds": settlement.withdraw_funds}[what]
    put(100_000)
    settlement.post([clearing(delivered)])

    with pytest.raises(SettlementOpenIntervals) as refused:
        take(1)

    assert refused.value.open_intervals == 1


@pytest.mark.parametrize("what", ["bond", "funds"])
def test_money_goes_back_to_the_owner_up_to_what_there_is(delivered, what):
    settlement, token = delivered.ledger.settlement, delivered.ledger.token
    put = {"bond": settlement.deposit_bond, "funds": settlement.fund}[what]
    take = {"bond": settlement.withdraw_bond, "funds": settlement.withdraw_funds}[what]
    before = token.balance_micro(delivered.owner)
    put(100_000)

    with pytest.raises(SettlementInsufficient) as refused:
        take(100_001)
    take(99_999)

    assert repr(refused.value) == repr(SettlementInsufficient(100_001, 100_000))
    assert settlement.books() == books(balance_micro=1, **{f"{what}_micro": 1})
    assert token.balance_micro(delivered.owner) == before - 1


def test_more_than_the_owner_has_cannot_be_moved_in(delivered):
    with pytest.raises(ERC20InsufficientBalance) as refused:
        delivered.ledger.settlement.fund(10**12 + 1)

    assert repr(refused.value) == repr(
        ERC20InsufficientBalance(delivered.owner, 10**12, 10**12 + 1)
    )


def test_a_settlement_is_written_to_the_log(delivered):
    delivered.ledger.settlement.fund(10**6)
    delivered.ledger.settlement.post([clearing(delivered, 100_000_000, 50_000_000)])
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
