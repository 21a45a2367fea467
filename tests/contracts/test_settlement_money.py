"""Who may move which money in and out."""

import pytest

from contracts.abi import Function
from contracts.artifact import load
from contracts.chain import Call
from contracts.client import Terms, deploy
from contracts.errors import (
    ERC20InsufficientBalance,
    LedgerRefusedError,
    OwnableInvalidOwner,
    OwnableUnauthorizedAccount,
    SettlementFeeRange,
    SettlementFleetMissing,
    SettlementInsufficient,
    SettlementMarketMissing,
    SettlementOpenIntervals,
    SettlementOwnerNeeded,
    SettlementTokenDecimals,
    SettlementTokenMissing,
    SettlementTokenShort,
    SettlementToleranceRange,
)
from contracts.fleet_client import NOBODY
from contracts.settlement_client import (
    CLAIM_FEE,
    DEPOSIT_BOND,
    FUND,
    POST,
    POST_BOUNDARY,
    RETRACT,
    WITHDRAW_BOND,
)

EIGHTEEN_DECIMALS = bytes.fromhex("600a600c600039600a6000f3" + "601260005260206000f3")
"""Creates a contract that answers 18 to whatever it is asked."""
KEEPS_ALL = bytes.fromhex(
    "6013600c60003960136000f3" + "366064146011576006600052602060" + "00f35b00"
)
"""Creates a token that answers 6 to any question, and moves nothing when told to."""


def creation(world, *, tolerance_bp: int = 100, **roles: str) -> bytes:
    """Return what creates a settlement with these ``roles`` instead of the world's."""
    ours = {
        "owner": world.owner,
        "fleet": world.deployment.fleet,
        "token": world.deployment.token,
        "market": world.market,
    }
    return load("Settlement").creation(*(ours | roles).values(), 1000, tolerance_bp)


def creation_refused(world, **changed) -> LedgerRefusedError | None:
    """Return why a settlement with ``changed`` terms is not created, None if it is."""
    try:
        world.chain.deploy(world.owner, creation(world, **changed))
    except LedgerRefusedError as refused:
        return refused
    return None


@pytest.mark.parametrize("what", ["bond", "funds"])
def test_money_stays_while_intervals_are_open(delivered, what):
    settlement = delivered.ledger.settlement
    put = {"bond": settlement.deposit_bond, "funds": settlement.fund}[what]
    take = {"bond": settlement.withdraw_bond, "funds": settlement.withdraw_funds}[what]
    put(100_000)
    settlement.post([delivered.clearing()])

    with pytest.raises(SettlementOpenIntervals) as refused:
        take(1)

    assert refused.value.open_intervals == 1


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        ("owner", OwnableInvalidOwner(NOBODY)),
        ("fleet", SettlementFleetMissing(NOBODY)),
        ("token", SettlementTokenMissing(NOBODY)),
        ("market", SettlementMarketMissing()),
    ],
)
def test_a_role_of_nobody_is_refused(world, role, wanted):
    refused = creation_refused(world, **{role: NOBODY})

    assert repr(refused) == repr(wanted)


@pytest.mark.parametrize("role", ["fleet", "token"])
def test_a_fleet_or_token_that_is_no_contract_is_refused(world, role):
    refused = creation_refused(world, **{role: world.stranger})

    wanted = {"fleet": SettlementFleetMissing, "token": SettlementTokenMissing}[role]
    assert repr(refused) == repr(wanted(world.stranger))


def test_a_tolerance_of_more_than_all_is_refused(world):
    refused = creation_refused(world, tolerance_bp=10_001)

    assert repr(refused) == repr(SettlementToleranceRange(10_001))


def test_a_token_of_other_than_six_decimals_is_refused(world):
    token = world.chain.deploy(world.owner, EIGHTEEN_DECIMALS)

    refused = creation_refused(world, token=token)

    assert repr(refused) == repr(SettlementTokenDecimals(18))


def test_a_token_that_does_not_tell_its_decimals_is_taken(world):
    # The fleet is a contract that knows nothing of decimals.
    assert creation_refused(world, token=world.deployment.fleet) is None


@pytest.mark.parametrize("function", [FUND, DEPOSIT_BOND])
def test_tokens_that_do_not_arrive_are_not_booked(world, function):
    token = world.chain.deploy(world.owner, KEEPS_ALL)
    settlement = world.chain.deploy(world.owner, creation(world, token=token))

    (refused,) = world.chain.send_all(
        [Call(sender=world.owner, to=settlement, data=function.encode(100))]
    )

    assert repr(refused) == repr(SettlementTokenShort(100, 0))


@pytest.mark.parametrize("what", ["bond", "funds"])
def test_money_goes_back_to_the_owner_up_to_what_there_is(delivered, what, books):
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


def test_a_fee_of_more_than_all_is_refused(world):
    with pytest.raises(SettlementFeeRange) as refused:
        deploy(world.chain, owner=world.owner, market=world.market, terms=Terms(fee_bp=10_001))

    assert refused.value.fee_bp == 10_001


@pytest.mark.parametrize("sender", ["owner", "stranger"])
def test_a_settlement_keeps_its_owner(world, sender):
    data = Function("renounceOwnership()").encode()
    call = Call(sender=getattr(world, sender), to=world.deployment.settlement, data=data)

    (refused,) = world.chain.send_all([call])

    assert repr(refused) == repr(SettlementOwnerNeeded())
    world.ledger.settlement.fund(1)


@pytest.mark.parametrize(
    "data",
    [
        DEPOSIT_BOND.encode(1),
        WITHDRAW_BOND.encode(1),
        FUND.encode(1),
        POST.encode(1, 1, 1),
        POST_BOUNDARY.encode(1, 1),
        RETRACT.encode(1),
        CLAIM_FEE.encode(),
    ],
)
def test_only_the_owner_handles_its_money_and_prices(world, data):
    call = Call(sender=world.homes[0], to=world.deployment.settlement, data=data)

    assert repr(world.chain.send_all([call])[0]) == repr(OwnableUnauthorizedAccount(world.homes[0]))
