"""Bring a store to the tables of this version; run at each start."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from aggregator.service.errors import ServiceConfigError
from aggregator.service.store.store import Store

_PLACE: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 5_102_017
"""One service at a time migrates a PostgreSQL database; any number that nobody else uses."""


def migrate(store: Store, revision: str = "head") -> None:
    """Bring a store forward to a revision, all of it or nothing.

    Parameters
    ----------
    store : Store
        Empty, or of an older version of this program.
    revision : str
        Which; a name out of ``migrations/versions``.

    Raises
    ------
    StoreUnavailableError
        If the database does not answer.
    ServiceConfigError
        If it was made by a newer version of this program.
    """
    with store.write() as connection:
        if store.is_postgres:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(_PLACE))
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            msg = (
                f"{store.name} has tables of another version ({error}); "
                "run the program that made it, or a newer one"
            )
            raise ServiceConfigError(msg) from error


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database stands at; None where it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Return whether this program can work with tables of a revision, or bring them forward."""
    known = ScriptDirectory(str(_PLACE)).walk_revisions()
    return revision in {each.revision for each in known}


def newest_revision() -> str | None:
    """Return the revision that this program works with."""
    return ScriptDirectory(str(_PLACE)).get_current_head()
