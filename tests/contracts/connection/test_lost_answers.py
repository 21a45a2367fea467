"""A report counts once, wherever the connection breaks and whenever the process is killed."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from contracts.chain import Receipt, Recovered, Recoverer
from contracts.connection.chain_web3 import BATCH_CALLS, rpc_chain
from contracts.connection.journal import Journal
from contracts.connection.patience import Patience
from contracts.errors import LedgerError, LedgerRefusedError, LedgerUnavailableError
from contracts.errors_connection import (
    NonceTakenError,
    SenderBlockedError,
    TransactionPendingError,
)
from contracts.fleet_client import RETIRE

SEND = "eth_sendRawTransaction"
QUICK = Patience(receipt_timeout_s=10, raise_after_s=0.3)


def impatient(receipt_timeout_s: float = 4.0) -> Patience:
    """Return a patience that lasts as many looks on any computer: a second passes in 0.01 s."""
    passed_s = [0.0]

    def sleep(_):
        passed_s[0] += 0.5
        time.sleep(0.005)

    return Patience(
        receipt_timeout_s=receipt_timeout_s,
        raise_after_s=1.5,
        clock=lambda: passed_s[0],
        sleep=sleep,
    )


@pytest.mark.parametrize("accident", ["cut before", "cut after", "half", 500, 429, "<html>"])
def test_a_submission_whose_answer_is_lost_is_sent_again_as_it_was(home, proxy, accident):
    chain = home.chain(proxy.url)
    proxy.plan[SEND] = [accident, accident]

    receipt = home.send(chain, 7)

    assert isinstance(receipt, Receipt)
    assert home.reported() == [7]
    assert len(set(proxy.sent())) == 1
    assert home.nonce() == 1


@pytest.mark.parametrize(
    ("code", "text"),
    [(-32002, "request timed out"), (-32603, "Internal error"), (-32000, "upstream unavailable")],
)
def test_trouble_of_a_node_that_took_the_report_is_no_refusal(home, proxy, code, text):
    chain = home.chain(proxy.url)

    def taken_all_the_same(request):
        home.rpc(SEND, *request["params"])
        return {"error": {"code": code, "message": text}}

    proxy.plan[SEND] = [taken_all_the_same]

    assert isinstance(home.send(chain, 7), Receipt)
    assert home.reported() == [7]
    assert home.nonce() == 1


def test_a_receipt_that_a_node_indexes_late_is_waited_for(home, proxy):
    chain = home.chain(proxy.url)
    proxy.plan[SEND] = ["cut after"]
    proxy.plan["eth_getTransactionReceipt"] = [lambda _: {"result": None}] * 6

    assert isinstance(home.send(chain, 7), Receipt)
    assert home.reported() == [7]


def test_receipts_of_what_was_carried_out_before_a_break_are_kept(home, proxy):
    chain = home.chain(proxy.url)
    reports = [home.report(1) for _ in range(BATCH_CALLS + 2)]
    fees = []

    def cut_the_second_batch(_):
        fees.append(1)
        return {"error": {"code": -32000, "message": "gone"}} if len(fees) > 1 else None

    proxy.plan["eth_maxPriorityFeePerGas"] = [cut_the_second_batch] * 9

    outcomes = chain.send_all(reports)

    assert all(isinstance(each, Receipt) for each in outcomes[:BATCH_CALLS])
    assert all(isinstance(each, LedgerError) for each in outcomes[BATCH_CALLS:])
    assert home.reported() == [1] * BATCH_CALLS


def test_what_follows_a_lost_answer_follows_without_a_gap(home, proxy):
    chain = home.chain(proxy.url)
    proxy.plan[SEND] = ["cut after", "cut before"]

    outcomes = [home.send(chain, wh) for wh in (1, 2, 3)]

    assert [type(each) for each in outcomes] == [Receipt] * 3
    assert home.reported() == [1, 2, 3]


def test_a_receipt_whose_question_is_cut_is_asked_for_again(home, proxy):
    chain = home.chain(proxy.url)
    proxy.plan["eth_getTransactionReceipt"] = ["cut before", "half", 502]

    assert isinstance(home.send(chain), Receipt)
    assert home.reported() == [1]


def test_a_batch_stops_where_the_connection_breaks(home, proxy):
    chain = home.chain(proxy.url)
    proxy.plan[SEND] = ["pass", "cut after"]

    outcomes = chain.send_all([home.report(wh) for wh in (1, 2, 3)])

    assert [type(each) for each in outcomes] == [Receipt, Receipt, LedgerUnavailableError]
    assert str(outcomes[2]) == (
        f"{proxy.url} does not answer; this call was not sent, send it again once the node is back"
    )
    assert home.reported() == [1, 2]


def test_a_transaction_in_no_block_is_told_by_its_hash_and_holds_up_the_next(home):
    chain = home.chain(patience=impatient())
    home.rpc("evm_setAutomine", False)

    pending = home.send(chain, 5)

    assert isinstance(pending, TransactionPendingError)
    assert str(pending) == (
        f"transaction {pending.transaction_hash} of {home.account.address} (nonce 0) is in no "
        "block after 4 s (not mined, and the fee may not be raised further); it may still be "
        "mined: ask `recover` what became of it before the same is sent again"
    )
    blocked = home.send(chain, 6)
    assert isinstance(blocked, SenderBlockedError)
    assert blocked.pending.transaction_hash == pending.transaction_hash
    (still,) = chain.recover()
    assert isinstance(still.outcome, TransactionPendingError)
    home.rpc("evm_mine")
    ((call, outcome),) = [(each.call, each.outcome) for each in chain.recover()]
    assert call.data[:4] == home.report(5).data[:4]
    assert isinstance(outcome, Receipt)
    assert chain.recover() == []
    assert home.reported() == [5]


def test_what_was_left_open_is_settled_before_the_next_call(home):
    chain = home.chain(patience=impatient())
    home.rpc("evm_setAutomine", False)
    home.send(chain, 5)
    home.rpc("evm_setAutomine", True)
    home.rpc("evm_mine")

    assert isinstance(home.send(chain, 6), Receipt)
    assert [type(each.outcome) for each in chain.recover()] == [Receipt]
    assert home.reported() == [5, 6]


def test_a_node_that_stays_away_leaves_the_report_pending(home, proxy):
    chain = home.chain(proxy.url, patience=impatient())
    report = home.report(4)
    proxy.plan[SEND] = ["cut after"] * 100
    proxy.plan["eth_getTransactionReceipt"] = ["cut before"] * 100

    (pending,) = chain.send_all([report])
    proxy.plan.clear()

    assert isinstance(pending, TransactionPendingError)
    assert pending.reason == (
        f"no answer from {proxy.url} (ConnectionError); start the node or name another URL"
    )
    assert [type(each.outcome) for each in chain.recover()] == [Receipt]
    assert home.reported() == [4]


def test_a_report_that_the_contract_refuses_after_a_lost_answer_is_refused(home, proxy):
    chain = home.chain(proxy.url)
    strangers = replace(home.report(0), data=RETIRE.encode(home.account.address))
    good = home.report(3)
    proxy.plan[SEND] = ["cut after"]

    # Two calls together are not estimated, so that the block refuses instead of the node.
    refused, _ = chain.send_all([strangers, good])

    assert isinstance(refused, LedgerRefusedError)


GATEWAY = """
import sys
from pathlib import Path
from contracts.chain import Call
from contracts.connection.chain_web3 import rpc_chain
from contracts.local.embedded import development_accounts
url, journal, seed, to, data = sys.argv[1:]
(account,) = development_accounts(seed=int(seed), count=1)
chain = rpc_chain(url, signers=[account], journal=Path(journal))
chain.send_all([Call(sender=account.address, to=to, data=bytes.fromhex(data))])
"""


@pytest.mark.parametrize("node_had_it", [False, True])
def test_a_process_that_is_killed_leaves_one_report(home, proxy, tmp_path, node_had_it):
    journal = tmp_path / "journal.db"
    report = home.report(9)
    proxy.plan["eth_getTransactionReceipt" if node_had_it else SEND] = ["hold"]
    command = [sys.executable, "-c", GATEWAY, proxy.url, str(journal), str(home.seed)]
    with subprocess.Popen([*command, report.to, report.data.hex()]) as child:
        try:
            assert proxy.held.wait(30)
        finally:
            child.kill()
    proxy.plan.clear()
    before = home.reported()

    chain = rpc_chain(proxy.url, signers=[home.account], journal=journal)
    (recovered,) = chain.recover()

    assert before == ([9] if node_had_it else [])
    assert isinstance(chain, Recoverer)
    assert isinstance(recovered, Recovered)
    assert recovered.call == report
    assert isinstance(recovered.outcome, Receipt)
    assert home.reported() == [9]
    assert len(set(proxy.sent())) == 1
    assert Journal(journal).unconfirmed(chain.chain_id) == []
    assert isinstance(home.send(chain, 2), Receipt)


def test_another_process_that_uses_the_account_only_costs_a_question(home):
    ours, other = home.chain(), home.chain()
    home.send(ours, 1)
    home.send(other, 2)
    home.send(other, 3)

    assert isinstance(home.send(ours, 4), Receipt)
    assert home.reported() == [1, 2, 3, 4]


def test_a_transaction_whose_place_another_process_took_is_known_to_have_no_effect(home):
    ours = home.chain(patience=impatient(20.0))
    other = home.chain()
    home.rpc("evm_setAutomine", False)
    pending = home.send(ours, 1)
    home.rpc("anvil_dropTransaction", pending.transaction_hash)
    home.rpc("evm_setAutomine", True)
    home.send(other, 2)

    (recovered,) = ours.recover()

    assert isinstance(recovered.outcome, NonceTakenError)
    assert str(recovered.outcome) == (
        f"another process sent transaction 0 of {home.account.address}, so ours had no effect; "
        "send it again, and let one process at a time use the account"
    )
    assert isinstance(home.send(ours, 3), Receipt)
    assert home.reported() == [2, 3]


def test_a_transaction_that_the_node_lost_is_sent_again(home):
    home.rpc("evm_setAutomine", False)
    chain = home.chain(patience=replace(QUICK, sleep=DropOnce(home).sleep))

    assert isinstance(home.send(chain, 1), Receipt)
    assert home.reported() == [1]


def test_reports_that_a_reorganisation_lost_are_sent_again_before_the_next(home):
    chain = home.chain()
    snapshot = home.rpc("evm_snapshot")
    assert [type(home.send(chain, wh)) for wh in (1, 2)] == [Receipt] * 2
    home.rpc("evm_revert", snapshot)
    assert home.reported() == []

    assert isinstance(home.send(chain, 3), Receipt)
    assert home.reported() == [1, 2, 3]


def test_a_refusal_whose_reason_cannot_be_asked_for_is_still_a_refusal(home, proxy):
    chain = home.chain(proxy.url)
    not_ours = replace(home.report(0), data=RETIRE.encode(home.account.address))
    proxy.plan["eth_call"] = ["cut before"]

    refused, _ = chain.send_all([not_ours, home.report(1)])

    assert isinstance(refused, LedgerRefusedError)
    assert str(refused).endswith(
        f"for a reason not known: no answer from {proxy.url} (ConnectionError); "
        "start the node or name another URL"
    )


def test_other_processes_that_are_always_quicker_are_told(home, proxy):
    chain = home.chain(proxy.url)
    late = {"jsonrpc": "2.0", "error": {"code": -32003, "message": "nonce too low"}}
    proxy.plan[SEND] = [lambda _: late] * 99

    (refused,) = chain.send_all([home.report(1)])
    proxy.plan.clear()

    assert isinstance(refused, NonceTakenError)
    assert isinstance(home.send(chain, 2), Receipt)
    assert home.reported() == [2]


def test_a_fault_of_the_program_while_sending_leaves_nothing_behind(home):
    chain = home.chain()
    call = replace(home.report(1), data=bytes(10))

    with pytest.raises(TypeError):
        chain._outbox.post({"from": call.sender, "to": 5, "data": call.data, "gas": "much"})

    assert isinstance(home.send(chain, 2), Receipt)
    assert home.reported() == [2]


class DropOnce:
    """While the sender waits: lose its transaction, then mine whatever is there."""

    def __init__(self, home):
        self.home = home
        self.dropped = False

    def sleep(self, seconds):
        if not self.dropped:
            self.home.rpc("anvil_dropAllTransactions")
            self.dropped = True
        self.home.rpc("evm_mine")
        time.sleep(seconds)


def test_a_lost_answer_of_an_account_of_the_node_is_told(home, proxy):
    chain = rpc_chain(proxy.url)
    owner = home.deployment.owner
    proxy.plan["eth_sendTransaction"] = ["cut before"]
    retire = replace(home.report(0), sender=owner, data=RETIRE.encode(home.account.address))

    (lost,) = chain.send_all([retire])
    (done,) = chain.send_all([retire])

    assert isinstance(lost, LedgerUnavailableError)
    assert isinstance(done, Receipt)
