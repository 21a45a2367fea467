"""`gridpact chain dev`: a real process that serves a chain until it is told to end."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from contracts.connection.chain_web3 import rpc_chain
from contracts.keystore import find_keystore, unlock
from contracts.local.local_node import free_port

PASSPHRASE = "only for these tests"
START_S = 1_795_910_400
TIMEOUT_S = 60
# Whoever starts the tests in the background has them ignore Ctrl-C, and so would the command.
MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from scenarios.cli import main; main()"
)


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(*arguments):
    """Run the command on a free port; yield the process and the line it prints when ready."""
    port = free_port()
    command = [sys.executable, "-c", MAIN, "chain", "dev", "--port", str(port), "--json"]
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, json.loads(process.stdout.readline() or process.stderr.read())
    finally:
        process.terminate()  # not killed: it has a node to end
        process.communicate(timeout=TIMEOUT_S)


@pytest.mark.parametrize("program", ["anvil", "ganache", "eth-tester"])
def test_a_chain_runs_until_ctrl_c(request, program):
    if program != "eth-tester":
        request.getfixturevalue(f"needs_{program}")

    with running("--chain", program, "--accounts", 3, "--timestamp", START_S) as (process, told):
        port = int(told["url"].rpartition(":")[2])
        chain = rpc_chain(told["url"], chain_id=told["chain_id"])
        unlocked, now_s = chain.unlocked(), chain.now_s()
        chain.give(unlocked[0], [unlocked[1]], 1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the node gets it too
        out, err = process.communicate(timeout=TIMEOUT_S)

    assert (told["program"], told["unlocked"], told["kept"]) == (program, unlocked, [])
    assert (len(unlocked), out, err) == (3, "", "stopped; the chain is gone\n")
    assert START_S <= now_s < START_S + 60
    assert process.returncode == 0
    assert not answers(port)


def test_keystores_are_written_for_accounts_with_coins(needs_anvil, tmp_path):
    keys, passphrase_file = tmp_path / "keys", tmp_path / "passphrase"
    passphrase_file.write_text(PASSPHRASE, "utf-8")
    passphrase_file.chmod(0o600)
    given = ("--accounts", 2, "--keys", keys, "--passphrase-file", passphrase_file)

    with running(*given) as (process, told):
        accounts = [unlock(find_keystore(keys, each), PASSPHRASE) for each in told["kept"]]
        chain = rpc_chain(told["url"], signers=accounts)
        held_wei = [chain._w3.eth.get_balance(account.address) for account in accounts]
        chain.give(told["kept"][0], [told["kept"][1]], 1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT_S)

    assert held_wei == [5 * 10**18] * 2
    assert not set(told["kept"]) & set(told["unlocked"])
    assert process.returncode == 0


def test_a_node_that_ends_by_itself_is_told(needs_ganache):
    with running("--chain", "ganache") as (process, told):
        (node,) = _children(process.pid)
        os.kill(node, signal.SIGKILL)
        _, err = process.communicate(timeout=TIMEOUT_S)

    assert (
        err == f"gridpact: ganache at {told['url']} ended by itself with code -9; start it again\n"
    )
    assert process.returncode == 1


def _children(parent: int) -> list[int]:
    """Return the processes that ``parent`` started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=True
    )
    return [int(each) for each in listed.stdout.split()]


def test_a_port_that_is_taken_is_told(gridpact, needs_anvil):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        said = gridpact("chain", "dev", "--port", port, code=1)

    assert said == (
        f"gridpact: Anvil does not start at http://127.0.0.1:{port}; is the port taken?\n"
    )


def test_no_program_at_all_is_told(gridpact, monkeypatch):
    monkeypatch.setattr(
        "contracts.commands.dev.PROGRAMS", {"anvil": (lambda: None, None)}, raising=True
    )

    assert "no chain is installed; run `npm ci` with Node" in gridpact("chain", "dev", code=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--port", "0"), "--port"),
        (("--port", "65536"), "--port"),
        (("--accounts", "1"), "--accounts"),
        (("--chain", "geth"), "--chain"),
        (("--timestamp", "yesterday"), "'yesterday' is no time"),
        (("--timestamp", "2026-11-29T00:00:00"), "is no time"),
        (("--timestamp", "1900-01-01T00:00:00+00:00"), "is no time"),
        (("--timestamp", str(1 << 32)), "is no time"),
        (("--passphrase-file", "p"), "needs --keys"),
    ],
)
def test_wrong_use_starts_nothing(gridpact, given, said):
    assert said in gridpact("chain", "dev", *given, code=2)
