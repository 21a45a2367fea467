"""Tells alarms: gathered into one message, again until every channel took it, never a flood."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aggregator.service.alarms.book import mark_told, untold
from aggregator.service.alarms.channels import Channel
from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.message import Alarm, Message
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.store.store import Store
from aggregator.service.store.telemetry import DAY_MS
from devices.errors import DeviceError

RETRY_S: Final = (2.0, 600.0)
"""First and longest pause after a message that was not taken. [s]"""


@dataclass(slots=True)
class _Line:
    """One channel and how it goes there."""

    channel: Channel
    told: set[int] = field(default_factory=set)
    not_before_s: float = 0.0
    pause_s: float = RETRY_S[0]
    lost: bool = False


class Teller:
    """Tells alarms through channels.

    An alarm is marked as told when every channel took it; who is killed in between tells it again.

    Parameters
    ----------
    store : Store
        The database.
    channels : sequence of Channel
        At least one.
    settings : AlarmSettings
        The pauses.
    tell : callable
        Takes lines for the log: what is lost and what is back, once each.
    """

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        settings: AlarmSettings,
        tell: Callable[[str], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._tell = tell
        self._lines = [_Line(each) for each in channels]

    def turn(self, *, now_ms: int, now_s: float) -> int:
        """Tell what there is to tell; return how many messages were taken.

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        now_s : float
            A clock that never runs backwards. [s]

        Raises
        ------
        StoreUnavailableError
            If the database does not answer.
        """
        with self._store.read() as connection:
            rows = untold(connection, now_ms - DAY_MS)
        waiting = [Alarm(**{name: getattr(row, name) for name in _FIELDS}) for row in rows]
        if not waiting or now_ms - waiting[0].raised_ms < self._settings.gather_s * 1000:
            return 0
        taken = sum(self._send(line, waiting, now_ms, now_s) for line in self._lines)
        done = set.intersection(*(line.told for line in self._lines))
        if done:
            with self._store.write() as connection:
                mark_told(connection, sorted(done), now_ms)
            for line in self._lines:
                line.told -= done
        return taken

    def _send(self, line: _Line, waiting: list[Alarm], now_ms: int, now_s: float) -> bool:
        """Return whether a channel took what it does not know yet."""
        news = [each for each in waiting if each.number not in line.told]
        if not news or now_s < line.not_before_s:
            return False
        try:
            line.channel.send(Message(news), now_ms)
        except (ChannelUnavailableError, DeviceError) as error:
            if not line.lost:
                self._tell(f"alarms not told: {error}")
            line.lost = True
            line.not_before_s = now_s + line.pause_s
            line.pause_s = min(2 * line.pause_s, RETRY_S[1])
            return False
        if line.lost:
            self._tell(f"alarms are told again: {line.channel.name}")
        line.told.update(each.number for each in news)
        line.lost, line.pause_s = False, RETRY_S[0]
        line.not_before_s = now_s + self._settings.pause_s
        return True


_FIELDS: Final = ("number", "kind", "severity", "home", "line", "state", "raised_ms")
