"""Live values for those who watch: a ring of what was told, and a bounded queue for each.

`EventHub.publish` may be called from any thread, and never waits: whoever reads too slowly is let
go, and comes back with the id of the last event it saw.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from msgspec.json import encode

Json = Mapping[str, object]
"""What an event tells."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was told."""

    number: int
    """Its place since the service began."""
    kind: str
    """``values``, ``alarm``, ``command`` and what later parts add."""
    whole: bytes
    """What those who see the fleet read, as JSON."""
    by_home: Mapping[str, bytes]
    """What a home reads of it; homes that it does not concern are missing."""

    def told_to(self, home: str | None) -> bytes | None:
        """Return what ``home`` reads, None being whoever sees the fleet; None where nothing."""
        return self.whole if home is None else self.by_home.get(home)


@dataclass(slots=True, eq=False)
class Watcher:
    """One client's queue."""

    home: str | None
    """The home that it sees, None for the fleet."""
    who: str
    """Who watches: the token's id."""
    loop: asyncio.AbstractEventLoop
    """Where it waits."""
    lock: Lock
    """The hub's: who publishes is another thread."""
    since: int
    """Number of the event that it goes on after."""
    lost: bool
    """Whether something that it missed is lost: it has to read everything again."""
    waiting: deque[Event] = field(default_factory=deque)
    """What it has not read."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while there is something to do."""
    dropped: bool = False
    """Whether it was let go, for reading too slowly or because the service ends."""

    async def next(self, timeout_s: float) -> list[Event] | None:
        """Return what came, nothing after ``timeout_s``, or None once it was let go. [s]"""
        try:
            async with asyncio.timeout(timeout_s):
                await self.woken.wait()
        except TimeoutError:
            return []
        with self.lock:
            self.woken.clear()
            came = list(self.waiting)
            self.waiting.clear()
        return None if self.dropped else came


class EventHub:
    """Tells every watcher what happens.

    Parameters
    ----------
    began : str
        Marks this run in the ids, so that ids of an earlier one are known as such.
    kept : int
        Events that a client may have missed and still resume.
    queue : int
        Events that may wait for one client.
    watchers : int
        Clients at once.
    each : int
        Clients at once with one token: nobody takes the places of all others.
    """

    def __init__(
        self,
        began: str,
        *,
        kept: int = 1000,
        queue: int = 200,
        watchers: int = 500,
        each: int = 100,
    ) -> None:
        self.began = began
        self.queue = queue
        self.most = watchers
        self.each = each
        self.let_go = 0
        """Clients that were let go for reading too slowly."""
        self._ring: deque[Event] = deque(maxlen=kept)
        self._watchers: set[Watcher] = set()
        self._number = 0
        self._lock = Lock()

    @property
    def watching(self) -> int:
        """How many clients watch."""
        return len(self._watchers)

    def publish(self, kind: str, whole: Json, by_home: Mapping[str, Json] | None = None) -> None:
        """Tell it to everybody whom it concerns.

        Parameters
        ----------
        kind : str
            The event's kind, one word.
        whole : Mapping
            What those who see the fleet read.
        by_home : Mapping, optional
            What each home reads, by its id.
        """
        of_homes = {home: encode(told) for home, told in (by_home or {}).items()}
        with self._lock:
            self._number += 1
            event = Event(self._number, kind, encode(whole), of_homes)
            self._ring.append(event)
            for watcher in list(self._watchers):
                self._offer(watcher, event)

    def watch(
        self, home: str | None, last_id: str | None = None, *, who: str = ""
    ) -> Watcher | None:
        """Begin to watch, with what was missed in the queue; None where too many do.

        Parameters
        ----------
        home : str or None
            The home to watch, None for the fleet.
        last_id : str, optional
            Id of the last event that the client saw.
        who : str
            Who watches: the token's id.
        """
        with self._lock:
            if not self._has_room(who):
                return None
            seen = self._number if last_id is None else self._seen(last_id)
            missed = [] if seen is None else [each for each in self._ring if each.number > seen]
            lost = seen is None or seen + len(missed) != self._number
            loop = asyncio.get_running_loop()
            since = self._number if lost or seen is None else seen
            watcher = Watcher(home, who, loop, self._lock, since, lost)
            if not lost:
                watcher.waiting.extend(each for each in missed if each.told_to(home) is not None)
            if watcher.waiting:
                watcher.woken.set()
            self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Stop telling a client."""
        with self._lock:
            self._watchers.discard(watcher)

    def release(self, watcher: Watcher) -> None:
        """Let a client go, as one whose token holds no longer."""
        with self._lock:
            self._release(watcher)

    def close(self) -> None:
        """Let everybody go: the service ends."""
        with self._lock:
            for watcher in list(self._watchers):
                self._release(watcher)

    def event_id(self, number: int) -> str:
        """Return an event's id, as the client gives it back.

        Parameters
        ----------
        number : int
            The event's.
        """
        return f"{self.began}-{number}"

    def _has_room(self, who: str) -> bool:
        same = sum(watcher.who == who for watcher in self._watchers)
        return len(self._watchers) < self.most and same < self.each

    def _seen(self, last_id: str) -> int | None:
        """Return the number of an id, or None where this run gave no such id."""
        began, _, number = last_id.rpartition("-")
        # eighteen figures are more events than any run tells
        if began != self.began or not (number.isascii() and number.isdigit()) or len(number) > 18:
            return None
        return int(number)

    def _offer(self, watcher: Watcher, event: Event) -> None:
        if event.told_to(watcher.home) is None:
            return
        if len(watcher.waiting) >= self.queue:
            self.let_go += 1
            self._release(watcher)
            return
        watcher.waiting.append(event)
        if len(watcher.waiting) == 1:
            watcher.loop.call_soon_threadsafe(watcher.woken.set)

    def _release(self, watcher: Watcher) -> None:
        watcher.dropped = True
        watcher.waiting.clear()
        self._watchers.discard(watcher)
        watcher.loop.call_soon_threadsafe(watcher.woken.set)
