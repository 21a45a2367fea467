"""Grafana's dashboards ask for nothing that is not there: every metric, label and column."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import insert

from aggregator.service.ingest.counts import Counting
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.rest.app import create_app
from aggregator.service.rest.day import SettledDay
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import alarms, commands, homes, homes_now, refusals
from aggregator.service.store.telemetry import write_channels

DEPLOY = Path(__file__).parents[4] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
WORDS = {
    *("sum", "max", "min", "rate", "by", "time", "histogram_quantile", "le"),
    *("reason", "status", "state", "kind"),
}


def targets(kind):
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["type"] == kind:
                    yield panel["title"], target


async def asked(app, secret):
    """Return the second answer, which counts the first."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        await client.get("/metrics")
        return await client.get("/metrics")


@pytest.fixture(scope="module")
def told(sqlite_file, tmp_path_factory):
    """Return names of samples at /metrics, each with its labels, of a service that has seen all."""
    path = tmp_path_factory.mktemp("metrics") / "service.db"
    path.write_bytes(sqlite_file.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as connection:
        connection.execute(insert(homes), {"number": 1, "id": "home-1", "created_ms": 1})
        connection.execute(insert(homes_now), {"home_number": 1, "online": True, "heard_ms": 1})
        refused = {"reason": "malformed", "sender": "*", "count": 1, "last_ms": 1, "example": ""}
        connection.execute(insert(refusals), refused)
        raised = {
            "kind": "silent", "state": "raised", "severity": "x", "line": "x", "raised_ms": 1,
        }  # fmt: skip
        connection.execute(insert(alarms), raised)
        order = {
            "correlation_id": "c", "request_id": "r", "home_number": 1, "target": "fleet",
            "body": {}, "asked_by": "x", "state": "sent", "asked_ms": 1, "expires_ms": 2,
        }  # fmt: skip
        connection.execute(insert(commands), order)
    parts = RestParts(
        store=store, clock_ms=lambda: 1, hub=EventHub("1"), checks={},
        day=SettledDay(store, "Europe/London"),
        counts=lambda: Counting().now(waiting=0, connected=True),
    )  # fmt: skip
    _, secret = TokenBook(store).make("prometheus", "viewer", who="test", at_ms=1)
    answer = asyncio.run(asked(create_app(parts), secret))
    store.close()
    assert answer.status_code == 200
    found = re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", answer.text, re.MULTILINE)
    labels = {}
    for name, some in found:
        labels.setdefault(name, set()).update(re.findall(r'([a-z_]+)="', some))
    return labels


def test_every_metric_is_one_that_the_service_tells(told):
    asked = list(targets("prometheus"))
    names = {name for _, each in asked for name in re.findall(r"gridpact_[a-z_]+", each["expr"])}

    assert names <= set(told)
    for title, each in asked:
        words = set(re.findall(r"[a-z_]+", re.sub(r"\[\w+\]", "", each["expr"])))
        assert words <= WORDS | names, title


def test_every_label_is_one_of_the_metrics_own(told):
    for title, each in targets("prometheus"):
        (name,) = set(re.findall(r"gridpact_[a-z_]+", each["expr"]))
        by = {
            word
            for some in re.findall(r"by \(([^)]*)\)", each["expr"])
            for word in some.split(", ")
        }
        shown = set(re.findall(r"\{\{(\w+)\}\}", each["legendFormat"]))
        assert by | shown <= told[name], title
        assert shown <= by, title


@pytest.fixture(scope="module")
def reader(needs_postgres, programs, tmp_path_factory):
    """Return the address of our tables for Grafana's user, as PostgreSQL's image makes it."""
    needs_postgres.do("CREATE DATABASE grafana_test TEMPLATE template0")
    folder = tmp_path_factory.mktemp("reader")
    (folder / "password").write_text("d0d0\n")
    script = (DEPLOY / "postgres" / "reader.sh").read_text()
    secret = "/run/secrets/grafana-database-password"
    assert secret in script
    (folder / "reader.sh").write_text(script.replace(secret, str(folder / "password")))
    surroundings = {
        "PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": "127.0.0.1",
        "PGPORT": str(needs_postgres.port), "POSTGRES_USER": "gridpact",
        "POSTGRES_DB": "grafana_test",
    }  # fmt: skip
    subprocess.run(["sh", folder / "reader.sh"], env=surroundings, check=True, timeout=60)
    store = open_store(needs_postgres.url("grafana_test"))
    migrate(store)
    with store.write() as connection:
        write_channels(connection)
    store.close()
    yield needs_postgres.url("grafana_test").replace("gridpact@", "grafana@")
    needs_postgres.do("DROP DATABASE grafana_test WITH (FORCE)")
    needs_postgres.do("DROP ROLE grafana")


def test_every_query_is_one_that_grafanas_user_may_ask(reader):
    asked = list(targets("postgres"))
    with psycopg.connect(reader, autocommit=True) as connection:
        for title, each in asked:
            query = each["rawSql"].replace("$__unixEpochFrom()", "0")
            query = query.replace("$__unixEpochTo()", "4000000000")
            assert "$" not in query, title
            columns = [column.name for column in connection.execute(query).description]
            assert len(columns) == len(set(columns)), title
            assert (columns[0] == "time") is (each["format"] == "time_series"), title


def test_grafanas_user_changes_nothing(reader):
    with psycopg.connect(reader, autocommit=True) as connection:
        for statement in ("DELETE FROM homes", "CREATE TABLE t (x int)"):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(statement)
        connection.execute("SET default_transaction_read_only = off")
        for statement in ("DELETE FROM homes", "CREATE TABLE t (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_dashboards_are_whole():
    sources = {
        uid for path in (DEPLOY / "grafana" / "provisioning").rglob("*.yaml")
        for uid in re.findall(r"uid: (\S+)", path.read_text())
    }  # fmt: skip
    assert len(DASHBOARDS) == 2
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in board["panels"]]
        assert len(places) == len(set(places))
        assert len({each["id"] for each in board["panels"]}) == len(places)
        assert {each["datasource"]["uid"] for each in board["panels"]} <= sources
