"""An emulated sonnenBatterie: the vendor's local API v1 or v2, signs, rounding and modes."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import (
    READ_FAULTS,
    WRITE_FAULTS,
    HttpAnswer,
    HttpRequest,
    HttpServer,
)
from devices.emulators.sonnen_battery import SonnenBatterie
from devices.settings import read_secret

OFFERED: Final[frozenset[Fault]] = READ_FAULTS | WRITE_FAULTS
"""Every fault that HTTP and JSON can show."""


class SonnenV1Emulator:
    """API v1 (TN007, eco 8); see `devices.emulators.emulator.Emulator`.

    Parameters
    ----------
    home : EmulatedHome
        Battery, sun and house.
    clock : Clock
        The time.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What goes wrong.
    setpoint_unit : str
        What the number in a set-point's path is: "w" (TN007) or "percent" of ``rated_w`` (Burgio
        2023).
    rated_w : float
        Rated power; more is cut to it. [W]
    tells_mode : bool
        False is firmware of 2019 and older, whose status has no OperatingMode.
    both, hold_s
        See `SonnenBatterie`.
    reaction_s : float
        When a write takes effect; TN007 says within 2 s. [s]
    """

    def __init__(  # noqa: PLR0913 -- options, all by keyword
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        setpoint_unit: str = "w",
        rated_w: float = 2_500.0,
        tells_mode: bool = True,
        both: str = "net",
        hold_s: float | None = None,
        reaction_s: float = 0.0,
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self._battery = SonnenBatterie(home, clock=clock, hold_s=hold_s, both=both)
        self.writes: Counter[str] = self._battery.writes
        self._host = host
        self._unit = setpoint_unit
        self._rated_w = rated_w
        self._tells_mode = tells_mode
        self._server = HttpServer(self, clock=clock, host=host, port=port, reaction_s=reaction_s)

    @property
    def offered(self) -> frozenset[Fault]:
        """See `Emulator`."""
        return OFFERED

    @property
    def settings(self) -> Mapping[str, object]:
        """See `Emulator`."""
        return {
            "driver": "sonnen-v1",
            "host": self._host,
            "port": self._server.port,
            "power_max_w": self._rated_w,
            "setpoint_unit": self._unit,
        }

    async def start(self) -> None:
        """See `Emulator`."""
        await self._server.start()

    async def stop(self) -> None:
        """See `Emulator`."""
        await self._server.stop()

    def reboot(self) -> None:
        """See `HttpDevice`."""
        self._battery.reboot()

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpDevice`."""
        if request.path == "/api/v1/status":
            status = self._battery.status()
            if not self._tells_mode:
                status = {key: status[key] for key in status if key != "OperatingMode"}
            return _json(status)
        if request.path == "/api/setting" and request.query.get("OperatingMode", "").isdecimal():
            mode = request.query["OperatingMode"]
            return _return_code(0, effect=lambda: self._battery.set_mode(mode))
        return self._set_point(request)

    def _set_point(self, request: HttpRequest) -> HttpAnswer:
        parts = _setpoint_parts(request.path, "/api/v1/setpoint/")
        if parts is None:
            return _return_code(5)
        if request.method != "PUT":
            return _return_code(16)
        direction, value = parts
        power_w = value if self._unit == "w" else value / 100 * self._rated_w
        cut_w = min(power_w, self._rated_w)
        return _return_code(0, effect=lambda: self._battery.set_point(direction, cut_w))


