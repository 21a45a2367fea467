"""Messages that no gateway would send, by thousands: what is taken of them is what a home can have.

Random bytes, mutated messages, very long and very deep ones, wrong units, times far away, numbers
that are none. The store is looked through afterwards with rules of its own, not with the ingest's.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, or_, select

from aggregator.service.ingest.batch import Batch
from aggregator.service.ingest.schema import FUTURE_MS, KINDS, PAYLOAD_MOST, STATUS, TELEMETRY
from aggregator.service.ingest.subscriber import Heard
from aggregator.service.store.channels import CHANNELS
from aggregator.service.store.store import Store
from aggregator.service.store.tables import answers, homes, refusals, telemetry
from aggregator.service.store.telemetry import DAY_MS, numbers_of
from scenarios.bench.service_load import payload

NOW_MS: Final = 1_795_219_200_000
"""The present of the messages. [ms]"""
FROM_MS: Final = NOW_MS - 30 * DAY_MS
"""Older is not taken. [ms]"""
_AT_ONCE: Final = 1_000
_HOMES: Final = ("home-1", "home-2", "home-3")
_NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, "", "W", "kW", "\x00", "\ud800", "x" * 5_000, "Ünïcode 🔋", "home-2"),
    *(0, -0.0, -1, 1e-300, 1e300, float("nan"), float("inf"), float("-inf"), 2**63, 10**400),
    *(NOW_MS / 1000 + 1e4, NOW_MS / 1000 - 1e8, 1e11, 1e12, -1e12, [], {}, [[]], {"a": None}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzedIngest:
    """What became of the messages."""

    messages: int
    """How many there were."""
    taken: int
    """How many of them were taken."""
    refused: dict[str, int]
    """How many were refused, by reason."""
    rows: int
    """Measurements in the store."""
    broken_rows: int
    """Rows in the store that no message may lead to."""


def fuzz_ingest(store: Store, *, messages: int, seed: int = 0) -> FuzzedIngest:
    """Let the ingest take what it can of messages, then look through the store.

    Parameters
    ----------
    store : Store
        With its tables, empty.
    messages : int
        How many.
    seed : int
        Draws them.
    """
    draw = random.Random(seed)  # noqa: S311 -- no secret
    refused: Counter[str] = Counter()
    numbers: dict[str, int] = {}
    for first in range(0, messages, _AT_ONCE):
        heard = [_heard(draw) for _ in range(min(_AT_ONCE, messages - first))]
        batch = Batch.of(heard, from_ms=FROM_MS, now_ms=NOW_MS)
        with store.write() as connection:
            unknown = batch.senders - numbers.keys()
            # the first batch's homes are admitted, and strangers that come later are not
            numbers |= numbers_of(connection, unknown, now_ms=NOW_MS, admit=first == 0)
        batch.keep(numbers)
        with store.write() as connection:
            batch.write(connection, numbers, now_ms=NOW_MS)
        refused += batch.reasons()
    with store.read() as connection:
        return FuzzedIngest(
            messages=messages,
            taken=messages - refused.total(),
            refused=dict(refused),
            rows=_count(connection, select(telemetry)),
            broken_rows=broken_rows(connection, refusals_most=refused.total()),
        )


def broken_rows(connection: Connection, *, refusals_most: int) -> int:
    """Return how many rows in the store break a rule.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    refusals_most : int
        How many messages were refused.
    """
    of = telemetry.c
    inside = [
        (of.channel_number == each.number) & (of.low >= each.least) & (of.high <= each.most)
        for each in CHANNELS
    ]
    kept = (
        or_(*inside)
        & (of.low <= of.mean)
        & (of.mean <= of.high)
        & (of.low <= of.last)
        & (of.last <= of.high)
        & of.end_ms.between(FROM_MS, NOW_MS + FUTURE_MS)
        & of.period_ms.between(1, DAY_MS)
        & of.home_number.in_(select(homes.c.number))
    )
    broken = _count(connection, select(telemetry).where(~kept))
    named = connection.scalars(select(homes.c.id)).all()
    broken += sum(not name.isascii() or len(name) > 64 for name in named)
    bodies = connection.execute(select(answers.c.id, answers.c.body)).all()
    broken += sum(bool(body["id"] != name) for name, body in bodies)
    counted = connection.scalar(select(func.sum(refusals.c.count))) or 0
    return broken + abs(int(counted) - refusals_most)


def _count(connection: Connection, rows: "Select[Any]") -> int:
    found: int = connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
    return found


def _heard(draw: random.Random) -> Heard:
    """Return a message as it comes from the broker."""
    sender = draw.choice(_HOMES) if draw.random() < 0.95 else _text(draw)
    kind = draw.choices(KINDS, (80, 5, 8, 7))[0]
    make = draw.choices(_MAKERS, (15, 35, 50, 15, 2, 1))[0]
    return Heard(sender, kind, make(draw, sender, kind), 1, 1)


def _text(draw: random.Random) -> str:
    return "".join(
        chr(draw.choice((draw.randrange(32, 127), draw.randrange(0xD000)))) for _ in "id"
    )


def _body(draw: random.Random, sender: str, kind: str) -> Any:  # noqa: ANN401 -- any JSON
    """Return a message as it should be."""
    name, at_s = f"m-{draw.randrange(10**9)}", NOW_MS / 1000 - draw.randrange(2_500_000)
    if kind == TELEMETRY:
        return json.loads(payload(sender, name, at_s, receipt=draw.random() < 0.1))
    return {"id": name, "device": sender, "timestamp": at_s, "correlation_id": "c-1", "code": "ok"}


def _valid(draw: random.Random, sender: str, kind: str) -> bytes:
    if kind == STATUS:
        return draw.choice((b"online", b"offline"))
    return json.dumps(_body(draw, sender, kind)).encode()


def _scratched(draw: random.Random, sender: str, kind: str) -> bytes:
    """Return a message with some bytes changed, left out, doubled or cut off."""
    found = bytearray(_valid(draw, sender, kind))
    for _ in range(draw.randrange(1, 5)):
        at = draw.randrange(len(found))
        piece = found[at : at + draw.randrange(1, 9)]
        put = draw.choice((b"", bytes(piece * 2), draw.randbytes(len(piece))))
        found[at : at + len(piece)] = put
        if not found:
            break
    return bytes(found[: draw.randrange(len(found) + 1)] if draw.random() < 0.1 else found)


def _mutated(draw: random.Random, sender: str, kind: str) -> bytes:
    """Return a message in which some values or names are others."""
    body = _body(draw, sender, kind)
    for _ in range(draw.randrange(1, 4)):
        places = list(_places(body))
        holder, key = draw.choice(places)
        value = deepcopy(draw.choice(_NASTY))  # it may be changed in its turn
        if isinstance(holder, dict) and draw.random() < 0.1:
            holder[str(value)[:40]] = holder.pop(key)
        elif draw.random() < 0.1:
            del holder[key]
        else:
            holder[key] = value
        if not body:
            break
    return json.dumps(body, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 -- any JSON
    """Yield each place in a message: what holds it, and under which name or number."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def _noise(draw: random.Random, sender: str, kind: str) -> bytes:
    del sender, kind
    return draw.randbytes(draw.randrange(200))


def _deep(draw: random.Random, sender: str, kind: str) -> bytes:
    """Return a message with lists in lists."""
    depth = draw.choice((10, 500, 1_100, 100_000))
    nested = b"[" * depth + b"]" * depth
    return _valid(draw, sender, kind).replace(b'"id"', b'"extra": ' + nested + b', "id"', 1)


def _long(draw: random.Random, sender: str, kind: str) -> bytes:
    return _valid(draw, sender, kind) + b" " * draw.choice((PAYLOAD_MOST - 5_000, PAYLOAD_MOST))


_MAKERS: Final[tuple[Callable[[random.Random, str, str], bytes], ...]] = (
    *(_valid, _scratched, _mutated, _noise, _deep, _long),
)
