"""Tells alarms: gathered into one message, again until every channel took it, never a flood."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aggregator.service.alarms.channels import Channel
from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.gauges import Reading
from aggregator.service.alarms.message import Alarm, Key, Message
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.alarms.tidings import Tidings
from aggregator.service.store.store import Store
from aggregator.service.store.telemetry import DAY_MS
from devices.errors import DeviceError

RETRY_S: Final = (2.0, 600.0)
"""First and longest pause after a message that was not taken. [s]"""


@dataclass(slots=True)
class _Line:
    """One channel and how it goes there."""

    channel: Channel
    told: dict[Key, Alarm] = field(default_factory=dict)
    missed: dict[Key, Alarm] = field(default_factory=dict)
    not_before_s: float = 0.0
    pause_s: float = RETRY_S[0]
    tried: bool = False
    lost_since_s: float | None = None
    why: str = ""


class Teller:
    """Tells alarms through channels.

    An alarm is marked as told when every channel took it; who is killed in between tells it again.
    A channel that has taken nothing for ``channel_lost_s`` holds up nobody: what it missed it is
    told when it is back, as far as it is of the last day and of this run.

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
        self._tidings = Tidings(store, settings)
        self._gather_ms = 1000 * settings.gather_s
        self._pause_s = settings.pause_s
        self._patience_s = settings.channel_lost_s
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
        waiting = self._tidings.find(now_ms)
        # a clock that was set back holds up nothing
        if waiting and 0 <= now_ms - min(map(_since_ms, waiting)) < self._gather_ms:
            return 0
        taken = sum(self._send(line, waiting, now_ms, now_s) for line in self._lines)
        self._mark(waiting, now_ms, now_s)
        return taken

    def _mark(self, waiting: list[Alarm], now_ms: int, now_s: float) -> None:
        """Write down what all channels took, but for those that have taken nothing for long."""
        last_s = now_s - self._patience_s
        up = [
            line for line in self._lines if line.lost_since_s is None or line.lost_since_s > last_s
        ]
        told = {
            each.key: min((line.told[each.key] for line in up), key=lambda told: told.is_over)
            for each in waiting
            if up and all(each.key in line.told for line in up)
        }
        if told:
            self._tidings.mark(list(told.values()), now_ms)
        left = {each.key for each in waiting} - set(told)
        for line in self._lines:
            line.missed |= {key: each for key, each in told.items() if key not in line.told}
            line.told = {key: each for key, each in line.told.items() if key in left}

    def untaken(self, now_s: float) -> Reading | None:
        """Return for how long a channel has taken nothing, the longest; None before any message.

        Parameters
        ----------
        now_s : float
            The clock of `turn`. [s]
        """
        if not any(line.tried for line in self._lines):
            return None
        lost = [line for line in self._lines if line.lost_since_s is not None]
        lengths_s = [now_s - (line.lost_since_s or 0.0) for line in lost]
        note = f" ({'; '.join(line.why for line in lost)})" if lost else ""
        return Reading(max(lengths_s, default=0.0), note)

    def _send(self, line: _Line, waiting: list[Alarm], now_ms: int, now_s: float) -> bool:
        """Return whether a channel took what it does not know yet."""
        if now_s < line.not_before_s:
            return False
        news = [each for each in line.missed.values() if _since_ms(each) > now_ms - DAY_MS]
        news += [each for each in waiting if each.key not in line.told]
        if not news:
            return False
        line.tried = True
        try:
            line.channel.send(Message(news), now_ms)
        except (ChannelUnavailableError, DeviceError) as error:
            line.why = str(error)
            if line.lost_since_s is None:
                self._tell(f"alarms not told: {error}")
                line.lost_since_s = now_s
            line.not_before_s = now_s + line.pause_s
            line.pause_s = min(2 * line.pause_s, RETRY_S[1])
            return False
        if line.lost_since_s is not None:
            self._tell(f"alarms are told again: {line.channel.name}")
        line.missed.clear()
        line.told |= {each.key: each for each in waiting if each.key not in line.told}
        line.lost_since_s, line.pause_s = None, RETRY_S[0]
        line.not_before_s = now_s + self._pause_s
        return True


def _since_ms(alarm: Alarm) -> int:
    """Return since when it waits to be told. [ms]"""
    if alarm.event == "over" and alarm.resolved_ms is not None:
        return alarm.resolved_ms
    return alarm.raised_ms
