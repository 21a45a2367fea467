"""A day on which a home, a relay and a stranger cheat, and the honest get what is theirs.

Each attempt goes through the clients that a gateway uses. What the contracts alone have to bear,
such as hostile tokens, is tried in tests/foundry/attacks.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from contracts.chain import Receipt
from contracts.client import Terms, connect, deploy
from contracts.errors import LedgerError
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts
from contracts.promise import Member, Report
from contracts.signing import Domain, sign_report

STEP_S = 1800
TERMS = Terms(interval_s=STEP_S, grace_s=600, tolerance_s=60, fee_bp=1000)
START_S = 1_780_272_000

DAY = {
    "the batch again": ["FleetNonce"] * 3,
    "a report with more energy than was signed": ["FleetSignatureInvalid"],
    "a report signed by another home": ["FleetSignatureInvalid"],
    "a report signed for another chain": ["FleetSignatureInvalid"],
    "a report signed for another fleet": ["FleetSignatureInvalid"],
    "a stranger's report": ["FleetMemberUnknown"],
    "a report with a meter that nobody registered": ["FleetMeterUnregistered"],
    "the same report twice in a batch": ["counted", "FleetNonce"],
    "more energy than the connection carries": ["FleetEnergyLimit"],
    "a tolerance's energy, again and again": ["FleetIntervalEnergyLimit"],
    "energy of the next interval": ["FleetIntervalFuture"],
    "a battery fuller than full": ["FleetSocRange"],
    "a stranger who reports by itself": ["FleetMemberUnknown"],
    "a stranger who stops reports": ["OwnableUnauthorizedAccount"],
    "a stranger who dismisses a home": ["OwnableUnauthorizedAccount"],
    "a battery made to lapse that was just heard of": ["FleetMemberHeard"],
}
"""What is tried while the interval runs, and what comes of it."""

EVENING = {
    "energy for an interval that is over": ["FleetIntervalOver"],
    "a stranger who posts prices": ["OwnableUnauthorizedAccount"],
    "a stranger who posts a reading": ["OwnableUnauthorizedAccount"],
    "settling before there are prices": ["SettlementNotPosted"],
}
"""What is tried when it is final."""

NIGHT = {
    "settling twice": ["SettlementAlreadySettled"],
    "prices again": ["SettlementAlreadyPosted"],
    "a reading after the fact": ["SettlementAlreadyPosted"],
    "a stranger who takes the fee": ["OwnableUnauthorizedAccount"],
    "a stranger who takes the bond": ["OwnableUnauthorizedAccount"],
    "the owner who takes more than is left": ["SettlementInsufficient"],
}
"""What is tried when it is settled."""


def outcome(result: object) -> str:
    return "counted" if isinstance(result, Receipt) else type(result).__name__


def refused(call: Callable[..., object], *arguments: object) -> list[str]:
    """Return the name of what a call is refused with."""
    try:
        call(*arguments)
    except LedgerError as error:
        return [type(error).__name__]
    return ["counted"]


@pytest.fixture(params=["embedded", "anvil"])
def world(request, build_world) -> Iterator:
    """Return a fleet of three homes that promised 1000 Wh, an hour before."""
    found = build_world()
    if request.param == "embedded":
        yield begun(found)
        return
    request.getfixturevalue("needs_anvil")
    accounts = development_accounts(seed=1, count=6)
    with anvil_node(start_timestamp=START_S - 3600) as url:
        chain = anvil_chain(url, signers=accounts)
        deployment = deploy(chain, owner=found.owner, market=found.market, terms=TERMS)
        ledger = connect(chain, deployment)
        ledger.token.mint(found.owner, 10**12, owner=found.owner)
        yield begun(replace(found, chain=chain, deployment=deployment, ledger=ledger))


def begun(world):
    world.ledger.fleet.enrol(
        [Member(account=home, capacity_wh=10_000, grid_power_w=12_000) for home in world.homes]
    )
    world.promise(1000)
    world.ledger.settlement.deposit_bond(1_000_000)
    world.ledger.settlement.fund(1_000_000)
    return world


def honest_batch(world) -> list:
    """Return what the homes did: 400, 500 and -100 Wh."""
    energies = zip(world.homes, (400, 500, -100), strict=True)
    return [world.signed(home, energy_wh) for home, energy_wh in energies]


def cheat_by_day(world, batch) -> dict[str, list[str]]:
    """Try everything of `DAY`; the cheat is the third home."""
    fleet, cheat, stranger = world.ledger.fleet, world.homes[2], world.stranger
    taken_over = replace(fleet, owner=stranger)
    report = Report(account=cheat, interval=world.first, net_export_wh=0, soc_bp=5000)
    domain = fleet.domain()

    def relay(*reports) -> list[str]:
        return [outcome(each) for each in fleet.report_signed(reports, relay=stranger)]

    def alone(**changed) -> list[str]:
        return [outcome(fleet.report_all([replace(report, **changed)])[0])]

    def signed(by=cheat, where=domain, meter=None):
        keys = world.keys
        return sign_report(report, 1, where, keys[by], meter=keys[meter] if meter else None)

    more = replace(signed(), report=replace(report, net_export_wh=1))
    return {
        "the batch again": relay(*batch),
        "a report with more energy than was signed": relay(more),
        "a report signed by another home": relay(signed(by=world.homes[0])),
        "a report signed for another chain": relay(
            signed(where=Domain(chain_id=1, fleet=domain.fleet))
        ),
        "a report signed for another fleet": relay(
            signed(where=Domain(chain_id=domain.chain_id, fleet=world.deployment.settlement))
        ),
        "a stranger's report": relay(world.signed(stranger, 1)),
        "a report with a meter that nobody registered": relay(signed(meter=world.owner)),
        "the same report twice in a batch": relay(signed(), signed()),
        "more energy than the connection carries": alone(net_export_wh=30_000),
        "a tolerance's energy, again and again": again_and_again(alone),
        "energy of the next interval": alone(interval=world.first + 1),
        "a battery fuller than full": alone(soc_bp=10_001),
        "a stranger who reports by itself": alone(account=stranger),
        "a stranger who stops reports": refused(taken_over.pause),
        "a stranger who dismisses a home": refused(taken_over.retire, world.homes[0]),
        "a battery made to lapse that was just heard of": refused(taken_over.lapse, cheat),
    }


def again_and_again(alone) -> list[str]:
    """Import 150 Wh until it is refused, and give as much back."""
    taken = 0
    while (answer := alone(net_export_wh=-150)) == ["counted"]:
        taken += 1
    for _ in range(taken):
        assert alone(net_export_wh=150) == ["counted"]
    return answer


def cheat_in_the_evening(world) -> dict[str, list[str]]:
    """Try everything of `EVENING`."""
    stranger = replace(world.ledger.settlement, owner=world.stranger)
    return {
        "energy for an interval that is over": [outcome(world.report(world.homes[2], 1))],
        "a stranger who posts prices": refused(stranger.post, [world.clearing()]),
        "a stranger who posts a reading": refused(stranger.post_boundary, world.first, 0),
        "settling before there are prices": refused(stranger.settle, [world.first]),
    }


def cheat_by_night(world) -> dict[str, list[str]]:
    """Try everything of `NIGHT`."""
    settlement = world.ledger.settlement
    stranger = replace(settlement, owner=world.stranger)
    return {
        "settling twice": refused(stranger.settle, [world.first]),
        "prices again": refused(settlement.post, [world.clearing()]),
        "a reading after the fact": refused(settlement.post_boundary, world.first, 0),
        "a stranger who takes the fee": refused(stranger.claim_fee),
        "a stranger who takes the bond": refused(stranger.withdraw_bond, 1),
        "the owner who takes more than is left": refused(settlement.withdraw_funds, 1_000_000),
    }


def claims(world) -> list[int]:
    """Return what each home gets, and then again, and a stranger. [micro]"""
    claim = world.ledger.settlement.claim
    first = [claim(home, world.first, 1) for home in world.homes]
    again = [claim(home, world.first - 8, 16) for home in [*world.homes, world.stranger]]
    return first + again


def test_a_day_of_cheats_ends_as_an_honest_one_does(world, build_world):
    honest = begun(build_world())
    honest.at(600)
    honest.ledger.fleet.report_signed(honest_batch(honest))
    honest.at(STEP_S + TERMS.grace_s)
    honest.settle()

    world.at(600)
    batch = honest_batch(world)
    world.ledger.fleet.report_signed(batch, relay=world.stranger)
    by_day = cheat_by_day(world, batch)
    world.at(STEP_S + TERMS.grace_s)
    in_the_evening = cheat_in_the_evening(world)
    world.settle()
    by_night = cheat_by_night(world)

    assert by_day == DAY
    assert in_the_evening == EVENING
    assert by_night == NIGHT
    first = world.first
    assert world.ledger.fleet.delivery(first) == honest.ledger.fleet.delivery(first)
    assert world.ledger.settlement.books() == honest.ledger.settlement.books()
    # 1000 Wh at 100/MWh less 200 Wh at 50/MWh, a tenth of it fee.
    assert claims(world) == claims(honest) == [36_000, 45_000, 0, 0, 0, 0, 0]
    assert world.ledger.settlement.books() == honest.ledger.settlement.books()
