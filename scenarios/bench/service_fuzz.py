"""What no gateway and no program would send: the service in a process of its own, and its store."""

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import httpx

from aggregator.service.errors import ServiceError
from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import open_store
from scenarios.bench.service_bench import DATABASES, surroundings
from scenarios.bench.service_ingest_fuzz import fuzz_ingest
from scenarios.bench.service_rest_fuzz import fuzz_rest
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
    schemathesis.core.failures.FailureGroup
        On a server error, or an answer that is not as described.
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
        statuses = _asked(url, folder, requests=requests, seed=seed)
    return found | {
        "fuzzed_requests": sum(statuses.values()),
        "fuzzed_statuses": {str(status): statuses[status] for status in sorted(statuses)},
    }


def _asked(url: str, folder: Path, *, requests: int, seed: int) -> dict[int, int]:
    """Ask a service that runs, and return how often each status was answered."""
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
        secret = (folder / "folder" / "admin.token").read_text().strip()
        headers = {"Authorization": f"Bearer {secret}", "If-None-Match": "*"}
        for home in ("home-1", "home-2"):  # or commands would reach nobody
            path = f"{heard_at[1]}/api/homes/{home}"
            httpx.put(path, json={"name": home}, headers=headers, timeout=60.0).raise_for_status()
        described = httpx.get(f"{heard_at[1]}/openapi.json", timeout=60.0).json()
        operations = sum(len(methods) for methods in described["paths"].values())
        each = -(-requests // operations)
        return fuzz_rest(heard_at[1], described, secret, examples=each, seed=seed).statuses
