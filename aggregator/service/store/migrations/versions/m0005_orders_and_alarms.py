"""How often a command was sent, and who resolved an alarm."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("commands", sa.Column("last_sent_ms", sa.BigInteger(), nullable=True))
    op.add_column("commands", sa.Column("sends", sa.Integer(), server_default="0", nullable=False))
    op.add_column("alarms", sa.Column("resolved_by", sa.Text(), nullable=True))
