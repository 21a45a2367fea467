"""Who there is, and what was measured."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SHORT_SERIAL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _answers()
    _audit()
    _channels()
    _configurations()
    _homes()
    _homes_now()
    _refusals()
    _rollups_due()
    _tariffs()
    _telemetry()
    _telemetry_15min()
    _telemetry_1day()
    _telemetry_1min()
    _devices()
    _tokens()


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("home_number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", _DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_answers")),
        sa.UniqueConstraint("home_number", "id", name=op.f("uq_answers_home_number_id")),
    )
    op.create_index(op.f("ix_answers_correlation_id"), "answers", ["correlation_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", _SERIAL, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", _DOCUMENT, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at_ms"), "audit", ["at_ms"])


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("number", _SHORT_SERIAL, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_channels")),
        sa.UniqueConstraint(
            "device",
            "details",
            "quantity",
            "unit",
            name=op.f("uq_channels_device_details_quantity_unit"),
        ),
    )


def _configurations() -> None:
    op.create_table(
        "configurations",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", _DOCUMENT, nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "version", name=op.f("pk_configurations")),
    )


def _homes() -> None:
    op.create_table(
        "homes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("zone", sa.Text(), server_default="", nullable=False),
        sa.Column("group_name", sa.Text(), server_default="", nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("latitude_deg", sa.Float(), nullable=True),
        sa.Column("longitude_deg", sa.Float(), nullable=True),
        sa.Column("tariff_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_homes")),
        sa.UniqueConstraint("id", name=op.f("uq_homes_id")),
    )
    op.create_index(op.f("ix_homes_group_name"), "homes", ["group_name"])


def _homes_now() -> None:
    op.create_table(
        "homes_now",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("status_ms", sa.BigInteger(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("soc", sa.Float(), nullable=True),
        sa.Column("battery_power_w", sa.Float(), nullable=True),
        sa.Column("load_w", sa.Float(), nullable=True),
        sa.Column("pv_w", sa.Float(), nullable=True),
        sa.Column("grid_power_w", sa.Float(), nullable=True),
        sa.Column("dropped", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("home_number", name=op.f("pk_homes_now")),
    )


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("example", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reason", "sender", name=op.f("pk_refusals")),
    )


def _rollups_due() -> None:
    op.create_table(
        "rollups_due",
        sa.Column("size_ms", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("size_ms", "start_ms", "home_number", name=op.f("pk_rollups_due")),
        sqlite_with_rowid=False,
    )


def _tariffs() -> None:
    op.create_table(
        "tariffs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("terms", _DOCUMENT, nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariffs")),
    )


def _telemetry() -> None:
    op.create_table(
        "telemetry",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("period_ms", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "home_number", "end_ms", "channel_number", name=op.f("pk_telemetry")
        ),
        sqlite_with_rowid=False,
    )


def _telemetry_15min() -> None:
    op.create_table(
        "telemetry_15min",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covered_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "home_number", "channel_number", "start_ms", name=op.f("pk_telemetry_15min")
        ),
        sqlite_with_rowid=False,
    )


def _telemetry_1day() -> None:
    op.create_table(
        "telemetry_1day",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covered_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "home_number", "channel_number", "start_ms", name=op.f("pk_telemetry_1day")
        ),
        sqlite_with_rowid=False,
    )


def _telemetry_1min() -> None:
    op.create_table(
        "telemetry_1min",
        sa.Column("home_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covered_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "home_number", "channel_number", "start_ms", name=op.f("pk_telemetry_1min")
        ),
        sqlite_with_rowid=False,
    )


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("home_number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("capacity_wh", sa.Float(), nullable=True),
        sa.Column("power_max_w", sa.Float(), nullable=True),
        sa.Column("charge_efficiency", sa.Float(), nullable=True),
        sa.Column("discharge_efficiency", sa.Float(), nullable=True),
        sa.Column("soc_min", sa.Float(), nullable=True),
        sa.Column("soc_max", sa.Float(), nullable=True),
        sa.Column("settings", _DOCUMENT, server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["home_number"], ["homes.number"], name=op.f("fk_devices_home_number")
        ),
        sa.PrimaryKeyConstraint("home_number", "id", name=op.f("pk_devices")),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("home_number", sa.Integer(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["home_number"], ["homes.number"], name=op.f("fk_tokens_home_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
    )
