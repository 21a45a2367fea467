"""Takes what gateways say into the store, a batch at a time, and acknowledges what is there.

A message is acknowledged when the transaction with its rows is on the disk, never before. While the
database is away nothing is acknowledged, nothing more than ``in_flight`` is taken, and the broker
keeps the rest.
"""

import threading
import time
from typing import Final

from msgspec import json

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.ingest.batch import Batch
from aggregator.service.ingest.counts import Counting, Counts
from aggregator.service.ingest.subscriber import Heard, Subscriber, Tell
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import Store
from aggregator.service.store.telemetry import numbers_of
from devices.clock import Clock

RECEIVED: Final = "received"
"""Last level of the topics of receipts; below the root itself it says that we give them."""
_RETRY_S: Final = (0.2, 2.0)
"""Shortest and longest pause before a transaction is tried again. [s]"""
_TURN_S: Final = 0.25
"""How often a thread that has nothing to do looks whether it is to end. [s]"""


class Ingest:
    """The subscriber, and the thread that writes what it hears.

    Parameters
    ----------
    settings : ServiceSettings
        Where the broker is, and how messages are taken.
    store : Store
        Where they go.
    clock : Clock
        The present.
    tell : callable
        Takes lines for the log: that the broker is lost, and that it is back, once each.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        store: Store,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._numbers: dict[str, int] = {}
        self._counting = Counting()
        self._ending = threading.Event()
        self._ended: Exception | None = None
        self._subscriber = Subscriber(
            settings.broker,
            client_id=f"gridpact-{settings.ingest.name}",
            share=settings.ingest.share,
            most=settings.ingest.in_flight,
            session_s=settings.ingest.session_s,
            tell=tell,
        )
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin, in threads of its own."""
        self._thread.start()
        self._subscriber.start()

    def stop(self) -> None:
        """End after the transaction that is under way; what is not acknowledged comes again."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._subscriber.stop()

    def counts(self) -> Counts:
        """Return what was done so far."""
        link = self._subscriber
        return self._counting.now(waiting=link.waiting, connected=link.connected)

    def check(self) -> None:
        """Raise what ended the thread, if anything has: without it nothing is taken any more."""
        if self._ended is not None:
            raise self._ended

    def _work(self) -> None:
        try:
            self._take()
        except Exception as error:  # whoever runs us raises it
            self._ended = error

    def _take(self) -> None:
        ingest = self._settings.ingest
        offered = 0
        while not self._ending.is_set():
            now_as = self._subscriber.connected_as
            if now_as not in {0, offered}:  # a broker that was killed may have forgotten the offer
                self._subscriber.publish(RECEIVED, b"offered", retain=True)
                offered = now_as
            messages = self._subscriber.take(ingest.batch_messages, wait_s=_TURN_S)
            if not messages:
                continue
            if len(messages) < ingest.batch_messages and ingest.batch_wait_s:
                # a transaction costs about the same for one row as for a thousand
                self._ending.wait(ingest.batch_wait_s)
                room = ingest.batch_messages - len(messages)
                messages += self._subscriber.take(room, wait_s=0.0)
            self._settle(messages)

    def _settle(self, messages: list[Heard]) -> None:
        """Write messages, however often it takes, then acknowledge them."""
        now_ms = self._now_ms()
        from_ms = self._settings.retention.accepts_from_ms(now_ms)
        batch = Batch.of(messages, from_ms=from_ms, now_ms=now_ms)
        pause_s = _RETRY_S[0]
        while not self._written(batch, len(messages)):
            if self._ending.wait(pause_s):
                return
            pause_s = min(2 * pause_s, _RETRY_S[1])
        self._subscriber.acknowledge(messages)
        for sender, ids in batch.receipts().items():
            self._subscriber.publish(f"{sender}/{RECEIVED}", json.encode({"ids": ids}))

    def _written(self, batch: Batch, messages: int) -> bool:
        """Return whether a batch is in the store."""
        began_s = time.perf_counter()
        now_ms = self._now_ms()
        try:
            self._learn(batch, now_ms)
            told = sum(len(each.rows) for _, each in batch.told)
            with self._store.write() as connection:
                new = batch.write(connection, self._numbers, now_ms=now_ms)
        except StoreUnavailableError:
            self._counting.failed()
            return False
        self._counting.committed(
            messages=messages, rows=new, told=told, commit_s=time.perf_counter() - began_s
        )
        self._counting.refuse(batch.reasons())
        return True

    def _learn(self, batch: Batch, now_ms: int) -> None:
        """Learn the numbers of homes that are new to us, and refuse what has none."""
        unknown = batch.senders - self._numbers.keys()
        if unknown:
            admit = self._settings.ingest.admit
            with self._store.write() as connection:
                found = numbers_of(connection, unknown, now_ms=now_ms, admit=admit)
            self._numbers.update(found)
            batch.keep(self._numbers)

    def _now_ms(self) -> int:
        return round(self._clock.utc().timestamp() * 1000)
