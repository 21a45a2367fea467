"""What was ordered, what went wrong, and the market day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _forecast_scores()
    _forecasts()
    _papers()
    _prices()
    _reliability()
    _revenues()
    _runs()
    _settlements()
    _weather()
    _alarms()
    _commands()


def _forecast_scores() -> None:
    op.create_table(
        "forecast_scores",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("mean_absolute", sa.Float(), nullable=False),
        sa.Column("bias", sa.Float(), nullable=False),
        sa.Column("relative", sa.Float(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "quantity", "day", name=op.f("pk_forecast_scores")),
    )


def _forecasts() -> None:
    op.create_table(
        "forecasts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_ms", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "quantity", "start_ms", "made_ms", name=op.f("pk_forecasts")
        ),
        sqlite_with_rowid=False,
    )


def _papers() -> None:
    op.create_table(
        "papers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", _DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "day", "run_number", name=op.f("pk_papers")),
    )


def _prices() -> None:
    op.create_table(
        "prices",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_ms", sa.Integer(), nullable=False),
        sa.Column("price_per_mwh", sa.Float(), nullable=False),
        sa.Column("fetched_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "quantity", "start_ms", name=op.f("pk_prices")),
        sqlite_with_rowid=False,
    )


def _reliability() -> None:
    op.create_table(
        "reliability",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("disconnected_ms", sa.BigInteger(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("home_number", "day", name=op.f("pk_reliability")),
    )


def _revenues() -> None:
    op.create_table(
        "revenues",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revenue_micro", sa.BigInteger(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("exported_wh", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "home_number", name=op.f("pk_revenues")),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_day_step_number"), "runs", ["day", "step", "number"])


def _settlements() -> None:
    op.create_table(
        "settlements",
        sa.Column("interval_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("commitment_wh", sa.BigInteger(), nullable=False),
        sa.Column("delivered_wh", sa.BigInteger(), nullable=False),
        sa.Column("price_micro_per_mwh", sa.BigInteger(), nullable=False),
        sa.Column("imbalance_price_micro_per_mwh", sa.BigInteger(), nullable=False),
        sa.Column("revenue_micro", sa.BigInteger(), nullable=False),
        sa.Column("fee_micro", sa.BigInteger(), nullable=False),
        sa.Column("loss_micro", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("interval_number", name=op.f("pk_settlements")),
    )
    op.create_index(op.f("ix_settlements_start_ms"), "settlements", ["start_ms"])


def _weather() -> None:
    op.create_table(
        "weather",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_ms", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("fetched_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "quantity", "start_ms", name=op.f("pk_weather")),
        sqlite_with_rowid=False,
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("home_number", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("resolved_ms", sa.BigInteger(), nullable=True),
        sa.Column("told_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["home_number"], ["homes.number"], name=op.f("fk_alarms_home_number")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alarms")),
    )
    op.create_index(op.f("ix_alarms_home_number_raised_ms"), "alarms", ["home_number", "raised_ms"])
    op.create_index(op.f("ix_alarms_state_raised_ms"), "alarms", ["state", "raised_ms"])


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("home_number", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("body", _DOCUMENT, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("late", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["home_number"], ["homes.number"], name=op.f("fk_commands_home_number")
        ),
        sa.PrimaryKeyConstraint("correlation_id", name=op.f("pk_commands")),
    )
    op.create_index(op.f("ix_commands_asked_ms"), "commands", ["asked_ms"])
    op.create_index(
        op.f("ix_commands_home_number_asked_ms"), "commands", ["home_number", "asked_ms"]
    )
    op.create_index(op.f("ix_commands_request_id"), "commands", ["request_id"])
    op.create_index(op.f("ix_commands_state_expires_ms"), "commands", ["state", "expires_ms"])
