"""A contract's events, once each, through reconnects and reorganisations."""

from dataclasses import dataclass

import pytest

from contracts.artifact import load
from contracts.connection.chain_web3 import Web3Chain, rpc_chain
from contracts.connection.events import EventFeed, Place
from contracts.errors import LedgerReplyError, LedgerUnavailableError
from contracts.errors_connection import ReorganisationTooDeepError
from contracts.settlement_client import TokenClient

NOBODY = "0x0000000000000000000000000000000000000000"


@dataclass(kw_only=True)
class Money:
    """A token that its owner mints, so that each mint is an event."""

    url: str
    chain: Web3Chain
    token: TokenClient
    owner: str
    since: int

    def mint(self, *amounts_micro: int) -> None:
        # The node's answer to how many were sent is asked anew, for its chain may have gone back.
        chain = rpc_chain(self.url)
        token = TokenClient(chain=chain, address=self.token.address, reader=self.owner)
        for amount_micro in amounts_micro:
            token.mint(self.owner, amount_micro, owner=self.owner)

    def feed(self, chain=None, **settings) -> EventFeed:
        settings = {"start": self.since, **settings}
        return EventFeed(
            chain or self.chain,
            address=self.token.address,
            artifact=load("TestToken"),
            **settings,
        )

    def rpc(self, method, *params):
        answer = self.chain._w3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]


@pytest.fixture
def money(node):
    chain = rpc_chain(node)
    owner = chain.unlocked()[3]
    address = chain.deploy(owner, load("TestToken").creation(owner))
    token = TokenClient(chain=chain, address=address, reader=owner)
    return Money(url=node, chain=chain, token=token, owner=owner, since=chain.block().number + 1)


def brief(events):
    """Return each event's amount, negative where it was removed. [micro]"""
    return [-each.values["value"] if each.removed else each.values["value"] for each in events]


def test_an_event_has_its_name_its_arguments_and_its_place(money):
    feed = money.feed()
    money.mint(5)

    (event,) = feed.poll()

    assert event.name == "Transfer"
    assert list(event.values.items()) == [("from", NOBODY), ("to", money.owner), ("value", 5)]
    assert event.found.block == money.chain.block() == feed.place
    assert event.found.log_index == 0
    assert not event.removed


def test_each_event_is_handed_out_once_and_in_order(money):
    feed = money.feed()

    assert feed.poll() == []
    assert feed.poll() == []
    money.mint(1, 2)
    assert brief(feed.poll()) == [1, 2]
    assert feed.poll() == []
    money.mint(3)
    assert brief(feed.poll()) == [3]


def test_a_feed_from_a_block_to_come_waits_for_it(money):
    feed = money.feed(start=money.since + 1)

    assert feed.poll() == []
    assert feed.place is None
    money.mint(1, 2)
    assert brief(feed.poll()) == [2]


def test_a_reorganisation_takes_events_back_before_it_brings_new_ones(money):
    feed = money.feed()
    money.mint(1)
    snapshot = money.rpc("evm_snapshot")
    money.mint(2, 3)
    assert brief(feed.poll()) == [1, 2, 3]

    money.rpc("evm_revert", snapshot)
    assert feed.poll() == []  # as if the node lagged behind
    money.mint(4, 5)

    assert brief(feed.poll()) == [-3, -2, 4, 5]
    assert feed.poll() == []


def test_a_reorganisation_by_the_node_itself_is_noticed(money):
    feed = money.feed()
    money.mint(1, 2)
    assert brief(feed.poll()) == [1, 2]

    money.rpc("anvil_reorg", 1, [])

    assert brief(feed.poll()) == [-2]
    assert feed.place == money.chain.block()


def test_a_reorganisation_deeper_than_the_window_is_an_error(money):
    feed = money.feed(depth=2)
    money.mint(1)
    snapshot = money.rpc("evm_snapshot")
    money.mint(2, 3, 4)
    assert brief(feed.poll()) == [1, 2, 3, 4]

    money.rpc("evm_revert", snapshot)
    money.mint(5, 6, 7, 8)
    with pytest.raises(ReorganisationTooDeepError) as failed:
        feed.poll()

    number = money.since + 1
    assert str(failed.value) == (
        f"block {number}, whose events were read, is no longer on the chain; discard what came "
        f"from block {number - 2} on and read again from there"
    )


