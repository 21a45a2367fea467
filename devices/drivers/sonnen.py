"""sonnenBatterie over its local API: v1 (eco 8, port 8080) and v2 (port 80, with a token).

A set-point holds in manual mode only, so a command is: manual mode, the opposite set-point to 0,
the set-point. Giving up is the operating mode that was found before. The vendor keeps a set-point
for ever; batteries under a contract with a virtual power plant were seen to drop it after some
20 s, so v2 renews it every ``refresh_s``. v1 has no watchdog at all: if the whole computer dies, a
v1 battery holds its last set-point until somebody changes its mode.
"""

from collections.abc import Mapping
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.http_link import FixedHeaders, HttpLink, base_url
from devices.drivers.seen_power import TOLERANCE_W, SeenPower
from devices.drivers.sonnen_api import (
    SonnenApi,
    SonnenV1,
    SonnenV1Settings,
    SonnenV2,
    SonnenV2Settings,
)
from devices.drivers.sonnen_codec import (
    CHARGE,
    MANUAL,
    SonnenStatus,
    looks_commanded,
    setpoints,
    to_meter,
    to_state,
)
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.guarded_writes import Register
from devices.registry import Device, Site
from devices.settings import read_secret, read_settings
from devices.steered import SteeredBattery

MODE: Final = Register(name="OperatingMode", budget_per_day=200)
"""A setting that survives a restart, kept by a small Linux computer on levelled flash: a change
every seven minutes is far below its wear."""
POLL_S: Final = 1.0
"""Pause between two looks at a command's effect. [s]"""


