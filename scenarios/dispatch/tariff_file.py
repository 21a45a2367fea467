"""A user's tariff from a TOML file: ``[tariff]``, ``[[period]]``, ``[[window]]``, ``[[tier]]``."""

import tomllib
from pathlib import Path
from typing import Final, TypeVar

from devices.errors import DeviceConfigError
from devices.settings import read_settings
from scenarios.dispatch.tariff import SiteCharges, SiteTariff, SiteWindow, TariffPeriod, TariffTier
from scenarios.errors import DataFormatError, DataUnavailableError, ScenarioInputError

Entry = TypeVar("Entry", TariffPeriod, SiteWindow, TariffTier)
LISTS: Final = ("period", "window", "tier")


def read_tariff(path: Path) -> SiteTariff:
    """Return the tariff of a file.

    Raises
    ------
    DataUnavailableError
        If it is not there.
    DataFormatError
        If it is no TOML, has a key that is unknown, missing or of another type, or its windows and
        tiers do not fit together.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        msg = f"tariff {path} cannot be read ({error.strerror}); name a readable file"
        raise DataUnavailableError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"tariff {path} is no TOML: {error}; mend it"
        raise DataFormatError(msg) from error
    try:
        return _tariff(path, tables)
    except (DeviceConfigError, ScenarioInputError) as error:
        text = str(error)
        msg = text if text.startswith(str(path)) else f"{path}: {text}"
        raise DataFormatError(msg) from error


def _tariff(path: Path, tables: dict[str, object]) -> SiteTariff:
    """Return the tariff of a file's tables."""
    for name in tables:
        if name not in ("tariff", *LISTS):
            msg = f"{name} is no table of a tariff; it has tariff, {', '.join(LISTS)}"
            raise ScenarioInputError(msg)
    whole = tables.get("tariff", {})
    if not isinstance(whole, dict):
        msg = f"tariff is {whole!r}; write [tariff] above its settings"
        raise ScenarioInputError(msg)
    return SiteTariff(
        periods=_entries(path, tables, "period", TariffPeriod),
        windows=_entries(path, tables, "window", SiteWindow),
        tiers=_entries(path, tables, "tier", TariffTier),
        charges=read_settings(SiteCharges, whole, where=f"{path} [tariff]"),
    )


def _entries(
    path: Path, tables: dict[str, object], name: str, cls: type[Entry]
) -> tuple[Entry, ...]:
    """Return the entries of an array of tables."""
    told = tables.get(name, [])
    if not (isinstance(told, list) and all(isinstance(each, dict) for each in told)):
        msg = f"{name} is {told!r}; write [[{name}]] above each"
        raise ScenarioInputError(msg)
    return tuple(
        read_settings(cls, each, where=f"{path} [[{name}]] {number}")
        for number, each in enumerate(told, start=1)
    )
