"""What became of commands: answers out of the store, and an end to those without any.

The verdict is made anew of all answers of a command each time that there is a new one. So it does
not matter who took them into the store, how often this stopped meanwhile, or which came first.
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from aggregator.service.commands.settings import CommandSettings
from aggregator.service.commands.states import (
    ABORTED,
    ACCEPTED,
    DONE,
    EXPIRED,
    FAILED,
    NO_ACKNOWLEDGEMENT,
    NO_OUTCOME,
    NOT_SENT,
    OUT_OF_USE,
    REFUSED,
    SENT,
    UNANSWERED,
    WAITING,
)
from aggregator.service.commands.verdict import OUTCOME, Answer, judge
from aggregator.service.store.store import Store
from aggregator.service.store.tables import answers, commands, homes
from aggregator.service.store.telemetry import DAY_MS

AWAITED_MS: Final = 8 * DAY_MS
"""Gateways keep an answer for a week; older commands are not looked at again at a start. [ms]"""
_OVERLAP_MS: Final = 60_000
"""Rows are numbered before they are committed; so much later one may still appear. [ms]"""
_AT_ONCE: Final = 1_000
_STATED: Final = update(commands).where(commands.c.correlation_id == bindparam("named"))
_BY_COMMAND: Final = and_(
    answers.c.correlation_id == commands.c.correlation_id,
    answers.c.home_number == commands.c.home_number,  # no home answers for another one
)
_ABORTS: Final = and_(
    answers.c.kind == OUTCOME,
    answers.c.body["outcome"].as_string() == ABORTED,
)


class Following:
    """Follows commands until their end, and beyond it where a late answer comes.

    Parameters
    ----------
    store : Store
        The database.
    settings : CommandSettings
        How long an answer is awaited.
    """

    def __init__(self, store: Store, settings: CommandSettings) -> None:
        self._store = store
        self._answer_ms = round(settings.answer_s * 1000)
        self._marks: list[tuple[int, int]] = []

    def take_answers(self) -> int:
        """Take answers to open commands into their rows; return how many commands changed."""
        state = commands.c.state
        heard = (state == SENT) | ((state == ACCEPTED) & (answers.c.kind == OUTCOME))
        return self._take(heard)

    def take_late(self, now_ms: int) -> int:
        """Take answers to commands that had ended; return how many commands changed.

        Those that were given up may be answered late, and what was done may be aborted. The first
        time also answers to what waits: it may have gone out before we were killed.

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        """
        with self._store.read() as connection:
            newest = connection.execute(select(func.max(answers.c.number))).scalar() or 0
        if self._marks:
            # not the column itself: its index leads over all that ever failed, the numbers do not
            state = func.coalesce(commands.c.state, "")
            ended = or_(state.in_(FAILED), and_(state == DONE, _ABORTS))
            news = ended & (answers.c.number > self._marks[0][1])
        else:
            recent = commands.c.expires_ms > now_ms - AWAITED_MS
            aborted = and_(commands.c.state == DONE, _ABORTS)
            news = or_(commands.c.state.in_((*FAILED, WAITING)), aborted) & recent
        changed = self._take(news)
        self._marks.append((now_ms, newest))
        while len(self._marks) > 1 and self._marks[1][0] <= now_ms - _OVERLAP_MS:
            del self._marks[0]
        return changed

    def give_up(self, now_ms: int) -> int:
        """End commands whose time is over, or whose home is out of use; return how many.

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        """
        state, expires_ms = commands.c.state, commands.c.expires_ms
        over_ms = now_ms - self._answer_ms
        gone = select(homes.c.number).where(homes.c.retired)
        ends = (
            (and_(state == WAITING, commands.c.home_number.in_(gone)), REFUSED, OUT_OF_USE),
            (and_(state == WAITING, expires_ms <= now_ms), EXPIRED, NOT_SENT),
            (and_(state == SENT, expires_ms <= over_ms), UNANSWERED, NO_ACKNOWLEDGEMENT),
            (and_(state == ACCEPTED, expires_ms <= over_ms), UNANSWERED, NO_OUTCOME),
        )
        with self._store.read() as connection:
            due = [
                each
                for each in ends
                if connection.execute(select(commands.c.state).where(each[0]).limit(1)).first()
            ]
        if not due:
            return 0
        with self._store.write() as connection:
            return sum(
                connection.execute(
                    update(commands).where(which).values(state=end, code=code)
                ).rowcount
                for which, end, code in due
            )

    def _take(self, which: ColumnElement[bool]) -> int:
        found = select(commands.c.correlation_id).distinct().join(answers, _BY_COMMAND).where(which)
        with self._store.read() as connection:
            named = list(connection.execute(found).scalars())
        changed = 0
        for first in range(0, len(named), _AT_ONCE):
            with self._store.write() as connection:
                changed += self._state(connection, named[first : first + _AT_ONCE])
        return changed

    def _state(self, connection: Connection, named: Sequence[str]) -> int:
        """Write the verdicts of commands; return how many are others than before."""
        of_these = commands.c.correlation_id.in_(named)
        told = select(
            *(commands.c[each] for each in _COLUMNS),
            commands.c.correlation_id,
            commands.c.expires_ms,
            answers.c.kind,
            answers.c.heard_ms,
            answers.c.body.label("said"),
        )
        rows = connection.execute(
            told.join(answers, _BY_COMMAND)
            .where(of_these)
            .order_by(commands.c.correlation_id, answers.c.number)
        )
        changes = []
        for name, group in groupby(rows, key=lambda row: row.correlation_id):
            own = list(group)
            verdict = judge(
                [Answer(kind=row.kind, heard_ms=row.heard_ms, body=row.said) for row in own],
                until_ms=own[0].expires_ms + self._answer_ms,
            )
            stated = asdict(verdict)
            if tuple(stated[each] for each in _COLUMNS) != tuple(own[0][: len(_COLUMNS)]):
                changes.append({"named": name, **stated})
        if changes:
            connection.execute(_STATED, changes)
        return len(changes)


_COLUMNS: Final = ("state", "acknowledged_ms", "finished_ms", "outcome", "code", "reason", "late")
