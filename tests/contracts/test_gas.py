"""What a day on the chain costs, as Anvil counts it."""

from datetime import UTC, datetime

import pytest

from contracts.anvil import anvil_node
from contracts.chain import Call, Receipt
from contracts.chain_dev import anvil_chain
from contracts.client import Terms, connect, deploy
from contracts.embedded import development_accounts
from contracts.promise import Clearing, Member, Report, Schedule
from contracts.settlement_client import CLAIM, SETTLE
from contracts.timegrid import TimeGrid

START = datetime(2026, 6, 1, tzinfo=UTC)
START_S = int(START.timestamp())
GRID = TimeGrid(start=START, step_s=1800, count=48)
ACCOUNTS = development_accounts(seed=3, count=4)
OWNER, MARKET, *HOMES = [account.address for account in ACCOUNTS]


@pytest.fixture(scope="module")
def day(needs_anvil):
    """Return an Anvil chain and a ledger on it after a day of two homes, and receipts by name."""
    with anvil_node(start_timestamp=START_S - 3600) as url:
        chain = anvil_chain(url, signers=ACCOUNTS)
        yield run_day(chain)


def run_day(chain) -> dict[str, list[int]]:
    """Return the gas of each kind of call of a day, in order."""
    ledger = connect(chain, deploy(chain, owner=OWNER, market=MARKET, terms=Terms(fee_bp=1000)))
    ledger.fleet.enrol(
        [Member(account=home, capacity_wh=10_300, grid_power_w=12_000) for home in HOMES]
    )
    schedule = Schedule(
        grid=GRID,
        soc_bp=tuple(range(4000, 4048)),
        commitment_wh=tuple(range(700, 748)),
        steered=(True,) * 48,
    )
    gas = {"publish": [ledger.fleet.publish(schedule).gas_used], "report": []}
    for interval in GRID.intervals:
        for seconds in (300, 600, 900):
            chain.set_time(interval * 1800 + seconds)
            outcomes = ledger.fleet.report_all(
                [
                    Report(account=home, interval=interval, net_export_wh=123, soc_bp=5000 + place)
                    for place, home in enumerate(HOMES, seconds)
                ]
            )
            gas["report"] += [outcome.gas_used for outcome in outcomes]
    return gas | settle_day(chain, ledger)


def settle_day(chain, ledger) -> dict[str, list[int]]:
    chain.set_time(START_S + 86_400 + 600)
    ledger.token.mint(OWNER, 10**9, owner=OWNER)
    ledger.settlement.fund(10**8)
    ledger.settlement.deposit_bond(100)
    # Every tenth interval makes a loss, the first of which the bond does not cover.
    ledger.settlement.post(
        [
            Clearing(
                interval=interval,
                price_micro_per_mwh=-(10**6) if interval % 10 == 0 else 10**8,
                imbalance_price_micro_per_mwh=10**6,
            )
            for interval in GRID.intervals
        ]
    )
    to = ledger.settlement.address
    settled = chain.send_all(
        [Call(sender=OWNER, to=to, data=SETTLE.encode(each)) for each in GRID.intervals]
    )
    claimed = chain.send_all(
        [Call(sender=home, to=to, data=CLAIM.encode(GRID.first_interval, 48)) for home in HOMES]
    )
    assert all(isinstance(outcome, Receipt) for outcome in settled + claimed)
    return {
        "settle": [receipt.gas_used for receipt in settled],
        "claim": [receipt.gas_used for receipt in claimed],
    }


def test_a_further_report_within_an_interval_is_cheap(day):
    # Two homes, three reports each an interval: all but the first two of an interval.
    further = [gas for place, gas in enumerate(day["report"]) if place % 6 >= 2]

    assert max(further) <= 37_000


def test_the_first_report_of_an_interval_pays_for_closing_the_one_before(day):
    assert max(day["report"]) <= 100_000


def test_a_day_of_48_intervals_is_published_in_one_call(day):
    assert max(day["publish"]) <= 550_000


def test_an_interval_is_settled_for_little(day):
    assert max(day["settle"]) <= 110_000


def test_a_day_of_48_intervals_is_claimed_in_one_call(day):
    assert max(day["claim"]) <= 350_000
