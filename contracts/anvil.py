"""A local Anvil node for as long as it is needed: the chain of development."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.chain_web3 import rpc_chain
from contracts.errors import LedgerUnavailableError

_START_TIMEOUT_S = 30.0
"""How long the node may take to answer; it takes 0.2 s on an idle computer. [s]"""
_POLL_S = 0.05


def find_anvil() -> Path | None:
    """Return where Anvil is: on the path, else in the packages of ``npm ci``; None if nowhere."""
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    packaged = Path(__file__).parent.parent / "node_modules" / ".bin" / "anvil"
    return packaged if packaged.exists() and shutil.which("node") else None


@contextmanager
def anvil_node(*, start_timestamp: int | None = None, port: int | None = None) -> Iterator[str]:
    """Run Anvil on this computer; yield its URL and end it afterwards.

    Parameters
    ----------
    start_timestamp : int, optional
        Time of its first block; None takes the computer's. [s since 1970]
    port : int, optional
        TCP port; None takes a free one.

    Raises
    ------
    LedgerUnavailableError
        If Anvil is not installed or does not start.
    """
    executable = find_anvil()
    if executable is None:
        msg = "Anvil is not installed; install Node and run `npm ci`"
        raise LedgerUnavailableError(msg)
    port = port or _free_port()
    command = [str(executable), "--silent", "--port", str(port)]
    if start_timestamp is not None:
        command += ["--timestamp", str(start_timestamp)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own words
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(process, url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _await_answer(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Return once the node at ``url`` answers; raise when its process ends or time is over."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            rpc_chain(url, timeout_s=1.0)
        except LedgerUnavailableError:
            if process.poll() is not None or time.monotonic() > deadline:
                msg = f"Anvil does not start at {url}; is the port taken?"
                raise LedgerUnavailableError(msg) from None
            time.sleep(_POLL_S)
        else:
            return


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
