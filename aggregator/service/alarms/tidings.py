"""Which alarms are to be told: those that began, those nobody acknowledged, those that are over."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, or_, select, update

from aggregator.service.alarms.book import ACKNOWLEDGED, RAISED, RESOLVED
from aggregator.service.alarms.message import Alarm, Event
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, homes
from aggregator.service.store.telemetry import DAY_MS

_AT_ONCE: Final = 5_000
_COLUMNS: Final = (
    "number", "kind", "severity", "line", "state",
    "raised_ms", "resolved_ms", "resolved_by", "told_ms",
)  # fmt: skip
_STANDING: Final = alarms.c.state.in_((RAISED, ACKNOWLEDGED))
_OVER: Final = (alarms.c.state == RESOLVED) & (alarms.c.resolved_ms > alarms.c.told_ms)


class Tidings:
    """Finds what to tell, and writes down what was told.

    ``told_ms`` of an alarm is when it was told last; one that was resolved later is to be told as
    over. What stood at the last look is remembered, so that no look reads all that ever was.

    Parameters
    ----------
    store : Store
        The database.
    settings : AlarmSettings
        What is told again, and whether what is over is told.
    """

    def __init__(self, store: Store, settings: AlarmSettings) -> None:
        self._store = store
        self._tell_over = settings.tell_over
        self._repeat_ms = round(settings.repeat_h * 3_600_000)
        self._followed: set[int] | None = None

    def find(self, now_ms: int) -> list[Alarm]:
        """Return what to tell, each event's earliest first.

        What began and was over a day ago is nobody's news; what goes on is, however old it is.

        Parameters
        ----------
        now_ms : int
            The present. [ms]

        Raises
        ------
        StoreUnavailableError
            If the database does not answer.
        """
        recent = (alarms.c.state == RESOLVED) & (alarms.c.raised_ms > now_ms - DAY_MS)
        began = or_(_STANDING, recent) & alarms.c.told_ms.is_(None)
        with self._store.read() as connection:
            found = _read(connection, "begun", [began])
            standing = select(alarms.c.number, alarms.c.state, alarms.c.told_ms).where(
                _STANDING, alarms.c.told_ms.is_not(None)
            )
            told = {row.number: row for row in connection.execute(standing)}
            again = self._again(told, now_ms)
            found += _read(connection, "again", _some(again))
            over = self._over(connection, set(told), now_ms)
        if over is None:
            return found
        self._followed = {*told, *(each.number for each in over)}
        return found + over

    def _again(self, told: dict[int, Any], now_ms: int) -> list[int]:
        """Return what nobody acknowledged since long, and with it what soon would be."""
        waits = {
            number: now_ms - row.told_ms for number, row in told.items() if row.state == RAISED
        }
        if not self._repeat_ms or max(waits.values(), default=0) < self._repeat_ms:
            return []
        return [number for number, wait_ms in waits.items() if wait_ms >= self._repeat_ms / 2]

    def _over(self, connection: Connection, told: set[int], now_ms: int) -> list[Alarm] | None:
        if not self._tell_over:
            return None
        if self._followed is None:  # what was over while nobody looked
            return _read(connection, "over", [_OVER & (alarms.c.resolved_ms > now_ms - DAY_MS)])
        gone = _some(sorted(self._followed - told))
        return _read(connection, "over", [_OVER & each for each in gone])

    def mark(self, told: Sequence[Alarm], now_ms: int) -> None:
        """Write that alarms were told.

        Parameters
        ----------
        told : sequence of Alarm
            As `find` returned them.
        now_ms : int
            When. [ms]
        """
        ended = [each.number for each in told if each.is_over]
        going = [each.number for each in told if not each.is_over]
        # what was resolved while it was told is to be told as over
        since = case((alarms.c.resolved_ms <= now_ms, alarms.c.resolved_ms - 1), else_=now_ms)
        late = case((alarms.c.resolved_ms > now_ms, alarms.c.resolved_ms), else_=now_ms)
        with self._store.write() as connection:
            for numbers, told_ms in ((ended, late), (going, since)):
                for some in _some(numbers):
                    connection.execute(update(alarms).where(some).values(told_ms=told_ms))
        if self._followed is not None:
            self._followed |= set(going)


def _read(
    connection: Connection, event: Event, wheres: "Sequence[ColumnElement[bool]]"
) -> list[Alarm]:
    found = []
    for where in wheres:
        query = (
            select(*(alarms.c[name] for name in _COLUMNS), homes.c.id.label("home"))
            .outerjoin(homes, homes.c.number == alarms.c.home_number)
            .where(where)
            .order_by(alarms.c.number)
        )
        found += [Alarm(**row, event=event) for row in connection.execute(query).mappings()]
    return found


def _some(numbers: Sequence[int]) -> "list[ColumnElement[bool]]":
    """Return what finds alarms by their numbers, some at a time."""
    return [
        alarms.c.number.in_(numbers[first : first + _AT_ONCE])
        for first in range(0, len(numbers), _AT_ONCE)
    ]