class SonnenLink:
    """See `devices.steered.BatteryLink` and `devices.battery.Meter`.

    Parameters
    ----------
    api : SonnenApi
        Speaks v1 or v2.
    http : HttpLink
        The connection that ``api`` uses.
    site : Site
        Name, clock, counts.
    """

    def __init__(self, api: SonnenApi, http: HttpLink, site: Site) -> None:
        self._api = api
        self._http = http
        self._clock = site.clock
        self._writes = site.writes(poll_s=POLL_S)
        self._seen = SeenPower()
        self._mode_found: str | None = None
        self._commanded = False
        self._entered = False  # manual mode, as far as firmware that does not tell is known
        self._power_w: float | None = None  # what was last seen to be obeyed
        self._driven: str | None = None  # the direction whose opposite is known to hold 0

    @property
    def name(self) -> str:
        """See `BatteryLink`."""
        return self._http.name

    @property
    def refresh_s(self) -> float | None:
        """See `BatteryLink`."""
        return self._api.refresh_s

    async def limits(self) -> BatteryLimits:
        """See `BatteryLink`."""
        return await self._api.limits()

    async def read(self) -> BatteryState:
        """See `BatteryLink`."""
        return to_state(await self._status(), commanded=self._commanded)

    async def read_meter(self) -> MeterState:
        """See `devices.battery.Meter`."""
        return to_meter(await self._status(), self.name)

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """See `BatteryLink`; the device keeps no time, so ``hold_s`` is the caller's to keep."""
        del hold_s
        status = await self._status()
        before = to_state(status, commanded=self._commanded)
        opposite_first = setpoints(battery_power_w, percent_of_w=self._api.percent_of_w)
        (opposite, _), (direction, value) = opposite_first.items()
        await self._enter_manual(status.operating_mode)
        if self._driven != direction:
            self._driven = None
            await self._zero(opposite)
            self._driven = direction
        await self._writes.put(
            Register(name=f"setpoint/{direction}", budget_per_day=None),  # held in memory only
            round(battery_power_w),
            send=lambda: self._api.set_point(direction, value),
            read_back=self._look,
            same=self._seen.judge(battery_power_w, before),
            renew=True,  # only sent when it changed or is due: the caller sees to that
        )
        self._power_w = battery_power_w

    async def release(self) -> None:
        """See `BatteryLink`: back to the operating mode that was found."""
        if not (self._commanded or self._writes.read_only):
            status = await self._status()
            if status.operating_mode not in {None, MANUAL}:
                return  # nobody commands it
        # what we commanded is taken back even if a status, perhaps a stale one, denies it
        await self._set_mode(self._mode_found or self._api.release_mode, essential=True)
        self._commanded = self._entered = False
        self._power_w = None
        self._driven = None

    async def close(self) -> None:
        """See `BatteryLink`."""
        await self._http.close()

    async def _status(self) -> SonnenStatus:
        """Return the status; forget what was written where the device shows it lost it."""
        try:
            status = await self._api.status()
        except DeviceUnavailableError:
            self._forget()
            raise
        mode = status.operating_mode
        if mode is not None and mode != MANUAL:
            self._mode_found = mode
            self._forget()
        return status

    def _forget(self) -> None:
        self._writes.forget()
        self._driven = None

    async def _enter_manual(self, mode: str | None) -> None:
        """Change to manual mode, unless it is told, or where nothing is told known, to be in it."""
        commanded, self._commanded = self._commanded, True
        if mode == MANUAL or (mode is None and self._entered):
            return
        try:
            await self._set_mode(MANUAL, essential=False)
        except DeviceRefusedError:
            self._commanded = commanded  # nothing was set, so nothing is to be taken back
            raise
        self._entered = True

    async def _set_mode(self, mode: str, *, essential: bool) -> None:
        async def told() -> str:
            status = await self._status()
            if status.operating_mode is not None:
                return status.operating_mode
            obeys = self._power_w is not None and looks_commanded(status, self._power_w)
            return MANUAL if obeys and mode != MANUAL else mode

        await self._writes.put(
            MODE,
            mode,
            send=lambda: self._api.set_mode(mode),
            read_back=told,
            renew=True,
            essential=essential,
        )

    async def _zero(self, opposite: str) -> None:
        """Take the opposite set-point back, and see that the battery no longer obeys it."""
        sign = 1 if opposite == CHARGE else -1
        await self._writes.put(
            Register(name=f"setpoint/{opposite}", budget_per_day=None),  # held in memory only
            0,
            send=lambda: self._api.set_point(opposite, 0),
            read_back=self._look,
            same=lambda _, found: (
                not isinstance(found, str | tuple) and sign * found <= TOLERANCE_W
            ),
            renew=True,
        )

    async def _look(self) -> float:
        """Return what the battery does now. [W]"""
        return to_state(await self._status(), commanded=True).battery_power_w


async def open_v1(settings: Mapping[str, object], site: Site) -> Device:
    """Open a sonnenBatterie over API v1 (see `SonnenV1Settings`)."""
    read = read_settings(SonnenV1Settings, settings, where=site.where)
    http = HttpLink(
        name=site.name,
        base=base_url(read.host, read.port),
        timeout_s=read.timeout_s,
        clock=site.clock,
    )
    return _device("sonnen-v1", SonnenLink(SonnenV1(http, read), http, site), site)


async def open_v2(settings: Mapping[str, object], site: Site) -> Device:
    """Open a sonnenBatterie over API v2 (see `SonnenV2Settings`)."""
    read = read_settings(SonnenV2Settings, settings, where=site.where)
    token = {} if read.token_file is None else {"Auth-Token": read_secret(read.token_file)}
    http = HttpLink(
        name=site.name,
        base=base_url(read.host, read.port),
        timeout_s=read.timeout_s,
        clock=site.clock,
        authentication=FixedHeaders(values=token),
    )
    return _device("sonnen-v2", SonnenLink(SonnenV2(http, read), http, site), site)


def _device(driver: str, link: SonnenLink, site: Site) -> Device:
    battery = SteeredBattery(link, clock=site.clock)
    return Device(name=site.name, driver=driver, connection=battery, battery=battery, meter=link)
