"""Messages that go into the store in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from aggregator.service.ingest.schema import (
    STATUS,
    TELEMETRY,
    Answered,
    Reason,
    Refused,
    Told,
    read_answer,
    read_status,
    read_telemetry,
)
from aggregator.service.ingest.subscriber import Heard
from aggregator.service.settings import is_level
from aggregator.service.store.telemetry import (
    write_answers,
    write_measurements,
    write_now,
    write_refusals,
    write_status,
)

ANYBODY: Final = "*"
"""Sender of what is refused, where it is no home of ours: strangers must not fill the store."""


@dataclass(slots=True)
class Batch:
    """What messages say, by their sender."""

    told: list[tuple[str, Told]] = field(default_factory=list)
    """Measurements."""
    answered: list[tuple[str, str, Answered]] = field(default_factory=list)
    """Acknowledgements and outcomes, with their kind."""
    online: dict[str, bool] = field(default_factory=dict)
    """Who is there."""
    refused: list[tuple[str, Refused]] = field(default_factory=list)
    """What is not taken."""

    @classmethod
    def of(cls, messages: Iterable[Heard], *, from_ms: int, now_ms: int) -> "Batch":
        """Return what messages say; see `read_telemetry` for the times."""
        batch = cls()
        for message in messages:
            try:
                batch._take(message, from_ms, now_ms)
            except Refused as refused:
                batch.refused.append((message.sender, refused))
        return batch

    def _take(self, message: Heard, from_ms: int, now_ms: int) -> None:
        sender, payload = message.sender, message.payload
        if not is_level(sender):
            raise Refused(Reason.MALFORMED, f"the id {sender!r}")
        if message.kind == TELEMETRY:
            told = read_telemetry(sender, payload, from_ms=from_ms, now_ms=now_ms)
            self.told.append((sender, told))
        elif message.kind == STATUS:
            self.online[sender] = read_status(payload)
        else:
            self.answered.append((sender, message.kind, read_answer(sender, payload)))

    @property
    def senders(self) -> set[str]:
        """Whose messages are taken."""
        return {
            *(sender for sender, _ in self.told),
            *(sender for sender, _, _ in self.answered),
            *self.online,
        }

    def keep(self, numbers: Mapping[str, int]) -> None:
        """Refuse what comes from homes that have no number."""
        for sender, told in self.told:
            if sender not in numbers:
                self._unknown(sender, told.id)
        for sender, _, answer in self.answered:
            if sender not in numbers:
                self._unknown(sender, answer.id)
        self.told = [each for each in self.told if each[0] in numbers]
        self.answered = [each for each in self.answered if each[0] in numbers]
        self.online = {key: told for key, told in self.online.items() if key in numbers}

    def _unknown(self, sender: str, message_id: str) -> None:
        detail = f"{sender} is no home of ours; enter it"
        self.refused.append((sender, Refused(Reason.UNKNOWN_HOME, detail, message_id=message_id)))

    def write(self, connection: Connection, numbers: Mapping[str, int], *, now_ms: int) -> int:
        """Write all of it; return how many measurements were new."""
        rows = [(numbers[sender], *row) for sender, told in self.told for row in told.rows]
        new = write_measurements(connection, rows)
        write_now(connection, self._now(numbers, now_ms))
        online = {numbers[sender]: told for sender, told in self.online.items()}
        write_status(connection, online, now_ms=now_ms)
        write_answers(connection, [_answer(each, numbers, now_ms) for each in self.answered])
        write_refusals(connection, self._refusals(numbers, now_ms))
        return new

    def _now(self, numbers: Mapping[str, int], now_ms: int) -> list[tuple[Any, ...]]:
        latest: dict[int, Told] = {}
        for sender, told in self.told:
            number = numbers[sender]
            if number not in latest or told.end_ms >= latest[number].end_ms:
                latest[number] = told
        return [
            (number, None, None, now_ms, told.end_ms, *told.now(), told.dropped)
            for number, told in latest.items()
        ]

    def _refusals(self, numbers: Mapping[str, int], now_ms: int) -> list[tuple[Any, ...]]:
        counts: Counter[tuple[str, str]] = Counter()
        examples: dict[tuple[str, str], str] = {}
        for sender, refused in self.refused:
            key = (refused.reason.value, sender if sender in numbers else ANYBODY)
            counts[key] += 1
            examples[key] = refused.detail
        return [(*key, count, now_ms, examples[key]) for key, count in counts.items()]

    def reasons(self) -> Counter[str]:
        """Return how many were refused, by reason."""
        return Counter(refused.reason.value for _, refused in self.refused)

    def receipts(self) -> dict[str, list[str]]:
        """Return by sender the ids of messages that need not be kept any more."""
        found: dict[str, list[str]] = {}
        for sender, told in self.told:
            if told.wants_receipt:
                found.setdefault(sender, []).append(told.id)
        for sender, refused in self.refused:
            # what is in the future may not be so when it comes again, or when our clock is mended
            if refused.message_id is not None and refused.reason is not Reason.IN_FUTURE:
                found.setdefault(sender, []).append(refused.message_id)
        return found


def _answer(
    each: tuple[str, str, Answered], numbers: Mapping[str, int], now_ms: int
) -> dict[str, object]:
    sender, kind, answer = each
    return {
        "home_number": numbers[sender],
        "id": answer.id,
        "kind": kind,
        "correlation_id": answer.correlation_id,
        "at_ms": answer.at_ms,
        "heard_ms": now_ms,
        "body": answer.body,
    }
