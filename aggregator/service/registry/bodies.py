"""What can be configured of a home, a device and a tariff, checked."""

from functools import cache
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

NAME_PATTERN = r"^[A-Za-z0-9_.-]{1,64}$"
"""What names a home, a device, a tariff or a group: a level of a topic, a part of a path."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name for programs."""
# neither database stores a NUL, and a line has no end within
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A line for people."""
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
"""A number."""
Rating = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e12)]
"""A number that is not negative."""
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
"""A part of one."""
Setting = Annotated[bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | Finite | Line, Field()]
"""A device's own setting."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@cache
def _zones() -> frozenset[str]:
    # reads hundreds of files
    return frozenset(available_timezones())


class HomeBody(_Body):
    """What is configured of a home."""

    name: Line = ""
    """For people."""
    zone: Line = ""
    """Time zone as IANA names it; empty for the market's."""
    group_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""
    """Group that commands may go to; empty for none."""
    account: Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")] | None = None
    """The member's address on the ledger."""
    latitude_deg: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    """North of the equator. [deg]"""
    longitude_deg: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    """East of Greenwich. [deg]"""
    tariff_id: Name | None = None
    """Tariff that it pays."""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        if zone and zone not in _zones():
            msg = f"zone {zone!r} is no time zone; name one such as Europe/London"
            raise ValueError(msg)
        return zone


class DeviceBody(_Body):
    """What is configured of a device."""

    kind: Annotated[str, StringConstraints(pattern=r"^(battery|meter|inverter|charger)$")]
    """What it is."""
    model: Line = ""
    """Maker and model."""
    capacity_wh: Rating | None = None
    """A battery's usable energy. [Wh]"""
    power_max_w: Rating | None = None
    """Its rated power. [W]"""
    charge_efficiency: Share | None = None
    """Cells over terminals."""
    discharge_efficiency: Share | None = None
    """Terminals over cells."""
    soc_min: Share | None = None
    """Least state of charge."""
    soc_max: Share | None = None
    """Greatest state of charge."""
    settings: Annotated[dict[Name, Setting], Field(max_length=50)] = {}
    """Its own settings, by name."""

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        if self.soc_min is not None and self.soc_max is not None and self.soc_min > self.soc_max:
            msg = f"soc_min {self.soc_min:g} is above soc_max {self.soc_max:g}; swap them"
            raise ValueError(msg)
        return self


class TariffPeriod(_Body):
    """What energy costs from a time of the day on."""

    start_minute: Annotated[int, Field(ge=0, lt=1440)]
    """When it begins, after local midnight. [min]"""
    import_price_per_mwh: Finite
    """Price of import. [currency/MWh]"""
    export_price_per_mwh: Finite
    """Price of export. [currency/MWh]"""


class TariffTerms(_Body):
    """A tariff's prices."""

    periods: Annotated[list[TariffPeriod], Field(min_length=1, max_length=96)]
    """In the order of the day; the last runs until the first begins again."""
    standing_charge_per_day: Rating = 0.0
    """What a day costs without any energy. [currency]"""

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        starts = [period.start_minute for period in self.periods]
        if starts != sorted(set(starts)):
            msg = (
                f"periods begin at minutes {starts}; give each start once, in the order of the day"
            )
            raise ValueError(msg)
        return self


class TariffBody(_Body):
    """What is configured of a tariff."""

    name: Line = ""
    """For people."""
    terms: TariffTerms
    """Its prices."""


Body = HomeBody | DeviceBody | TariffBody
"""What is configured of anything."""
