"""The ledger in a thread of its own: a node that hangs never holds the gateway up."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from contracts.errors import LedgerError, LedgerReplyError, LedgerUnavailableError

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

_LOOK_S = 0.05
"""How often it is looked whether an earlier answer has come, in real time. [s]"""
_Job = tuple[Callable[[Any], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class LedgerLink(Generic[Thing]):
    """Do one thing at a time in a thread that ends with the process, whatever it waits for.

    Whoever waits for an answer gives up after a time. The thread goes on until it has the answer,
    which nobody takes any more; until then it takes nothing else. That is safe, since nothing is
    concluded from an answer (see `hems.agent.ledger.report_log`).

    Parameters
    ----------
    make : Callable[[], Thing]
        Makes what is worked with, in the thread, at the first request and after one that could not.
    """

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._thing: Thing | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether the thread still waits for an answer."""
        return self._busy

    async def ask(self, work: Callable[[Thing], Answer], *, within_s: float) -> Answer:
        """Return what ``work`` returns, or raise the `LedgerError` that it raises.

        Parameters
        ----------
        work : Callable[[Thing], Answer]
            Is called in the thread.
        within_s : float
            How long its answer is waited for, and an earlier one that is still owed. [s]

        Raises
        ------
        LedgerUnavailableError
            If there is no answer in time, or the thread waits for an earlier one all that time.
        LedgerReplyError
            If it raised anything else.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while self._busy:
            if loop.time() >= until_s:
                msg = "the node still owes an earlier answer; see whether it hangs"
                raise LedgerUnavailableError(msg)
            await asyncio.sleep(_LOOK_S)  # the loop that asked may have ended: it wakes nobody
        answer: asyncio.Future[Answer] = loop.create_future()
        self._busy = True
        self._jobs.put((work, answer, loop))
        if self._thread is None:
            self._thread = Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()
        try:
            async with asyncio.timeout_at(until_s):
                return await answer
        except TimeoutError:
            msg = f"no answer from the node within {within_s:g} s; see whether it hangs"
            raise LedgerUnavailableError(msg) from None

    def close(self) -> None:
        """Let the thread end once it has its answer; nobody waits for it."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, answer, loop = job
            result: Any = None
            failure: LedgerError | None = None
            try:
                if self._thing is None:
                    self._thing = self._make()
                result = work(self._thing)
            except LedgerError as error:
                failure = error
            except Exception as error:  # a node that answers nonsense must not end the gateway
                failure = _unexpected(error)
            self._busy = False
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_hand_over, answer, result, failure)


def _unexpected(error: Exception) -> LedgerReplyError:
    """Return an error that nobody foresaw as one of the ledger's, which is tried again."""
    text = " ".join(str(error).split())[:200]
    wrapped = LedgerReplyError(
        f"the node's answer cannot be used ({type(error).__name__}: {text}); it is asked again; "
        "name another node if this stays"
    )
    wrapped.__cause__ = error
    return wrapped


def _hand_over(answer: "asyncio.Future[Any]", result: object, failure: LedgerError | None) -> None:
    """Give an answer to whoever still waits for it."""
    if answer.done():
        return
    if failure is not None:
        answer.set_exception(failure)
    else:
        answer.set_result(result)
