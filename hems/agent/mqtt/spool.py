"""Messages on their way: kept until the broker, or the aggregator's service, has them.

What is to be said goes to the gateway's memory first and is forgotten when the broker has it, or
where receipts are offered when the service has it on its disk; so a killed process or a day without
a broker loses nothing that fits. A message may be sent twice; it then carries the same ``id``, so
that receivers can drop the second one.
"""

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, islice
from typing import Final

from hems.agent.health import Health
from hems.agent.store import Store
from hems.errors import StoreError

THING: Final = "memory of messages"
"""What the log calls it."""
_MEMORY_ROWS: Final = 1_000
"""Messages that are held while the disk takes none: an afternoon of telemetry."""
_ACKNOWLEDGED_MOST: Final = 200
"""Acknowledged messages that are deleted with the next new one, to write to the flash less often;
after a crash they are sent again."""
AGAIN_S: Final = 900.0
"""How long a message waits for its receipt until it is sent again on the same connection; then
twice as long, and so on: a service that is away must not find a heap of copies. [s]"""
_AGAIN_MOST_S: Final = 86_400.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spool (
    number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, id TEXT NOT NULL, topic TEXT NOT NULL,
    payload BLOB NOT NULL, expires_s REAL NOT NULL, correlation_id TEXT
);
CREATE TABLE IF NOT EXISTS spool_dropped (
    one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL
);
INSERT OR IGNORE INTO spool_dropped VALUES (1, 0);
"""


class Lane(IntEnum):
    """What is dropped first when there is too much, and sent last."""

    TELEMETRY = 0
    """Measurements."""
    ANSWER = 1
    """What became of commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message."""

    number: int
    """Its place in the order of sending."""
    lane: Lane
    """What it is about."""
    id: str
    """Its own for ever: the same each time that it is sent."""
    topic: str
    """Where to."""
    payload: bytes
    """What it says, the same each time."""
    expires_s: float
    """When it is of no use any more, Unix time. [s]"""
    correlation_id: str | None = None
    """Which command it answers."""

    @property
    def wants_receipt(self) -> bool:
        """Whether it asks the aggregator's service for a receipt."""
        return json.loads(self.payload).get("receipt") is True


