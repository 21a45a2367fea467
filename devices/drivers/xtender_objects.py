"""The infos and parameters of an Xtender that its driver and its emulator speak of.

Numbers, units, ranges, steps and factory settings are those of the vendor's list of parameters.
"""

from dataclasses import dataclass
from typing import Final

from devices.drivers.scom_codec import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A setting of the device."""

    object_id: int
    """Its number."""
    name: str
    """What it does, with its unit."""
    kind: Format
    """How it is written."""
    factory: float
    """What it is when the device is new."""
    minimum: float = 0.0
    """Least value that the device takes."""
    maximum: float = 1.0
    """Greatest value that it takes."""
    step: float = 1.0
    """What it can be told apart by."""

    @property
    def tolerance(self) -> float:
        """How far a read-back may be from what was written: floats are held in 16 bits."""
        return self.step / 2 if self.kind is Format.FLOAT else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """A measurement of the device."""

    object_id: int
    """Its number."""
    name: str
    """What it tells, with its unit."""
    kind: Format = Format.FLOAT
    """How it is written."""
    full_scale: float = 128.0
    """What the device's 16 bits reach to."""


def _flag(object_id: int, name: str, factory: int) -> Parameter:
    return Parameter(object_id=object_id, name=name, kind=Format.BOOL, factory=factory)


def _minutes(object_id: int, name: str) -> Parameter:
    return Parameter(object_id=object_id, name=name, kind=Format.INT32, factory=1200, maximum=1440)


def _volts(object_id: int, name: str, factory: float) -> Parameter:
    kind = Format.FLOAT
    return Parameter(
        object_id=object_id, name=name, kind=kind, factory=factory,
        minimum=37.9, maximum=72.0, step=0.1,
    )  # fmt: skip


AC_INPUT_A: Final = Parameter(
    object_id=1107, name="greatest AC input current [A]", kind=Format.FLOAT,
    factory=32, minimum=2, maximum=50,
)  # fmt: skip
INVERTER_ALLOWED: Final = _flag(1124, "inverter allowed", 1)
CHARGER_ALLOWED: Final = _flag(1125, "charger allowed", 1)
SMART_BOOST: Final = _flag(1126, "smart boost allowed", 1)
FEEDING_ALLOWED: Final = _flag(1127, "grid feeding allowed", 0)
RELAY_ALLOWED: Final = _flag(1128, "transfer relay allowed", 1)
CHARGE_A: Final = Parameter(
    object_id=1138, name="battery charge current [A]", kind=Format.FLOAT, factory=60, maximum=200
)
FLOAT_V: Final = _volts(1140, "float voltage [V]", 54.4)
ABSORPTION_V: Final = _volts(1156, "absorption voltage [V]", 57.6)
FEED_A: Final = Parameter(
    object_id=1523, name="greatest grid feeding current [A]", kind=Format.FLOAT,
    factory=10, maximum=50, step=0.2,
)  # fmt: skip
FEED_DOWN_TO_V: Final = _volts(1524, "voltage that forced feeding stops at [V]", 48)
FEED_START_MIN: Final = _minutes(1525, "forced feeding starts [minute of the day]")
FEED_STOP_MIN: Final = _minutes(1526, "forced feeding stops [minute of the day]")
SAVES_IN_FLASH: Final = _flag(1550, "parameters saved in flash", 1)
WATCHDOG: Final = _flag(1628, "watchdog", 0)
WATCHDOG_S: Final = Parameter(
    object_id=1629, name="watchdog delay [s]", kind=Format.FLOAT,
    factory=60, minimum=10, maximum=300, step=10,
)  # fmt: skip

PARAMETERS: Final = {
    each.object_id: each
    for each in (
        AC_INPUT_A, INVERTER_ALLOWED, CHARGER_ALLOWED, SMART_BOOST, FEEDING_ALLOWED, RELAY_ALLOWED,
        CHARGE_A, FLOAT_V, ABSORPTION_V, FEED_A, FEED_DOWN_TO_V, FEED_START_MIN, FEED_STOP_MIN,
        SAVES_IN_FLASH, WATCHDOG, WATCHDOG_S,
    )
}  # fmt: skip
"""Parameters by number."""

BATTERY_V: Final = Info(object_id=3000, name="battery voltage [V]")
BATTERY_A: Final = Info(object_id=3005, name="battery current [A]", full_scale=1024)
UNIT_SOC: Final = Info(object_id=3007, name="state of charge [%]")
RELAY_STATE: Final = Info(object_id=3020, name="transfer relay", kind=Format.ENUM)
MODE: Final = Info(object_id=3028, name="operating mode", kind=Format.ENUM)
OUTPUT_KW: Final = Info(object_id=3136, name="output power [kW]", full_scale=32)
INPUT_KW: Final = Info(object_id=3137, name="input power [kW]", full_scale=32)
BSP_V: Final = Info(object_id=7000, name="battery voltage [V]")
BSP_A: Final = Info(object_id=7001, name="battery current [A]", full_scale=1024)
BSP_SOC: Final = Info(object_id=7002, name="state of charge [%]")
BSP_W: Final = Info(object_id=7003, name="battery power [W]", full_scale=32768)
BSP_C: Final = Info(object_id=7029, name="battery temperature [°C]")
BSP_SOC_MINUTE: Final = Info(object_id=7032, name="state of charge, a minute's mean [%]")
BSP_SOH: Final = Info(object_id=7057, name="state of health [%]")

UNIT_INFOS: Final = {
    each.object_id: each
    for each in (BATTERY_V, BATTERY_A, UNIT_SOC, RELAY_STATE, MODE, OUTPUT_KW, INPUT_KW)
}
"""Infos of an Xtender by number."""
BSP_INFOS: Final = {
    each.object_id: each for each in (BSP_V, BSP_A, BSP_SOC, BSP_W, BSP_C, BSP_SOC_MINUTE, BSP_SOH)
}
"""Infos of a battery status processor by number."""

ALL_UNITS: Final = 100
"""Address of every Xtender at once; for writing only."""
FIRST_UNIT: Final = 101
BSP: Final = 601
"""Address of the battery status processor."""
