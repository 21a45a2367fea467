"""What runs were made from, what homes would have paid, and embedded ledgers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.add_column("runs", sa.Column("input_hash", sa.Text(), nullable=True))
    op.add_column("revenues", sa.Column("baseline_micro", sa.BigInteger(), nullable=True))
    op.create_table(
        "ledger_states",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("now_s", sa.BigInteger(), nullable=False),
        sa.Column("contracts", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ledger_states")),
    )
