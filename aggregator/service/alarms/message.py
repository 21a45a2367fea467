"""One message for many alarms: what began, what goes on and what is over, by kind (pure)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

EXAMPLES: Final = 10
"""Alarms of a kind that a message names."""
Key = tuple[int, str, int | None]
"""What tells one telling of an alarm from another: its number, the event, when it was told."""
Event = Literal["begun", "again", "over"]
"""Why an alarm is told: it began; nobody acknowledged it since it was told; it is over."""
_HEADS: Final = {"begun": "", "again": "still ", "over": "over: "}
"""What messages put before a kind, by event, in the order of messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm as it is told."""

    number: int
    """Its number."""
    kind: str
    """What of."""
    severity: str
    """How bad."""
    home: str | None
    """Whose; None where it is the fleet's."""
    line: str
    """What is wrong."""
    state: str
    """What became of it meanwhile."""
    raised_ms: int
    """When it began. [ms]"""
    resolved_ms: int | None = None
    """When it was over. [ms]"""
    resolved_by: str | None = None
    """Who said so."""
    told_ms: int | None = None
    """When it was told before. [ms]"""
    event: Event = "begun"
    """Why it is told."""

    @property
    def key(self) -> Key:
        """See `Key`."""
        return self.number, self.event, self.told_ms

    @property
    def is_over(self) -> bool:
        """Whether it was over when it was told."""
        return self.state == "resolved"


@dataclass(frozen=True, slots=True)
class Message:
    """Alarms that are told at once."""

    alarms: Sequence[Alarm]
    """At least one, the earliest first."""

    @property
    def id(self) -> str:
        """The same where a message is sent again, and no other."""
        told = ",".join(f"{each.key} {each.raised_ms}" for each in self.alarms)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def subject(self) -> str:
        """One line."""
        if len(self.alarms) == 1:
            only = self.alarms[0]
            return f"Gridpact: {_HEADS[only.event]}{only.kind} at {only.home or 'the fleet'}"
        groups = self._groups()
        counts = ", ".join(
            f"{len(group)} {_HEADS[group[0].event]}{group[0].kind}" for group in groups
        )
        return f"Gridpact: {len(self.alarms)} alarms ({counts})"

    @property
    def text(self) -> str:
        """All of it, for people."""
        lines = []
        for group in self._groups():
            lines.append(f"{_HEADS[group[0].event]}{group[0].kind}: {len(group)}")
            lines += [f"  {_told(each)}" for each in group[:EXAMPLES]]
            if len(group) > EXAMPLES:
                lines.append(f"  and {len(group) - EXAMPLES} more")
        return "\n".join(lines) + "\n"

    @property
    def document(self) -> dict[str, object]:
        """All of it, for programs."""
        return {
            "id": self.id,
            "count": len(self.alarms),
            "kinds": [
                {
                    "kind": group[0].kind,
                    "event": group[0].event,
                    "count": len(group),
                    "alarms": [
                        {
                            "number": each.number,
                            "home": each.home,
                            "severity": each.severity,
                            "state": each.state,
                            "line": each.line,
                            "raised_ms": each.raised_ms,
                            "resolved_ms": each.resolved_ms,
                            "resolved_by": each.resolved_by,
                        }
                        for each in group[:EXAMPLES]
                    ],
                }
                for group in self._groups()
            ],
        }

    def _groups(self) -> list[list[Alarm]]:
        """Return alarms of one event and kind each, what is worse first."""
        groups: dict[tuple[str, str], list[Alarm]] = {}
        for each in self.alarms:
            groups.setdefault((each.event, each.kind), []).append(each)
        urgent = {each.kind for each in self.alarms if each.severity == "critical"}
        events = list(_HEADS)

        def rank(group: list[Alarm]) -> tuple[int, bool, str]:
            return events.index(group[0].event), group[0].kind not in urgent, group[0].kind

        return sorted(groups.values(), key=rank)


def _told(alarm: Alarm) -> str:
    return f"{_at(alarm.raised_ms)} {alarm.home or 'fleet'}: {alarm.line}{_end(alarm)}"


def _end(alarm: Alarm) -> str:
    if alarm.event != "over" or alarm.resolved_ms is None:
        return " (over by now)" if alarm.is_over else ""
    by = "" if alarm.resolved_by in {None, "service"} else f", resolved by {alarm.resolved_by}"
    return f" (until {_at(alarm.resolved_ms)}{by})"


def _at(when_ms: int) -> str:
    return f"{datetime.fromtimestamp(when_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
