"""What an Xtender's readings mean to us, and which currents give a power; no input or output.

An Xtender sits between the grid (its input) and the house (its output), so that what goes in and
does not come out goes into the battery. It has no set-point of power: it is told a charge current
on its battery side, or a feeding current on its grid side.
"""

from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryState, MeterState
from devices.drivers.xtender_objects import CHARGE_A, FEED_A
from devices.errors import DeviceReplyError

CHARGE_GAINS: Final = (1.0, 1.1, 1.5)
"""Terminal power over battery voltage times current when charging: least, first guess, most.

Below 1 it cannot be, because losses come on top; so a full battery, which takes less than it is
told, never makes us tell it more than was asked for.
"""
FEED_GAINS: Final = (0.85, 1.0, 1.15)
"""Terminal power over nominal grid voltage times current when feeding: least, first guess, most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XtenderReading:
    """What the devices say, with their units; powers are the sum of all Xtenders."""

    input_kw: float
    """Info 3137, taken as > 0 from the grid. [kW]"""
    output_kw: float
    """Info 3136, > 0 into the house. [kW]"""
    soc_percent: float
    """Info 7002, or 3007 where there is no battery status processor. [%]"""
    soh_percent: float | None = None
    """Info 7057. [%]"""
    temperature_c: float | None = None
    """Info 7029. [°C]"""

    @property
    def battery_power_w(self) -> float:
        """What goes in and does not come out, > 0 charges. [W]"""
        return (self.input_kw - self.output_kw) * 1000


def battery_state(reading: XtenderReading, *, following: bool) -> BatteryState:
    """Translate a reading.

    Raises
    ------
    DeviceReplyError
        If the state of charge is none.
    """
    if not 0 <= reading.soc_percent <= 110:  # amp-hours counted a little beyond full
        msg = f"xtender: a state of charge of {reading.soc_percent:g} %; see to the battery monitor"
        raise DeviceReplyError(msg)
    temperature_c = reading.temperature_c
    return BatteryState(
        soc=min(reading.soc_percent / 100, 1.0),
        battery_power_w=reading.battery_power_w,
        following=following,
        soh=None if reading.soh_percent is None else reading.soh_percent / 100,
        temperature_c=(
            None if temperature_c is None or not -60 <= temperature_c <= 120 else temperature_c
        ),
    )


def meter_state(reading: XtenderReading) -> MeterState:
    """Translate a reading, as far as two powers tell three.

    Production on the house's side is not measured apart: ``load_w`` is what the house takes beyond
    it, ``pv_w`` what it gives beyond the house. Their difference and the grid are right.
    """
    net_w = reading.output_kw * 1000
    return MeterState(
        load_w=max(net_w, 0.0), pv_w=max(-net_w, 0.0), grid_power_w=reading.input_kw * 1000
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Currents:
    """What every Xtender of a system is told; at most one of the two is not 0."""

    charge_a: float = 0.0
    """Parameter 1138, on the battery's side, whole amperes. [A]"""
    feed_a: float = 0.0
    """Parameter 1523, on the grid's side, in fifths of an ampere. [A]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How a power becomes currents at present."""

    units: int
    """Xtenders that share the power."""
    battery_v: float
    """Measured voltage of the battery. [V]"""
    grid_v: float
    """Nominal voltage of the grid. [V]"""
    charge_gain: float = CHARGE_GAINS[1]
    """See `CHARGE_GAINS`."""
    feed_gain: float = FEED_GAINS[1]
    """See `FEED_GAINS`."""

    def currents(self, battery_power_w: float, ceiling: Currents) -> Currents:
        """Return the currents for a terminal power, each at most its ceiling. [W]"""
        if battery_power_w > 0:
            per_a_w = self.units * self.battery_v * self.charge_gain
            wanted_a = _stepped(battery_power_w / per_a_w, CHARGE_A.step)
            return Currents(charge_a=min(wanted_a, ceiling.charge_a))
        per_a_w = self.units * self.grid_v * self.feed_gain
        wanted_a = _stepped(-battery_power_w / per_a_w, FEED_A.step)
        return Currents(feed_a=min(wanted_a, ceiling.feed_a))

    def learned(self, told: Currents, battery_power_w: float) -> tuple[float, float]:
        """Return the gains for charging and feeding that a measured power shows. [W]"""
        charge_w = told.charge_a * self.units * self.battery_v
        feed_w = told.feed_a * self.units * self.grid_v
        charge_gain, feed_gain = self.charge_gain, self.feed_gain
        if charge_w > 0:
            charge_gain = _clipped(battery_power_w / charge_w, CHARGE_GAINS)
        if feed_w > 0:
            feed_gain = _clipped(-battery_power_w / feed_w, FEED_GAINS)
        return charge_gain, feed_gain


def _stepped(value: float, step: float) -> float:
    return round(round(value / step) * step, 6)


def _clipped(gain: float, bounds: tuple[float, float, float]) -> float:
    return min(max(gain, bounds[0]), bounds[2])
