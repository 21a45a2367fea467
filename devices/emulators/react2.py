"""An emulated REACT2 behind its logger's REST interface: names, signs, time-out, authentication."""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devices.clock import Clock
from devices.drivers.react2_digest import Challenge, digest, parse_digest, response
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import (
    READ_FAULTS,
    WRITE_FAULTS,
    HttpAnswer,
    HttpRequest,
    HttpServer,
)
from devices.errors import DeviceConfigError
from devices.settings import read_secret

INVERTER: Final = "140842-3P81-2619"
BATTERY: Final = "113049-3P72-0221"
METER: Final = "120730-3N52-3019"
LOGGER: Final = "0c:1c:57:fd:c6:2c"
"""Identities of the four devices that the logger lists."""
REALM: Final = "registered_user@power-one.com"
OFFERED: Final[frozenset[Fault]] = READ_FAULTS | WRITE_FAULTS
"""Every fault that HTTP and JSON can show."""


class React2Emulator:
    """See `devices.emulators.emulator.Emulator`.

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
    rated_w : float
        WRtg, which a set-point's percents refer to: an assumption. [W]
    charge_sign : int
        1 if positive percents charge, an assumption; -1 if they discharge.
    auth : str
        "none", "basic" (VSN700) or "digest" (VSN300's X-Digest).
    user : str
        Name that is let in.
    password_file : Path, optional
        File with its password; None is an empty one.
    whole_numbers : bool
        Values are integers, as on firmware of 2023, or always floats, as since 2025.
    latin_1 : bool
        Bodies are in Latin-1, and hold a letter that is no UTF-8.
    answer_body : str
        What a write is answered with, which is not documented.
    reaction_s : float
        When a write takes effect. [s]

    Notes
    -----
    When a command's time-out has passed, the battery follows residual demand: an assumption, as is
    that ``BattExtCtrlEna`` shows 1 until then.
    """

    def __init__(  # noqa: PLR0913 -- options, all by keyword
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        rated_w: float = 5_050.0,
        charge_sign: int = 1,
        auth: str = "none",
        user: str = "guest",
        password_file: Path | None = None,
        whole_numbers: bool = False,
        latin_1: bool = False,
        answer_body: str = "{}",
        reaction_s: float = 0.0,
    ) -> None:
        if auth not in {"none", "basic", "digest"}:
            msg = f"react2 emulator: auth is {auth!r}; give none, basic or digest"
            raise DeviceConfigError(msg)
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self._clock = clock
        self._host = host
        self._rated_w = rated_w
        self._charge_sign = charge_sign
        self._auth, self._user = auth, user
        self._password_file = password_file
        self._password = "" if password_file is None else read_secret(password_file)
        self._challenge = _new_challenge()
        self._whole_numbers = whole_numbers
        self._latin_1 = latin_1
        self._answer_body = answer_body
        self._server = HttpServer(self, clock=clock, host=host, port=port, reaction_s=reaction_s)

    @property
    def offered(self) -> frozenset[Fault]:
        """See `Emulator`."""
        return OFFERED

    @property
    def settings(self) -> Mapping[str, object]:
        """See `Emulator`."""
        table: dict[str, object] = {
            "driver": "abb-react2",
            "host": self._host,
            "port": self._server.port,
            "auth": self._auth,
            "user": self._user,
            "charge_sign": self._charge_sign,
        }
        if self._password_file is not None:
            table["password_file"] = str(self._password_file)
        return table

    async def start(self) -> None:
        """See `Emulator`."""
        await self._server.start()

    async def stop(self) -> None:
        """See `Emulator`."""
        await self._server.stop()

    def reboot(self) -> None:
        """See `HttpDevice`: the command and the digest's nonce are lost."""
        self._challenge = _new_challenge()
        self.home.steer(None)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpDevice`; the article's path without ``/v1`` is served too."""
        if not self._knows(request):
            return HttpAnswer(status=401, headers=self._asks())
        path = request.path.removeprefix("/v1").rstrip("/")
        if request.method == "GET" and path == "/status":
            keys = {"logger.loggerId": {"value": LOGGER}}
            return self._json({"time": int(self._clock.utc().timestamp()), "keys": keys})
        if request.method == "GET" and path == "/livedata":
            return self._json(self._livedata())
        if request.method == "POST" and path == "/ess/poc/config":
            return self._command(request.body)
        return HttpAnswer(status=404)

    def _command(self, body: bytes) -> HttpAnswer:
        try:
            wanted = json.loads(body)
            hold_s = float(wanted["timeout"]) / 1000
            percent = float(wanted["setpoint_percent"])
        except (ValueError, KeyError, TypeError):
            return HttpAnswer(status=400)
        if not (hold_s > 0 and -100 <= percent <= 100):
            return HttpAnswer(status=400)
        power_w = self._charge_sign * percent / 100 * self._rated_w

        def effect() -> None:
            self.writes["ess/poc/config"] += 1
            until_s = self.home.now_s + hold_s
            self.home.steer(lambda _load_w, _pv_w: power_w, until_s=until_s)

        return HttpAnswer(body=self._answer_body.encode(), effect=effect)

    def _livedata(self) -> dict[str, object]:
        """Return the live data in the vendor's names and signs."""
        state = self.home.state()
        steered = float(self.home.steered)
        soc = round(100 * state.estimated_soc, 1)
        discharge_w = round(-state.battery_power_w, 1)
        inverter = {
            "PbaT": discharge_w,
            "TSoc": soc,
            "Pin": round(state.pv_w, 1),
            "Pgrid": round(state.pv_w - state.battery_power_w, 1),
            "WRtg": self._rated_w,
            "Fgrid": 50.0,
            "Vgrid": 230.0,
            "GlobState": 6.0,
            "InvState": 2.0,
            "DetectedBatteryNumber": 1.0,
            "BatteryMode": 0.0,
            "EnergyPolicy": 1.0,
            "BattExtCtrlEna": steered,
            "BattExtCtrlState": 1.0,
            "ETotCharge_runtime": round(state.charged_wh, 1),
            "ETotDischarge_runtime": round(state.discharged_wh, 1),
        }
        battery = {
            "Pba": discharge_w,
            "Vba": round(state.dc_voltage_v, 1),
            "Iba": round(-state.dc_current_a, 2),
            "Soc": soc,
            "Soh": 99.0,
            "Tba": round(state.cell_temperature_c, 1),
            "PCh": 1748.0,
            "PDh": 2154.0,
            "BattNum": 1.0,
        }
        from_inverter_w = state.load_w - max(state.grid_power_w, 0.0)
        meter = {
            "MeterPgrid_Tot": round(-state.grid_power_w, 1),
            "HousePgrid_Tot": round(state.load_w, 1),
            "HousePInverter": round(from_inverter_w, 1),
        }
        logger: dict[str, object] = {"device_id": LOGGER, "timestamp": self._stamp(), "points": []}
        if self._latin_1:
            logger["description"] = "Büro"
        return {
            INVERTER: self._device(INVERTER, "inverter_1phase", "REACT2-5.0-TL", inverter),
            BATTERY: self._device(BATTERY, "battery", "REACT2-BATT", battery),
            METER: self._device(METER, "meter", "REACT-MTR-1PH", meter),
            LOGGER: logger,
        }

    def _device(
        self, identity: str, kind: str, model: str, points: Mapping[str, float]
    ) -> dict[str, object]:
        whole = self._whole_numbers
        return {
            "device_id": identity,
            "device_type": kind,
            "device_model": model,
            "timestamp": self._stamp(),
            "points": [
                {"name": name, "value": round(value) if whole else float(value)}
                for name, value in points.items()
            ],
        }

    def _stamp(self) -> str:
        return self._clock.utc().strftime("%Y-%m-%dT%H:%M:%S%z")

    def _json(self, value: object) -> HttpAnswer:
        text = json.dumps(value, ensure_ascii=False)
        return HttpAnswer(body=text.encode("latin-1" if self._latin_1 else "utf-8"))

    def _asks(self) -> Mapping[str, str]:
        """Return the challenge of a 401; VSN700 does not say that it wants Basic."""
        if self._auth != "digest":
            return {}
        asked = f'realm="{REALM}", nonce="{self._challenge.nonce}", qop="auth"'
        return {"WWW-Authenticate": f"X-Digest {asked}"}

    def _knows(self, request: HttpRequest) -> bool:
        given = request.headers.get("authorization", "")
        if self._auth == "none":
            return True
        if self._auth == "basic":
            pair = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            return given == f"Basic {pair}"
        fields = parse_digest(given) or {}
        wanted = response(
            self._challenge,
            digest([self._user, REALM, self._password]),
            method=request.method,
            uri=fields.get("uri", ""),
            nc=fields.get("nc", ""),
            cnonce=fields.get("cnonce", ""),
        )
        # the header alone says which path was meant: a response for another one is none for this
        same_path = fields.get("uri", "").partition("?")[0] == request.path
        return same_path and secrets.compare_digest(wanted, fields.get("response", ""))


def _new_challenge() -> Challenge:
    return Challenge(realm=REALM, nonce=secrets.token_hex(8), qop="auth")
