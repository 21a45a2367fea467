"""home.toml: everything a gateway is told, read and checked before anything starts."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar, get_args, get_type_hints

from devices.errors import DeviceConfigError
from devices.feeds.settings import PriceSettings
from devices.settings import read_settings
from hems.agent.dispatching import DISPATCH_CONTROLLERS, DispatchSettings
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.mqtt.settings import (
    BrokerSettings,
    CommandSettings,
    CourierSettings,
    HomeAssistantSettings,
    TelemetrySettings,
)
from hems.agent.seeing.history import HistorySettings
from hems.agent.settings import (
    EDGE_CONTROLLERS,
    EDGE_DECIDE_S,
    ControllerSettings,
    HomeSettings,
    StorageSettings,
)
from hems.agent.steering.equipment import Places
from hems.agent.steering.relay import RelaySettings
from hems.agent.steering.tariff import Tariff, TariffSettings, TariffWindow
from hems.errors import AgentConfigError
from hems.grid_caps import GridCapSettings

Settings = TypeVar("Settings")
Table = Mapping[str, object]

_COURIER: Final = ("telemetry", "commands", "homeassistant")
_TABLES: Final = (
    *("home", "battery", "meter", "storage", "grid", "controller", "tariff", "prices", "dispatch"),
    *("pv", "load", "relay", "broker"),
    *_COURIER,
    *("ledger", "history"),
)
"""Tables of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """One home's gateway, as its file describes it."""

    path: Path
    """The file."""
    home: HomeSettings
    """Who and where."""
    places: Places
    """Its devices."""
    storage: StorageSettings
    """The battery's ratings as plans take them."""
    grid: GridCapSettings
    """What the grid connection may carry."""
    tariff: Tariff
    """Prices."""
    controller: ControllerSettings = field(default_factory=ControllerSettings)
    """Who decides and how often."""
    history: HistorySettings = field(default_factory=HistorySettings)
    """How much of its past it keeps for forecasts."""
    ledger: LedgerSettings | None = None
    """The fleet's contract; None for a home that belongs to none."""
    courier: CourierSettings | None = None
    """The broker and what is said there; None without one."""
    prices: PriceSettings | None = None
    """Where market prices come from; None where the tariff is all."""
    relay: RelaySettings | None = None
    """How the house may leave the grid; None where it never does."""
    dispatch: DispatchSettings | None = None
    """What a dispatch policy goes by; None for other controllers."""


def read_config(path: Path) -> AgentConfig:
    """Return a gateway's configuration.

    Relative paths start at the file's folder; of a device's table, settings whose name ends in
    ``_file`` are paths.

    Raises
    ------
    AgentConfigError
        In one line that names place and remedy, if the file, a table or a key cannot be used.
    """
    try:
        return _composed(path, _load(path))
    except DeviceConfigError as error:
        raise AgentConfigError(str(error)) from error


def _composed(path: Path, tables: Mapping[str, Table]) -> AgentConfig:
    file = _File(path, tables)
    return AgentConfig(
        path=path,
        home=file.read(HomeSettings, "home"),
        places=_places(file),
        storage=file.read(StorageSettings, "storage"),
        grid=file.read(GridCapSettings, "grid"),
        controller=_controller(file),
        tariff=_tariff(file),
        history=file.read(HistorySettings, "history", absent=True),
        ledger=file.read(LedgerSettings, "ledger") if "ledger" in tables else None,
        courier=_courier(file),
        prices=file.read(PriceSettings, "prices") if "prices" in tables else None,
        relay=file.read(RelaySettings, "relay") if "relay" in tables else None,
        dispatch=_dispatch(file),
    )


@dataclass(frozen=True, slots=True)
class _File:
    """The tables of a file, and what messages call them."""

    path: Path
    tables: Mapping[str, Table]

    def where(self, name: str) -> str:
        return f"{self.path.name} [{name}]"

    def read(self, cls: type[Settings], name: str, *, absent: bool = False) -> Settings:
        """Return a table's settings; where it may be absent, all of them have defaults."""
        if name not in self.tables and not absent:
            msg = f"{self.path.name} has no [{name}]; add it (`gridpact agent init` shows one)"
            raise AgentConfigError(msg)
        paths = {key for key, kind in get_type_hints(cls).items() if _is_path(kind)}
        table = self.placed(self.tables.get(name, {}), paths)
        return read_settings(cls, table, where=self.where(name))

    def placed(self, table: Table, paths: Collection[str]) -> dict[str, object]:
        """Return a table whose paths no longer depend on where the command is run."""
        folder = self.path.absolute().parent
        return {
            key: str(folder / value) if key in paths and isinstance(value, str) else value
            for key, value in table.items()
        }


