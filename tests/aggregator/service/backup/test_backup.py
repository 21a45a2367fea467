"""A backup is of one moment and whole, and a store made out of it is the same, row by row."""

import itertools
import sqlite3
import stat
import threading
import zipfile
from random import Random

import pytest
from click.testing import CliRunner
from sqlalchemy import UniqueConstraint, insert, select
from sqlalchemy.types import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
)

from aggregator.service.backup import back_up, restore
from aggregator.service.command import serve
from aggregator.service.errors import ServiceConfigError, StoreUnavailableError
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.settings import ServiceSettings, StoreSettings
from aggregator.service.store.migrate import migrate, newest_revision, revision_of
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import METADATA, audit, homes, telemetry

ROWS = 4
TEXTS = [
    "plain",
    "tab\tnew\nline\rback\\slash \\N \\.",
    "Ångström 電池 🔋",
    "'\"; DROP TABLE homes;--",
    "",
]

VALUES = {
    Boolean: [True, False],
    JSON: [{"text": text, "list": [1, 2.5, None, {"deep": [True]}]} for text in TEXTS],
    Float: [0.1 + 0.2, -0.0, 1e300, 5e-324, -1.5],
    LargeBinary: [b"", bytes(range(256))],
}


def value_of(column, number, random):
    """Return something that the column may hold; ``number`` where it is or may be a key."""
    kind = column.type
    if column.nullable and random.random() < 0.3:
        return None
    if is_key(column):
        return number if isinstance(kind, Integer) else f"{number}-{TEXTS[number]}"
    if isinstance(kind, Integer):
        bits = 15 if isinstance(kind, SmallInteger) else 62 if isinstance(kind, BigInteger) else 31
        return random.choice([0, -1, 2**bits - 1, random.randrange(10_000)])
    for each, values in VALUES.items():
        if isinstance(kind, each):
            return random.choice(values)
    return random.choice(TEXTS)


def is_key(column):
    together = {
        each for constraint in column.table.constraints
        if isinstance(constraint, UniqueConstraint) for each in constraint.columns
    }  # fmt: skip
    return column.primary_key or column.unique or column.foreign_keys or column in together


def fill(store):
    """Put rows into every table that there is."""
    random = Random(7)
    with store.write() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
            rows = [
                {each.name: value_of(each, number, random) for each in table.columns}
                for number in range(1, ROWS + 1)
            ]
            for row in rows:
                connection.execute(insert(table), row)


def everything(store):
    with store.read() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in METADATA.sorted_tables
        }


def settings_of(url, folder):
    return ServiceSettings(folder=folder, store=StoreSettings(url=url))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """Return the settings of a store with our tables, and of one that is empty."""
    full = settings_of(request.getfixturevalue(f"{request.param}_url"), tmp_path)
    if request.param == "sqlite":
        yield full, settings_of(f"sqlite:///{tmp_path / 'restored.db'}", tmp_path)
        return
    server = request.getfixturevalue("needs_postgres")
    server.do("CREATE DATABASE restored TEMPLATE template0")
    yield full, settings_of(server.url("restored"), tmp_path)
    server.do("DROP DATABASE restored WITH (FORCE)")


@pytest.fixture
def opened():
    """Return what opens a store, closed in the end."""
    stores = []

    def opening(settings):
        stores.append(open_store(settings.database_url))
        return stores[-1]

    yield opening
    for each in stores:
        each.close()


def test_a_restored_store_is_the_same_row_by_row_in_every_table_and_goes_on(
    place, opened, tmp_path
):
    full, empty = place
    store = opened(full)
    fill(store)
    row = {"at_ms": 1, "who": "w", "action": "a", "target": "t", "outcome": "done"}
    with store.write() as connection:
        connection.execute(audit.delete())
        given = [connection.execute(insert(audit), row).inserted_primary_key[0] for _ in range(3)]
    _, secret = TokenBook(store).make("me", "viewer", who="test", at_ms=1)
    before = everything(store)
    told = back_up(full, tmp_path / "backup")
    again = restore(empty, tmp_path / "backup")
    restored = opened(empty)

    assert everything(restored) == before
    assert told == again
    assert told.rows == {name: len(rows) for name, rows in before.items()}
    assert min(told.rows.values()) >= 3
    assert told.revision == newest_revision()
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))
    migrate(restored)  # what the next start does
    assert everything(restored) == before
    assert TokenBook(restored).find(secret).name == "me"
    assert secret.encode() not in (tmp_path / "backup").read_bytes()
    with restored.write() as connection:  # numbers are never given twice
        found = connection.execute(insert(audit), row).inserted_primary_key[0]
    assert found == before["audit"][-1].number + 1 > max(given)


