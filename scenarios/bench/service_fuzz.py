"""What no gateway and no program would send: the service in a process of its own, and its store."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import insert

from aggregator.service.errors import ServiceError
from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import Store, open_store
from aggregator.service.store.tables import alarms
from scenarios.bench.service_bench import DATABASES, surroundings
from scenarios.bench.service_ingest_fuzz import fuzz_ingest
from scenarios.bench.service_rest_fuzz import Fuzz, Fuzzed, fuzz_rest
from scenarios.bench.service_rest_fuzz_rows import broken_rows
from scenarios.bench.service_world import (
    Mosquitto,
    mosquitto_program,
    running,
    service_process,
    started_service,
)

MESSAGES: Final = 100_000
"""Messages into each database."""
REQUESTS: Final = 100_000
"""Requests, about."""
_ASKERS: Final = 2
"""Processes that ask: one keeps no service busy."""
_ALARMS: Final = 3
_ALARM: Final = {
    "kind": "silent gateway",
    "state": "raised",
    "severity": "warning",
    "line": "nothing was heard",
    "raised_ms": 1,
}
_THINGS: Final[dict[str, dict[str, object]]] = {
    "/api/tariffs/day-night": {
        "terms": {
            "periods": [{"start_minute": 0, "import_price_per_mwh": 1, "export_price_per_mwh": 1}]
        }
    },
    "/api/homes/home-1": {"name": "home-1", "tariff_id": "day-night"},
    "/api/homes/home-2": {"name": "home-2", "group_name": "street"},
    "/api/homes/home-1/devices/storage": {"kind": "battery", "capacity_wh": 10_000},
}
"""What is there, for requests to name; without homes commands would reach nobody."""
_ORDERS: Final[tuple[dict[str, object], ...]] = (
    {"target": "fleet", "command": {"write": "stop"}},
    {"target": "home:home-1", "command": {"write": "charge", "power": 10, "interval": 1}},
)
_BOUNDLESS: Final = "".join(
    f'{who}_limit = "1000000/second"\n' for who in ("member", "home", "stranger", "refused")
)


def fuzz_figures(
    tell: Callable[[str], None],
    *,
    messages: int = MESSAGES,
    requests: int = REQUESTS,
    seed: int = 0,
) -> dict[str, object]:
    """Return what became of messages and requests that nobody should send.

    Parameters
    ----------
    tell : callable
        Is told what is under way.
    messages : int
        Messages into each database.
    requests : int
        Requests at least, about.
    seed : int
        Draws both.

    Raises
    ------
    ServiceError
        If a program is missing or does not start.
    """
    found: dict[str, object] = {}
    for name in DATABASES:
        tell(f"{messages} messages into {name}")
        with surroundings(name) as (url, _):
            store = open_store(url)
            try:
                migrate(store)
                found[f"fuzzed_ingest_{name}"] = asdict(
                    fuzz_ingest(store, messages=messages, seed=seed)
                )
            finally:
                store.close()
    tell(f"{requests} requests")
    with surroundings("sqlite") as (url, folder):
        return found | _fuzzed_rest(url, folder, requests=requests, seed=seed)


def _fuzzed_rest(url: str, folder: Path, *, requests: int, seed: int) -> dict[str, object]:
    """Ask a service that runs, then look through its store."""
    store = open_store(url)
    try:
        with asked_service(url, folder, store) as (base_url, secret, alive):
            fuzz = _fuzz(base_url, secret, requests=requests, seed=seed)
            with ProcessPoolExecutor(_ASKERS, get_context("spawn")) as pool:
                asked = [
                    pool.submit(fuzz_rest, fuzz, part=part, parts=_ASKERS)
                    for part in range(_ASKERS)
                ]
                answered = sum((each.result() for each in asked), Fuzzed())
            crashed = not alive()
        broken = broken_rows(store)
    finally:
        store.close()
    statuses = sum(answered.statuses.values(), Counter[int]())
    return {
        "fuzzed_requests": answered.requests,
        "fuzzed_requests_drawn": answered.drawn,
        "fuzzed_statuses": {str(status): statuses[status] for status in sorted(statuses)},
        "fuzzed_operations": {
            label: {str(status): each[status] for status in sorted(each)}
            for label, each in sorted(answered.statuses.items())
        },
        "fuzzed_failures": answered.failures,
        "fuzzed_crashes": int(crashed),
        "fuzzed_broken_rows": broken,
    }


def _fuzz(base_url: str, secret: str, *, requests: int, seed: int) -> Fuzz:
    """Return what is asked, once there is something that it can name."""
    with httpx.Client(
        base_url=base_url, headers={"Authorization": f"Bearer {secret}"}, timeout=60.0
    ) as client:
        for path, body in _THINGS.items():
            client.put(path, json=body, headers={"If-None-Match": "*"}).raise_for_status()
        orders = [
            client.post("/api/commands", json=order).raise_for_status().json()["request_id"]
            for order in _ORDERS
        ]
        version = re.search(r"page/([0-9a-f]{16})/", client.get("/").text)
        names = {
            "home": ("home-1", "home-2"),
            "device": ("storage", "grid"),
            "tariff": ("day-night",),
            "number": tuple(map(str, range(1, _ALARMS + 1))),
            "day": ("2026-11-30", "2026-12-01"),
            "request": tuple(orders),
            "version": (version[1] if version else "",),
            "name": ("app.js", "style.css"),
        }
        described = client.get("/openapi.json").json()
    return Fuzz(
        base_url=base_url,
        description=described,
        secret=secret,
        requests=requests,
        names=names,
        seed=seed,
    )


@contextmanager
def asked_service(
    url: str, folder: Path, store: Store
) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    """Run a service; yield where it answers, an operator's token, and whether it still runs."""
    program = mosquitto_program()
    if program is None:
        msg = "mosquitto is needed: apt-get install mosquitto"
        raise ServiceError(msg)
    broker = Mosquitto(program, folder)
    service = service_process(folder, url=url, broker_port=broker.port)
    config = folder / "service.toml"
    config.write_text(config.read_text() + _BOUNDLESS)  # its last table is [rest]
    with running(broker), running(service):
        broker.start()
        started_service(service)
        heard_at = re.search(r"requests at (http://\S+)", service.said())
        if heard_at is None:
            msg = f"the service does not listen: {service.said()[-300:]}"
            raise ServiceError(msg)
        with store.write() as connection:
            connection.execute(insert(alarms), [_ALARM] * _ALARMS)
        begun = service.process
        secret = (folder / "folder" / "admin.token").read_text().strip()
        yield heard_at[1], secret, lambda: begun is not None and begun.poll() is None
