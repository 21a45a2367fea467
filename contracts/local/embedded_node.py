"""The embedded chain (eth-tester) as a node: ``python -m contracts.local.embedded_node``.

It speaks enough JSON-RPC for our commands, where neither Anvil nor Ganache is installed. It keeps
nothing, mines each transaction by itself and is a hundred times slower than they are.
"""

import ast
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from web3 import Web3
from web3.types import RPCEndpoint

from contracts.errors import LedgerUnavailableError
from contracts.local.local_node import LOCAL, LocalNode, free_port, local_node

MNEMONIC = "test test test test test test test test test test test junk"
"""Words that everybody knows, so that the accounts are Anvil's."""
COINS_WEI = 10**22
"""What each account has of the chain's own coin, as on Anvil. [wei]"""
_SENDING = {"eth_sendTransaction", "eth_sendRawTransaction"}
_REVERTED, _FAULTY, _UNKNOWN = 3, -32000, -32601
"""Codes of JSON-RPC errors, as Geth gives them."""


def find_embedded() -> Path | None:
    """Return the Python that can run the chain; None where eth-tester is not installed."""
    return Path(sys.executable) if find_spec("eth_tester") and find_spec("eth") else None


@contextmanager
def embedded_process(
    *, start_timestamp: int | None, port: int | None, accounts: int
) -> Iterator[LocalNode]:
    """Run the embedded chain in its own process, as `contracts.local.anvil` does."""
    executable = find_embedded()
    if executable is None:
        msg = "eth-tester is not installed; install gridpact[aggregator]"
        raise LedgerUnavailableError(msg)
    port = port or free_port()
    start_s = int(time.time()) if start_timestamp is None else start_timestamp
    command = [str(executable), "-m", "contracts.local.embedded_node"]
    command += [str(port), str(start_s), str(accounts)]
    with local_node("eth-tester", command, port=port) as node:
        yield node


class EmbeddedNode:
    """Answer JSON-RPC requests from a chain in this process, whose clock goes as ours does."""

    def __init__(self, *, start_timestamp: int, accounts: int) -> None:
        """Begin an empty chain at a time [s since 1970], with accounts that have coins."""
        from eth_tester import EthereumTester, PyEVMBackend  # noqa: PLC0415 -- an optional extra
        from web3 import EthereumTesterProvider  # noqa: PLC0415 -- as above

        backend = PyEVMBackend.from_mnemonic(
            MNEMONIC,
            num_accounts=accounts,
            genesis_state_overrides={"balance": COINS_WEI},
            hd_path="m/44'/60'/0'/0",
            genesis_parameters=PyEVMBackend.generate_genesis_params({"timestamp": start_timestamp}),
        )
        self._tester = EthereumTester(backend)
        provider = EthereumTesterProvider(self._tester)
        w3 = Web3(provider, middleware=())
        self._ask = provider.request_func(w3, w3.middleware_onion)
        self._ahead_s = start_timestamp - time.monotonic()
        self._one_at_a_time = Lock()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to one request."""
        method, params = str(request.get("method")), request.get("params", [])
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        with self._one_at_a_time:
            try:
                if method in _SENDING:
                    self._set_clock()
                found = self._ask(RPCEndpoint(method), params)
            except Exception as error:  # whatever it is, the caller is to hear of it
                return reply | {"error": _fault(error)}
        if "error" in found:
            return reply | {"error": {"code": _UNKNOWN, "message": f"no method {method}"}}
        return reply | {"result": in_json(found["result"])}

    def _set_clock(self) -> None:
        """Give the next block the time that it is; eth-tester would take the computer's."""
        latest_s = self._tester.get_block_by_number("latest")["timestamp"]
        now_s = int(self._ahead_s + time.monotonic())
        self._tester.backend.chain.set_header_timestamp(max(latest_s + 1, now_s))


def in_json(value: object) -> Any:  # noqa: ANN401 -- JSON is any
    """Return ``value`` as JSON-RPC has it: numbers and bytes in hexadecimal digits."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, Mapping):
        return {key: in_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [in_json(each) for each in value]
    return value


def _fault(error: Exception) -> dict[str, Any]:
    """Return an error as a node would tell it."""
    if type(error).__name__ != "TransactionFailed":
        return {"code": _FAULTY, "message": str(error) or type(error).__name__}
    return {
        "code": _REVERTED,
        "message": "execution reverted",
        "data": in_json(_told_by_contract(str(error))),
    }


def _told_by_contract(text: str) -> bytes:
    """Return the bytes that a contract refused with, of which eth-tester gives the Python text."""
    try:
        data = ast.literal_eval(text.removeprefix("execution reverted: "))
    except (SyntaxError, ValueError):  # a reason in words, which no contract of ours gives
        return b""
    return data if isinstance(data, bytes) else b""


def serve(port: int, node: EmbeddedNode) -> None:
    """Answer at ``port`` of this computer until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a request or a list of them."""
            try:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                many = asked if isinstance(asked, list) else [asked]
                answers = [node.answer(each) for each in many]
                body = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
            except (ValueError, TypeError, AttributeError):
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOCAL, port), Handler) as server:
        server.daemon_threads = True
        server.serve_forever()


def main() -> None:
    """Serve a chain: port, time of its first block [s since 1970], number of accounts."""
    port, start_timestamp, accounts = (int(each) for each in sys.argv[1:])
    serve(port, EmbeddedNode(start_timestamp=start_timestamp, accounts=accounts))


if __name__ == "__main__":
    main()
