"""How quickly the service answers requests, asked by another process."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

import uvicorn
from sqlalchemy import select

from aggregator.service.rest.app import create_app
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes
from scenarios.bench.service_rest_fill import fill
from scenarios.bench.service_rest_load import RestLoad, RestTimes

HOMES: Final = 1_000
"""Homes in the store."""
DAYS: Final = 30
"""Days of measurements in the store."""
PER_S: Final = 200.0
"""Requests a second."""
END_MS: Final = 1_795_219_200_000
"""Where the measurements end: a midnight. [ms]"""
_VIEWERS: Final = 4
_STARTING_S: Final = 30.0


def rest_figures(
    stores: Mapping[str, Store],
    *,
    seconds: float = 30.0,
    homes_count: int = HOMES,
    days: int = DAYS,
) -> dict[str, object]:
    """Return how long answers take, by the database.

    Parameters
    ----------
    stores : Mapping[str, Store]
        By name; with their tables. Those without homes are filled first.
    seconds : float
        How long each is asked. [s]
    homes_count : int
        Homes that an empty store is filled with.
    days : int
        Days that it is filled with.
    """
    times: dict[str, RestTimes] = {}
    cpu_ms: dict[str, float] = {}
    for name, store in stores.items():
        with store.read() as connection:
            empty = connection.scalar(select(homes.c.number).limit(1)) is None
        if empty:
            fill(store, homes_count=homes_count, days=days, end_ms=END_MS)
        began_s = time.process_time()
        times[name] = ask_rest(store, seconds=seconds)
        asked = seconds * PER_S
        cpu_ms[name] = (time.process_time() - began_s) * 1000 / asked
    return {
        "rest_p95_ms": {name: each.p95_ms for name, each in times.items()},
        "rest_cpu_ms_per_request": cpu_ms,
        "rest_failed": sum(each.failed for each in times.values()),
        "rest": {name: asdict(each) for name, each in times.items()},
    }


def ask_rest(store: Store, *, seconds: float, per_s: float = PER_S) -> RestTimes:
    """Serve a store here and let another process ask.

    Parameters
    ----------
    store : Store
        With homes and measurements until `END_MS`.
    seconds : float
        How long. [s]
    per_s : float
        Requests a second.
    """
    parts = _parts(store)
    made = [
        parts.tokens.make(f"bench {number}", "viewer", who="bench", at_ms=END_MS)
        for number in range(_VIEWERS)
    ]
    with store.read() as connection:
        ids = list(connection.scalars(select(homes.c.id).order_by(homes.c.id)))
    try:
        with serve_rest(parts) as url:
            secrets = [secret for _, secret in made]
            load = RestLoad(
                url=url, secrets=secrets, homes=ids, end_ms=END_MS, per_s=per_s, seconds=seconds
            )
            done = subprocess.run(
                [sys.executable, "-m", "scenarios.bench.service_rest_load"],
                input=json.dumps(asdict(load)) + "\n",
                capture_output=True,
                text=True,
                check=True,
                timeout=4 * seconds + 60,
            )
    finally:
        for token, _ in made:
            parts.tokens.revoke(token.id, who="bench", at_ms=END_MS)
    return RestTimes(**json.loads(done.stdout))


def _parts(store: Store) -> RestParts:
    return RestParts(
        store=store,
        clock_ms=lambda: END_MS,
        hub=EventHub("bench"),
        checks={},
        day=SettledDay(store),
    )


@contextmanager
def serve_rest(parts: RestParts) -> Iterator[str]:
    """Serve in a thread of this process; yield where.

    Parameters
    ----------
    parts : RestParts
        What is answered from.
    """
    server = uvicorn.Server(uvicorn.Config(create_app(parts), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    begun_s = time.monotonic()
    while not server.started:
        if not thread.is_alive() or time.monotonic() - begun_s > _STARTING_S:
            msg = f"the service did not start within {_STARTING_S:g} s; try again"
            raise TimeoutError(msg)
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_STARTING_S)