def test_a_backup_that_is_made_under_load_holds_whole_transactions_and_stops_none(
    place, opened, tmp_path, waits_until
):
    full, empty = place
    store, ending, written = opened(full), threading.Event(), []

    def load():
        for number in itertools.count():
            with store.write() as connection:
                row = {"at_ms": number, "who": "w", "action": "a", "target": "", "outcome": "done"}
                connection.execute(insert(audit), row)
                connection.execute(
                    insert(telemetry),
                    [
                        {
                            "home_number": 1, "end_ms": number, "channel_number": channel,
                            "period_ms": 1, "low": 0.0, "high": 1.0, "mean": 0.5, "last": 0.5,
                        }
                        for channel in range(10)
                    ],
                )  # fmt: skip
            written.append(number)
            if ending.is_set():
                return

    writer = threading.Thread(target=load, daemon=True)
    writer.start()
    waits_until(lambda: len(written) > 20, "nothing is written")
    first = len(written)
    told = back_up(full, tmp_path / "backup")
    last = len(written)
    waits_until(lambda: len(written) > last, "the backup holds writers up")
    ending.set()
    writer.join(30)
    restore(empty, tmp_path / "backup")
    found = everything(opened(empty))

    assert first <= told.rows["audit"] <= last + 1
    assert [row.at_ms for row in found["audit"]] == list(range(told.rows["audit"]))
    assert found["telemetry"] == everything(store)["telemetry"][: 10 * told.rows["audit"]]


def test_a_backup_of_an_older_program_is_taken_up_and_brought_forward(place, opened, tmp_path):
    full, empty = place
    old = settings_of(f"sqlite:///{tmp_path / 'old.db'}", tmp_path)
    if "postgresql" in full.database_url:
        old = empty
    store = opened(old)
    migrate(store, "0001")
    row = {"number": 1, "id": "home-1", "created_ms": 5}
    with store.write() as connection:
        connection.execute(insert(homes), row)
    told = back_up(old, tmp_path / "backup")
    if old is empty:
        with store.write() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    assert restore(empty, tmp_path / "backup") == told
    restored = opened(empty)
    with restored.read() as connection:
        assert revision_of(connection) == told.revision == "0001"
    migrate(restored)

    with restored.read() as connection:
        assert connection.execute(select(homes.c.id, homes.c.created_ms)).all() == [("home-1", 5)]
        assert revision_of(connection) == newest_revision()


def test_what_is_there_is_left_alone_and_what_is_newer_is_refused(place, opened, tmp_path):
    full, empty = place
    fill(opened(full))
    before = everything(opened(full))
    back_up(full, tmp_path / "backup")
    taken = (tmp_path / "backup").read_bytes()
    with pytest.raises(ServiceConfigError, match="is there already"):
        back_up(full, tmp_path / "backup")
    with pytest.raises(ServiceConfigError, match=r"is not empty|is there already"):
        restore(full, tmp_path / "backup")

    assert everything(opened(full)) == before
    assert (tmp_path / "backup").read_bytes() == taken
    with opened(full).write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    back_up(full, tmp_path / "newer")
    with pytest.raises(ServiceConfigError, match="is of a newer program"):
        restore(empty, tmp_path / "newer")


def test_a_damaged_backup_is_refused_in_one_line_and_leaves_nothing(place, opened, tmp_path):
    full, empty = place
    fill(opened(full))
    path = tmp_path / "backup"
    back_up(full, path)
    whole = path.read_bytes()
    harmed = (whole[: len(whole) // 2], flipped(path, whole), b"no backup at all", b"")
    for harm in harmed:
        path.write_bytes(harm)
        with pytest.raises(ServiceConfigError) as caught:
            restore(empty, path)
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(ServiceConfigError):
        restore(empty, path)
    path.write_bytes(whole)

    assert restore(empty, path).rows["homes"] == ROWS
    assert everything(opened(empty)) == everything(opened(full))


def flipped(path, whole):
    """Return it with a bit changed in the middle of what is kept."""
    at = len(whole) // 3
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            at = archive.getinfo("tables/telemetry.copy").header_offset + 90
    else:  # the first page of a table: its kind
        at = 4096
    return whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]


def test_where_there_is_no_store_none_is_made(tmp_path):
    nowhere = settings_of(f"sqlite:///{tmp_path / 'none.db'}", tmp_path)
    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        back_up(nowhere, tmp_path / "backup")
    sqlite3.connect(tmp_path / "none.db").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(ServiceConfigError, match="no tables of ours"):
        back_up(nowhere, tmp_path / "backup")

    assert not (tmp_path / "backup").exists()


def test_the_commands_do_so(sqlite_url, tmp_path):
    config = tmp_path / "service.toml"
    config.write_text(f'[store]\nurl = "{sqlite_url}"\n')
    other = tmp_path / "other.toml"
    other.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "restored.db"}"\n')
    file = str(tmp_path / "backup")
    wrote = CliRunner().invoke(serve, ["--config", str(config), "backup", file])
    made = CliRunner().invoke(serve, ["--config", str(other), "restore", file])
    store = open_store(sqlite_url)
    known = sum(len(rows) for rows in everything(store).values())
    store.close()

    tables = len(METADATA.tables)
    line = f"{file}: {known} rows of {tables} tables, revision {newest_revision()}\n"
    assert (wrote.output, made.output) == (f"wrote {line}", f"restored {line}")
