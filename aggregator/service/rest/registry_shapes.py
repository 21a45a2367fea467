"""What is told of homes, devices, tariffs and their versions."""

from pydantic import BaseModel

from aggregator.service.registry.bodies import DeviceBody, HomeBody, TariffBody
from aggregator.service.rest.fleet import HomeNow


class Kept(BaseModel):
    """What is configured of a thing; its version is also the ETag."""

    id: str
    """Its name."""
    version: int
    """Rises by one with each change; 0 was heard of and never configured."""
    retired: bool
    """Whether it is out of use."""


class KeptHome(Kept):
    """A home."""

    configuration: HomeBody
    """What is configured."""


class ShownHome(KeptHome):
    """A home, as it is now too."""

    now: HomeNow
    """As it is now."""


class KeptDevice(Kept):
    """A device."""

    configuration: DeviceBody
    """What is configured."""


class KeptTariff(Kept):
    """A tariff."""

    configuration: TariffBody
    """What is configured."""


class HomesPage(BaseModel):
    """Homes by their ids."""

    items: list[KeptHome]
    """The page."""
    next: str | None
    """The next page's ``cursor``."""


class DevicesPage(BaseModel):
    """Devices by their ids."""

    items: list[KeptDevice]
    """The page."""
    next: str | None
    """The next page's ``cursor``."""


class TariffsPage(BaseModel):
    """Tariffs by their ids."""

    items: list[KeptTariff]
    """The page."""
    next: str | None
    """The next page's ``cursor``."""


class KeptVersion(BaseModel):
    """A version of a thing's configuration."""

    version: int
    """Which."""
    changed_ms: int
    """When. [ms]"""
    changed_by: str
    """The token's id."""
    comment: str
    """Why."""
    configuration: dict[str, object]
    """What was configured, with ``retired``."""
    changed: list[str]
    """What differs from the version before."""


class VersionsPage(BaseModel):
    """Versions, newest first."""

    items: list[KeptVersion]
    """The page."""
    next: int | None
    """The next page's ``cursor``."""


class Written(BaseModel):
    """A change that was made."""

    version: int
    """The version that it made."""
