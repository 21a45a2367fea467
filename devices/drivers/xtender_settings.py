"""Settings of the driver ``studer-xtender``."""

from dataclasses import dataclass

from devices.drivers.xtender_objects import FEED_DOWN_TO_V


@dataclass(frozen=True, slots=True, kw_only=True)
class XtenderSettings:
    """Settings of the driver ``studer-xtender``."""

    port: str
    """Serial port of an Xcom-232i such as ``/dev/ttyUSB0``, or ``tcp://HOST:PORT`` of an Xcom-LAN
    whose serial server listens."""
    baud: int = 38_400
    """Speed of the serial port, as set on the Xcom. [Bd]"""
    parity: str = "E"
    """``E`` as the Xcom wants it; ``N`` for a pseudo-terminal."""
    timeout_s: float = 2.5
    """How long an answer may take; the vendor says 2 s at most. [s]"""
    units: int = 1
    """Xtenders of the system, 1..9; each is told the same."""
    bsp: bool = True
    """Whether a BSP or Xcom-CAN tells the state of charge; else the first Xtender does."""
    capacity_wh: float | None = None
    """Nominal capacity of the battery; the devices do not tell. [Wh]"""
    charge_max_w: float = 4_000.0
    """Greatest terminal power to charge with; the installer's 1138 bounds it too. [W]"""
    discharge_max_w: float = 4_000.0
    """Greatest terminal power to discharge with; the installer's 1523 bounds it too. [W]"""
    feeds_grid: bool = False
    """Whether forced feeding may be used (1127, 1523, 1525, 1526); without it there is no way to
    discharge on purpose while the house hangs on the grid."""
    feed_down_to_v: float | None = None
    """Battery voltage that forced feeding stops at (1524); None keeps the installer's. [V]"""
    grid_v: float = 230.0
    """Nominal voltage of the grid. [V]"""
    input_sign: int = 1
    """-1 where info 3137 is found to be > 0 into the grid; the vendor's document does not say."""
    loop_s: float = 10.0
    """How often currents are corrected to hold a power. [s]"""
    watchdog_s: int = 0
    """Delay of the Xtenders' watchdog, 10..300 in tens; 0 leaves it off. On expiry an Xtender
    stops and resets: the house is without power for a moment. [s]"""

    def __post_init__(self) -> None:
        checks = {
            "port": self.port and (not self.port.startswith("tcp://") or _is_tcp(self.port)),
            "baud": self.baud > 0,
            "parity": self.parity in {"E", "N"},
            "timeout_s": 0 < self.timeout_s <= 60,
            "units": 1 <= self.units <= 9,
            "capacity_wh": self.capacity_wh is None or self.capacity_wh > 0,
            "charge_max_w": self.charge_max_w >= 0,
            "discharge_max_w": self.discharge_max_w >= 0,
            "feed_down_to_v": self.feed_down_to_v is None
            or FEED_DOWN_TO_V.minimum <= self.feed_down_to_v <= FEED_DOWN_TO_V.maximum,
            "grid_v": 100 <= self.grid_v <= 260,
            "input_sign": self.input_sign in {-1, 1},
            "loop_s": 1 <= self.loop_s <= 600,
            "watchdog_s": self.watchdog_s in {0, *range(10, 301, 10)},
        }
        for name, good in checks.items():
            if not good:
                msg = f"{name} {getattr(self, name)!r} cannot be; see the driver's settings"
                raise ValueError(msg)


def _is_tcp(port: str) -> bool:
    host, _, number = port.removeprefix("tcp://").rpartition(":")
    return bool(host) and number.isdecimal() and 0 < int(number) < 65_536
