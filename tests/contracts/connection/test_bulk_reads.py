"""Many questions of a node in one request, and of nodes that do not take that."""

import pytest

from contracts.chain import Receipt
from contracts.client import connect
from contracts.connection.bulk_reads import BATCH_READS
from contracts.connection.chain_web3 import rpc_chain
from contracts.errors import LedgerRefusedError, LedgerUnavailableError
from contracts.fleet_client import EXPORT_OF, RETIRE
from contracts.local.embedded import development_accounts

NO_BATCH = '{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no batches"}}'


@pytest.fixture
def asked(home, proxy):
    """Return the fleet behind the proxy, four questions of it, and their answers one by one."""
    assert isinstance(home.send(home.chain(), -1), Receipt)
    fleet = connect(rpc_chain(proxy.url), home.deployment).fleet
    interval = home.ask.eth.get_block("latest")["timestamp"] // home.deployment.interval_s
    accounts = [home.account.address, development_accounts(9, 1)[0].address]
    intervals = (interval, interval - 1)
    expected = [[fleet.export_wh(account, each) for each in intervals] for account in accounts]
    assert -1 in expected[0]
    proxy.seen.clear()
    return fleet, accounts, intervals, expected


def batches(proxy):
    """Return how many questions each request had since the last look."""
    sizes = {"batch": lambda params: params[0], "eth_call": lambda _: 1}
    found = [sizes[name](params) for name, params in proxy.seen if name in sizes]
    proxy.seen.clear()
    return found


def test_many_questions_are_few_requests_and_are_answered_as_single_ones(asked, proxy):
    fleet, accounts, intervals, expected = asked

    assert fleet.exports_wh(accounts, []) == [[], []]
    assert fleet.exports_wh([], intervals) == []
    assert batches(proxy) == []
    assert fleet.exports_wh(accounts, intervals) == expected
    assert batches(proxy) == [4]
    found = fleet.exports_wh(accounts, [intervals[0]] * BATCH_READS)
    assert batches(proxy) == [BATCH_READS, BATCH_READS]
    assert found == [[own[0]] * BATCH_READS for own in expected]


def test_a_node_that_takes_no_batches_or_small_ones_is_asked_as_it_wants(asked, proxy):
    fleet, accounts, intervals, expected = asked

    for accident in (400, 413, NO_BATCH, "[]", "<html>"):
        proxy.plan["batch"] = [accident] * 2
        assert fleet.exports_wh(accounts, intervals) == expected, accident
        assert batches(proxy) == [4, 2, 1, 1, 1, 1], accident
        proxy.plan["batch"] = [accident]
        assert fleet.exports_wh(accounts, intervals) == expected, accident
        assert batches(proxy) == [4, 2, 2], accident


def test_what_the_contract_refuses_and_a_node_that_is_away_are_told_as_of_one_question(
    asked, proxy
):
    fleet, accounts, intervals, _ = asked
    data = [EXPORT_OF.encode(accounts[0], intervals[0]), RETIRE.encode(accounts[1])]

    with pytest.raises(LedgerRefusedError):
        fleet.chain.call_bulk(data, sender=accounts[1], to=fleet.address)
    proxy.plan["batch"] = ["cut before"]
    with pytest.raises(LedgerUnavailableError):
        fleet.exports_wh(accounts, intervals)


def test_of_several_nodes_the_next_one_answers_the_batch(asked, home, node, proxy_to):
    _, accounts, intervals, expected = asked
    with proxy_to(node) as first, proxy_to(node) as second:
        fleet = connect(rpc_chain([first.url, second.url]), home.deployment).fleet
        first.plan["batch"] = [502]

        found = fleet.exports_wh(accounts, intervals)

        assert found == expected
        assert ("batch", [4]) in first.seen
        assert ("batch", [4]) in second.seen
