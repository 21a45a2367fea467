"""What is old goes, each resolution after a time of its own; days stay for ever."""

from dataclasses import dataclass

from sqlalchemy import Table, delete, select

from aggregator.service.store.rollups import due_since_ms
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes, telemetry, telemetry_1min, telemetry_15min
from aggregator.service.store.telemetry import DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long what is kept: the table ``[retention]``.

    Raises
    ------
    ValueError
        If a coarser resolution is kept less long than a finer one, or too short for late data.
    """

    raw_days: int = 30
    """What gateways told, 9..3650: they keep a message for a week. [d]"""
    minute_days: int = 90
    """Minutes. [d]"""
    quarter_days: int = 1_830
    """Quarter-hours. [d]"""

    def __post_init__(self) -> None:
        if not 9 <= self.raw_days <= self.minute_days <= self.quarter_days <= 36_500:
            msg = (
                f"raw_days, minute_days, quarter_days are {self.raw_days}, {self.minute_days}, "
                f"{self.quarter_days}; give 9 or more, each at least as long as the one before"
            )
            raise ValueError(msg)

    def accepts_from_ms(self, now_ms: int) -> int:
        """Return the time before which nothing is taken: its bins could not be made anew. [ms]"""
        # a day's bin is made of rows from its whole day
        return now_ms - (self.raw_days - 1) * DAY_MS


def forget_old(store: Store, settings: RetentionSettings, *, now_ms: int) -> int:
    """Delete what is older than it is kept for; return how many rows went.

    What has not been rolled up yet stays.

    Raises
    ------
    StoreUnavailableError
        If the database does not answer; what went is gone, the rest goes next time.
    """
    with store.read() as connection:
        due_ms = due_since_ms(connection)
        numbers = list(connection.execute(select(homes.c.number)).scalars())
    tables: tuple[tuple[Table, int], ...] = (
        (telemetry, settings.raw_days),
        (telemetry_1min, settings.minute_days),
        (telemetry_15min, settings.quarter_days),
    )
    gone = 0
    for table, days in tables:
        before_ms = (now_ms - days * DAY_MS) // DAY_MS * DAY_MS
        if due_ms is not None:
            before_ms = min(before_ms, due_ms)
        for number in numbers:  # a home at a time: nobody waits long, and the key finds its rows
            gone += _forget(store, table, number, before_ms)
    return gone


def _forget(store: Store, table: Table, home_number: int, before_ms: int) -> int:
    columns = table.c
    when = columns.end_ms <= before_ms if table is telemetry else columns.start_ms < before_ms
    with store.write() as connection:
        old = delete(table).where(columns.home_number == home_number, when)
        return connection.execute(old).rowcount
