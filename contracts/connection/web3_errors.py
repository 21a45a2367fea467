"""What web3, a node and eth-tester raise, turned into our errors in one place."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

from requests.exceptions import RequestException
from web3.exceptions import (
    BadResponseFormat,
    ContractLogicError,
    RequestTimedOut,
    TimeExhausted,
    Web3Exception,
    Web3RPCError,
)

from contracts.abi import refusal
from contracts.errors import (
    LedgerError,
    LedgerRefusedError,
    LedgerReplyError,
    LedgerUnavailableError,
)

_UNAVAILABLE = (RequestException, RequestTimedOut, TimeExhausted, ConnectionError, TimeoutError)


@contextmanager
def ours(where: str) -> Iterator[None]:
    """Raise what goes wrong inside as a `LedgerError` that names ``where``."""
    try:
        yield
    except LedgerError:
        raise
    except Exception as error:
        raise _as_ours(error, where) from error


def refusal_of_submission(error: Exception, *, where: str, sender: str) -> LedgerError:
    """Return ``error``, met when a transaction of ``sender`` was handed to the node, as ours."""
    if isinstance(error, Web3RPCError) and not isinstance(error, RequestTimedOut):
        return LedgerRefusedError(f"{where} takes no transaction of {sender}: {_text(error)}")
    return _as_ours(error, where)


def _as_ours(error: Exception, where: str) -> LedgerError:
    """Return ``error`` as ours; raise it as it is where it is a fault of the program."""
    if isinstance(error, _UNAVAILABLE):
        return LedgerUnavailableError(
            f"no answer from {where} ({type(error).__name__}); start the node or name another URL"
        )
    if isinstance(error, (BadResponseFormat, JSONDecodeError)):
        return LedgerReplyError(f"{where} does not answer as a JSON-RPC node; name another URL")
    data = _revert_data(error)
    if data is not None:
        return refusal(data)
    if isinstance(error, Web3Exception):
        return LedgerReplyError(f"{where} answered: {_text(error)}")
    raise error


def _revert_data(error: Exception) -> bytes | None:
    """Return what the contract said in ``error``, None where it is not a contract's refusal."""
    if isinstance(error, ContractLogicError):
        data = error.data
        if isinstance(data, dict):  # Ganache, when it estimates
            data = data.get("result")
        return bytes.fromhex(data[2:]) if isinstance(data, str) else b""
    if type(error).__name__ == "TransactionFailed":
        # eth-tester hands the revert's bytes over as their Python text; it is not imported here
        # because only embedded chains need it.
        try:
            told = ast.literal_eval(str(error).removeprefix("execution reverted: "))
        except (SyntaxError, ValueError):
            return b""
        return told if isinstance(told, bytes) else b""
    return None


def _text(error: Exception) -> str:
    """Return an error's first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
