"""Every table of the service, for SQLite and PostgreSQL alike.

Times are whole milliseconds since 1970 in UTC (``_ms``), which both databases index and compare as
plain integers. Signs are those of §3: power into a thing is positive. A table is changed by a
migration (`aggregator.service.store.migrations`), and a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables; constraints have names, so that migrations can change them."""

_Document = JSON().with_variant(JSONB(), "postgresql")
# SQLite counts upwards by itself in a column of this very type only
_Serial = BigInteger().with_variant(Integer(), "sqlite")


def _clustered(name: str, *columns: Column[Any]) -> Table:
    """Return a table whose rows lie in the order of their key where the database can do so."""
    return Table(name, METADATA, *columns, sqlite_with_rowid=False)


# --- who: homes, their devices and tariffs, and how they came to be so -------------------------

homes: Final = Table(
    "homes",
    METADATA,
    Column("number", Integer, primary_key=True),  # short: it is in the key of every measurement
    Column("id", Text, nullable=False, unique=True),  # the gateway's id, a level of its topics
    Column("name", Text, nullable=False, server_default=""),
    Column("zone", Text, nullable=False, server_default=""),  # time zone; empty for the market's
    Column("group_name", Text, nullable=False, server_default=""),  # commands may go to a group
    Column("account", Text),  # the member's address on the ledger
    Column("latitude_deg", Float),
    Column("longitude_deg", Float),
    Column("tariff_id", Text),
    Column("version", Integer, nullable=False, server_default="0"),  # 0: seen, never configured
    Column("retired", Boolean, nullable=False, server_default="0"),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "group_name"),
)
devices: Final = Table(
    "devices",
    METADATA,
    Column("home_number", ForeignKey("homes.number"), primary_key=True),
    Column("id", Text, primary_key=True),  # such as ``storage``
    Column("kind", Text, nullable=False),  # battery, meter, inverter, charger
    Column("model", Text, nullable=False, server_default=""),
    Column("capacity_wh", Float),
    Column("power_max_w", Float),
    Column("charge_efficiency", Float),
    Column("discharge_efficiency", Float),
    Column("soc_min", Float),
    Column("soc_max", Float),
    Column("settings", _Document, nullable=False, server_default="{}"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("retired", Boolean, nullable=False, server_default="0"),
)
tariffs: Final = Table(
    "tariffs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("terms", _Document, nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("retired", Boolean, nullable=False, server_default="0"),
)
configurations: Final = Table(  # every version that anything ever had; nothing is overwritten
    "configurations",
    METADATA,
    Column("kind", Text, primary_key=True),  # home, device, tariff, fleet
    Column("key", Text, primary_key=True),  # such as ``home-7`` or ``home-7/storage``
    Column("version", Integer, primary_key=True),
    Column("body", _Document, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
)
tokens: Final = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),  # never the secret
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),  # operator, viewer, home
    Column("home_number", ForeignKey("homes.number")),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
)
audit: Final = Table(
    "audit",
    METADATA,
    Column("number", _Serial, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),  # the token's id, or ``service``
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # done, refused
    Column("detail", _Document, nullable=False, server_default="{}"),
    Index(None, "at_ms"),
)

# --- what was measured -------------------------------------------------------------------------

