"""Where prices come from: the table ``[prices]`` of a configuration, and the source it names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devices.clock import Clock
from devices.feeds.price_book import DAYS_BACK_MOST, PriceBook
from devices.feeds.price_cache import PriceCache
from devices.feeds.price_file import PriceFile
from devices.feeds.prices import PriceSource
from devices.settings import read_secret

if TYPE_CHECKING:
    from devices.feeds.feed_link import FeedLink

_NEEDS: Final = {
    "file": ("file",),
    "energy-charts": ("area",),
    "octopus": ("product", "tariff"),
    "elexon": (),
    "entsoe": ("area", "key_file"),
}
_ANY_CURRENCY: Final = frozenset({"file", "entsoe"})
SOURCES: Final = tuple(_NEEDS)
"""What ``source`` may be."""
_USUAL: Final = {
    "file": ("Europe/London", "EUR", "00:00"),
    "energy-charts": ("Europe/Berlin", "EUR", "13:00"),
    "octopus": ("Europe/London", "GBP", "16:00"),
    "elexon": ("Europe/London", "GBP", ""),
    "entsoe": ("Europe/Brussels", "EUR", "13:00"),
}
"""Zone of the market's days, currency, and local time from which tomorrow's prices may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """Where market prices come from: the table ``[prices]``.

    Raises
    ------
    ValueError
        If something is missing for the source, or out of range.
    """

    source: str
    """One of `SOURCES`."""
    area: str | None = None
    """Bidding zone: ``DE-LU`` for energy-charts, an EIC code for entsoe."""
    product: str | None = None
    """Octopus: code of the product."""
    tariff: str | None = None
    """Octopus: code of the tariff."""
    with_vat: bool = True
    """Octopus: whether VAT is part of the price."""
    provider: str = "APXMIDP"
    """Elexon: whose index."""
    file: Path | None = None
    """The CSV file."""
    key_file: Path | None = None
    """File with the key of the service, mode 600."""
    url: str | None = None
    """The service's address, where it is not the usual one."""
    currency: str | None = None
    """ISO 4217 code; the source's usual one where it is left out."""
    zone: str | None = None
    """IANA name of the market's zone; the source's usual one where it is left out."""
    published: str | None = None
    """Local time, ``"HH:MM"``, from which tomorrow's prices may be there; ``""`` for never."""
    days_back: int = 2
    """How many days back a price may stand in for one that is missing, 0..7."""
    timeout_s: float = 30.0
    """How long an answer may take. [s]"""

    def __post_init__(self) -> None:
        if self.source not in _NEEDS:
            msg = f"source is {self.source!r}; give one of {', '.join(SOURCES)}"
            raise ValueError(msg)
        for name in _NEEDS[self.source]:
            if not getattr(self, name):
                msg = f"{name} is missing for source {self.source!r}; give it"
                raise ValueError(msg)
        try:
            ZoneInfo(self.market_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = f"zone is {self.market_zone!r}; give an IANA name such as Europe/Berlin"
            raise ValueError(msg) from None
        self._check_numbers()

    def _check_numbers(self) -> None:
        code = self.market_currency
        if code != _USUAL[self.source][1] and self.source not in _ANY_CURRENCY:
            msg = f"currency is {code!r}; prices of {self.source} are in {_USUAL[self.source][1]}"
            raise ValueError(msg)
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            msg = f"currency is {code!r}; give an ISO 4217 code such as EUR"
            raise ValueError(msg)
        try:
            self.published_at()
        except ValueError:
            msg = f'published is {self.published!r}; give a local time such as "13:00"'
            raise ValueError(msg) from None
        if not 0 <= self.days_back <= DAYS_BACK_MOST:
            msg = f"days_back is {self.days_back}; give 0..{DAYS_BACK_MOST}"
            raise ValueError(msg)
        if not 0 < self.timeout_s <= 300:
            msg = f"timeout_s is {self.timeout_s:g}; give up to 300 seconds"
            raise ValueError(msg)

    @property
    def market_zone(self) -> str:
        """Zone of the market's days."""
        return self.zone or _USUAL[self.source][0]

    @property
    def market_currency(self) -> str:
        """Currency of the prices."""
        return self.currency or _USUAL[self.source][1]

    def published_at(self) -> time | None:
        """Return when tomorrow's prices may be there; None where they never are."""
        text = _USUAL[self.source][2] if self.published is None else self.published
        return time.fromisoformat(text) if text else None


def open_prices(settings: PriceSettings, *, clock: Clock) -> PriceSource:
    """Return the source that a table names; nothing is asked yet.

    Parameters
    ----------
    settings : PriceSettings
        The table.
    clock : Clock
        The time.

    Raises
    ------
    DeviceConfigError
        If the key cannot be read or ``url`` is no address.
    """
    if settings.source == "file" and settings.file is not None:
        zone = ZoneInfo(settings.market_zone)
        return PriceFile(settings.file, zone=zone, currency=settings.market_currency)
    return _HTTP[settings.source](settings, clock)


def price_book(settings: PriceSettings, *, clock: Clock, cache: Path | None) -> PriceBook:
    """Return the prices of a source, kept in a file; see `PriceBook`.

    Parameters
    ----------
    settings : PriceSettings
        The table.
    clock : Clock
        The time.
    cache : Path, optional
        Where they are kept; None keeps them in memory.

    Raises
    ------
    DeviceConfigError
        As `open_prices`.
    """
    places = (settings.source, settings.area, settings.tariff, settings.provider)
    return PriceBook(
        open_prices(settings, clock=clock),
        cache=PriceCache(cache, source=" ".join(each for each in places if each)),
        clock=clock,
        zone=ZoneInfo(settings.market_zone),
        published=settings.published_at(),
        days_back=settings.days_back,
    )


def _link(
    settings: PriceSettings, clock: Clock, *, url: str, key_name: str = "", busy_s: float = 60.0
) -> "FeedLink":
    from devices.feeds.feed_link import FeedLink  # noqa: PLC0415 -- loads aiohttp

    key_file = settings.key_file if key_name else None
    return FeedLink(
        name=settings.source,
        base=settings.url or url,
        timeout_s=settings.timeout_s,
        clock=clock,
        key=None if key_file is None else {key_name: read_secret(key_file)},
        busy_s=busy_s,
    )


# Each loads its service's module, and with it aiohttp, only where it is named.
def _energy_charts(settings: PriceSettings, clock: Clock) -> PriceSource:
    from devices.feeds import energy_charts  # noqa: PLC0415 -- as above
    from devices.feeds.http_prices import HttpPrices  # noqa: PLC0415 -- as above

    dialect = energy_charts.EnergyCharts(area=settings.area or "")
    return HttpPrices(dialect, _link(settings, clock, url=energy_charts.URL))


def _octopus(settings: PriceSettings, clock: Clock) -> PriceSource:
    from devices.feeds import octopus  # noqa: PLC0415 -- as above
    from devices.feeds.http_prices import HttpPrices  # noqa: PLC0415 -- as above

    dialect = octopus.Octopus(
        product=settings.product or "", tariff=settings.tariff or "", with_vat=settings.with_vat
    )
    return HttpPrices(dialect, _link(settings, clock, url=octopus.URL))


def _elexon(settings: PriceSettings, clock: Clock) -> PriceSource:
    from devices.feeds import elexon  # noqa: PLC0415 -- as above
    from devices.feeds.http_prices import HttpPrices  # noqa: PLC0415 -- as above

    dialect = elexon.Elexon(provider=settings.provider)
    return HttpPrices(dialect, _link(settings, clock, url=elexon.URL))


def _entsoe(settings: PriceSettings, clock: Clock) -> PriceSource:
    from devices.feeds import entsoe  # noqa: PLC0415 -- as above
    from devices.feeds.http_prices import HttpPrices  # noqa: PLC0415 -- as above

    dialect = entsoe.Entsoe(area=settings.area or "", currency=settings.market_currency)
    link = _link(settings, clock, url=entsoe.URL, key_name=entsoe.KEY, busy_s=entsoe.BAN_S)
    return HttpPrices(dialect, link)


_HTTP: Final[dict[str, Callable[[PriceSettings, Clock], PriceSource]]] = {
    "energy-charts": _energy_charts,
    "octopus": _octopus,
    "elexon": _elexon,
    "entsoe": _entsoe,
}
