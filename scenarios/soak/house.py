"""The emulated house of a soak: its day, its devices, and whether set-points are allowed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.local.local_node import free_port
from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import HttpAnswer, HttpRequest
from devices.emulators.sonnen import SonnenV2Emulator
from devices.emulators.sunspec import SunSpecEmulator
from scenarios.soak.clock import ScaledClock

RATED_W: Final = 3_300.0
"""What the battery says that it can do. [W]"""
_STEP_S: Final = 300.0
"""How long consumption stays as it is. [s]"""
_ROUNDED_W: Final = 1.0
"""Set-points are whole watts. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the house may draw and give."""

    import_max_w: float
    """Greatest import. [W]"""
    export_max_w: float
    """Greatest export. [W]"""


class Day:
    """Consumption and production of a soak, drawn by a seed; none before and after it.

    Parameters
    ----------
    seed : int
        Start of the draws.
    hours : float
        How long the soak goes. [h]
    """

    def __init__(self, seed: int, hours: float) -> None:
        draws = np.random.default_rng(seed + 1)
        steps = int(hours * 3600 / _STEP_S) + 1
        self._load_w = draws.gamma(2.0, 350.0, steps)
        self._cloud = draws.uniform(0.3, 1.0, steps)
        self._end_s = hours * 3600
        self._begin_s: float | None = None

    def begin(self, now_s: float) -> None:
        """Wake the house. [s]"""
        self._begin_s = now_s

    def __call__(self, time_s: float) -> tuple[float, float]:
        """Return load and production. [W]"""
        if self._begin_s is None or not 0 <= time_s - self._begin_s < self._end_s:
            return 0.0, 0.0
        passed_s = time_s - self._begin_s
        place = int(passed_s // _STEP_S)
        # a short soak has its sun, too
        sun = np.sin(2 * np.pi * passed_s / min(86_400.0, self._end_s))
        pv_w = 6_000.0 * max(float(sun), 0.0) * float(self._cloud[place])
        return float(self._load_w[place]), pv_w


class WatchedBattery(SonnenV2Emulator):
    """An emulated battery that looks at each set-point before it takes it."""

    def __init__(
        self, home: EmulatedHome, *, clock: ScaledClock, day: Day, connection: Connection
    ) -> None:
        super().__init__(home, clock=clock, port=free_port(), rated_w=RATED_W)
        self._clock, self._day, self._connection = clock, day, connection
        self.violations: list[str] = []
        """Set-points beyond a limit."""
        self.set_points = 0
        """Set-points that came."""

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `devices.emulators.http_server.HttpDevice`."""
        _, found, rest = request.path.partition("/api/v2/setpoint/")
        direction, _, value = rest.partition("/")
        if found and value.isdecimal():
            self._judge(float(value) if direction == "charge" else -float(value))
        return super().answer(request)

    def _judge(self, power_w: float) -> None:
        """Note a set-point that no recent state of the house allows; 0 is always allowed."""
        self.set_points += 1
        low_w, high_w = self._allowed_w()
        if power_w and not low_w - _ROUNDED_W <= power_w <= high_w + _ROUNDED_W:
            at_s = self._clock.monotonic_s()
            self.violations.append(f"{power_w:+.0f} W at {at_s:.0f} s: {low_w:.0f}..{high_w:.0f}")

    def _allowed_w(self) -> tuple[float, float]:
        """Return the range that limits of battery and connection allowed in the last minutes. [W]

        The house's steps are its own clock's, so this holds however late the computer is.
        """
        now_s = self._clock.monotonic_s()
        deficits_w = []
        for back_s in np.arange(0.0, 2 * _STEP_S + 1.0, 10.0):
            load_w, pv_w = self._day(now_s - float(back_s))
            deficits_w.append(load_w - pv_w)
        low_w = -self._connection.export_max_w - max(deficits_w)
        high_w = self._connection.import_max_w - min(deficits_w)
        return max(min(low_w, RATED_W), -RATED_W), min(max(high_w, -RATED_W), RATED_W)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The house with its devices on sockets."""

    day: Day
    """What it takes and gives."""
    home: EmulatedHome
    """The truth."""
    battery: WatchedBattery
    """A sonnenBatterie without counters."""
    meter: SunSpecEmulator
    """A SunSpec meter with counters."""

    @classmethod
    def of(cls, seed: int, *, hours: float, clock: ScaledClock, connection: Connection) -> "House":
        """Return the house of a seed, none of its devices listening yet."""
        day = Day(seed, hours)
        home = EmulatedHome(model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=day)
        battery = WatchedBattery(home, clock=clock, day=day, connection=connection)
        meter = SunSpecEmulator(home, clock=clock, port=free_port())
        return cls(day=day, home=home, battery=battery, meter=meter)

    def metered_wh(self) -> int:
        """Return net export by the meter's counters, which show whole watt-hours. [Wh]"""
        state = self.home.state()
        return int(state.exported_wh) - int(state.imported_wh)

    def true_wh(self) -> float:
        """Return net export as it was. [Wh]"""
        state = self.home.state()
        return state.exported_wh - state.imported_wh