channels: Final = Table(
    "channels",
    METADATA,
    Column("number", SmallInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("device", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("unit", Text, nullable=False),
    UniqueConstraint("device", "details", "quantity", "unit"),
)
# What a gateway tells in one message lies together, so that taking it touches one page.
# No foreign keys: they would double the cost, and numbers come from our own directory.
telemetry: Final = _clustered(
    "telemetry",
    Column("home_number", Integer, primary_key=True, autoincrement=False),
    Column("end_ms", BigInteger, primary_key=True, autoincrement=False),  # of the period, as told
    Column("channel_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("period_ms", Integer, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("mean", Float, nullable=False),
    Column("last", Float, nullable=False),
)


def _rollup(name: str) -> Table:
    """Return a table of bins ``[start, start + size)``, each with the periods that end in it.

    A period that ends at a bin's end belongs to that bin: it was measured in it.
    """
    return _clustered(
        name,
        Column("home_number", Integer, primary_key=True, autoincrement=False),
        Column("channel_number", SmallInteger, primary_key=True, autoincrement=False),
        Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
        Column(
            "covered_ms", BigInteger, nullable=False
        ),  # the sum of the periods: the mean's weight
        Column("last_ms", BigInteger, nullable=False),  # when ``last`` was
        Column("low", Float, nullable=False),
        Column("high", Float, nullable=False),
        Column("mean", Float, nullable=False),
        Column("last", Float, nullable=False),
    )


telemetry_1min: Final = _rollup("telemetry_1min")
telemetry_15min: Final = _rollup("telemetry_15min")
telemetry_1day: Final = _rollup("telemetry_1day")
rollups_due: Final = _clustered(  # bins in which something is new
    "rollups_due",
    Column("size_ms", Integer, primary_key=True, autoincrement=False),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("home_number", Integer, primary_key=True, autoincrement=False),
    Column("taken", Boolean, nullable=False),  # by a roll-up that is under way
)
homes_now: Final = Table(  # the latest of each home, for the view of the fleet
    "homes_now",
    METADATA,
    Column("home_number", Integer, primary_key=True, autoincrement=False),
    Column("online", Boolean),  # what the gateway or its last will said; null before either
    Column("status_ms", BigInteger),  # when it said so
    Column("heard_ms", BigInteger),  # when its last telemetry was committed
    Column("end_ms", BigInteger),  # the period that the figures below are of
    Column("soc", Float),
    Column("battery_power_w", Float),
    Column("load_w", Float),
    Column("pv_w", Float),
    Column("grid_power_w", Float),
    Column("dropped", BigInteger),  # messages that the gateway had to give up
)
refusals: Final = Table(
    "refusals",
    METADATA,
    Column("reason", Text, primary_key=True),
    Column("sender", Text, primary_key=True),  # the topic's id; ``*`` once there are too many
    Column("count", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("example", Text, nullable=False),
)
answers: Final = Table(  # acknowledgements and outcomes as they came, also late ones
    "answers",
    METADATA,
    Column("number", _Serial, primary_key=True),
    Column("home_number", Integer, nullable=False),
    Column("id", Text, nullable=False),  # the message's own: a second one is dropped
    Column("kind", Text, nullable=False),  # acknowledgement, outcome
    Column("correlation_id", Text),
    Column("at_ms", BigInteger, nullable=False),  # as told
    Column("heard_ms", BigInteger, nullable=False),
    Column("body", _Document, nullable=False),
    UniqueConstraint("home_number", "id"),
    Index(None, "correlation_id"),
)

# --- what was ordered and what went wrong ------------------------------------------------------

commands: Final = Table(  # one row per gateway; a group's share their request_id
    "commands",
    METADATA,
    Column("correlation_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("home_number", ForeignKey("homes.number"), nullable=False),
    Column("target", Text, nullable=False),  # as asked: home:ID, group:NAME, fleet
    Column("body", _Document, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting sent accepted done refused expired unanswered
    Column("asked_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    Column("expires_ms", BigInteger, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("outcome", Text),
    Column("code", Text),
    Column("reason", Text),
    Column("late", Boolean, nullable=False, server_default="0"),
    Column("last_sent_ms", BigInteger),  # it is sent again for want of an acknowledgement
    Column("sends", Integer, nullable=False, server_default="0"),
    Index(None, "request_id"),
    Index(None, "home_number", "asked_ms"),
    Index(None, "state", "expires_ms"),
    Index(None, "asked_ms"),
)
alarms: Final = Table(
    "alarms",
    METADATA,
    Column("number", _Serial, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("home_number", ForeignKey("homes.number")),  # null where it is the fleet's
    Column("state", Text, nullable=False),  # raised, acknowledged, resolved
    Column("severity", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", Text),
    Column("resolved_ms", BigInteger),
    Column("told_ms", BigInteger),  # when e-mail or webhook took it
    Column("resolved_by", Text),  # ``service`` where it was over by itself
    Index(None, "state", "raised_ms"),
    Index(None, "home_number", "raised_ms"),
)

# --- the market day ----------------------------------------------------------------------------

runs: Final = Table(  # one row each time that a step of a day was run
    "runs",
    METADATA,
    Column("number", _Serial, primary_key=True),
    Column("step", Text, nullable=False),  # forecast, prices, weather, plan, offer, publish, settle
    Column("day", Text, nullable=False),  # local market day, ISO 8601
    Column("state", Text, nullable=False),  # running, done, failed
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("asked_by", Text, nullable=False),
    Column("line", Text, nullable=False, server_default=""),
    Column("input_hash", Text),  # of all that it was made from; null where it came to nothing
    Index(None, "day", "step", "number"),
)
papers: Final = Table(  # what a step made: plan, offer, award, schedule; the latest counts
    "papers",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("run_number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", _Document, nullable=False),
)


def _series(name: str, *columns: Column[Any]) -> Table:
    """Return a table of slots of one source."""
    return _clustered(
        name,
        Column("source", Text, primary_key=True),
        Column("quantity", Text, primary_key=True),  # with its unit
        Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
        *columns,
    )


prices: Final = _series(
    "prices",
    Column("step_ms", Integer, nullable=False),
    Column("price_per_mwh", Float, nullable=False),
    Column("fetched_ms", BigInteger, nullable=False),
)
weather: Final = _series(
    "weather",
    Column("step_ms", Integer, nullable=False),
    Column("value", Float, nullable=False),
    Column("fetched_ms", BigInteger, nullable=False),
)
forecasts: Final = _series(
    "forecasts",
    Column("made_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("step_ms", Integer, nullable=False),
    Column("value", Float, nullable=False),
)
forecast_scores: Final = Table(
    "forecast_scores",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("quantity", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("mean_absolute", Float, nullable=False),
    Column("bias", Float, nullable=False),
    Column("relative", Float),
    Column("slots", Integer, nullable=False),
)
settlements: Final = Table(
    "settlements",
    METADATA,
    Column("interval_number", BigInteger, primary_key=True, autoincrement=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("commitment_wh", BigInteger, nullable=False),
    Column("delivered_wh", BigInteger, nullable=False),
    Column("price_micro_per_mwh", BigInteger, nullable=False),
    Column("imbalance_price_micro_per_mwh", BigInteger, nullable=False),
    Column("revenue_micro", BigInteger, nullable=False),
    Column("fee_micro", BigInteger, nullable=False),
    Column("loss_micro", BigInteger, nullable=False),
    Column("transaction", Text),
    Index(None, "start_ms"),
)
revenues: Final = Table(  # of the fleet where home_number is 0
    "revenues",
    METADATA,
    Column("day", Text, primary_key=True),
    Column("home_number", Integer, primary_key=True, autoincrement=False),
    Column("revenue_micro", BigInteger, nullable=False),
    Column("cost_micro", BigInteger, nullable=False),
    Column("exported_wh", BigInteger, nullable=False),
    Column("baseline_micro", BigInteger),  # what the load alone would have cost
)
ledger_states: Final = Table(  # of embedded ledgers, each with the version that a step goes on from
    "ledger_states",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("now_s", BigInteger, nullable=False),
    Column("contracts", _Document, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
reliability: Final = Table(
    "reliability",
    METADATA,
    Column("home_number", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),
    Column("score", Float, nullable=False),  # 0..1, what the planner counts the capacity with
    Column("failures", Integer, nullable=False),
    Column("disconnected_ms", BigInteger, nullable=False),
    Column("missed", Integer, nullable=False),
)
