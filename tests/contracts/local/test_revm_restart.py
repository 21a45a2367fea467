"""A simulation's chain moves into a new EVM now and then: nobody can tell."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python and machine")

from contracts.chain import Call
from contracts.client import Terms, connect, deploy
from contracts.errors import LedgerRefusedError
from contracts.fleet_arrays import FleetReport
from contracts.local.chain_revm import RevmChain
from contracts.promise import Clearing, Member, Schedule
from contracts.timegrid import TimeGrid
from scenarios.simulation.fleet import made_up_accounts

START_S = 1_600_002_000
HOMES = 6


def lived(chain):
    """Live through a few hours of a fleet on ``chain``; return the ledger and all it said."""
    owner, market, *members = made_up_accounts(HOMES + 2)
    terms = Terms(interval_s=1800, fee_bp=500)
    ledger = connect(chain, deploy(chain, owner=owner, market=market, terms=terms))
    fleet = ledger.fleet
    fleet.enrol([Member(account=m, capacity_wh=10_000, grid_power_w=9_000) for m in members])
    first = START_S // 1800 + 1
    count = 48
    grid = TimeGrid(start=datetime.fromtimestamp(first * 1800, UTC), step_s=1800, count=count)
    fleet.publish(
        Schedule(
            grid=grid, soc_bp=(5000,) * count, commitment_wh=(600,) * count, steered=(True,) * count
        )
    )
    said = []
    for step in range(24):
        chain.set_time(first * 1800 + 300 * step)
        draw = np.frombuffer(sha256(bytes([step])).digest()[: 2 * HOMES], dtype=np.uint8)
        report = FleetReport(
            accounts=members,
            interval=first + max(300 * step - 1, 0) // 1800,
            # now and then more than the connection carries
            net_export_wh=draw[:HOMES].astype(np.int64) * 4 - 200,
            soc_bp=draw[HOMES:].astype(np.int64) * 39,
        )
        outcomes = fleet.report_arrays(report)
        said.append({place: str(each) for place, each in outcomes.refusals.items()})
        said.append(fleet.coordinate(members, first + step // 6))
    chain.set_time((first + count) * 1800 + 600)
    said += [fleet.delivery(interval) for interval in range(first, first + 5)]
    ledger.token.mint(owner, 10**9, owner=owner)
    ledger.settlement.fund(10**8)
    ledger.settlement.deposit_bond(10**8)
    ledger.settlement.post(
        [Clearing(interval=first, price_micro_per_mwh=10**8, imbalance_price_micro_per_mwh=10**7)]
    )
    said.append(ledger.settlement.settle([first]))
    said.append([ledger.settlement.claim(member, first, 1) for member in members])
    said.append(ledger.settlement.books())
    said.append(chain.deploy(owner, bytes.fromhex("600a600c600039600a6000f3602a60805260206080f3")))
    return ledger, said


def test_chain_that_is_restarted_after_every_few_calls_says_what_one_says_that_never_is():
    never, often = (
        RevmChain(start_timestamp=START_S),
        RevmChain(start_timestamp=START_S, restart_sends=7),
    )

    (_, said), (_, said_often) = lived(never), lived(often)

    assert any(said[::2][:24]), "some reports must be refused for this to show anything"
    assert said_often == said
    assert often.state() == never.state()


def test_chain_begun_with_the_state_of_another_goes_on_like_it():
    chain = RevmChain(start_timestamp=START_S)
    ledger, _ = lived(chain)

    other = RevmChain(start_timestamp=chain.now_s(), state=chain.state())

    assert other.state() == chain.state()
    assert other.code(ledger.fleet.address) == chain.code(ledger.fleet.address)
    owner = ledger.fleet.owner
    assert other.deploy(owner, b"\0") == chain.deploy(owner, b"\0")


def test_queries_leave_nothing_behind_whether_answered_or_refused():
    chain = RevmChain(start_timestamp=START_S)
    ledger, _ = lived(chain)
    before = chain.state()
    stranger = made_up_accounts(HOMES + 3)[-1]

    for _ in range(50):
        with pytest.raises(LedgerRefusedError):
            ledger.fleet.coordinate_arrays([stranger], 1)
        with pytest.raises(LedgerRefusedError):
            chain.call(Call(sender=stranger, to=ledger.fleet.address, data=b"\1\2\3\4"))
        assert ledger.fleet.paused() is False

    assert chain.state() == before
    # a transaction after them still counts, at the depth of a first call
    ledger.fleet.pause()
    assert ledger.fleet.paused() is True
