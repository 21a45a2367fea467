"""The two local APIs of a sonnenBatterie: where each request goes, and the drivers' settings."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devices.battery import BatteryLimits
from devices.drivers.http_link import HttpLink, base_url, require_timeout
from devices.drivers.sonnen_codec import (
    MANUAL,
    SELF_CONSUMPTION,
    SonnenRatings,
    SonnenStatus,
    decode_ratings,
    decode_status,
    require_done,
    to_limits,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SonnenV1Settings:
    """Settings of ``driver = "sonnen-v1"``."""

    host: str
    """Name or address of the battery."""
    port: int = 8080
    """TCP port."""
    timeout_s: float = 5.0
    """Bounds each request. [s]"""
    power_max_w: float = 2_500.0
    """Rated power; TN007's eco 8. The device does not tell it. [W]"""
    capacity_wh: float | None = None
    """Nominal capacity; the device does not tell it. [Wh]"""
    setpoint_unit: str = "w"
    """What the number in a set-point's path is: "w" (TN007) or "percent" of ``power_max_w``, as
    Burgio 2023 uses it; the two contradict each other, the vendor's document is believed."""
    release_mode: str = SELF_CONSUMPTION
    """Operating mode to leave behind where it was found in manual mode."""

    def __post_init__(self) -> None:
        _check_shared(self.host, self.port, self.timeout_s, self.release_mode)
        _require_positive("power_max_w", self.power_max_w)
        if self.capacity_wh is not None:
            _require_positive("capacity_wh", self.capacity_wh)
        if self.setpoint_unit not in {"w", "percent"}:
            msg = f"setpoint_unit is {self.setpoint_unit!r}; give w or percent"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class SonnenV2Settings:
    """Settings of ``driver = "sonnen-v2"``."""

    host: str
    """Name or address of the battery."""
    token_file: Path | None = None
    """File with the token of the JSON write API; without one only the status can be read."""
    port: int = 80
    """TCP port."""
    timeout_s: float = 5.0
    """Bounds each request. [s]"""
    power_max_w: float | None = None
    """Greatest power either way; None asks the device, which needs the token. [W]"""
    capacity_wh: float | None = None
    """Nominal capacity; None is what the device says where its power is asked for. [Wh]"""
    refresh_s: float = 8.0
    """How often a set-point is sent again; below half of the 20 s seen. [s]"""
    config_format: str = "form"
    """How configurations are written: "form" as documented, or "json" as newer clients do."""
    release_mode: str = SELF_CONSUMPTION
    """Operating mode to leave behind where it was found in manual mode."""

    def __post_init__(self) -> None:
        _check_shared(self.host, self.port, self.timeout_s, self.release_mode)
        _require_positive("refresh_s", self.refresh_s)
        for name, value in (("power_max_w", self.power_max_w), ("capacity_wh", self.capacity_wh)):
            if value is not None:
                _require_positive(name, value)
        if self.config_format not in {"form", "json"}:
            msg = f"config_format is {self.config_format!r}; give form or json"
            raise ValueError(msg)


class SonnenApi(Protocol):
    """What differs between v1 and v2."""

    @property
    def refresh_s(self) -> float | None:
        """How often a set-point is sent again; None where it holds for ever. [s]"""
        ...

    @property
    def release_mode(self) -> str:
        """Operating mode to leave behind where manual mode was found."""
        ...

    @property
    def percent_of_w(self) -> float | None:
        """Power that set-points are percent of; None where they are watts. [W]"""
        ...

    async def status(self) -> SonnenStatus:
        """Return the status."""
        ...

    async def limits(self) -> BatteryLimits:
        """Return what the battery can do."""
        ...

    async def set_mode(self, mode: str) -> None:
        """Change the operating mode."""
        ...

    async def set_point(self, direction: str, value: int) -> None:
        """Hold a set-point for charge or discharge."""
        ...


class SonnenV1:
    """TN007's paths; see `SonnenApi`. The way to change the mode is Burgio 2023's (§3.3)."""

    refresh_s: float | None = None

    def __init__(self, http: HttpLink, settings: SonnenV1Settings) -> None:
        self._http = http
        self._settings = settings
        self.release_mode = settings.release_mode
        percent = settings.setpoint_unit == "percent"
        self.percent_of_w: float | None = settings.power_max_w if percent else None

    async def status(self) -> SonnenStatus:
        """See `SonnenApi`."""
        body = await self._http.ask("GET", "/api/v1/status")
        return decode_status(body, f"{self._http.name} /api/v1/status")

    async def limits(self) -> BatteryLimits:
        """See `SonnenApi`."""
        return to_limits(
            SonnenRatings(inverter_max_power_w=None, capacity_wh=None),
            power_max_w=self._settings.power_max_w,
            capacity_wh=self._settings.capacity_wh,
            where=self._http.name,
        )

    async def set_mode(self, mode: str) -> None:
        """See `SonnenApi`."""
        path = f"/api/setting?OperatingMode={mode}"
        require_done(await self._http.ask("GET", path), f"{self._http.name} {path}")

    async def set_point(self, direction: str, value: int) -> None:
        """See `SonnenApi`."""
        path = f"/api/v1/setpoint/{direction}/{value}"
        require_done(await self._http.ask("PUT", path), f"{self._http.name} {path}")


class SonnenV2:
    """The documented paths of v2; see `SonnenApi`."""

    percent_of_w: float | None = None

    def __init__(self, http: HttpLink, settings: SonnenV2Settings) -> None:
        self._http = http
        self._settings = settings
        self.refresh_s: float | None = settings.refresh_s
        self.release_mode = settings.release_mode

    async def status(self) -> SonnenStatus:
        """See `SonnenApi`."""
        body = await self._http.ask("GET", "/api/v2/status")
        return decode_status(body, f"{self._http.name} /api/v2/status")

    async def limits(self) -> BatteryLimits:
        """See `SonnenApi`; the device is asked unless the settings tell the power."""
        ratings = SonnenRatings(inverter_max_power_w=None, capacity_wh=None)
        if self._settings.power_max_w is None:
            path = "/api/v2/configurations"
            body = await self._http.ask("GET", path)
            ratings = decode_ratings(body, f"{self._http.name} {path}")
        return to_limits(
            ratings,
            power_max_w=self._settings.power_max_w,
            capacity_wh=self._settings.capacity_wh,
            where=self._http.name,
        )

    async def set_mode(self, mode: str) -> None:
        """See `SonnenApi`."""
        path, values = "/api/v2/configurations", {"EM_OperatingMode": mode}
        if self._settings.config_format == "json":
            body = await self._http.ask("PUT", path, json=values)
        else:
            body = await self._http.ask("PUT", path, form=values)
        require_done(body, f"{self._http.name} PUT {path}")

    async def set_point(self, direction: str, value: int) -> None:
        """See `SonnenApi`."""
        path = f"/api/v2/setpoint/{direction}/{value}"
        require_done(await self._http.ask("POST", path), f"{self._http.name} {path}")


def _check_shared(host: str, port: int, timeout_s: float, release_mode: str) -> None:
    base_url(host, port)
    require_timeout(timeout_s)
    if not release_mode.isdecimal() or release_mode == MANUAL:
        msg = f"release_mode is {release_mode!r}; give 2 (self-consumption) or 10 (time of use)"
        raise ValueError(msg)


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        msg = f"{name} is {value:g}; give a positive number"
        raise ValueError(msg)
