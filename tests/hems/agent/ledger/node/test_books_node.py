"""A gateway at a real node that hangs, answers nonsense, is cut off or reorganised."""

import asyncio
from dataclasses import replace

import pytest

from hems.agent.ledger.account import AccountOpener
from hems.agent.ledger.settings import PASSPHRASE_VARIABLE


def test_a_report_goes_through_with_a_key_from_a_file_or_the_environment(gateway, monkeypatch):
    gateway.open()
    gateway.export(0)
    gateway.export(250)
    gateway.report()
    assert (gateway.counted(), gateway.lines) == (250, [])

    gateway.settings = replace(gateway.settings, passphrase_file=None)
    gateway.open()
    gateway.export(50)
    gateway.report()
    assert gateway.lines == [
        f"ledger lost: no passphrase of {gateway.settings.account}; set passphrase_file or "
        f"{PASSPHRASE_VARIABLE}"
    ]
    monkeypatch.setenv(PASSPHRASE_VARIABLE, gateway.passphrase)
    gateway.report()
    assert (gateway.counted(), gateway.lines[1:]) == (300, ["ledger back"])


@pytest.mark.parametrize("mode", ["hang", "refuse", "nonsense"])
def test_a_node_that_cannot_be_used_holds_nobody_up_and_loses_nothing(gateway, mode):
    gateway.open()
    gateway.export(0)
    gateway.settle()
    gateway.wire.mode = mode
    gateway.export(100)
    turns = 0

    async def run():
        nonlocal turns
        report = asyncio.create_task(gateway.books.report())
        while not report.done():
            turns += 1
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), 60))
    gateway.wire.mode = "pass"
    gateway.export(100)
    gateway.settle()

    assert turns >= 1
    assert gateway.counted() == 200
    assert [each.split(": ")[0] for each in gateway.lines] == ["ledger lost", "ledger back"]


def test_the_next_node_is_asked_where_the_first_is_away(gateway):
    gateway.settings = replace(gateway.settings, url=f"http://127.0.0.1:1 {gateway.wire.url}")
    gateway.open()
    gateway.export(0)
    gateway.export(90)
    gateway.settle()
    assert (gateway.counted(), gateway.lines) == (90, [])


def test_reports_go_on_without_the_file_of_transactions(gateway):
    gateway.open()
    gateway.export(0)
    gateway.export(10)
    gateway.settle()
    journal = gateway.folder / "journal.sqlite"
    for path in gateway.folder.glob("journal.sqlite*"):
        path.unlink()
    journal.mkdir()
    gateway.open()
    gateway.export(10)
    gateway.settle()
    assert (gateway.counted(), gateway.lines) == (20, [])


def test_reports_go_on_where_that_file_cannot_be_written_any_more(gateway):
    accounts = []

    def opened():
        accounts.append(make())
        return accounts[0]

    make = AccountOpener(
        gateway.settings,
        gateway.settings.deployment(),
        journal=gateway.folder / "journal.sqlite",
    )
    gateway.open(open_account=opened)
    gateway.export(0)
    gateway.export(10)
    gateway.settle()
    outbox = accounts[0].ledger.fleet.chain._outbox
    outbox._journal._base.execute("PRAGMA query_only = ON")
    gateway.export(10)
    gateway.settle()
    assert (gateway.counted(), gateway.lines) == (20, [])


def test_an_answer_that_is_cut_is_not_counted_twice(gateway):
    gateway.open()
    gateway.export(0)
    gateway.settle()
    gateway.wire.word = b"eth_sendRawTransaction"
    gateway.export(100)
    gateway.report()
    gateway.wire.word = b""
    gateway.export(30)
    gateway.settle()

    assert gateway.counted() == 130


def test_a_report_in_no_block_is_waited_for_and_nothing_new_is_signed(gateway):
    gateway.settings = replace(gateway.settings, block_timeout_s=0.3)
    gateway.open()
    gateway.export(0)
    gateway.settle()
    gateway.lines.clear()
    gateway.rpc("evm_setAutomine", False)
    gateway.export(100)
    gateway.report()
    gateway.export(30)
    gateway.report()
    assert gateway.counted() == 0
    gateway.rpc("evm_setAutomine", True)
    gateway.rpc("evm_mine")
    gateway.settle()

    assert gateway.counted() == 130
    told = [each for each in gateway.lines if each.startswith("reports")]
    assert told[0].startswith("reports lost: transaction 0x")
    assert told[-1] == "reports back"


def test_an_account_without_coins_is_told_once_with_its_remedy(gateway):
    account = gateway.settings.account
    gateway.rpc("anvil_setBalance", account, "0x0")
    gateway.open()
    gateway.export(0)
    gateway.export(70)
    gateway.report()
    gateway.report()
    (line,) = gateway.lines
    assert line.startswith(
        f"reports lost: {account} cannot pay for its reports; send it some of the chain's coin ("
    )
    gateway.rpc("anvil_setBalance", account, hex(10**18))
    gateway.report()

    assert (gateway.counted(), gateway.lines[1:]) == (70, ["reports back"])


@pytest.mark.parametrize("restarted", [False, True])
def test_a_reorganisation_loses_no_report_and_doubles_none(gateway, restarted):
    gateway.settings = replace(gateway.settings, block_timeout_s=2.0)
    gateway.open()
    gateway.export(0)
    gateway.export(100)
    gateway.settle()
    snapshot = gateway.rpc("evm_snapshot")
    for _ in range(2):
        gateway.export(50)
        gateway.settle()
    assert gateway.counted() == 200
    gateway.rpc("evm_revert", snapshot)
    assert gateway.counted() == 100
    if restarted:
        gateway.open()
    gateway.export(5)
    gateway.settle()
    gateway.settle()

    assert gateway.counted() == 205
