"""Measurements in chunks of a day, where TimescaleDB is installed; else nothing changes."""

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DAY_MS = 86_400_000


def upgrade() -> None:
    """Make them."""
    base = op.get_bind()
    if base.dialect.name != "postgresql":
        return
    found = base.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"))
    if found.scalar() is None:
        return
    base.execute(
        text(
            "SELECT create_hypertable('telemetry', 'end_ms', chunk_time_interval => :day_ms, "
            "create_default_indexes => false, migrate_data => true)"
        ),
        {"day_ms": _DAY_MS},
    )
