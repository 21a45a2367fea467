"""Requests at a steady rate, in a process of its own.

``python -m scenarios.bench.service_rest_load`` reads what to do as a line of JSON and ends with a
line of JSON. Each request's time counts from when it was due, so that a service that falls behind
does not slow its own measurement down.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

import aiohttp
from yarl import URL

DAY_MS: Final = 86_400_000
_SETTLING: Final = 0.1
"""Part of the requests, at the beginning, that fill caches and are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLoad:
    """What is asked."""

    url: str
    """Where the service is."""
    secrets: list[str]
    """Viewers' tokens, used in turn."""
    homes: list[str]
    """Ids of homes."""
    end_ms: int
    """Where what was measured ends. [ms]"""
    per_s: float
    """Requests a second."""
    seconds: float
    """How long. [s]"""
    seed: int = 0
    """Draws the requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestTimes:
    """How long answers took."""

    requests: int
    """How many were counted."""
    failed: int
    """How many were not answered with 200 or 304."""
    p50_ms: float
    """Half took at most this. [ms]"""
    p95_ms: float
    """19 of 20 took at most this. [ms]"""
    p99_ms: float
    """99 of 100 took at most this. [ms]"""
    worst_ms: float
    """The longest. [ms]"""
    per_s: float
    """Answers a second."""
    p95_ms_by_kind: dict[str, float]
    """The same for each kind of request. [ms]"""


def mix(load: RestLoad, draw: random.Random) -> tuple[str, str]:
    """Return a kind of request and its path: what a page and programs ask for."""
    home = draw.choice(load.homes)
    ago_ms = draw.randrange(0, 14) * DAY_MS
    to_ms = load.end_ms - ago_ms
    series = f"/api/homes/{home}/series?channel="
    kinds = {
        "home": (35, f"/api/homes/{home}"),
        "day by quarter-hours": (
            20,
            f"{series}meter.grid.Active%20power&resolution=15min"
            f"&from_ms={to_ms - DAY_MS}&to_ms={to_ms}",
        ),
        "day by minutes": (
            15,
            f"{series}storage.State%20of%20charge&from_ms={to_ms - DAY_MS}&to_ms={to_ms}",
        ),
        "fortnight": (
            5,
            f"{series}meter.production.Active%20power"
            f"&from_ms={load.end_ms - 14 * DAY_MS}&to_ms={load.end_ms}",
        ),
        "two hours as told": (
            5,
            f"{series}storage.Active%20power&from_ms={load.end_ms - 7_200_000}&to_ms={load.end_ms}",
        ),
        "fleet": (5, "/api/fleet"),
        "homes": (5, f"/api/homes?limit=100&cursor={home}"),
        "settlement": (5, "/api/settlement?limit=48"),
        "alarms": (5, "/api/alarms"),
    }
    weights = [weight for weight, _ in kinds.values()]
    kind = draw.choices(list(kinds), weights)[0]
    return kind, kinds[kind][1]


async def run(load: RestLoad) -> RestTimes:
    """Ask, each request when it is due whether others are answered or not."""
    draw = random.Random(load.seed)  # noqa: S311 -- no secret
    total = int(load.per_s * load.seconds)
    took: list[tuple[str, float, bool]] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(load.url, connector=connector) as session:
        begun_s = time.perf_counter()
        asked = []
        for number in range(total):
            due_s = begun_s + number / load.per_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            kind, path = mix(load, draw)
            secret = load.secrets[number % len(load.secrets)]
            asked.append(asyncio.create_task(_ask(session, (kind, path), secret, due_s)))
        took = await asyncio.gather(*asked)
        lasted_s = time.perf_counter() - begun_s
    return _summed(took, lasted_s)


async def _ask(
    session: aiohttp.ClientSession, what: tuple[str, str], secret: str, due_s: float
) -> tuple[str, float, bool]:
    kind, path = what
    headers = {"Authorization": f"Bearer {secret}"}
    # the path is already encoded
    async with session.get(URL(path, encoded=True), headers=headers) as answer:
        await answer.read()
    return kind, (time.perf_counter() - due_s) * 1000, answer.status in {200, 304}


def _summed(took: list[tuple[str, float, bool]], lasted_s: float) -> RestTimes:
    counted = took[int(len(took) * _SETTLING) :]
    times_ms = [each for _, each, _ in counted]
    kinds = sorted({kind for kind, _, _ in counted})
    return RestTimes(
        requests=len(counted),
        failed=sum(not well for _, _, well in took),
        p50_ms=_share(times_ms, 0.50),
        p95_ms=_share(times_ms, 0.95),
        p99_ms=_share(times_ms, 0.99),
        worst_ms=max(times_ms),
        per_s=len(took) / lasted_s,
        p95_ms_by_kind={
            kind: _share([each for of, each, _ in counted if of == kind], 0.95) for kind in kinds
        },
    )


def _share(times_ms: list[float], share: float) -> float:
    return sorted(times_ms)[min(len(times_ms) - 1, int(len(times_ms) * share))]


def main() -> None:
    """Do what standard input says."""
    load = RestLoad(**json.loads(sys.stdin.readline()))
    sys.stdout.write(json.dumps(asdict(asyncio.run(run(load)))) + "\n")


if __name__ == "__main__":
    main()
