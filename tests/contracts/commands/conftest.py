"""Run commands of `gridpact chain` as a user does, in an empty folder of their own."""

import pytest

from contracts.connection.chain_web3 import rpc_chain
from contracts.local.anvil import anvil_node
from scenarios.cli import main

PASSPHRASE = "only for these tests"


@pytest.fixture
def gridpact(capsys, tmp_path, monkeypatch):
    """Return a function that runs one command and returns what it printed, or its complaint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # where the default folder of keys is

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        assert left.value.code == code, streams.err
        if code == 1:
            assert streams.err.startswith("gridpact: ")
            assert streams.err.count("\n") == 1
        assert PASSPHRASE not in streams.out + streams.err
        return streams.out if code == 0 else streams.err

    return run


@pytest.fixture(scope="module")
def node(needs_anvil):
    """Start Anvil; return its URL."""
    with anvil_node() as url:
        yield url


@pytest.fixture
def passphrase_file(tmp_path):
    """Write the passphrase into a file that nobody else may read."""
    path = tmp_path / "passphrase"
    path.write_text(f"{PASSPHRASE}\n", "utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def kept_account(gridpact, passphrase_file):
    """Make an account whose key only its file has."""
    gridpact("chain", "account", "new", "--light", "--passphrase-file", passphrase_file)
    return gridpact("chain", "account", "list").split()[0]


@pytest.fixture
def fund(node):
    """Return what gives an account some of the chain's own coin. [wei]"""

    def give(account, amount_wei=10**18):
        chain = rpc_chain(node)
        chain.give(chain.unlocked()[0], [account], amount_wei)

    return give
