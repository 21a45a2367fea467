"""A development node on this computer for as long as it is needed, whichever program it is."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.connection.chain_web3 import rpc_chain
from contracts.errors import LedgerUnavailableError

LOCAL = "127.0.0.1"
"""Where our nodes listen: they hold keys that everybody knows, so nobody else may reach them."""
_START_TIMEOUT_S = 30.0
"""How long a node may take to answer; Anvil takes 0.2 s on an idle computer, Ganache 2 s. [s]"""
_STOP_TIMEOUT_S = 10.0
"""How long a node may take to end once it is told to. [s]"""
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """Name a node of ours that runs."""

    url: str
    """Address of its JSON-RPC service."""
    process: "subprocess.Popen[bytes]"
    """What runs it."""


def find_program(name: str) -> Path | None:
    """Return where a program is: on the path, else in the packages of ``npm ci``; or None."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    packaged = Path(__file__).parents[2] / "node_modules" / ".bin" / name
    return packaged if packaged.exists() and shutil.which("node") else None


def free_port() -> int:
    """Return a TCP port that nobody listens at just now."""
    with socket.socket() as listener:
        listener.bind((LOCAL, 0))
        return int(listener.getsockname()[1])


@contextmanager
def local_node(name: str, command: Sequence[str], *, port: int) -> Iterator[LocalNode]:
    """Run a node on this computer; yield it once it answers and end it afterwards.

    Parameters
    ----------
    name : str
        What messages call it, such as Anvil.
    command : sequence of str
        The program and its arguments, ``port`` among them.
    port : int
        TCP port at which it will answer.

    Raises
    ------
    LedgerUnavailableError
        If it does not start, or somebody else has the port.
    """
    url = f"http://{LOCAL}:{port}"
    if _is_taken(port):  # the answer that we await must not be another node's
        raise _not_started(name, url)
    process = subprocess.Popen(  # noqa: S603 -- our own words
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_answer(process, name, url)
        yield LocalNode(url=url, process=process)
    finally:
        _end(process)
        _await_silence(port)


def _is_taken(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((LOCAL, port)) == 0


def _await_answer(process: "subprocess.Popen[bytes]", name: str, url: str) -> None:
    """Return once the node at ``url`` answers; raise when its process ends or time is over."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            rpc_chain(url, timeout_s=1.0)
        except LedgerUnavailableError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise _not_started(name, url) from None
            time.sleep(_POLL_S)
        else:
            return


def _await_silence(port: int) -> None:
    """Return once nobody listens any more: npm's programs end a moment after what started them."""
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while _is_taken(port) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _not_started(name: str, url: str) -> LedgerUnavailableError:
    return LedgerUnavailableError(f"{name} does not start at {url}; is the port taken?")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Tell the node to end; end it when it does not."""
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
