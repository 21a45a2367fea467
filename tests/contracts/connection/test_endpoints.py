"""Several nodes: the first that can be used is asked; those that cannot are told with reasons."""

from contextlib import ExitStack

import pytest
from web3 import Web3

from contracts.chain import Receipt
from contracts.connection.chain_web3 import rpc_chain
from contracts.connection.endpoints import LOOK_S, REST_S, EndpointsProvider, connection, shown
from contracts.errors import ChainMismatchError, LedgerUnavailableError
from contracts.errors_connection import EndpointsDownError

CHAIN_ID = 31337


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pair(node, proxy_to):
    """Return two ways to the node, each of which can break."""
    with ExitStack() as stack:
        yield [stack.enter_context(proxy_to(node)) for _ in range(2)]


@pytest.fixture
def w3(pair, clock):
    """Return a connection that prefers the first way."""
    urls = [proxy.url for proxy in pair]
    return Web3(EndpointsProvider(urls, timeout_s=5.0, clock=clock))


def asked(proxy) -> list[str]:
    """Return what a node was asked since the last look, but for the questions about itself."""
    names = [name for name, _ in proxy.seen if name not in {"eth_chainId", "eth_blockNumber"}]
    proxy.seen.clear()
    return names


@pytest.mark.parametrize(
    "accident", ["cut before", "cut after", "half", 429, 500, 502, "<html>", "[]", '"yes"', "\xff{"]
)
def test_a_node_that_fails_is_left_alone_for_a_while(pair, w3, clock, accident):
    first, second = pair
    first.plan["eth_gasPrice"] = [accident]

    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == (["eth_gasPrice"], ["eth_gasPrice"])
    clock.now_s += REST_S - 1
    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == ([], ["eth_gasPrice"])
    clock.now_s += 1
    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == (["eth_gasPrice"], [])


def test_a_report_goes_on_over_the_second_node_when_the_first_dies_amid_it(home, pair):
    first, second = pair
    chain = home.chain([first.url, second.url])
    home.send(chain, 1)
    first.plan["eth_sendRawTransaction"] = ["cut after"]
    first.plan["eth_getTransactionReceipt"] = ["cut before"] * 100

    assert isinstance(home.send(chain, 2), Receipt)
    first.kill()
    assert isinstance(home.send(chain, 3), Receipt)
    assert home.reported() == [1, 2, 3]


def test_what_surely_did_not_arrive_goes_to_the_next_node_at_once(home, pair):
    first, second = pair
    chain = home.chain([first.url, second.url])
    report = home.report(1)
    chain.call(report)
    first.kill()

    assert isinstance(chain.send_all([report])[0], Receipt)
    assert len(second.sent()) == 1


def test_a_node_of_another_chain_is_passed_over(pair, node):
    first, second = pair
    first.plan["eth_chainId"] = [lambda _: {"jsonrpc": "2.0", "result": "0x1"}] * 9

    chain = rpc_chain([first.url, second.url], chain_id=CHAIN_ID)

    assert chain.now_s() > 0
    assert asked(first) == []


def test_a_node_that_lags_behind_is_passed_over_until_it_has_caught_up(pair, w3, clock):
    first, second = pair
    w3.provider.make_request("anvil_mine", ["0x14"])
    clock.now_s += LOOK_S
    old = {"jsonrpc": "2.0", "result": "0x1"}
    first.plan["eth_blockNumber"] = [lambda _: old]
    asked(first)

    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == ([], ["eth_gasPrice"])
    clock.now_s += REST_S
    first.plan["eth_blockNumber"] = [lambda _: old] * 9
    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == ([], ["eth_gasPrice"])
    first.plan.clear()
    clock.now_s += REST_S
    assert w3.eth.gas_price > 0
    assert (asked(first), asked(second)) == (["eth_gasPrice"], [])


def test_when_all_fail_each_is_told_with_its_reason(pair):
    first, second = pair
    first.always = 429
    second.plan["eth_chainId"] = [lambda _: {"jsonrpc": "2.0", "result": "0x1"}] * 9
    dead = "http://127.0.0.1:9"

    with pytest.raises(EndpointsDownError) as failed:
        rpc_chain([first.url, dead, second.url], chain_id=CHAIN_ID)

    assert str(failed.value) == (
        f"no node can be used: {first.url} (HTTP 429), {dead} (ConnectionError), {second.url} "
        "(serves chain 1, not 31337); start one or name another URL"
    )


def test_a_node_that_rests_is_still_the_last_resort(pair, w3):
    for proxy in pair:
        proxy.plan["eth_gasPrice"] = [500]
    with pytest.raises(LedgerUnavailableError):
        _ = w3.eth.gas_price

    assert w3.eth.gas_price > 0


def test_a_node_that_does_not_say_its_chain_in_numbers_is_passed_over(pair):
    first, second = pair
    first.plan["eth_chainId"] = [lambda _: {"jsonrpc": "2.0", "result": "one"}] * 9

    assert rpc_chain([first.url, second.url]).chain_id == CHAIN_ID


def test_an_answer_that_refuses_is_an_answer(pair, w3):
    first, second = pair
    refusal = {"jsonrpc": "2.0", "error": {"code": -32000, "message": "no"}}
    first.plan["eth_gasPrice"] = [lambda _: refusal]

    assert w3.provider.make_request("eth_gasPrice", [])["error"]["message"] == "no"
    assert asked(second) == []


def test_no_node_at_all_is_told():
    with pytest.raises(ChainMismatchError, match="no URL of a node is given; name one"):
        connection([], 1.0)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:word@node.example/v3/0123?key=4", "https://node.example"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("nonsense", "nonsense"),
    ],
)
def test_messages_leave_out_what_may_be_secret_in_a_url(url, said):
    assert shown(url) == said
