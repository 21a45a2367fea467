"""What a home pays and earns per MWh: fixed, by windows of the local day, or by the market."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Protocol, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from devices.arrays import FloatArray
from devices.feeds.local_days import day_of

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""What windows call the days."""
QUARTER: Final = timedelta(minutes=15)
"""Step in which a day's prices are looked at."""


class Prices(Protocol):
    """What a home pays and earns."""

    def prices_per_mwh(self, utc: datetime) -> tuple[float, float]:
        """Return the prices of import and of export at a time. [currency/MWh]"""
        ...

    def of_day(self, utc: datetime) -> FloatArray:
        """Return the import prices of a time's local day, by quarter-hours. [currency/MWh]"""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffWindow:
    """Prices of a part of the local day: a table ``[[tariff.window]]``.

    Raises
    ------
    ValueError
        If a time is none, a day is unknown, or no price is given.
    """

    begin: str
    """Local time of day from which it holds, ``"HH:MM"``."""
    end: str
    """Local time of day before which it ends; a window whose end is earlier goes over midnight."""
    days: str = "mon tue wed thu fri sat sun"
    """Local days on which it begins, separated by spaces."""
    import_price_per_mwh: float | None = None
    """Price of import meanwhile; None leaves the fixed one. [currency/MWh]"""
    export_price_per_mwh: float | None = None
    """Price of export meanwhile; None leaves the fixed one. [currency/MWh]"""

    def __post_init__(self) -> None:
        for name in ("begin", "end"):
            _time_of(name, getattr(self, name))
        unknown = set(self.days.split()) - set(DAYS)
        if unknown or not self.days.split():
            msg = f"days is {self.days!r}; give some of {' '.join(DAYS)}"
            raise ValueError(msg)
        if self.import_price_per_mwh is None and self.export_price_per_mwh is None:
            msg = "a window has no price; give import_price_per_mwh or export_price_per_mwh"
            raise ValueError(msg)

    def holds(self, local: datetime) -> bool:
        """Return whether a local time lies in it."""
        begin, end = _time_of("begin", self.begin), _time_of("end", self.end)
        clock, today = local.time(), DAYS[local.weekday()] in self.days.split()
        if begin < end:
            return today and begin <= clock < end
        yesterday = DAYS[local.weekday() - 1] in self.days.split()
        return (today and clock >= begin) or (yesterday and clock < end)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSettings:
    """Fixed prices and the zone of the windows: the table ``[tariff]``.

    Raises
    ------
    ValueError
        If a price is not finite or no such zone is known.
    """

    import_price_per_mwh: float
    """Retail price of import, π_i. [currency/MWh]"""
    export_price_per_mwh: float
    """Price of export, π_e. [currency/MWh]"""
    zone: str = "Europe/London"
    """IANA name of the zone whose time of day windows are in."""
    import_factor: float = 1.0
    """With ``[prices]``: price of import = factor × market + ``import_add_per_mwh``, >= 0."""
    import_add_per_mwh: float = 0.0
    """Taxes and charges on top of the market's price. [currency/MWh]"""
    export_factor: float | None = None
    """The same for export, >= 0; None leaves the fixed price and the windows."""
    export_add_per_mwh: float = 0.0
    """Likewise; < 0 for what is taken off. [currency/MWh]"""

    def __post_init__(self) -> None:
        for name in (
            *("import_price_per_mwh", "export_price_per_mwh"),
            *("import_add_per_mwh", "export_add_per_mwh"),
        ):
            price = getattr(self, name)
            if not -1e6 < price < 1e6:
                msg = f"{name} is {price}; give a price per MWh"
                raise ValueError(msg)
        for name in ("import_factor", "export_factor"):
            factor = getattr(self, name)
            if factor is not None and not 0 <= factor < math.inf:
                msg = f"{name} is {factor:g}; give a number >= 0, such as 1.19"
                raise ValueError(msg)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = f"zone is {self.zone!r}; give an IANA name such as Europe/Rome"
            raise ValueError(msg) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """All prices of a home."""

    fixed: TariffSettings
    """What holds outside windows."""
    windows: tuple[TariffWindow, ...] = ()
    """The first that holds is taken."""

    def prices_per_mwh(self, utc: datetime) -> tuple[float, float]:
        """Return the prices of import and of export at a time. [currency/MWh]"""
        local = utc.astimezone(ZoneInfo(self.fixed.zone))
        fixed = self.fixed
        import_price, export_price = fixed.import_price_per_mwh, fixed.export_price_per_mwh
        window = next((each for each in self.windows if each.holds(local)), None)
        if window is not None and window.import_price_per_mwh is not None:
            import_price = window.import_price_per_mwh
        if window is not None and window.export_price_per_mwh is not None:
            export_price = window.export_price_per_mwh
        return import_price, export_price

    def of_day(self, utc: datetime) -> FloatArray:
        """See `Prices`."""
        times = _quarters(utc, ZoneInfo(self.fixed.zone))
        return np.array([self.prices_per_mwh(each)[0] for each in times])

    @classmethod
    def plain(cls, import_price_per_mwh: float, export_price_per_mwh: float) -> Self:
        """Return a tariff without windows. [currency/MWh]"""
        fixed = TariffSettings(
            import_price_per_mwh=import_price_per_mwh, export_price_per_mwh=export_price_per_mwh
        )
        return cls(fixed=fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTariff:
    """Prices that go with the market's; where the market's are not known, the tariff's own."""

    tariff: Tariff
    """What holds without the market."""
    market: Callable[[datetime], float | None]
    """Returns the market's price at a time; None where none is to be gone by. [currency/MWh]"""

    def prices_per_mwh(self, utc: datetime) -> tuple[float, float]:
        """See `Prices`."""
        own_import, own_export = self.tariff.prices_per_mwh(utc)
        price, fixed = self.market(utc), self.tariff.fixed
        if price is None:
            return own_import, own_export
        import_price = fixed.import_factor * price + fixed.import_add_per_mwh
        if fixed.export_factor is None:
            return import_price, own_export
        return import_price, fixed.export_factor * price + fixed.export_add_per_mwh

    def of_day(self, utc: datetime) -> FloatArray:
        """See `Prices`; of a day that the market tells in part, that part alone."""
        times = _quarters(utc, ZoneInfo(self.tariff.fixed.zone))
        told = [each for each in times if self.market(each) is not None]
        return np.array([self.prices_per_mwh(each)[0] for each in told or times])


def _quarters(utc: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the begins of a local day's quarter-hours, of which there may be 92 or 100."""
    begin, end = day_of(utc, zone)
    return [begin + number * QUARTER for number in range((end - begin) // QUARTER)]


def _time_of(name: str, text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) != len("00:00") or found.tzinfo is not None:
        msg = f'{name} is {text!r}; give a local time of day such as "06:30"'
        raise ValueError(msg) from None
    return found
