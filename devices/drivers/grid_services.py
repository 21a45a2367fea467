"""SolarEdge's cloud, the Grid Services call of Burgio 2023 (§3.2): schedule an event of a battery.

The call steers and does not read, so this device has no `devices.battery.Battery`: its connection
has `GridServices.set_power` and `GridServices.follow`, and what the battery does is read locally,
with ``driver = "solaredge"``. An event ends by itself, so nothing has to be renewed and a gateway
that dies leaves nothing behind.

The paper shows body and answer of ``commands/schedule-der-event``; the address of the service, how
it is authenticated and how often it may be called are in a contract, hence settings here.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from yarl import URL

from devices.drivers.grid_services_codec import (
    Confirmation,
    DerEvent,
    decode_confirmation,
    encode_event,
    require_confirmed,
    to_event,
)
from devices.drivers.http_link import FixedHeaders, HttpLink, require_timeout
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.guarded_writes import Register
from devices.registry import Device, Site
from devices.settings import read_secret, read_settings

PATH: Final = "commands/schedule-der-event"
RELEASE_S: Final = 1.0
"""Length of the event at 0 percent that puts one aside which is to end early: after it nothing is
scheduled, and the battery is taken to return to its own profile. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridServicesSettings:
    """Settings of ``driver = "solaredge-grid-services"``."""

    url: str
    """Address that the path of the call is appended to; https, or http on this computer."""
    der_id: str
    """Identity of the battery with the service."""
    rated_w: float
    """What 100 percent of a command is. [W]"""
    token_file: Path | None = None
    """File with the token; None sends none."""
    token_header: str = "Authorization"  # noqa: S105 -- the name of a header
    """Header that carries it, an assumption."""
    token_prefix: str = "Bearer "  # noqa: S105 -- what stands before it
    """What stands before it in the header, an assumption."""
    timeout_s: float = 20.0
    """Bounds each call. [s]"""
    pause_s: float = 10.0
    """Shortest time between two calls. [s]"""
    calls_per_day: int = 300
    """Calls that a day may see; the call that ends an event early is made even beyond."""

    def __post_init__(self) -> None:
        _require_private(self.url)
        require_timeout(self.timeout_s)
        if not self.der_id:
            msg = "der_id is empty; give the identity of the battery with the service"
            raise ValueError(msg)
        if not (math.isfinite(self.rated_w) and self.rated_w > 0):
            msg = f"rated_w is {self.rated_w:g}; give a positive power"
            raise ValueError(msg)
        if not (math.isfinite(self.pause_s) and self.pause_s >= 0 and self.calls_per_day > 0):
            msg = "pause_s must be >= 0 and calls_per_day > 0"
            raise ValueError(msg)


class GridServices:
    """Schedule events of one battery.

    Parameters
    ----------
    http : HttpLink
        The connection.
    settings : GridServicesSettings
        Which battery, and how often.
    site : Site
        Name, clock, counts.
    """

    def __init__(self, http: HttpLink, settings: GridServicesSettings, site: Site) -> None:
        self._http = http
        self._settings = settings
        self._clock = site.clock
        self._writes = site.writes()
        self._register = Register(name=PATH, budget_per_day=settings.calls_per_day)
        self._path = f"{URL(settings.url).path.rstrip('/')}/{PATH}"
        self._called_s = -math.inf
        self._ends: datetime | None = None
        self._busy = asyncio.Lock()

    async def set_power(self, battery_power_w: float, *, valid_s: float) -> Confirmation:
        """Have a terminal power held from now on for ``valid_s``, in whole percents. [W, s]

        Raises
        ------
        DeviceRefusedError
            If the power is not finite or the validity not positive and finite; nothing is sent.
        DeviceError
            If the service does not confirm it.
        """
        if not (math.isfinite(battery_power_w) and 0 < valid_s < math.inf):
            msg = f"{self._http.name}: cannot hold {battery_power_w} W for {valid_s} s"
            raise DeviceRefusedError(msg)
        async with self._busy:
            return await self._schedule(battery_power_w, valid_s, essential=False)

    async def follow(self) -> Confirmation | None:
        """End an event of ours that still runs; return None where there is none.

        Raises
        ------
        DeviceError
            If the service does not confirm it; the event then ends when it was to end.
        """
        async with self._busy:
            running = self._ends is not None and self._clock.utc() < self._ends
            if not (running or self._writes.read_only):
                return None
            confirmation = await self._schedule(0.0, RELEASE_S, essential=True)
            self._ends = None
            return confirmation

    async def close(self) -> None:
        """End an event of ours that still runs, and let go of the connection."""
        try:
            if self._ends is not None:
                await self.follow()
        finally:
            await self._http.close()

    async def _schedule(
        self, battery_power_w: float, valid_s: float, *, essential: bool
    ) -> Confirmation:
        event = to_event(
            battery_power_w,
            der_id=self._settings.der_id,
            rated_w=self._settings.rated_w,
            start=self._clock.utc(),
            valid_s=valid_s,
        )
        answers: list[Confirmation] = []
        await self._writes.put(
            self._register,
            (event.command, event.percent, event.end.timestamp()),
            send=lambda: self._send(event, answers, essential=essential),
            renew=True,  # each event has a time of its own
            essential=essential,
        )
        return answers[0]

    async def _send(self, event: DerEvent, answers: list[Confirmation], *, essential: bool) -> None:
        """Call the service; what it confirms is all the read-back there is."""
        where = f"{self._http.name} POST {PATH}"
        left_s = self._called_s + self._settings.pause_s - self._clock.monotonic_s()
        if left_s > 0 and not essential:
            msg = f"{where}: called less than {self._settings.pause_s:g} s ago; not sent"
            raise DeviceUnavailableError(msg, retry_after_s=left_s)
        self._called_s = self._clock.monotonic_s()
        ends = self._ends
        if not essential:  # it may run even if the answer is lost
            self._ends = max(ends or event.end, event.end)
        try:
            body = await self._http.ask("POST", self._path, json=encode_event(event))
            confirmation = decode_confirmation(body, where)
            require_confirmed(event, confirmation, where)
        except DeviceRefusedError:
            self._ends = ends  # it does not run
            raise
        answers.append(confirmation)


async def open_grid_services(settings: Mapping[str, object], site: Site) -> Device:
    """Open a battery over SolarEdge's Grid Services (see `GridServicesSettings`)."""
    read = read_settings(GridServicesSettings, settings, where=site.where)
    token = {}
    if read.token_file is not None:
        token = {read.token_header: f"{read.token_prefix}{read_secret(read.token_file)}"}
    http = HttpLink(
        name=site.name,
        base=str(URL(read.url).origin()),
        timeout_s=read.timeout_s,
        clock=site.clock,
        authentication=FixedHeaders(values=token),
    )
    connection = GridServices(http, read, site)
    return Device(name=site.name, driver="solaredge-grid-services", connection=connection)


def _require_private(url: str) -> None:
    """Raise ``ValueError`` for an address that would show the token to a network."""
    parts = URL(url)
    host = parts.host or ""
    if parts.user is not None or parts.query_string or not host:
        msg = "url must be a scheme, a host and a path, without name, password or query"
        raise ValueError(msg)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_computer(host)):
        return
    msg = f"url is {parts.scheme}://{host}; give https, the token must not be seen"
    raise ValueError(msg)


def _is_this_computer(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
