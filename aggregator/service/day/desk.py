"""What every step of a day works with: the store, the settings, the time."""

from dataclasses import dataclass
from datetime import date

from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import ms
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import Store
from contracts.timegrid import TimeGrid
from devices.clock import Clock
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings


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

    def now_ms(self) -> int:
        """Return the present. [ms]"""
        return ms(self.clock.utc())

    def require_over(self, day: date) -> None:
        """Raise `StepInputError` unless a local day is over."""
        if self.clock.utc() < self.grid(day).end:
            msg = f"{day} is not over; run this step after it"
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
