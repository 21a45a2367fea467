"""A node behind a URL: who signs, what is missing, what is refused."""

import socket
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from contracts.chain import Call, Receipt, TimeMachine
from contracts.client import connect, deploy
from contracts.connection.chain_web3 import rpc_chain
from contracts.errors import (
    ChainMismatchError,
    FleetMemberExists,
    FleetMemberUnknown,
    LedgerRefusedError,
    LedgerReplyError,
    LedgerUnavailableError,
)
from contracts.fleet_client import RETIRE
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts
from contracts.promise import Member, Report

pytestmark = pytest.mark.xdist_group("chain-web3")

ACCOUNTS = development_accounts(seed=5, count=2)
HOME, POOR = (account.address for account in ACCOUNTS)
START_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def url(needs_anvil):
    """Return the URL of an Anvil node that mines by itself."""
    with anvil_node(start_timestamp=START_S) as address:
        yield address


@pytest.fixture
def chain(url):
    """Return the node as any other, with the keys of a home that has coins and one that has not."""
    chain = rpc_chain(url, signers=ACCOUNTS, chain_id=31337)
    chain.give(chain.unlocked()[0], [HOME], 10**18)
    return chain


@pytest.fixture
def ledger(chain):
    """Return contracts that the node's first account owns."""
    owner, market = chain.unlocked()[:2]
    return connect(chain, deploy(chain, owner=owner, market=market))


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_nobody_at_the_url_is_told_in_one_line():
    url = f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(LedgerUnavailableError) as failed:
        rpc_chain(url)

    assert str(failed.value) == (
        f"no answer from {url} (ConnectionError); start the node or name another URL"
    )


class WebSite(BaseHTTPRequestHandler):
    """Answer every question with a page."""

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_):
        """Say nothing."""


def test_something_else_at_the_url_is_told_in_one_line():
    with HTTPServer(("127.0.0.1", 0), WebSite) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"

        with pytest.raises(LedgerReplyError) as failed:
            rpc_chain(url)
        server.shutdown()

    assert str(failed.value) == f"{url} does not answer as a JSON-RPC node; name another URL"


def test_another_chain_than_expected_is_not_taken(url):
    with pytest.raises(ChainMismatchError) as failed:
        rpc_chain(url, chain_id=1)

    assert str(failed.value) == (
        f"{url} serves chain 31337, not 1; name the other node or mend the chain id"
    )


def test_a_node_s_own_clock_cannot_be_set(chain):
    assert not isinstance(chain, TimeMachine)


def test_several_calls_of_one_sender_follow_each_other(ledger):
    members = [Member(account=account, capacity_wh=1, grid_power_w=1) for account in (HOME, POOR)]

    receipts = ledger.fleet.enrol(members)

    assert all(receipt.gas_used > 21_000 for receipt in receipts)
    assert [ledger.fleet.member(each.account) for each in members] == members


def test_a_single_call_is_refused_before_it_costs_gas(chain, ledger):
    coins = chain._w3.eth.get_balance(HOME)

    (refused,) = chain.send_all([Call(sender=HOME, to=ledger.fleet.address, data=b"\1\2\3\4")])

    assert isinstance(refused, LedgerRefusedError)
    assert chain._w3.eth.get_balance(HOME) == coins


def test_of_several_calls_one_refused_does_not_stop_the_others(chain, ledger):
    member = Member(account=HOME, capacity_wh=1, grid_power_w=1)
    with pytest.raises(FleetMemberExists):
        ledger.fleet.enrol([member, member])
    retire = Call(sender=ledger.fleet.owner, to=ledger.fleet.address, data=RETIRE.encode(HOME))

    retired, refused = chain.send_all([retire, retire])

    assert isinstance(retired, Receipt)
    assert repr(refused) == repr(FleetMemberUnknown(HOME))


def test_one_without_coins_is_told_and_can_go_on_once_it_has_some(chain, ledger):
    ledger.fleet.enrol([Member(account=POOR, capacity_wh=1, grid_power_w=1)])
    reports = [Report(account=POOR, interval=chain.now_s() // 1800, net_export_wh=0, soc_bp=1)] * 2

    refused = ledger.fleet.report_all(reports)
    assert chain.balance_wei(POOR) == 0
    chain.give(chain.unlocked()[0], [POOR], 10**18)
    assert chain.balance_wei(POOR) == 10**18
    taken = ledger.fleet.report_all(reports)

    assert [type(each) for each in refused] == [LedgerRefusedError] * 2
    assert POOR in str(refused[0])
    assert all(isinstance(each, Receipt) for each in taken)


def test_a_clock_is_held_only_where_the_node_lets_us(url, monkeypatch):
    monkeypatch.setattr("web3.eth.Eth.chain_id", 31337)
    monkeypatch.setattr("web3.main.BaseWeb3.client_version", "Geth/v1", raising=False)
    monkeypatch.setattr("web3.Web3.client_version", "Geth/v1")

    with pytest.raises(ChainMismatchError, match="is Geth/v1, whose clock we cannot hold"):
        anvil_chain(url, signers=())


def test_anvil_that_is_not_installed_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr("contracts.local.anvil.find_anvil", lambda: None)

    with pytest.raises(LedgerUnavailableError, match="install Node and run `npm ci`"):
        anvil_node().__enter__()


def test_anvil_on_a_port_that_is_taken_is_told_in_one_line(url):
    port = int(url.rpartition(":")[2])

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LedgerUnavailableError, match="is the port taken"):
            anvil_node(port=port).__enter__()
