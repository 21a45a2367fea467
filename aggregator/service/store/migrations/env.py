"""Run by Alembic: the connection is handed in by `aggregator.service.store.migrate`."""

from alembic import context

from aggregator.service.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by copying it
    transaction_per_migration=False,
)
context.run_migrations()
