"""What keeps the service from starting is one line: what, its value, and what to do about it."""

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from aggregator.service.alone import only_ones
from aggregator.service.serve import PARTS
from aggregator.service.store.store import open_store
from scenarios.cli import main

BROKER = '[broker]\nhost = "127.0.0.1"\nport = 1\ntls = false\n'
NOBODY = 65_534


@pytest.fixture
def refused(tmp_path, capsys):
    """Return what a start says that fails, without its log's lines."""

    def start(settings, folder="service", base=tmp_path):
        config = base / "service.toml"
        config.write_bytes(settings if isinstance(settings, bytes) else settings.encode())
        words = ["--config", config, "--folder", base / folder, "--without", "ingest"]
        with pytest.raises(SystemExit) as left:
            main(["serve", *map(str, words)])
        assert left.value.code == 1
        return the_line(capsys.readouterr().err).replace(str(base), "HERE")

    return start


def the_line(said):
    """Return the one line about what is wrong, which comes last."""
    lines = said.splitlines()
    (line,) = (each for each in lines if each.startswith("gridpact: "))
    assert line == lines[-1]
    return line.removeprefix("gridpact: ")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ('[broker]\nprotocol = "4"', "service.toml [broker]: protocol is '4'; give one of 5, 3."),
        ("[store]\nurll = 1", "service.toml [store]: urll is no setting here; it takes url, passw"),
        (f"{BROKER}[rest]\nporrt = 1", "service.toml [rest]: porrt is no setting here; it takes l"),
        (f"{BROKER}[rest]\nport = '1'", "service.toml [rest]: port is '1'; give a whole number"),
        (b"[broker]\nhost = '\xff'", "HERE/service.toml: cannot be read ('utf-8' codec can't dec"),
        ("[broker", "HERE/service.toml: is no TOML ("),
    ],
)
def test_a_setting_that_cannot_be_used(refused, settings, line):
    assert refused(settings).startswith(line)


def test_a_port_that_is_taken(refused):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        rest = refused(f"{BROKER}[rest]\nport = {port}\n")
        broker = refused(f"[broker]\nport = {port}\n[rest]\nport = 0\n")

    assert rest.startswith(f"[rest] 127.0.0.1:{port} cannot be listened at (Address already in use")
    assert broker.startswith(f"built-in broker at 127.0.0.1:{port}: ")
    assert broker.endswith("set another [broker] port or listen")


def test_a_folder_or_a_file_that_cannot_be_used(refused, tmp_path):
    (tmp_path / "taken").write_text("this is no database")
    (tmp_path / "is-a-folder").mkdir()
    (tmp_path / "service" / "admin.token").mkdir(parents=True)

    assert refused(BROKER, "taken/below") == (
        "HERE/taken/below: cannot be made (Not a directory); name another with --folder"
    )
    assert refused(f'{BROKER}[store]\nurl = "sqlite:///{tmp_path}/taken"') == (
        "HERE/taken cannot be read (file is not a database); restore a backup or name another file"
    )
    assert refused(f'{BROKER}[store]\nurl = "sqlite:///{tmp_path}/is-a-folder"') == (
        "HERE/is-a-folder does not answer (unable to open database file); "
        "check the file and its folder"
    )
    assert refused(BROKER) == (
        "HERE/service/admin.token: cannot be written anew (Is a directory); move it away"
    )


def test_a_database_that_was_damaged_or_is_of_a_newer_version(refused, sqlite_url):
    store = open_store(sqlite_url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    settings = f'{BROKER}[store]\nurl = "{sqlite_url}"'

    assert refused(settings).startswith("HERE/service.db has tables of another version (")
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xaa" * (len(whole) - 4096))
    assert refused(settings) == (
        "HERE/service.db cannot be read (database disk image is malformed); "
        "restore a backup or name another file"
    )


def test_a_folder_in_which_the_service_runs_already(refused, tmp_path):
    with only_ones(tmp_path / "service", ["keeper"]):
        assert refused(BROKER) == (
            f"keeper runs in HERE/service already (process {os.getpid()}); "
            "stop that one, or name another --folder"
        )


@pytest.fixture
def open_folder():
    """Return a folder of whom `as_somebody` makes us."""
    made = Path(tempfile.mkdtemp(prefix="gridpact-start-"))
    if not os.geteuid():
        os.chown(made, NOBODY, -1)
    yield made
    shutil.rmtree(made)


@contextmanager
def as_somebody():
    """Be a user who may not do everything."""
    for part in PARTS.values():  # which others may not be able to read
        import_module(part.place.partition(":")[0])
    ours = os.geteuid()
    if not ours:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(ours)


def test_a_folder_of_somebody_else_or_a_disk_that_is_full(refused, open_folder, files_up_to):
    (open_folder / "closed").mkdir(mode=0o555)

    with as_somebody():
        assert refused(BROKER, "closed/below", open_folder) == (
            "HERE/closed/below: cannot be made (Permission denied); name another with --folder"
        )
        assert refused(BROKER, "closed", open_folder) == (
            "HERE/closed/keeper.lock: cannot be written (Permission denied); "
            "check the folder and its owner"
        )
    with files_up_to(20_000):
        full = refused(BROKER, "full", open_folder)
    assert full == (
        "HERE/full/service.db does not answer (disk I/O error); check the file and its folder"
    )


@pytest.fixture
def postgres(needs_postgres):
    """Return a server with an empty database, a user with a password and one without rights."""
    with psycopg.connect(needs_postgres.url()) as connection:
        file = Path(connection.execute("SHOW hba_file").fetchone()[0])
    kept = file.read_text()
    made = ("DATABASE bare", "ROLE guarded LOGIN PASSWORD 'right'", "ROLE guest LOGIN")
    for each in made:
        needs_postgres.do(f"CREATE {each}")
    file.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{kept}")
    needs_postgres.do("SELECT pg_reload_conf()")
    yield needs_postgres
    file.write_text(kept)
    needs_postgres.do("SELECT pg_reload_conf()")
    for each in made:
        kind, name = each.split()[:2]
        needs_postgres.do(f"DROP {kind} {name}")


def test_a_database_that_does_not_answer_or_let_us_in_or_let_us_make_tables(
    refused, postgres, tmp_path
):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("wrong-secret\n")

    def start(user, database, host="127.0.0.1"):
        url = f"postgresql://{user}@{host}:{postgres.port}/{database}"
        line = refused(f'{BROKER}[store]\nurl = "{url}"\npassword_file = "{secret}"\n')
        assert line.startswith(f"database {host}/{database} ")
        assert "wrong-secret" not in line
        return line

    given = {
        ("guarded", "bare"): "password authentication failed for user",
        ("gridpact", "none"): 'database "none" does not exist',
        ("stranger", "bare"): 'role "stranger" does not exist',
        ("gridpact", "bare", "no-such-host.invalid"): "no-such-host.invalid",
    }
    for asked, why in given.items():
        line = start(*asked)
        assert "does not answer (" in line
        assert why in line
        assert line.endswith("; check that it runs, and user and password")
    assert start("guest", "bare") == (
        "database 127.0.0.1/bare does not let us (permission denied for schema public); "
        "make our user the database's owner"
    )
    postgres.do("ALTER DATABASE bare SET default_transaction_read_only = on")
    assert "cannot execute CREATE TABLE in a read-only transaction" in start("gridpact", "bare")


def test_a_database_server_that_is_not_there(refused):
    line = refused(f'{BROKER}[store]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    assert line.startswith("database 127.0.0.1/none does not answer (")
