"""What every step of a day works with: the store, the settings, the time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select

from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import ms
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes, rollups_due
from aggregator.service.store.telemetry import QUARTER_MS
from contracts.timegrid import TimeGrid
from devices.clock import Clock
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings

TOLD_S: Final = 600
"""How long an interval's telemetry is awaited after its end. [s]"""
STRAGGLERS: Final = 100
"""One home of so many may have told something that is not rolled up yet."""


def _since_ever() -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What steps share; safe to use from several threads."""

    store: Store
    """The database."""
    clock: Clock
    """The present."""
    settings: DaySettings
    """How a day is run."""
    prices: PriceSettings | None
    """Where day-ahead prices come from; None for nowhere."""
    imbalance: PriceSettings | None
    """Where prices of deviations come from; None for a multiple of the day-ahead price."""
    weather: WeatherSettings
    """Where weather comes from."""
    ledger: LedgerSettings
    """Where the contracts are."""
    heard_since_ms: Callable[[], int] = _since_ever
    """Since when gateways are heard without a break: what they kept meanwhile comes first. [ms]"""

    def now_ms(self) -> int:
        """Return the present. [ms]"""
        return ms(self.clock.utc())

    def told_until_ms(self) -> int:
        """Return until when what homes tell is in the quarter-hours, as far as we know. [ms]

        After a start, a broker or a database that was away, what gateways kept meanwhile is given
        time to come: what is counted without it would count as silence.
        """
        now_ms, since_ms = self.now_ms(), self.heard_since_ms()
        heard = now_ms - since_ms >= 1000 * TOLD_S
        told_ms = now_ms - 1000 * TOLD_S if heard else 0
        columns = rollups_due.c
        oldest = func.min(columns.start_ms)
        query = select(oldest).where(columns.size_ms <= QUARTER_MS).group_by(columns.home_number)
        with self.store.read() as connection:
            waiting_ms = connection.scalars(query.order_by(oldest)).all()
            known = connection.scalar(select(func.count()).select_from(homes)) or 0
        # of many homes there is always one that comes back with what is old: nobody waits for it
        waiting_ms = waiting_ms[known // STRAGGLERS :]
        return min(told_ms, waiting_ms[0]) if waiting_ms else told_ms

    def require_told(self, day: date) -> None:
        """Raise `StepInputError` unless a local day is over, and what homes told of it is here."""
        end = self.grid(day).end
        if self.clock.utc() < end:
            msg = f"{day} is not over; run this step after it"
            raise StepInputError(msg)
        if self.told_until_ms() < ms(end):
            msg = f"{day}: homes have not told all yet, or it is not rolled up; run this step later"
            raise StepInputError(msg)

    def grid(self, day: date) -> TimeGrid:
        """Return the market intervals of a local day."""
        return TimeGrid.local_day(day, zone=self.settings.zone, step_s=self.settings.step_s)


def open_desk(settings: ServiceSettings, *, store: Store, clock: Clock) -> Desk:
    """Return what the service's file says of the day.

    Parameters
    ----------
    settings : ServiceSettings
        The file.
    store : Store
        The database.
    clock : Clock
        The present.

    Raises
    ------
    ServiceConfigError
        If a key is unknown or a value cannot be used.
    """

    def prices(name: str) -> PriceSettings | None:
        return settings.table(PriceSettings, name) if settings.tables.get(name) else None

    return Desk(
        store=store,
        clock=clock,
        settings=settings.table(DaySettings, "day"),
        prices=prices("prices"),
        imbalance=prices("imbalance"),
        weather=settings.table(WeatherSettings, "weather"),
        ledger=settings.table(LedgerSettings, "ledger"),
    )
