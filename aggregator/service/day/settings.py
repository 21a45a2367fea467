"""What the operator says of the market day: the tables ``[day]`` and ``[ledger]``."""

from dataclasses import dataclass, fields
from datetime import date, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aggregator.bills import WIRE_PRICE_SHARE
from contracts.timegrid import TimeGrid

STEPS_S: Final = (900, 1800, 3600)
"""Lengths that a market interval may have. [s]"""
_AT: Final = "_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySettings:
    """How a market day is run: the table ``[day]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    zone: str = "Europe/London"
    """IANA name of the market's zone: its days, and the times below."""
    step_s: int = 1800
    """Length of a market interval: 900, 1800 or 3600. [s]"""
    history_days: int = 28
    """Days that forecasts learn from, 2..400."""
    neighbours: int = 5
    """Days that the forecast by neighbours averages, >= 1."""
    score_days: int = 14
    """Days over which forecasts are compared, >= 1."""
    import_price_per_mwh: float = 250.0
    """What import costs homes without a tariff. [currency/MWh]"""
    imbalance_multiple: float = 1.5
    """Expected price of a deviation over the day-ahead price, where none is known."""
    days_back: int = 2
    """How many days back a price may stand in for one that is missing, 0..7."""
    end_soc: float | None = None
    """Least state of charge that a day ends with, 0..1; None for where it began."""
    export_limit_w: float | None = None
    """The fleet's greatest mean export. [W]"""
    limit_price_per_mwh: float = 0.0
    """Least price of a bid. [currency/MWh]"""
    lot_wh: int = 1
    """Smallest quantity that can be traded. [Wh]"""
    award_share: float = 1.0
    """Part of a bid that the market takes, 0..1."""
    flexibility_margin_per_mwh: float = 5.0
    """What flexibility earns at least, beyond the worth of its energy. [currency/MWh]"""
    soc_margin: float = 0.2  # publish.SOC_MARGIN, whose module loads the solver
    """How far below the plan a home may go for a promise, 0..1."""
    wire_price_share: float = WIRE_PRICE_SHARE
    """Price of energy out of the fleet over the retail price, 0..1."""
    time_limit_s: float = 20.0
    """Time for a plan, up to 600. [s]"""
    weather_at: str = "12:00"
    """When weather is asked for, the day before."""
    prices_at: str = "13:30"
    """When prices are asked for, the day before."""
    forecast_at: str = "13:40"
    """When demand and production are forecast, the day before."""
    plan_at: str = "13:45"
    """When the day is planned, the day before."""
    offer_at: str = "13:55"
    """When offers are made, the day before."""
    award_at: str = "14:30"
    """When the award is taken, the day before."""
    publish_at: str = "14:40"
    """When the promise is published, the day before."""
    watch_each_min: int = 5
    """How often deliveries are looked at, 1..60. [min]"""
    imbalance_at: str = "00:45"
    """When the prices of deviations are asked for, the day after."""
    settle_at: str = "01:00"
    """When the day is settled, the day after."""
    revenue_at: str = "01:15"
    """When revenue and cost are counted, the day after."""
    reliability_at: str = "01:20"
    """When batteries are scored, the day after."""
    score_at: str = "01:25"
    """When forecasts are scored, the day after."""
    retry_min: int = 10
    """How long after it failed a step is tried again, 1..1440. [min]"""

    def __post_init__(self) -> None:
        self._check_grid()
        for name, low, high in _BOUNDS:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                msg = f"{name} is {value:g}; give {low:g}..{high:g}"
                raise ValueError(msg)
        for field in fields(self):
            if field.name.endswith(_AT):
                self.at(field.name.removesuffix(_AT))

    def _check_grid(self) -> None:
        """Raise unless days of the zone can be told in intervals of the step."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = f"zone is {self.zone!r}; give an IANA name such as Europe/Berlin"
            raise ValueError(msg) from None
        if self.step_s not in STEPS_S:
            msg = f"step_s is {self.step_s}; give one of {STEPS_S}"
            raise ValueError(msg)
        try:
            for month in (1, 7):  # with and without daylight saving
                TimeGrid.local_day(date(2026, month, 1), zone=self.zone, step_s=self.step_s)
        except ValueError as error:
            msg = f"step_s is {self.step_s}, on which no day of {self.zone} begins; give less"
            raise ValueError(msg) from error

    def at(self, step: str) -> time:
        """Return the local time at which a step is due, with its name in the error."""
        text: str = getattr(self, step + _AT)
        try:
            return time.fromisoformat(text)
        except ValueError:
            msg = f'{step}{_AT} is {text!r}; give a local time such as "13:30"'
            raise ValueError(msg) from None


_BOUNDS: Final = (
    ("history_days", 2, 400),
    ("neighbours", 1, 100),
    ("score_days", 1, 400),
    ("import_price_per_mwh", -1e6, 1e6),
    ("imbalance_multiple", 0, 100),
    ("days_back", 0, 7),
    ("end_soc", 0, 1),
    ("export_limit_w", 0, 1e12),
    ("limit_price_per_mwh", -1e6, 1e6),
    ("lot_wh", 1, 1e9),
    ("award_share", 0, 1),
    ("flexibility_margin_per_mwh", 0, 1e6),
    ("soc_margin", 0, 1),
    ("wire_price_share", 0, 1),
    ("time_limit_s", 0, 600),
    ("watch_each_min", 1, 60),
    ("retry_min", 1, 1440),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """Where the contracts are: the table ``[ledger]``.

    Raises
    ------
    ValueError
        If a node is named without what it needs.
    """

    url: str = ""
    """Node of the chain; empty for the ledger embedded in the store."""
    deployment_file: Path | None = None
    """Address file of `gridpact chain deploy`."""
    keys: Path | None = None
    """Folder of keystores, with the owner's, and of the journal; None lets the node sign."""
    passphrase_file: Path | None = None
    """What opens the owner's keystore, mode 600."""
    fee_bp: int = 0
    """Embedded: the aggregator's part of the revenue, 0..10000. [bp]"""
    grace_s: int = 600
    """Embedded: how long after its end an interval takes reports. [s]"""
    bond: float = 1000.0
    """Embedded: what is put up against losses, in play money. [currency]"""
    home_power_w: int = 23_000
    """Embedded: rating of a home's grid connection, each way. [W]"""

    def __post_init__(self) -> None:
        if self.url and self.deployment_file is None:
            msg = "deployment_file is missing; name what `gridpact chain deploy` wrote"
            raise ValueError(msg)
        if (self.keys is None) != (self.passphrase_file is None):
            msg = "keys and passphrase_file go together; give both or none"
            raise ValueError(msg)
        for name, most in (("fee_bp", 10_000), ("grace_s", 86_400), ("home_power_w", 2**32 - 1)):
            if not 0 <= getattr(self, name) <= most:
                msg = f"{name} is {getattr(self, name)}; give 0..{most}"
                raise ValueError(msg)
        if not 0 <= self.bond <= 1e12:
            msg = f"bond is {self.bond:g}; give 0..1e12"
            raise ValueError(msg)
