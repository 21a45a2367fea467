"""The tables: from nothing, from an older version, and never from a newer one."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from aggregator.service.errors import ServiceConfigError, StoreUnavailableError
from aggregator.service.store.channels import CHANNELS
from aggregator.service.store.migrate import migrate, newest_revision, revision_of
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import METADATA, channels, homes, telemetry


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """Return an empty database."""
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        store = open_store(request.getfixturevalue("postgres_url"))
        with store.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield store
    store.close()


def standing(store):
    with store.read() as connection:
        return revision_of(connection)


def test_an_empty_database_gets_the_tables_that_the_program_works_with(empty):
    migrate(empty)
    migrate(empty)

    assert standing(empty) == newest_revision()
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_database_of_an_older_version_keeps_what_is_in_it(empty):
    migrate(empty, "0001")
    row = (1, 1_780_315_260_000, 1, 60_000, 1.0, 3.0, 2.0, 3.0)
    with empty.write() as connection:
        connection.execute(insert(homes).values(number=1, id="home-1", created_ms=5))
        connection.execute(insert(telemetry).values(row))

    migrate(empty)

    assert standing(empty) == newest_revision()
    with empty.read() as connection:
        assert [tuple(each) for each in connection.execute(select(telemetry))] == [row]
        assert connection.execute(select(homes.c.id)).scalars().all() == ["home-1"]


def test_a_database_of_a_newer_version_is_left_alone_in_one_line(empty):
    migrate(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ServiceConfigError, match=r"another version.*run the program that made it"):
        migrate(empty)


def test_a_migration_that_breaks_leaves_nothing_of_itself(empty):
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE commands (number INTEGER)"))

    with pytest.raises(Exception, match="already exists"):
        migrate(empty)

    assert standing(empty) is None


def test_the_numbers_of_channels_are_written_down(store):
    with store.read() as connection:
        found = connection.execute(select(channels).order_by(channels.c.number))
        assert [tuple(each) for each in found] == [
            (each.number, each.device, each.details, each.quantity.value, each.unit)
            for each in CHANNELS
        ]


@pytest.mark.parametrize("url", ["mysql://root:secret@host/base", "sqlite://", "nonsense"])
def test_an_address_that_is_no_database_of_ours_is_refused_without_its_password(url):
    with pytest.raises(ServiceConfigError, match="give sqlite:///FILE or postgresql") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_a_database_that_does_not_answer_is_one_line():
    store = open_store("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(StoreUnavailableError, match=r"127.0.0.1/none does not answer"):
        store.ping()
    store.close()