class SonnenV2Emulator:
    """API v2; see `devices.emulators.emulator.Emulator`.

    Parameters
    ----------
    home : EmulatedHome
        Battery, sun and house.
    clock : Clock
        The time.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What goes wrong.
    token_file : Path, optional
        File with the token that writes need; None takes any.
    rated_w, module_wh, modules : float, float, int
        What the configurations tell. [W, Wh]
    vpp : bool
        A virtual power plant has the battery: 403 to every write.
    set_point_status : int
        201 as real devices answer, 200 as documented.
    echo : bool
        Whether a configuration that was written is answered with its echo (newer firmware) or
        with ``true`` (as documented).
    both, hold_s
        See `SonnenBatterie`.
    reaction_s : float
        When a write takes effect. [s]
    """

    def __init__(  # noqa: PLR0913 -- options, all by keyword
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        token_file: Path | None = None,
        rated_w: float = 3_300.0,
        module_wh: float = 5_000.0,
        modules: int = 2,
        vpp: bool = False,
        set_point_status: int = 201,
        echo: bool = True,
        both: str = "net",
        hold_s: float | None = None,
        reaction_s: float = 0.0,
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.vpp = vpp
        self._battery = SonnenBatterie(home, clock=clock, hold_s=hold_s, both=both)
        self.writes: Counter[str] = self._battery.writes
        self._host = host
        self._token_file = token_file
        self._token = None if token_file is None else read_secret(token_file)
        self._rated_w, self._module_wh, self._modules = rated_w, module_wh, modules
        self._set_point_status = set_point_status
        self._echo = echo
        self._server = HttpServer(self, clock=clock, host=host, port=port, reaction_s=reaction_s)

    @property
    def offered(self) -> frozenset[Fault]:
        """See `Emulator`."""
        return OFFERED

    @property
    def settings(self) -> Mapping[str, object]:
        """See `Emulator`."""
        token = {} if self._token_file is None else {"token_file": str(self._token_file)}
        here = {"driver": "sonnen-v2", "host": self._host, "port": self._server.port}
        return here | token

    async def start(self) -> None:
        """See `Emulator`."""
        await self._server.start()

    async def stop(self) -> None:
        """See `Emulator`."""
        await self._server.stop()

    def reboot(self) -> None:
        """See `HttpDevice`."""
        self._battery.reboot()

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpDevice`."""
        if request.path == "/api/v2/status":
            return _json(self._battery.status())
        if self._token is not None and request.headers.get("auth-token") != self._token:
            return _json({"error": "Unauthorized"}, status=401)
        if request.path.startswith("/api/v2/configurations"):
            return self._configurations(request)
        parts = _setpoint_parts(request.path, "/api/v2/setpoint/")
        if request.method != "POST" or parts is None:
            return _json({"error": "not found"}, status=404)
        if self.vpp:
            return _json({"error": "VPP has priority"}, status=403)
        direction, power_w = parts
        cut_w = min(power_w, self._rated_w)
        return HttpAnswer(
            body=b"true",
            status=self._set_point_status,
            effect=lambda: self._battery.set_point(direction, cut_w),
        )

    def _configurations(self, request: HttpRequest) -> HttpAnswer:
        values = {
            "EM_OperatingMode": self._battery.mode,
            "EM_USOC": "0",
            "EM_ToU_Schedule": "[]",
            "IC_BatteryModules": str(self._modules),
            "CM_MarketingModuleCapacity": f"{self._module_wh:g}",
            "IC_InverterMaxPower_w": f"{self._rated_w:g}",
            "DE_Software": "1.14.5",
            "DepthOfDischargeLimit": "93",
        }
        name = request.path.removeprefix("/api/v2/configurations").strip("/")
        if request.method == "GET":
            if name and name not in values:
                return _json({"error": "not found"}, status=404)
            return _json({name: values[name]} if name else values)
        mode = _written_mode(request)
        if request.method != "PUT" or mode is None:
            details = {"EM_OperatingMode": "invalid"}
            return _json({"error": "validation failed", "details": details}, status=400)
        if self.vpp:
            return _json({"error": "VPP has priority"}, status=403)
        body = json.dumps({"EM_OperatingMode": mode} if self._echo else True).encode()
        return HttpAnswer(body=body, effect=lambda: self._battery.set_mode(mode))


def _written_mode(request: HttpRequest) -> str | None:
    """Return the operating mode that a form or a JSON body writes, None if it is none."""
    text = request.body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        try:
            mode = str(json.loads(text).get("EM_OperatingMode"))
        except ValueError:
            return None
    else:
        mode = parse_qs(text).get("EM_OperatingMode", [""])[0]
    return mode if mode in {"1", "2", "6", "10"} else None


def _setpoint_parts(path: str, prefix: str) -> tuple[str, float] | None:
    """Return direction and value of a set-point's path, None if it is none."""
    direction, _, value = path.removeprefix(prefix).partition("/")
    if not path.startswith(prefix) or direction not in {"charge", "discharge"}:
        return None
    return (direction, float(value)) if value.isdecimal() else None


def _json(value: object, *, status: int = 200) -> HttpAnswer:
    return HttpAnswer(body=json.dumps(value).encode(), status=status)


def _return_code(code: int, *, effect: Callable[[], None] | None = None) -> HttpAnswer:
    """Return v1's answer; for success it has the 18 bytes that TN007 shows."""
    body = f'{{"ReturnCode":"{code}"}}'.encode()
    status = 200 if code == 0 else 405 if code == 16 else 404
    return HttpAnswer(body=body, status=status, content_type="text/html", effect=effect)