class Spool:
    """Keep messages in order until they are delivered; bounded, counting what is dropped.

    Parameters
    ----------
    store : Store
        Keeps them over a restart.
    health : Health
        Is told when it keeps nothing; messages then stay in memory, fewer of them.
    rows_max : int
        Messages at most.
    bytes_max : int
        Size of their payloads at most.
    """

    def __init__(self, store: Store, *, health: Health, rows_max: int, bytes_max: int) -> None:
        self._store = store
        self._health = health
        self._rows_max = rows_max
        self._bytes_max = bytes_max
        # drawn anew at each start: a power cut may take back the last numbers, never an id
        self._session = secrets.token_hex(6)
        self._sizes: dict[int, int] = {}
        self._answers: OrderedDict[int, None] = OrderedDict()
        self._fresh: OrderedDict[int, None] = OrderedDict()
        self._backlog: OrderedDict[int, None] = OrderedDict()
        # the broker has these, until when it is waited for their receipts
        self._handed_over: OrderedDict[int, float] = OrderedDict()
        self._pauses_s: dict[int, float] = {}
        self._expected: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._unsaved: OrderedDict[int, Letter] = OrderedDict()
        self._gone: set[int] = set()
        self._bytes = 0
        self._more = asyncio.Event()
        self._next = 1
        self._dropped = 0
        store.create(_SCHEMA)
        self._recall()

    @property
    def waiting(self) -> int:
        """How many messages are kept."""
        return len(self._sizes)

    @property
    def dropped(self) -> int:
        """How many were dropped, since the gateway began."""
        return self._dropped

    def put(
        self,
        lane: Lane,
        topic: str,
        body: Mapping[str, object],
        *,
        expires_s: float,
        correlation_id: str | None = None,
    ) -> Letter:
        """Take a message; it is in the store when this returns, unless the disk is full.

        Parameters
        ----------
        lane : Lane
            What it is about.
        topic : str
            Where to.
        body : Mapping
            What it says; ``id``, ``expires`` and ``correlation_id`` are added.
        expires_s : float
            When it is of no use any more, Unix time. [s]
        correlation_id : str, optional
            Which command it answers.
        """
        number, self._next = self._next, self._next + 1
        name = f"{self._session}-{number}"
        document: dict[str, object] = {"id": name, **body, "expires": round(expires_s, 3)}
        if correlation_id is not None:
            document["correlation_id"] = correlation_id
        letter = Letter(
            number=number,
            lane=lane,
            id=name,
            topic=topic,
            payload=json.dumps(document, allow_nan=False, separators=(",", ":")).encode(),
            expires_s=expires_s,
            correlation_id=correlation_id,
        )
        self._unsaved[number] = letter
        self._line_up(number, lane, len(letter.payload))
        self._make_room()
        self.save()
        self._more.set()
        return letter

    def begin(self) -> None:
        """Take note of a new connection: telemetry that waits now comes after what is new.

        What has no receipt yet waits again, for the broker may have lost it.
        """
        self._wait_again(self._handed_over)
        self._backlog.update(self._fresh)
        self._fresh.clear()

    def next(self, most: int, *, now_s: float) -> list[Letter]:
        """Return what to send now: answers, then new telemetry, then old, each in its order.

        Parameters
        ----------
        most : int
            How many at most.
        now_s : float
            Unix time; what has expired is dropped. [s]

        Raises
        ------
        StoreError
            If they cannot be read; none is lost.
        """
        letters: list[Letter] = []
        while len(letters) < most:
            rest = islice(chain(self._answers, self._fresh, self._backlog), len(letters), most)
            numbers = list(rest)
            if not numbers:
                break
            found = self._fetch(numbers)
            for number in numbers:
                letter = found.get(number)
                if letter is None or letter.expires_s <= now_s:
                    self._drop(number)
                else:
                    letters.append(letter)
        return letters

    def delivered(self, letter: Letter) -> None:
        """Forget a message that the broker has acknowledged."""
        self._forget(letter.number)
        if len(self._gone) >= _ACKNOWLEDGED_MOST:
            self.save()

    def expect(self, letter: Letter) -> None:
        """Take note, before a message is sent, that a receipt may come for it."""
        self._expected[letter.id] = letter.number
        self._names[letter.number] = letter.id

    def hand_over(self, letter: Letter, *, now_s: float) -> None:
        """Keep a message that the broker has until its receipt comes.

        Parameters
        ----------
        letter : Letter
            The message; `expect` was told of it.
        now_s : float
            The time by the clock that does not jump. [s]
        """
        number = letter.number
        if number not in self._sizes:
            return  # the receipt was quicker than the broker's word
        pause_s = self._pauses_s.get(number, AGAIN_S)
        self._pauses_s[number] = min(2 * pause_s, _AGAIN_MOST_S)
        for line in (self._answers, self._fresh, self._backlog):
            line.pop(number, None)
        self._handed_over[number] = now_s + pause_s

    def received(self, names: Iterable[str]) -> None:
        """Forget messages, by their ids, that the aggregator's service has on its disk."""
        for name in names:
            number = self._expected.get(name)
            if number is not None:
                self._forget(number)
        if len(self._gone) >= _ACKNOWLEDGED_MOST:
            self.save()

    def send_again(self, *, now_s: float) -> None:
        """Send again what has waited for its receipt for too long.

        Parameters
        ----------
        now_s : float
            The time by the clock that does not jump. [s]
        """
        self._wait_again([number for number, s in self._handed_over.items() if s <= now_s])

    async def more(self) -> None:
        """Wait until there is something to send."""
        while not (self._answers or self._fresh or self._backlog):
            self._more.clear()
            await self._more.wait()

    def save(self) -> None:
        """Write what is new and delete what is gone; on a full disk it stays in memory."""
        try:
            with self._store.transaction() as base:
                base.executemany(
                    "INSERT INTO spool VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [_row(letter) for letter in self._unsaved.values()],
                )
                base.executemany(
                    "DELETE FROM spool WHERE number = ?", [(number,) for number in self._gone]
                )
                base.execute("UPDATE spool_dropped SET count = ?", (self._dropped,))
        except StoreError as error:
            self._health.lost(THING, str(error))
            self._shed()
            return
        self._unsaved.clear()
        self._gone.clear()
        self._health.back(THING)

    def _recall(self) -> None:
        for number, lane, size in self._store.rows(
            "SELECT number, lane, length(payload) FROM spool ORDER BY number"
        ):
            self._line_up(number, Lane(lane), size)
        self._next = 1 + max(self._sizes, default=0)
        ((self._dropped,),) = self._store.rows("SELECT count FROM spool_dropped")
        self.begin()

    def _wait_again(self, numbers: Iterable[int]) -> None:
        again = set(numbers)
        if not again:
            return
        for number in again:
            del self._handed_over[number]
        self._backlog = OrderedDict.fromkeys(sorted(again.union(self._backlog)))
        self._more.set()

    def _line_up(self, number: int, lane: Lane, size: int) -> None:
        self._sizes[number] = size
        self._bytes += size
        (self._answers if lane is Lane.ANSWER else self._fresh)[number] = None

    def _make_room(self) -> None:
        while self.waiting > self._rows_max or (self._bytes > self._bytes_max and self.waiting > 1):
            lines = (self._handed_over, self._backlog, self._fresh, self._answers)
            self._drop(next(chain.from_iterable(lines)))

    def _shed(self) -> None:
        """Keep no more in memory than it holds."""
        surplus = len(self._unsaved) - _MEMORY_ROWS
        if surplus <= 0:
            return
        by_worth = sorted(self._unsaved.values(), key=lambda each: (each.lane, each.number))
        for letter in by_worth[:surplus]:
            self._drop(letter.number)

    def _drop(self, number: int) -> None:
        self._dropped += 1
        self._forget(number)

    def _forget(self, number: int) -> None:
        size = self._sizes.pop(number, None)
        if size is None:
            return
        self._bytes -= size
        for line in (self._answers, self._fresh, self._backlog):
            line.pop(number, None)
        self._handed_over.pop(number, None)
        self._pauses_s.pop(number, None)
        self._expected.pop(self._names.pop(number, ""), None)
        if self._unsaved.pop(number, None) is None:
            self._gone.add(number)

    def _fetch(self, numbers: list[int]) -> dict[int, Letter]:
        """Return messages by number; those that cannot be read are missing."""
        found = {number: self._unsaved[number] for number in numbers if number in self._unsaved}
        asked = [number for number in numbers if number not in found]
        if not asked:
            return found
        marks = ", ".join("?" * len(asked))
        question = f"SELECT * FROM spool WHERE number IN ({marks})"  # noqa: S608 -- marks only
        for number, lane, name, topic, payload, expires_s, correlation_id in self._store.rows(
            question, asked
        ):
            found[number] = Letter(
                number=number,
                lane=Lane(lane),
                id=name,
                topic=topic,
                payload=payload,
                expires_s=expires_s,
                correlation_id=correlation_id,
            )
        return found


def _row(letter: Letter) -> tuple[object, ...]:
    return (
        letter.number,
        int(letter.lane),
        letter.id,
        letter.topic,
        letter.payload,
        letter.expires_s,
        letter.correlation_id,
    )
