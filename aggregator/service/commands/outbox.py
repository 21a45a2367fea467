"""From the store to the broker: what waits goes out at a pace, and is marked once it is there.

Published, then marked: whoever is killed in between sends the same message again, under the same
correlation id, and the gateway, which remembers ids, carries it out once (docs/mqtt.md). Nothing is
forgotten, and nothing that is marked is sent again but for want of an acknowledgement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import json
from sqlalchemy import Row, Select, and_, case, func, or_, select, update

from aggregator.service.commands.publisher import Publisher
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.commands.states import REFUSED, SENT, WAITING
from aggregator.service.store.store import Store
from aggregator.service.store.tables import commands, homes

FLYING_MOST: Final = 200
"""Messages that are out without the broker's acknowledgement."""
FLYING_S: Final = 30.0
"""How long the broker may take to acknowledge one; then it is sent anew. [s]"""
_BURST_S: Final = 0.25
"""What was not sent for want of a turn is made up for, so much at most. [s]"""
_STEP_S: Final = 0.1
"""What goes in one look, where more waits. [s]"""
NOT_ALLOWED: Final = "not-allowed"
"""Code: the broker does not let us publish it."""

_NEW: Final = commands.c.state == WAITING
_STOPS: Final = commands.c.body["write"].as_string() == "stop"
_ALONE: Final = or_(commands.c.target.startswith("home:"), commands.c.target.startswith("device:"))
_RANK: Final = case(
    (and_(_NEW, _STOPS), 0), (and_(_NEW, _ALONE), 1), (_NEW, 2), (_STOPS, 3), (_ALONE, 4), else_=5
)


@dataclass(slots=True)
class Pace:
    """Gives leave for so many in a second, and no more than `_BURST_S` worth at once."""

    per_s: float
    """How many. [1/s]"""
    _left: float = 0.0
    _at_s: float | None = None

    def leave(self, now_s: float) -> int:
        """Return how many may go now."""
        if self._at_s is not None:
            self._left += (now_s - self._at_s) * self.per_s
        self._at_s = now_s
        self._left = min(self._left, max(1.0, self.per_s * _BURST_S))
        # a few at a time, for each look costs about the same
        return int(self._left) if self._left >= max(1.0, self.per_s * _STEP_S) else 0

    def went(self, count: int) -> None:
        """Count what went."""
        self._left -= count


class Outbox:
    """Sends what waits.

    Parameters
    ----------
    store : Store
        The database.
    publisher : Publisher
        The broker.
    settings : CommandSettings
        The pace, and when a command is sent again.
    """

    def __init__(self, store: Store, publisher: Publisher, settings: CommandSettings) -> None:
        self._store = store
        self._publisher = publisher
        self._pace = Pace(settings.per_s)
        self._again_ms = round(settings.again_s * 1000)
        self._topic = f"command/{settings.sender}" if settings.sender else "command"
        self._flying: dict[int, tuple[str, float]] = {}
        self._arrived: set[int] = set()
        self._kept_out: set[int] = set()

    def turn(self, *, now_ms: int, now_s: float) -> bool:
        """Mark what arrived and send what waits; return whether anything is under way.

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        now_s : float
            A clock that never runs backwards. [s]

        Raises
        ------
        StoreUnavailableError
            If the database does not answer; it goes on from there next time.
        """
        self._mark(now_ms)
        self._give_up(now_s)
        leave = min(self._pace.leave(now_s), FLYING_MOST - len(self._flying))
        if leave > 0 and self._publisher.connected:
            due = self._due(leave, now_ms)
            for row in due:
                self._send(row, now_ms, now_s)
            self._pace.went(len(due))
        return bool(self._flying)

    def _send(self, row: "Row[Any]", now_ms: int, now_s: float) -> None:
        body = {
            "device": row.home,
            "correlation_id": row.correlation_id,
            "expires": row.expires_ms / 1000,
            **row.body,
        }
        number = self._publisher.send(
            f"{row.home}/{self._topic}",
            json.encode(body),
            correlation_id=row.correlation_id,
            expires_in_s=(row.expires_ms - now_ms) / 1000,
        )
        self._flying[number] = (row.correlation_id, now_s)

    def _due(self, most: int, now_ms: int) -> "Sequence[Row[Any]]":
        """Return what is to be sent: what is new first; of that, stops and orders to one home.

        What is sent again comes last: ten thousand gateways that are away must hold up nobody.
        """
        own = commands.c
        again = and_(own.state == SENT, own.last_sent_ms <= now_ms - self._again_ms)
        query: Select[Any] = (
            select(own.correlation_id, own.expires_ms, own.body, homes.c.id.label("home"))
            .join(homes, homes.c.number == own.home_number)
            .where(or_(own.state == WAITING, again), own.expires_ms > now_ms)
            .where(homes.c.retired.is_(False))
            .order_by(_RANK, own.asked_ms, own.correlation_id)
            .limit(most + len(self._flying))
        )
        flying = {name for name, _ in self._flying.values()}
        with self._store.read() as connection:
            found = connection.execute(query).all()
        return [row for row in found if row.correlation_id not in flying][:most]

    def _mark(self, now_ms: int) -> None:
        """Write down what the broker has, or will not have."""
        taken, refused = self._publisher.answered()
        self._arrived.update(self._flying.keys() & taken)
        self._kept_out.update(self._flying.keys() & refused)
        if not self._arrived and not self._kept_out:
            return
        own = commands.c
        sent = update(commands).where(own.correlation_id.in_(self._named(self._arrived)))
        stopped = update(commands).where(own.correlation_id.in_(self._named(self._kept_out)))
        with self._store.write() as connection:
            connection.execute(
                sent.values(
                    # a quick gateway may have answered by now
                    state=case((own.state == WAITING, SENT), else_=own.state),
                    sent_ms=func.coalesce(own.sent_ms, now_ms),
                    last_sent_ms=now_ms,
                    sends=own.sends + 1,
                )
            )
            reason = "the broker does not let us publish it; mend its access list"
            connection.execute(
                stopped.where(own.state.in_((WAITING, SENT))).values(
                    state=REFUSED, code=NOT_ALLOWED, reason=reason
                )
            )
        for number in self._arrived | self._kept_out:
            del self._flying[number]
        self._arrived.clear()
        self._kept_out.clear()

    def _named(self, numbers: set[int]) -> list[str]:
        return [self._flying[number][0] for number in sorted(numbers)]

    def _give_up(self, now_s: float) -> None:
        """Forget messages of which a broker that is there says nothing: they go again."""
        if self._publisher.connected:
            late = [each for each, (_, at_s) in self._flying.items() if now_s - at_s >= FLYING_S]
            for number in late:
                del self._flying[number]