def test_a_reorganisation_as_deep_as_the_window_is_none(money):
    feed = money.feed(depth=3)
    money.mint(1)
    snapshot = money.rpc("evm_snapshot")
    money.mint(2, 3, 4)
    assert brief(feed.poll()) == [1, 2, 3, 4]

    money.rpc("evm_revert", snapshot)
    money.mint(5, 6, 7, 8)

    assert brief(feed.poll()) == [-4, -3, -2, 5, 6, 7, 8]


def test_a_feed_goes_on_where_another_ended(money):
    before = money.feed()
    money.mint(1, 2)
    before.poll()
    kept = Place(number=before.place.number, block_hash=before.place.block_hash)

    after = money.feed(start=kept)

    assert after.poll() == []
    money.mint(3)
    assert brief(after.poll()) == [3]


def test_a_feed_that_went_on_takes_back_what_the_one_before_it_handed_out(money):
    before = money.feed()
    money.mint(1)
    snapshot = money.rpc("evm_snapshot")
    money.mint(2)
    before.poll()
    after = money.feed(start=before.place)
    after.poll()

    money.rpc("evm_revert", snapshot)
    money.mint(3, 4)

    assert brief(after.poll()) == [-2, 3, 4]


def test_a_reorganisation_between_two_feeds_is_an_error(money):
    before = money.feed()
    snapshot = money.rpc("evm_snapshot")
    money.mint(1)
    before.poll()
    money.rpc("evm_revert", snapshot)
    money.mint(2)

    with pytest.raises(ReorganisationTooDeepError, match="is no longer on the chain; discard"):
        money.feed(start=before.place).poll()


def test_a_connection_that_breaks_loses_nothing(money, proxy):
    feed = money.feed(rpc_chain(proxy.url))
    money.mint(1)
    assert brief(feed.poll()) == [1]

    money.mint(2)
    proxy.plan["eth_getLogs"] = ["cut before", "half"]
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError):
            feed.poll()
    money.mint(3)

    assert brief(feed.poll()) == [2, 3]


def test_a_range_that_the_node_refuses_is_halved(money, proxy):
    refusal = {"jsonrpc": "2.0", "error": {"code": -32005, "message": "range too large"}}
    asked = []

    def at_most_three(request):
        (wanted,) = request["params"]
        asked.append(int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1)
        return refusal if asked[-1] > 3 else None

    proxy.plan["eth_getLogs"] = [at_most_three] * 99
    feed = money.feed(rpc_chain(proxy.url), chunk=8)
    money.mint(*range(1, 13))

    assert brief(feed.poll()) == list(range(1, 13))
    assert asked == [8, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 2]


def test_a_node_that_refuses_a_single_block_is_told(money, proxy):
    refusal = {"jsonrpc": "2.0", "error": {"code": -32005, "message": "no logs here"}}
    proxy.plan["eth_getLogs"] = [lambda _: refusal] * 9
    feed = money.feed(rpc_chain(proxy.url))
    money.mint(1)

    with pytest.raises(LedgerReplyError, match="no logs here"):
        feed.poll()


def test_a_chain_that_changes_while_it_is_read_is_read_again(money, proxy):
    feed = money.feed(rpc_chain(proxy.url))
    snapshot = money.rpc("evm_snapshot")
    money.mint(1)

    def replace_the_block(_):
        money.rpc("evm_revert", snapshot)
        money.mint(2)

    proxy.plan["eth_getLogs"] = [lambda _: None]
    proxy.plan["eth_getBlockByNumber"] = ["pass", replace_the_block]

    assert brief(feed.poll()) == [2]
    assert feed.poll() == []


def test_a_long_past_is_read_in_several_polls(money):
    feed = money.feed(chunk=1)
    money.mint(*range(1, 31))

    assert brief(feed.poll()) == list(range(1, 26))
    assert brief(feed.poll()) == list(range(26, 31))
    assert feed.poll() == []
