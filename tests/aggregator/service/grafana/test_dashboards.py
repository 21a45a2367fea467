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
def scripts(needs_postgres, programs, tmp_path_factory):
    """Return what runs a script as PostgreSQL's image does, with places in a folder."""
    folder = tmp_path_factory.mktemp("postgres")
    places = {
        "/run/secrets/grafana-database-password": folder / "grafana",
        "/run/secrets/database-password": folder / "ours",
        "/docker-entrypoint-initdb.d": folder,
    }
    for path in (folder / "grafana", folder / "ours"):
        path.write_text("d0d0\n")
    for each in ("reader.sh", "set-aside.sh"):
        text = (DEPLOY / "postgres" / each).read_text()
        for place, ours in places.items():
            text = text.replace(place, str(ours))
        (folder / each).write_text(text)
        (folder / each).chmod(0o700)
    surroundings = {
        "PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": "127.0.0.1",
        "PGPORT": str(needs_postgres.port), "POSTGRES_USER": "gridpact",
        "POSTGRES_DB": "grafana_test",
    }  # fmt: skip

    def run(name):
        return subprocess.run(
            [folder / name], env=surroundings, timeout=60, check=False,
            capture_output=True, text=True,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def aside(needs_postgres, scripts):
    """Return what became of setting a database aside while it was used, and afterwards."""
    needs_postgres.do("CREATE DATABASE grafana_test TEMPLATE template0")
    assert scripts("reader.sh").returncode == 0
    with psycopg.connect(needs_postgres.url("grafana_test"), autocommit=True) as service:
        service.execute("CREATE TABLE of_before (x int)")
        refused = scripts("set-aside.sh")
    reader = needs_postgres.url("grafana_test").replace("gridpact@", "grafana@")
    with psycopg.connect(reader) as grafana:  # which holds nobody up
        done = scripts("set-aside.sh")
        with pytest.raises(psycopg.OperationalError):
            grafana.execute("SELECT 1")
    names = re.search(r"is in (grafana_test_\w+);", done.stdout)
    yield refused, done, names.group(1)
    for name in ("grafana_test", names.group(1)):
        needs_postgres.do(f"DROP DATABASE {name} WITH (FORCE)")
    needs_postgres.do("DROP ROLE grafana")


@pytest.fixture(scope="module")
def reader(needs_postgres, aside):
    """Return the address of our tables for Grafana's user, in the second database of its server."""
    store = open_store(needs_postgres.url("grafana_test"))
    migrate(store)
    with store.write() as connection:
        write_channels(connection)
    store.close()
    return needs_postgres.url("grafana_test").replace("gridpact@", "grafana@")


def test_a_database_is_set_aside_whole_and_never_under_a_running_service(needs_postgres, aside):
    refused, done, name = aside

    assert refused.returncode != 0
    assert "is being accessed by other users" in refused.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"what was in grafana_test is in {name}; grafana_test is empty\n"
    for database, tables in ((name, [("of_before",)]), ("grafana_test", [])):
        query = "SELECT tablename FROM pg_tables WHERE tablename = 'of_before'"
        with psycopg.connect(needs_postgres.url(database)) as connection:
            assert connection.execute(query).fetchall() == tables


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


def test_every_panel_names_its_unit_and_says_why_it_is_empty():
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            shown = panel["fieldConfig"]["defaults"]
            assert shown["unit"], panel["title"]
            if panel["type"] == "timeseries":
                assert shown["noValue"], panel["title"]
                assert panel["options"]["legend"]["showLegend"] is True
            # of a table it stands in each cell without a value as well
            elif "noValue" in shown:
                assert "coalesce(h.id" in panel["targets"][0]["rawSql"], panel["title"]
