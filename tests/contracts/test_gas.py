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
from contracts.signing import sign_report
from contracts.timegrid import TimeGrid

START = datetime(2026, 6, 1, tzinfo=UTC)
START_S = int(START.timestamp())
GRID = TimeGrid(start=START, step_s=1800, count=48)
ACCOUNTS = development_accounts(seed=3, count=72)
OWNER, MARKET = [account.address for account in ACCOUNTS[:2]]
HOMES = ACCOUNTS[2:]
FEW = [home.address for home in HOMES[:10]]


@pytest.fixture(scope="module")
def day(needs_anvil):
    """Return the gas of each kind of call, in order, in a day of ten homes and after it."""
    with anvil_node(start_timestamp=START_S - 3600) as url:
        chain = anvil_chain(url, signers=ACCOUNTS)
        ledger = connect(chain, deploy(chain, owner=OWNER, market=MARKET, terms=Terms(fee_bp=1000)))
        gas = run_day(chain, ledger)
        gas |= settle_day(chain, ledger)
        yield gas | run_batch(chain, ledger)


def member(account: str) -> Member:
    return Member(account=account, capacity_wh=10_300, grid_power_w=12_000)


def run_day(chain, ledger) -> dict[str, list[int]]:
    """Return the gas of a day in which ten homes report every 300 s, the last one imports."""
    ledger.fleet.enrol([member(home) for home in FEW])
    schedule = Schedule(
        grid=GRID,
        soc_bp=tuple(range(4000, 4048)),
        commitment_wh=tuple(range(700, 748)),
        steered=(True,) * 48,
    )
    gas = {"publish": [ledger.fleet.publish(schedule).gas_used], "report": []}
    for interval in GRID.intervals:
        for seconds in range(298, 1800, 300):
            chain.set_time(interval * 1800 + seconds)
            outcomes = ledger.fleet.report_all(
                [
                    Report(
                        account=home,
                        interval=interval,
                        net_export_wh=-123 if home == FEW[-1] else 123,
                        soc_bp=5000 + seconds,
                    )
                    for home in FEW
                ]
            )
            gas["report"] += [outcome.gas_used for outcome in outcomes]
    return gas


def settle_day(chain, ledger) -> dict[str, list[int]]:
    chain.set_time(START_S + 86_400 + 600)
    ledger.token.mint(OWNER, 10**9, owner=OWNER)
    ledger.settlement.fund(10**8)
    ledger.settlement.deposit_bond(100)
    for interval in GRID.intervals[::5]:
        ledger.settlement.post_boundary(interval, 1)
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
        [Call(sender=home, to=to, data=CLAIM.encode(GRID.first_interval, 48)) for home in FEW[:2]]
    )
    assert all(isinstance(outcome, Receipt) for outcome in settled + claimed)
    return {
        "settle": [receipt.gas_used for receipt in settled],
        "claim": [receipt.gas_used for receipt in claimed],
    }


def run_batch(chain, ledger) -> dict[str, list[int]]:
    """Return the gas of a batch of 70 homes that reported before in the same interval."""
    interval = (START_S + 90_000) // 1800
    ledger.fleet.enrol([member(home.address) for home in HOMES[10:]])
    chain.set_time(interval * 1800 + 300)
    reports = [
        Report(account=home.address, interval=interval, net_export_wh=123, soc_bp=5000 + place)
        for place, home in enumerate(HOMES)
    ]
    ledger.fleet.report_all(reports)
    chain.set_time(interval * 1800 + 600)
    nonces = ledger.fleet.nonces([home.address for home in HOMES])
    domain = ledger.fleet.domain()
    outcomes = ledger.fleet.report_signed(
        [
            sign_report(report, nonce, domain, home)
            for report, nonce, home in zip(reports, nonces, HOMES, strict=True)
        ]
    )
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    return {"batch": [outcomes[0].gas_used]}


def test_a_further_report_within_an_interval_is_cheap(day):
    # Sixty reports an interval, of which the first ten are the homes' first.
    further = [
        gas for place, gas in enumerate(day["report"]) if place % 60 >= 10 and place % 10 != 9
    ]

    assert max(further) <= 36_000


def test_an_import_costs_a_little_more_since_its_number_is_written_in_ones(day):
    further = [gas for place, gas in enumerate(day["report"]) if place % 60 >= 10]

    assert max(further) <= 36_400


def test_the_first_report_of_an_interval_pays_for_closing_the_one_before(day):
    assert max(day["report"]) <= 100_000


def test_a_home_s_day_of_288_reports_is_cheap_on_average(day):
    by_home = [day["report"][place::10] for place in range(10)]

    assert [len(reports) for reports in by_home] == [288] * 10
    assert sum(day["report"]) / len(day["report"]) <= 38_500


def test_a_signed_batch_is_much_cheaper_for_each_home(day):
    assert max(day["batch"]) / 70 <= 13_600


def test_a_day_of_48_intervals_is_published_in_one_call(day):
    assert max(day["publish"]) <= 550_000


def test_an_interval_is_settled_for_little(day):
    assert max(day["settle"]) <= 110_000


def test_a_day_of_48_intervals_is_claimed_in_one_call(day):
    assert max(day["claim"]) <= 350_000
