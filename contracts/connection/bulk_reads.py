"""Many questions in one request: a batch of JSON-RPC, as small as the node wants it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from requests.exceptions import HTTPError
from web3 import Web3
from web3.types import RPCEndpoint

from contracts.chain import Call
from contracts.connection.web3_values import transaction
from contracts.errors_connection import EndpointsDownError

BATCH_READS: Final = 500
"""Questions of a request at most: half of what Geth and Besu take unless told."""
_CALL: Final = RPCEndpoint("eth_call")
_NO_BATCH: Final = (HTTPError, EndpointsDownError, LookupError, ValueError)
"""What comes of a batch that a node, or a proxy before it, does not know or want."""


def ask_bulk(w3: Web3, calls: Sequence[Call], *, alone: Callable[[Call], bytes]) -> list[bytes]:
    """Return what contracts answer to each call, as the latest block that answers it has it.

    Parameters
    ----------
    w3 : Web3
        The connection.
    calls : sequence of Call
        The questions.
    alone : callable
        Asks one; it is asked again so where its answer is an error, and raises what it means.

    Notes
    -----
    A batch that is not answered as one is halved, down to single questions; what was answered is
    not asked again. A node that is away is away for the single question too, which says so.
    """
    answers: list[bytes] = []
    size = BATCH_READS
    while len(answers) < len(calls):
        part = calls[len(answers) : len(answers) + size]
        found = [None] if len(part) == 1 else _asked(w3, part)
        if found is None:
            size = len(part) // 2
            continue
        answers += [
            alone(call) if each is None else each for call, each in zip(part, found, strict=True)
        ]
    return answers


def _asked(w3: Web3, part: Sequence[Call]) -> list[bytes | None] | None:
    """Return the answers of a batch, None for an error's; None where it is not taken as one."""
    ask: Any = getattr(w3.provider, "make_batch_request", None)
    if ask is None:  # eth-tester, in process
        return [None] * len(part)
    try:
        told = ask([(_CALL, [_plain(call), "latest"]) for call in part])
    except _NO_BATCH:
        return None
    if not isinstance(told, list) or len(told) != len(part):
        return None
    return [_result(each) for each in told]


def _plain(call: Call) -> dict[str, str]:
    """Return a call as JSON-RPC has it."""
    fields = transaction(call)
    return {
        "from": str(fields["from"]),
        "to": str(fields["to"]),
        "data": f"0x{call.data.hex()}",
    }


def _result(told: object) -> bytes | None:
    """Return an answer's bytes, None where it has none."""
    found = told.get("result") if isinstance(told, dict) else None
    try:
        return bytes.fromhex(found.removeprefix("0x")) if isinstance(found, str) else None
    except ValueError:
        return None
