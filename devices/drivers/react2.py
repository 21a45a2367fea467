"""ABB / FIMER REACT2 over its logger's REST interface (VSN700, VSN300).

The command and its time-out are Burgio 2023's (§3.1). Each command says itself how long it holds;
when that has passed, the inverter is taken to return to its own energy policy. Taking a command
back early is therefore the same command with a second left to live.
"""

import base64
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.http_link import (
    Authentication,
    FixedHeaders,
    HttpLink,
    base_url,
    require_timeout,
)
from devices.drivers.react2_codec import (
    LiveData,
    decode_livedata,
    encode_command,
    rated_power_w,
    require_done,
    to_meter,
    to_state,
)
from devices.drivers.react2_digest import XDigest
from devices.drivers.seen_power import SeenPower
from devices.errors import DeviceUnavailableError
from devices.guarded_writes import Register
from devices.registry import Device, Site
from devices.settings import read_secret, read_settings
from devices.steered import SteeredBattery

COMMAND: Final = Register(name="ess/poc/config", budget_per_day=4_000)
"""A command that expires by itself should not be kept in flash, but its path says "config" and no
document tells: so no more than one in some 20 s."""
RELEASE_S: Final = 1.0
"""What a command that is taken back has left: loggers may cut to whole seconds, and what 0 means is
not known. [s]"""
POLL_S: Final = 1.0
"""Pause between two looks at a command's effect. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class React2Settings:
    """Settings of ``driver = "abb-react2"``."""

    host: str
    """Name or address of the logger."""
    port: int = 80
    """TCP port."""
    timeout_s: float = 5.0
    """Bounds each request. [s]"""
    auth: str = "none"
    """"none", "basic" (VSN700) or "digest" (VSN300's X-Digest)."""
    user: str = "guest"
    """Name, where one is asked for."""
    password_file: Path | None = None
    """File with the password; None is an empty one."""
    inverter_id: str | None = None
    """Which inverter; None takes the first that has a battery."""
    reference_w: float | None = None
    """What 100 percent of a set-point is; None takes the inverter's WRtg, an assumption. [W]"""
    charge_sign: int = 1
    """1 if positive percents charge, an assumption from the paper's words; -1 if they discharge."""
    hold_s: float = 60.0
    """Longest time-out of a command, which is renewed at half of it. It bounds how long the battery
    goes on where the command that takes it back is answered and not done. [s]"""
    state_point: str = "BattExtCtrlEna"
    """Inverter's point that is above 0 while it is controlled from outside, an assumption: captures
    of systems that nobody controls show 0."""

    def __post_init__(self) -> None:
        base_url(self.host, self.port)
        require_timeout(self.timeout_s)
        if self.auth not in {"none", "basic", "digest"}:
            msg = f"auth is {self.auth!r}; give none, basic or digest"
            raise ValueError(msg)
        if self.charge_sign not in {1, -1}:
            msg = f"charge_sign is {self.charge_sign}; give 1 or -1"
            raise ValueError(msg)
        for name, value in (("reference_w", self.reference_w), ("hold_s", self.hold_s)):
            if value is not None and not (math.isfinite(value) and value > 0):
                msg = f"{name} is {value:g}; give a positive number"
                raise ValueError(msg)
        if any(sign in self.user for sign in '":\r\n'):
            msg = 'user must not contain " or : or a line end'
            raise ValueError(msg)


class React2Link:
    """See `devices.steered.BatteryLink` and `devices.battery.Meter`.

    Parameters
    ----------
    http : HttpLink
        The connection.
    settings : React2Settings
        How to read and write.
    site : Site
        Name, clock, counts.
    """

    def __init__(self, http: HttpLink, settings: React2Settings, site: Site) -> None:
        self._http = http
        self._settings = settings
        self._clock = site.clock
        self._writes = site.writes(poll_s=POLL_S)
        self._seen = SeenPower()
        self._reference_w = settings.reference_w
        self._power_w = 0.0
        self._until_s = -math.inf  # when what we commanded expires

    @property
    def name(self) -> str:
        """See `BatteryLink`."""
        return self._http.name

    @property
    def refresh_s(self) -> float | None:
        """See `BatteryLink`."""
        return self._settings.hold_s / 2

    async def limits(self) -> BatteryLimits:
        """See `BatteryLink`: 100 percent both ways."""
        reference_w = await self._reference()
        return BatteryLimits(charge_max_w=reference_w, discharge_max_w=reference_w)

    async def read(self) -> BatteryState:
        """See `BatteryLink`."""
        return to_state(
            await self._live(),
            self.name,
            commanded=self._clock.monotonic_s() < self._until_s,
            state_point=self._settings.state_point,
        )

    async def read_meter(self) -> MeterState:
        """See `devices.battery.Meter`."""
        return to_meter(await self._live(), self.name)

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """See `BatteryLink`; the inverter ends it after ``hold_s`` or the longest time-out."""
        before = await self.read()

        async def look() -> float:
            return (await self.read()).battery_power_w

        held_s = min(hold_s, self._settings.hold_s)
        reference_w = await self._reference()
        self._power_w = battery_power_w
        await self._writes.put(
            COMMAND,
            round(battery_power_w),
            send=lambda: self._post(battery_power_w, held_s, reference_w),
            read_back=look,
            same=self._seen.judge(battery_power_w, before),
            renew=True,  # its timer starts anew
        )

    async def release(self) -> None:
        """See `BatteryLink`: what was commanded last, for a last second, unless it has expired."""
        expired = self._clock.monotonic_s() >= self._until_s
        if expired and not self._writes.read_only and (await self.read()).following:
            return
        reference_w = self._reference_w or 1.0  # unknown only if nothing was commanded: 0 percent
        await self._writes.put(
            COMMAND,
            0,
            send=lambda: self._post(self._power_w, RELEASE_S, reference_w),
            renew=True,
            essential=True,
        )
        self._power_w = 0.0

    async def close(self) -> None:
        """See `BatteryLink`."""
        await self._http.close()

    async def _post(self, battery_power_w: float, hold_s: float, reference_w: float) -> None:
        path = "/v1/ess/poc/config/"
        body = encode_command(
            battery_power_w,
            hold_s=hold_s,
            reference_w=reference_w,
            charge_sign=self._settings.charge_sign,
        )
        # set before the answer: it may have been taken even if the answer is lost
        self._until_s = self._clock.monotonic_s() + hold_s
        require_done(await self._http.ask("POST", path, json=body), f"{self.name} POST {path}")

    async def _live(self) -> LiveData:
        path = "/v1/livedata"
        try:
            body = await self._http.ask("GET", path)
        except DeviceUnavailableError:
            self._writes.forget()
            raise
        return decode_livedata(body, f"{self.name} {path}", inverter_id=self._settings.inverter_id)

    async def _reference(self) -> float:
        if self._reference_w is None:
            self._reference_w = rated_power_w(await self._live(), self.name)
        return self._reference_w


async def open_react2(settings: Mapping[str, object], site: Site) -> Device:
    """Open a REACT2 (see `React2Settings`)."""
    read = read_settings(React2Settings, settings, where=site.where)
    http = HttpLink(
        name=site.name,
        base=base_url(read.host, read.port),
        timeout_s=read.timeout_s,
        clock=site.clock,
        authentication=_authentication(read),
    )
    link = React2Link(http, read, site)
    battery = SteeredBattery(link, clock=site.clock)
    return Device(
        name=site.name, driver="abb-react2", connection=battery, battery=battery, meter=link
    )


def _authentication(settings: React2Settings) -> Authentication | None:
    if settings.auth == "none":
        return None
    password = "" if settings.password_file is None else read_secret(settings.password_file)
    if settings.auth == "digest":
        return XDigest(user=settings.user, password=password, cnonce=secrets.token_hex(8))
    pair = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
    # sent unasked: loggers refuse without saying which scheme they want
    return FixedHeaders(values={"Authorization": f"Basic {pair}"})