def _is_path(kind: object) -> bool:
    return kind is Path or Path in get_args(kind)


def _places(file: _File) -> Places:
    """Return the devices' tables, whose keys are their drivers' to check."""
    found: dict[str, dict[str, object]] = {}
    for name in ("battery", "meter", "pv", "load"):
        if name not in file.tables:
            continue
        table = file.tables[name]
        if not isinstance(table.get("driver"), str):
            msg = f'{file.where(name)} names no driver; add driver = "..." (gridpact device list)'
            raise AgentConfigError(msg)
        found[name] = file.placed(table, {key for key in table if key.endswith("_file")})
    if "battery" not in found:
        msg = f"{file.path.name} has no [battery]; add it, with its driver (gridpact device list)"
        raise AgentConfigError(msg)
    return Places(
        where=file.path.name,
        battery=found["battery"],
        meter=found.get("meter"),
        pv=found.get("pv"),
        load=found.get("load"),
        relay="relay" in file.tables,
    )


def _controller(file: _File) -> ControllerSettings:
    """Return who decides; rules for the edge do so each ten minutes where nothing else is said."""
    settings = file.read(ControllerSettings, "controller", absent=True)
    if settings.kind in EDGE_CONTROLLERS and "decide_s" not in file.tables["controller"]:
        return replace(settings, decide_s=EDGE_DECIDE_S)
    return settings


def _dispatch(file: _File) -> DispatchSettings | None:
    """Return what a dispatch policy goes by; its table is there exactly where one decides."""
    kind = file.tables.get("controller", {}).get("kind")
    if (kind in DISPATCH_CONTROLLERS) != ("dispatch" in file.tables):
        policies = " or ".join(f'"{each}"' for each in DISPATCH_CONTROLLERS)
        msg = f"{file.path.name}: [dispatch] goes with [controller] kind = {policies}; give both"
        raise AgentConfigError(msg)
    if "dispatch" not in file.tables:
        return None
    table = {key: value for key, value in file.tables["dispatch"].items() if key != "target_w"}
    settings = replace(file, tables={"dispatch": table}).read(DispatchSettings, "dispatch")
    if "target_w" not in file.tables["dispatch"]:
        return settings
    return settings.with_target(file.tables["dispatch"]["target_w"], where=file.where("dispatch"))


def _courier(file: _File) -> CourierSettings | None:
    if "broker" not in file.tables:
        alone = [name for name in _COURIER if name in file.tables]
        if alone:
            msg = f"{file.where(alone[0])} needs a broker to speak to; add [broker] or take it out"
            raise AgentConfigError(msg)
        return None
    return CourierSettings(
        broker=file.read(BrokerSettings, "broker"),
        telemetry=file.read(TelemetrySettings, "telemetry", absent=True),
        commands=file.read(CommandSettings, "commands", absent=True),
        homeassistant=file.read(HomeAssistantSettings, "homeassistant", absent=True),
    )


def _tariff(file: _File) -> Tariff:
    if "tariff" not in file.tables:
        msg = f"{file.path.name} has no [tariff]; add import_price_per_mwh and export_price_per_mwh"
        raise AgentConfigError(msg)
    where = file.where("tariff")
    fixed = {key: value for key, value in file.tables["tariff"].items() if key != "window"}
    windows = file.tables["tariff"].get("window", [])
    if not (isinstance(windows, list) and all(isinstance(each, dict) for each in windows)):
        msg = f"{where}: window is {windows!r}; write [[tariff.window]] above each"
        raise AgentConfigError(msg)
    return Tariff(
        fixed=read_settings(TariffSettings, fixed, where=where),
        windows=tuple(
            read_settings(TariffWindow, each, where=f"{file.where('[tariff.window]')} {number}")
            for number, each in enumerate(windows, start=1)
        ),
    )


def _load(path: Path) -> dict[str, dict[str, object]]:
    """Return the file's tables, all of them known."""
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); make one with `gridpact agent init`"
        raise AgentConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}; mend it"
        raise AgentConfigError(msg) from error
    for name, table in tables.items():
        if name not in _TABLES or not isinstance(table, dict):
            msg = f"{path}: {name} is no table of a gateway; it has {', '.join(_TABLES)}"
            raise AgentConfigError(msg)
    return tables
