"""One story of a fleet, the same to the unit on every chain."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.chain import Receipt, TimeMachine
from contracts.client import Terms, connect, deploy
from contracts.errors import (
    FleetEnergyLimit,
    FleetIntervalEnergyLimit,
    FleetMemberUnknown,
    FleetMeterEvidenceMissing,
    FleetNonce,
    FleetPaused,
    FleetSignatureInvalid,
    FleetSocRange,
    SettlementNotPosted,
)
from contracts.ledger import Books
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts, embedded_chain
from contracts.local.ganache import ganache_chain, ganache_node
from contracts.promise import (
    Clearing,
    Coordination,
    Delivery,
    Member,
    Report,
    Schedule,
    Settlement,
)
from contracts.signing import sign_report
from contracts.timegrid import TimeGrid

START = datetime(2026, 6, 1, tzinfo=UTC)
START_S = int(START.timestamp())
FIRST = START_S // 1800
ACCOUNTS = development_accounts(seed=7, count=6)
OWNER, MARKET, STRANGER, *HOMES = [account.address for account in ACCOUNTS]


NODES = {"anvil": (anvil_node, anvil_chain), "ganache": (ganache_node, ganache_chain)}


@pytest.fixture(params=["pyrevm", "eth-tester", *NODES])
def chain(request):
    """Return an empty chain, an hour before the first interval."""
    if request.param not in NODES:
        yield embedded_chain(
            start_timestamp=START_S - 3600, accounts=ACCOUNTS, prefer=request.param
        )
        return
    request.getfixturevalue(f"needs_{request.param}")
    run, reach = NODES[request.param]
    with run(start_timestamp=START_S - 3600) as url:
        yield reach(url, signers=ACCOUNTS)


def schedule() -> Schedule:
    return Schedule(
        grid=TimeGrid(start=START, step_s=1800, count=3),
        soc_bp=(3000, 4000, 5000),
        commitment_wh=(1000, 0, 700),
        steered=(True, False, True),
    )


def report(home: int, slot: int, energy_wh: int, soc_bp: int) -> Report:
    return Report(
        account=HOMES[home], interval=FIRST + slot, net_export_wh=energy_wh, soc_bp=soc_bp
    )


def begin(chain):
    """Deploy, enrol and promise; return the ledger."""
    terms = Terms(grace_s=600, tolerance_s=60, fee_bp=2500)
    ledger = connect(chain, deploy(chain, owner=OWNER, market=MARKET, terms=terms))
    chain.set_time(START_S - 3000)
    # 600 W for 6 s make 1 Wh: a second that a chain adds does not change a limit.
    ledger.fleet.enrol(
        [Member(account=home, capacity_wh=10_000, grid_power_w=600) for home in HOMES]
    )
    ledger.fleet.publish(schedule())
    return ledger


def test_a_day_of_a_fleet_is_the_same_on_every_chain(chain):
    ledger = begin(chain)
    assert ledger.fleet.schedule(schedule().grid) == schedule()

    chain.set_time(START_S + 900)
    outcomes = ledger.fleet.report_all(
        [
            report(0, 0, 100, 6000),
            report(1, 0, 70, 10_001),
            report(2, 0, -30, 8000),
            report(1, 0, 80, 2500),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Receipt, FleetSocRange, Receipt, Receipt]
    assert ledger.fleet.coordinate(HOMES, FIRST) == [
        Coordination(
            remaining_export_wh=850,
            export_weight_ppb=share,
            import_weight_ppb=room,
            steered=True,
            soc_bp=3000,
            commitment_wh=1000,
        )
        for share, room in (
            (1_000_000_000, 296_296_296),
            (0, 555_555_555),
            (0, 148_148_148),
        )
    ]

    chain.set_time(START_S + 1800 + 300)
    ledger.fleet.report_all([report(0, 1, 10, 6100), report(1, 0, 85, 2400)])
    assert [ledger.fleet.delivery(FIRST + slot) for slot in range(3)] == [
        Delivery(interval=FIRST, commitment_wh=1000, delivered_wh=235, exported_wh=265),
        Delivery(interval=FIRST + 1, commitment_wh=0, delivered_wh=10, exported_wh=10),
        Delivery(interval=FIRST + 2, commitment_wh=700, delivered_wh=0, exported_wh=0),
    ]
    assert [ledger.fleet.export_wh(home, FIRST) for home in HOMES] == [100, 165, -30]

    settle_and_pay(chain, ledger)


def settle_and_pay(chain, ledger) -> None:
    chain.set_time(START_S + 3 * 1800 + 600)
    ledger.token.mint(OWNER, 1_000_000, owner=OWNER)
    settlement = ledger.settlement
    settlement.deposit_bond(5_000)
    settlement.fund(100_000)
    # Within 1 % of the 235 Wh that were reported.
    settlement.post_boundary(FIRST, 234)
    settlement.post(
        [
            Clearing(
                interval=FIRST,
                price_micro_per_mwh=90_000_000,
                imbalance_price_micro_per_mwh=30_000_007,
            ),
            Clearing(
                interval=FIRST + 2,
                price_micro_per_mwh=-5_000_000,
                imbalance_price_micro_per_mwh=-1_000_000,
            ),
        ]
    )

    settled = settlement.settle([FIRST, FIRST + 2])

    assert settled == [
        Settlement(
            interval=FIRST,
            revenue_micro=67_049,
            fee_micro=16_762,
            pool_micro=50_287,
            repaid_micro=0,
            loss_micro=0,
            boundary_wh=234,
        ),
        Settlement(
            interval=FIRST + 2,
            revenue_micro=-2_800,
            fee_micro=0,
            pool_micro=0,
            repaid_micro=0,
            loss_micro=2_800,
        ),
    ]
    assert [settlement.claim(home, FIRST, 3) for home in HOMES] == [18_976, 31_310, 0]
    assert settlement.claim_fee() == 16_762
    assert settlement.books() == Books(
        balance_micro=37_952,
        bond_micro=2_200,
        funds_micro=32_951,
        fees_micro=0,
        credits_micro=1,
        losses_micro=2_800,
        carried_loss_micro=0,
        open_intervals=0,
    )
    assert settlement.claim_losses() == 2_800
    assert ledger.token.balance_micro(MARKET) == 2_800


def test_refusals_bear_the_same_values_on_every_chain(chain):
    ledger = begin(chain)
    chain.set_time(START_S + 603)

    refused = ledger.fleet.report_all(
        [
            Report(account=STRANGER, interval=FIRST, net_export_wh=0, soc_bp=0),
            report(0, 0, 2**31 - 1, 0),
            report(1, 0, -111, 0),
        ]
    )
    with pytest.raises(SettlementNotPosted) as unsettled:
        ledger.settlement.settle([FIRST])
    with pytest.raises(FleetMemberUnknown) as unknown:
        ledger.fleet.coordinate([STRANGER], FIRST)

    # 3603 s since the enrolment, 603 s since the interval began, and 60 s of tolerance, at 600 W.
    assert [repr(each) for each in refused] == [
        repr(FleetMemberUnknown(STRANGER)),
        repr(FleetEnergyLimit(HOMES[0], 2**31 - 1, 610)),
        repr(FleetIntervalEnergyLimit(HOMES[1], FIRST, -111, 110)),
    ]
    assert repr(unsettled.value) == repr(SettlementNotPosted(FIRST))
    assert repr(unknown.value) == repr(FleetMemberUnknown(STRANGER))


def test_the_clock_is_ours_and_goes_forward_only(chain):
    assert isinstance(chain, TimeMachine)
    chain.set_time(START_S + 60)

    with pytest.raises(ValueError, match="cannot set the chain back"):
        chain.set_time(START_S + 59)
    chain.set_time(START_S + 60)

    assert chain.now_s() == START_S + 60


def test_gas_is_stated_where_it_is_counted_truly(chain):
    ledger = begin(chain)
    chain.set_time(START_S + 60)

    (receipt,) = ledger.fleet.report_all([report(0, 0, 1, 5000)])

    assert (receipt.gas_used is not None) == chain.counts_gas_truly
    assert START_S + 60 <= receipt.block_timestamp <= START_S + 61


def test_a_retired_member_is_refused_on_every_chain(chain):
    ledger = begin(chain)
    chain.set_time(START_S + 60)
    ledger.fleet.report_all([report(0, 0, 1, 5000)])

    ledger.fleet.retire(HOMES[0])

    (refused,) = ledger.fleet.report_all([report(0, 0, 1, 5000)])
    assert repr(refused) == repr(FleetMemberUnknown(HOMES[0]))
    assert ledger.fleet.export_wh(HOMES[0], FIRST) == 1


def signed(home: int, energy_wh: int, *, nonce: int, domain, meter: int | None = None):
    """Return a report for the first interval, signed by a home, and by a meter if one is named."""
    return sign_report(
        report(home, 0, energy_wh, 5000),
        nonce,
        domain,
        ACCOUNTS[3 + home],
        meter=None if meter is None else ACCOUNTS[meter],
    )


def test_a_bad_report_of_a_signed_batch_is_skipped_on_every_chain(chain):
    ledger = begin(chain)
    chain.set_time(START_S + 600)
    domain = ledger.fleet.domain()
    wrong = replace(signed(1, 20, nonce=0, domain=domain), signature=bytes(64))
    batch = [signed(0, 10, nonce=0, domain=domain), wrong, signed(0, 5, nonce=1, domain=domain)]

    outcomes = ledger.fleet.report_signed(batch, relay=STRANGER)
    again = ledger.fleet.report_signed(batch[:1], relay=STRANGER)

    assert [isinstance(each, Receipt) for each in outcomes] == [True, False, True]
    assert repr(outcomes[1]) == repr(FleetSignatureInvalid(HOMES[1]))
    assert repr(again[0]) == repr(FleetNonce(HOMES[0], 0, 2))
    assert ledger.fleet.delivery(FIRST).delivered_wh == 15
    assert ledger.fleet.nonces(HOMES) == [2, 0, 0]


def test_a_meter_signs_beside_its_member_on_every_chain(chain):
    ledger = begin(chain)
    ledger.fleet.retire(HOMES[0])
    ledger.fleet.enrol(
        [Member(account=HOMES[0], capacity_wh=10_000, grid_power_w=600, meter=MARKET)]
    )
    chain.set_time(START_S + 600)
    domain = ledger.fleet.domain()
    first = signed(0, 10, nonce=0, domain=domain, meter=1)

    (alone,) = ledger.fleet.report_all([first.report])
    ledger.fleet.report_metered(first.report, first.meter_signature)
    with_meter = signed(0, 5, nonce=1, domain=domain, meter=1)
    without = signed(0, 5, nonce=2, domain=domain)
    outcomes = ledger.fleet.report_signed([with_meter, without])

    assert repr(alone) == repr(FleetMeterEvidenceMissing(HOMES[0]))
    assert isinstance(outcomes[0], Receipt)
    assert repr(outcomes[1]) == repr(FleetMeterEvidenceMissing(HOMES[0]))
    assert ledger.fleet.delivery(FIRST).delivered_wh == 15


def test_reports_are_stopped_and_go_on_on_every_chain(chain):
    ledger = begin(chain)
    chain.set_time(START_S + 1800 + 300)
    ledger.fleet.pause()

    refused = ledger.fleet.report_all([report(0, 0, 10, 5000)])
    batch = ledger.fleet.report_signed([signed(0, 10, nonce=0, domain=ledger.fleet.domain())])
    chain.set_time(START_S + 1800 + 3000)
    still_open = ledger.fleet.is_final(FIRST)
    ledger.fleet.unpause()
    (taken,) = ledger.fleet.report_all([report(0, 0, 10, 5000)])

    assert [repr(each) for each in refused + batch] == [repr(FleetPaused())] * 2
    assert not still_open
    assert isinstance(taken, Receipt)
