"""A local Anvil node for as long as it is needed: the chain of development."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import LedgerUnavailableError
from contracts.local.local_node import LocalNode, find_program, free_port, local_node


def find_anvil() -> Path | None:
    """Return where Anvil is: on the path, else in the packages of ``npm ci``; None if nowhere."""
    return find_program("anvil")


@contextmanager
def anvil_node(
    *, start_timestamp: int | None = None, port: int | None = None, accounts: int = 10
) -> Iterator[str]:
    """Run Anvil on this computer; yield its URL and end it afterwards.

    Parameters
    ----------
    start_timestamp : int, optional
        Time of its first block; None takes the computer's. [s since 1970]
    port : int, optional
        TCP port; None takes a free one.
    accounts : int
        How many unlocked accounts have coins.

    Raises
    ------
    LedgerUnavailableError
        If Anvil is not installed or does not start.
    """
    with anvil_process(start_timestamp=start_timestamp, port=port, accounts=accounts) as node:
        yield node.url


@contextmanager
def anvil_process(
    *, start_timestamp: int | None, port: int | None, accounts: int
) -> Iterator[LocalNode]:
    """Run Anvil on this computer as `anvil_node` does; yield its process too."""
    executable = find_anvil()
    if executable is None:
        msg = "Anvil is not installed; install Node and run `npm ci`"
        raise LedgerUnavailableError(msg)
    port = port or free_port()
    command = [str(executable), "--silent", "--port", str(port), "--accounts", str(accounts)]
    if start_timestamp is not None:
        command += ["--timestamp", str(start_timestamp)]
    with local_node("Anvil", command, port=port) as node:
        yield node
