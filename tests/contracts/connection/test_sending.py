"""Many threads and a few wei: whose turn it is, and what it costs to be quicker."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from web3 import HTTPProvider, Web3

from contracts.chain import Call, Receipt
from contracts.connection.chain_web3 import rpc_chain
from contracts.connection.fees import offer, raised
from contracts.connection.nonces import Nonces
from contracts.connection.patience import Patience
from contracts.errors import LedgerRefusedError
from contracts.errors_connection import TransactionPendingError
from contracts.local.embedded import development_accounts
from contracts.local.local_node import find_program, free_port, local_node

GWEI = 10**9
NOBODY = "0x00000000000000000000000000000000000000AA"


def test_eight_threads_send_one_account_s_transactions_without_a_gap(home):
    chain = home.chain(patience=Patience())
    call = Call(sender=home.account.address, to=NOBODY, data=b"")

    def send_some(_):
        return [outcome for _ in range(25) for outcome in chain.send_all([call])]

    with ThreadPoolExecutor(8) as pool:
        outcomes = [each for some in pool.map(send_some, range(8)) for each in some]

    assert [type(each) for each in outcomes] == [Receipt] * 200
    assert home.nonce() == 200


def test_threads_that_are_refused_between_others_leave_no_gap(home):
    (poor,) = development_accounts(seed=home.seed + 1, count=1)
    chain = rpc_chain(home.node, signers=[home.account, poor])
    rich_calls = [Call(sender=home.account.address, to=NOBODY, data=b"")] * 2
    poor_calls = [Call(sender=poor.address, to=NOBODY, data=b"")] * 2

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(chain.send_all, [rich_calls, poor_calls] * 4))
    chain.give(home.account.address, [poor.address], 10**17)
    later = chain.send_all(poor_calls)

    refused = [each for some in outcomes[1::2] for each in some]
    assert [type(each) for each in refused] == [LedgerRefusedError] * 8
    assert home.nonce() == 9
    assert [type(each) for each in later] == [Receipt] * 2


def test_a_number_that_was_not_used_is_given_out_again():
    nonces = Nonces(lambda _: 3)

    assert nonces.following("a", set()) == 3
    assert nonces.following("a", set()) == 3
    nonces.used("a", 3)
    assert nonces.following("a", {4, 5}) == 6
    nonces.forget("a")
    assert nonces.following("a", {4}) == 3


@pytest.mark.parametrize(
    ("before", "now", "cap_wei", "after"),
    [
        ((800, 80), (100, 10), 10_000, (900, 90)),
        ((801, 81), (100, 10), 10_000, (902, 92)),
        ((800, 80), (5000, 500), 10_000, (5000, 500)),
        ((800, 80), (5000, 500), 1000, (1000, 500)),
        ((800, 0), (100, 0), 10_000, (900, 1)),
        ((800, 800), (100, 10), 900, (900, 900)),
        ((800, 80), (100, 10), 899, None),
        ((800, 80), (100, 10), None, None),
        ((0, 0), (0, 0), 10_000, None),
    ],
)
def test_an_offer_is_raised_by_an_eighth_at_least_and_never_above_the_cap(
    before, now, cap_wei, after
):
    def fields(pair):
        return pair and {"maxFeePerGas": pair[0], "maxPriorityFeePerGas": pair[1]}

    assert raised(fields(before), fields(now), cap_wei) == fields(after)


def test_a_gas_price_is_raised_likewise():
    assert raised({"gasPrice": 801}, {"gasPrice": 800}, 1000) == {"gasPrice": 902}
    assert raised({"gasPrice": 801}, {"gasPrice": 990}, 1000) == {"gasPrice": 990}
    assert raised({"gasPrice": 801}, {"gasPrice": 800}, 900) is None


def test_a_chain_without_base_fees_is_offered_a_gas_price(needs_anvil):
    port = free_port()
    command = [str(find_program("anvil")), "--silent", "--port", str(port), "--hardfork", "berlin"]
    with local_node("Anvil", command, port=port) as node:
        w3 = Web3(HTTPProvider(node.url, exception_retry_configuration=None))
        chain = rpc_chain(node.url, signers=development_accounts(seed=1, count=1))
        (home,) = (account.address for account in development_accounts(seed=1, count=1))
        chain.give(chain.unlocked()[0], [home], 10**18)

        assert offer(w3, None) == {"gasPrice": w3.eth.gas_price}
        assert offer(w3, 5) == {"gasPrice": 5}
        (receipt,) = chain.send_all([Call(sender=home, to=NOBODY, data=b"")])

    assert receipt.gas_used == 21_000


def test_a_base_fee_is_offered_twice_with_the_tip_and_never_above_the_cap(home):
    base_wei = home.ask.eth.get_block("latest")["baseFeePerGas"]
    tip_wei = home.ask.eth.max_priority_fee

    assert offer(home.ask, None) == {
        "maxFeePerGas": 2 * base_wei + tip_wei,
        "maxPriorityFeePerGas": tip_wei,
    }
    assert offer(home.ask, 7) == {"maxFeePerGas": 7, "maxPriorityFeePerGas": min(tip_wei, 7)}


class Miner:
    """While the sender waits: keep the transactions that the pool shows, and mine now and then."""

    def __init__(self, home, base_fee_wei, mine_after):
        self.home = home
        self.base_fee_wei = base_fee_wei
        self.mine_after = mine_after
        self.offers = {}
        self.now_s = 0.0

    def clock(self):
        return self.now_s

    def sleep(self, _):
        self.now_s += 1.0
        pool = self.home.rpc("txpool_content")
        for place in ("pending", "queued"):
            for each in pool[place].get(self.home.account.address.lower(), {}).values():
                fee = int(each["maxFeePerGas"], 16), int(each["maxPriorityFeePerGas"], 16)
                self.offers[each["hash"]] = (int(each["nonce"], 16), *fee)
        if self.now_s == 1.0 and self.base_fee_wei is not None:
            self.home.rpc("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee_wei))
            self.home.rpc("evm_mine")
        elif len(self.offers) > self.mine_after:
            self.home.rpc("evm_mine")


def test_a_transaction_that_the_base_fee_overtook_is_replaced_until_it_is_mined(home):
    miner = Miner(home, 40 * GWEI, mine_after=1)
    patience = Patience(
        receipt_timeout_s=60,
        raise_after_s=5,
        fee_cap_wei=500 * GWEI,
        clock=miner.clock,
        sleep=miner.sleep,
    )
    chain = home.chain(patience=patience)
    home.rpc("evm_setAutomine", False)

    receipt = home.send(chain, 3)

    first, second = miner.offers.values()
    assert isinstance(receipt, Receipt)
    assert first[1] < 40 * GWEI < second[1] <= 500 * GWEI
    assert (first[0], second[0]) == (0, 0)
    assert all(8 * after >= 9 * before for before, after in zip(first[1:], second[1:], strict=True))
    assert home.reported() == [3]
    assert home.nonce() == 1


def test_each_raise_is_an_eighth_until_the_cap_forbids_the_next(home):
    miner = Miner(home, None, mine_after=99)
    first_wei = offer(home.ask, None)["maxFeePerGas"]
    cap_wei = first_wei * 13 // 10
    patience = Patience(
        receipt_timeout_s=40,
        raise_after_s=5,
        fee_cap_wei=cap_wei,
        clock=miner.clock,
        sleep=miner.sleep,
    )
    chain = home.chain(patience=patience)
    home.rpc("evm_setAutomine", False)

    pending = home.send(chain, 3)

    offered = [fee_wei for _, fee_wei, _ in miner.offers.values()]
    assert isinstance(pending, TransactionPendingError)
    assert pending.reason == "not mined, and the fee may not be raised further"
    assert offered[0] == first_wei
    assert len(offered) == 3
    assert all(8 * after >= 9 * before for before, after in pairwise(offered))
    assert max(offered) <= cap_wei
    home.rpc("evm_mine")
    assert [type(each.outcome) for each in chain.recover()] == [Receipt]
    assert home.reported() == [3]


@pytest.mark.parametrize("word", ["replacement transaction underpriced", "insufficient funds"])
def test_a_raise_that_the_node_does_not_take_leaves_the_first_offer(home, proxy, word):
    miner = Miner(home, None, mine_after=99)
    patience = Patience(
        receipt_timeout_s=12,
        raise_after_s=5,
        fee_cap_wei=5000 * GWEI,
        clock=miner.clock,
        sleep=miner.sleep,
    )
    home.rpc("evm_setAutomine", False)
    refusal = {"jsonrpc": "2.0", "error": {"code": -32000, "message": word}}
    proxy.plan["eth_sendRawTransaction"] = ["pass", lambda _: refusal]
    proxy.plan["eth_maxPriorityFeePerGas"] = ["pass", "pass", "cut before"]
    chain = home.chain(proxy.url, patience=patience)

    pending = home.send(chain, 3)
    home.rpc("evm_mine")

    assert isinstance(pending, TransactionPendingError)
    assert [nonce for nonce, *_ in miner.offers.values()] == [0]
    assert [type(each.outcome) for each in chain.recover()] == [Receipt]


def test_a_raised_transaction_is_found_by_the_process_that_follows(home, tmp_path):
    journal = tmp_path / "journal.db"
    miner = Miner(home, 1000 * GWEI, mine_after=99)
    patience = Patience(
        receipt_timeout_s=12,
        raise_after_s=5,
        fee_cap_wei=5000 * GWEI,
        clock=miner.clock,
        sleep=miner.sleep,
    )
    home.rpc("evm_setAutomine", False)
    pending = home.send(home.chain(journal=journal, patience=patience), 3)
    mining = Miner(home, GWEI, mine_after=0)
    later = Patience(raise_after_s=5, clock=mining.clock, sleep=mining.sleep)

    (recovered,) = home.chain(journal=journal, patience=later).recover()

    assert isinstance(pending, TransactionPendingError)
    assert len(miner.offers) == 3
    assert isinstance(recovered.outcome, Receipt)
    assert home.reported() == [3]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"receipt_timeout_s": 0}, "receipt_timeout_s of 0 s is not positive; wait a while"),
        ({"raise_after_s": -1}, "raise_after_s of -1 s is not positive; wait a while"),
        ({"fee_cap_wei": -1}, "fee cap of -1 wei is negative; give 0 or more"),
    ],
)
def test_impossible_patience_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Patience(**given)
