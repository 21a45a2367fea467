"""A relay's batch of a whole fleet, on a chain that counts gas truly."""

from dataclasses import replace
from datetime import UTC, datetime

from contracts.chain import Receipt
from contracts.client import Terms, connect, deploy
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts
from contracts.promise import Member, Report
from contracts.signing import sign_report
from contracts.timegrid import TimeGrid

START = datetime(2026, 6, 1, tzinfo=UTC)
START_S = int(START.timestamp())
GRID = TimeGrid(start=START, step_s=1800, count=48)
ACCOUNTS = development_accounts(seed=3, count=72)
OWNER, MARKET = [account.address for account in ACCOUNTS[:2]]
HOMES = ACCOUNTS[2:]


def member(account: str) -> Member:
    return Member(account=account, capacity_wh=10_300, grid_power_w=12_000)


def test_a_batch_of_everybody_s_first_reports_in_new_words_is_carried_out(needs_anvil):
    metered = {home.address: MARKET for home in HOMES[:35]}
    with anvil_node(start_timestamp=START_S - 3600) as url:
        chain = anvil_chain(url, signers=ACCOUNTS)
        fleet = connect(chain, deploy(chain, owner=OWNER, market=MARKET, terms=Terms())).fleet
        fleet.enrol(
            [replace(member(home.address), meter=metered.get(home.address)) for home in HOMES]
        )
        # The enrolments' word is begun by the reports of the next one.
        for interval in (GRID.first_interval, GRID.first_interval + 8):
            chain.set_time(interval * 1800 + 300)
            nonces = fleet.nonces([home.address for home in HOMES])
            outcomes = fleet.report_signed(
                [
                    sign_report(
                        Report(
                            account=home.address,
                            interval=interval,
                            net_export_wh=123,
                            soc_bp=5000,
                        ),
                        nonce,
                        fleet.domain(),
                        home,
                        meter=ACCOUNTS[1] if home.address in metered else None,
                    )
                    for home, nonce in zip(HOMES, nonces, strict=True)
                ]
            )

            assert all(isinstance(outcome, Receipt) for outcome in outcomes)
            assert 1_000_000 < outcomes[0].gas_used <= 60_000 + 45_000 * 70
