"""The ledger's thread: one thing at a time, and nobody waits for ever."""

import asyncio
import subprocess
import sys
import threading

import pytest

from contracts.errors import FleetPaused, LedgerReplyError, LedgerUnavailableError
from hems.agent.ledger.link import LedgerLink


def test_work_is_done_in_one_thread_that_is_not_the_loop_s():
    async def run():
        link = LedgerLink(threading.get_ident)
        found = [await link.ask(lambda made: (made, threading.get_ident()), within_s=10)]
        found.append(await link.ask(lambda made: (made, threading.get_ident()), within_s=10))
        link.close()
        return found

    first, second = asyncio.run(run())
    assert first == second
    assert first[0] == first[1] != threading.get_ident()


def test_who_waits_gives_up_and_the_thread_takes_nothing_until_it_has_its_answer():
    done, late = threading.Event(), []

    def hang(_):
        done.wait(30)
        late.append("answer")
        return "late"

    async def run():
        link = LedgerLink(lambda: None)
        with pytest.raises(LedgerUnavailableError, match=r"no answer from the node within 0\.05 s"):
            await link.ask(hang, within_s=0.05)
        with pytest.raises(LedgerUnavailableError, match="still owes an earlier answer"):
            await link.ask(lambda _: "next", within_s=0.1)
        later = asyncio.ensure_future(link.ask(lambda _: "next", within_s=20))
        await asyncio.sleep(0.1)
        assert link.busy
        done.set()
        found = await later
        link.close()
        return found

    assert asyncio.run(asyncio.wait_for(run(), 30)) == "next"
    assert late == ["answer"]


def test_what_cannot_be_made_is_made_at_the_next_request():
    tries = []

    def make():
        tries.append(1)
        if len(tries) < 3:
            raise LedgerUnavailableError("no node")
        return "made"

    async def run():
        link = LedgerLink(make)
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError, match="no node"):
                await link.ask(lambda made: made, within_s=10)
        return await link.ask(lambda made: made, within_s=10)

    assert asyncio.run(run()) == "made"
    assert len(tries) == 3


def test_a_refusal_is_raised_as_it_is_and_nonsense_as_the_node_s():
    def refuse(_):
        raise FleetPaused

    def stumble(_):
        return int("0xzz", 16)

    async def run():
        link = LedgerLink(lambda: None)
        with pytest.raises(FleetPaused):
            await link.ask(refuse, within_s=10)
        with pytest.raises(LedgerReplyError) as told:
            await link.ask(stumble, within_s=10)
        return str(told.value)

    assert asyncio.run(run()) == (
        "the node's answer cannot be used (ValueError: invalid literal for int() with base 16: "
        "'0xzz'); it is asked again; name another node if this stays"
    )


def test_a_process_ends_although_its_node_hangs():
    code = (
        "import asyncio, threading\n"
        "from contracts.errors import LedgerUnavailableError\n"
        "from hems.agent.ledger.link import LedgerLink\n"
        "async def main():\n"
        "    link = LedgerLink(lambda: None)\n"
        "    try:\n"
        "        await link.ask(lambda _: threading.Event().wait(), within_s=0.05)\n"
        "    except LedgerUnavailableError:\n"
        "        link.close()\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_gateway_s_way_to_the_ledger_imports_no_web3_before_it_is_used():
    code = (
        "import sys, hems.agent.ledger.books\n"
        "print(sorted({'web3', 'eth_account', 'eth_abi', 'requests'} & sys.modules.keys()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout == "[]\n"
