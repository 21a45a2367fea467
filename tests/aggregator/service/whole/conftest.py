"""The service as a process, and a fleet's load from another one."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from aggregator.service.store.store import open_store
from aggregator.service.store.tables import telemetry
from scenarios.bench.service_world import service_process, started_service

LONG_S = 120.0


@pytest.fixture
def service(tmp_path, mosquitto):
    """Return what starts the service on a database: a process."""
    started = []

    def start(url, *arguments):
        process = service_process(
            tmp_path, url=url, broker_port=mosquitto.port, arguments=arguments
        )
        started.append(process)
        started_service(process)
        return process

    yield start
    for process in started:
        process.kill()


class Fleet:
    """Gateways that keep each message until its receipt, in a process of their own."""

    def __init__(self, process):
        self._process = process
        assert process.stdout.readline() == "ready\n"

    def begin(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def ended(self):
        """Return what they saw, once no message is kept any more."""
        out, _ = self._process.communicate(timeout=LONG_S)
        assert self._process.returncode == 0
        return json.loads(out)


@pytest.fixture
def fleet(mosquitto):
    """Return what connects a fleet."""
    begun = []

    def connect(**load):
        asked = {"port": mosquitto.port, "receipt_each": 1, "again_s": 2.0, "drain_s": 90.0, **load}
        process = subprocess.Popen(
            [sys.executable, "-m", "scenarios.bench.service_load", json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return Fleet(process)

    yield connect
    for process in begun:
        process.kill()
        process.communicate(timeout=LONG_S)


@pytest.fixture
def rows_in():
    """Return what counts the measurements in a database."""

    def count(url):
        store = open_store(url)
        try:
            with store.read() as connection:
                return connection.execute(select(func.count()).select_from(telemetry)).scalar()
        finally:
            store.close()

    return count
