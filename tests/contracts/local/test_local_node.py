"""Nodes on this computer: they answer, they end with us, and they say why they do not start."""

import socket
from datetime import UTC, datetime

import pytest

from contracts.client import connect, deploy
from contracts.connection.chain_web3 import rpc_chain
from contracts.errors import (
    ChainMismatchError,
    FleetMemberUnknown,
    LedgerRefusedError,
    LedgerUnavailableError,
)
from contracts.local.anvil import anvil_node
from contracts.local.embedded import development_accounts
from contracts.local.embedded_node import EmbeddedNode, embedded_process, in_json
from contracts.local.ganache import ganache_chain, ganache_node
from contracts.local.local_node import free_port
from contracts.promise import Member, Report

pytestmark = pytest.mark.xdist_group("local-node")

START_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
ACCOUNTS = development_accounts(seed=11, count=2)


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def ganache(needs_ganache):
    """Return the URL of a Ganache node that mines by itself."""
    with ganache_node(start_timestamp=START_S, accounts=3) as url:
        yield url


@pytest.fixture(scope="module")
def tester():
    """Return the URL of the embedded chain as a node."""
    with embedded_process(start_timestamp=START_S, port=None, accounts=3) as node:
        yield node.url


@pytest.fixture(params=["ganache", "tester"])
def chain(request):
    """Return a node that mines by itself, with the keys of two accounts that have coins."""
    chain = rpc_chain(request.getfixturevalue(request.param), signers=ACCOUNTS)
    chain.give(chain.unlocked()[0], [account.address for account in ACCOUNTS], 10**18)
    return chain


def test_a_fleet_is_run_on_a_node_that_mines_by_itself(chain):
    owner, home = (account.address for account in ACCOUNTS)
    ledger = connect(chain, deploy(chain, owner=owner, market=chain.unlocked()[1]))

    ledger.fleet.enrol([Member(account=home, capacity_wh=100, grid_power_w=3_600_000)])
    ledger.token.mint(owner, 1_000, owner=owner)
    ledger.settlement.deposit_bond(600)
    interval = chain.now_s() // 1800
    reports = [
        Report(account=each, interval=interval, net_export_wh=7, soc_bp=5000)
        for each in (home, owner)
    ]
    taken, refused = ledger.fleet.report_all(reports)
    (alone,) = ledger.fleet.report_all(reports[1:])

    assert ledger.fleet.export_wh(home, interval) == 7
    assert taken.gas_used > 21_000
    assert ledger.settlement.books().bond_micro == 600
    assert repr(refused) == repr(FleetMemberUnknown(owner))
    assert repr(alone) == repr(FleetMemberUnknown(owner))


def test_an_account_that_the_node_holds_sends_too(chain):
    owner, market, *_ = chain.unlocked()

    ledger = connect(chain, deploy(chain, owner=owner, market=market))

    assert ledger.fleet.owner == owner


def test_a_chain_s_clock_begins_as_told_and_goes_on(chain):
    assert START_S <= chain.now_s() < START_S + 3600


def test_an_unknown_method_is_told_by_its_name():
    node = EmbeddedNode(start_timestamp=START_S, accounts=1)

    answer = node.answer({"id": 7, "method": "debug_traceCall", "params": []})

    assert answer == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -32601, "message": "no method debug_traceCall"},
    }


def test_what_a_chain_answers_is_written_as_nodes_write_it():
    found = {"a": 10, "b": b"\x01\x02", "c": [True, None, "0x1"], "d": (0,)}

    assert in_json(found) == {"a": "0xa", "b": "0x0102", "c": [True, None, "0x1"], "d": ["0x0"]}


def test_ganache_mines_by_itself_again_once_released(needs_ganache):
    with ganache_node(start_timestamp=START_S) as url:
        held = ganache_chain(url, signers=ACCOUNTS)
        held.set_time(START_S + 90_000)
        held.release()
        free = rpc_chain(url, signers=ACCOUNTS)

        free.give(ACCOUNTS[0].address, [ACCOUNTS[1].address], 1)

        assert START_S + 90_000 <= free.now_s() < START_S + 90_060


def test_ganache_s_clock_is_held_on_ganache_only(needs_anvil):
    with anvil_node() as url, pytest.raises(ChainMismatchError, match="start Ganache there"):
        ganache_chain(url, signers=())


@pytest.mark.parametrize("run", [anvil_node, ganache_node])
def test_a_node_ends_with_its_block(run, needs_anvil, needs_ganache):
    port = free_port()

    with run(port=port) as url:
        assert url == f"http://127.0.0.1:{port}"
        assert answers(port)

    assert not answers(port)


def test_another_node_s_answer_is_not_taken_for_ours(ganache, needs_anvil):
    port = int(ganache.rpartition(":")[2])

    with pytest.raises(LedgerUnavailableError) as failed:
        anvil_node(port=port).__enter__()

    assert str(failed.value) == f"Anvil does not start at {ganache}; is the port taken?"


def test_a_program_that_ends_at_once_is_told():
    with pytest.raises(LedgerUnavailableError, match="eth-tester does not start"):
        embedded_process(start_timestamp=-1, port=None, accounts=1).__enter__()


def test_ganache_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr("contracts.local.ganache.find_ganache", lambda: None)

    with pytest.raises(LedgerUnavailableError, match="install Node and run `npm ci`"):
        ganache_node().__enter__()


def test_eth_tester_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr("contracts.local.embedded_node.find_embedded", lambda: None)

    with pytest.raises(LedgerUnavailableError, match=r"install gridpact\[aggregator\]"):
        embedded_process(start_timestamp=0, port=None, accounts=1).__enter__()


def test_one_without_coins_is_told_as_on_other_nodes(chain):
    poor = development_accounts(seed=12, count=1)[0]
    other = rpc_chain(chain_url(chain), signers=[poor])

    with pytest.raises(LedgerRefusedError, match=poor.address):
        other.give(poor.address, [ACCOUNTS[0].address], 1)


def chain_url(chain) -> str:
    return chain._where
