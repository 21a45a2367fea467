"""One message for many alarms: what began, by kind, with a few examples (pure)."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

EXAMPLES: Final = 10
"""Alarms of a kind that a message names."""


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


@dataclass(frozen=True, slots=True)
class Message:
    """Alarms that are told at once."""

    alarms: Sequence[Alarm]
    """At least one, the earliest first."""

    @property
    def id(self) -> str:
        """The same where the same alarms are told again."""
        numbers = ",".join(str(each.number) for each in self.alarms)
        return hashlib.sha256(numbers.encode()).hexdigest()[:32]

    @property
    def subject(self) -> str:
        """One line."""
        if len(self.alarms) == 1:
            only = self.alarms[0]
            return f"Gridpact: {only.kind} at {only.home or 'the fleet'}"
        counts = ", ".join(f"{count} {kind}" for kind, count in self._kinds())
        return f"Gridpact: {len(self.alarms)} alarms ({counts})"

    @property
    def text(self) -> str:
        """All of it, for people."""
        lines = []
        for kind, count in self._kinds():
            lines.append(f"{kind}: {count}")
            lines += [f"  {_told(each)}" for each in self._examples(kind)]
            if count > EXAMPLES:
                lines.append(f"  and {count - EXAMPLES} more")
        return "\n".join(lines) + "\n"

    @property
    def document(self) -> dict[str, object]:
        """All of it, for programs."""
        return {
            "id": self.id,
            "count": len(self.alarms),
            "kinds": [
                {
                    "kind": kind,
                    "count": count,
                    "alarms": [
                        {
                            "number": each.number,
                            "home": each.home,
                            "severity": each.severity,
                            "state": each.state,
                            "line": each.line,
                            "raised_ms": each.raised_ms,
                        }
                        for each in self._examples(kind)
                    ],
                }
                for kind, count in self._kinds()
            ],
        }

    def _kinds(self) -> list[tuple[str, int]]:
        counts = Counter(each.kind for each in self.alarms)
        urgent = {each.kind for each in self.alarms if each.severity == "critical"}
        return sorted(counts.items(), key=lambda pair: (pair[0] not in urgent, pair[0]))

    def _examples(self, kind: str) -> list[Alarm]:
        return [each for each in self.alarms if each.kind == kind][:EXAMPLES]


def _told(alarm: Alarm) -> str:
    at = datetime.fromtimestamp(alarm.raised_ms / 1000, UTC)
    over = " (over by now)" if alarm.state == "resolved" else ""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC {alarm.home or 'fleet'}: {alarm.line}{over}"
