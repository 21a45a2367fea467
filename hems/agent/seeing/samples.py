"""Which samples a home believes: one that cannot be is dropped with a reason.

A gateway decides from single readings, and devices now and then tell nonsense: a register read
while it was written, a sign lost, a gauge that hangs. Such a sample must change no plan.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from devices.battery import BatteryState, MeterState
from devices.inverter_readings import InverterState
from hems.agent.reading import Reading
from hems.agent.seeing.trail import HungGauge, HungMeter, Trail, Values

Part = TypeVar("Part")
NOISE_W: Final = 50.0
"""What a magnitude may read below zero by itself. [W]"""
NOISE_SOC: Final = 0.005
"""How far a state of charge may lie outside 0..1 by itself."""
JUMP_HZ: Final = 0.2
"""Change of frequency between two readings that needs a second one. [Hz]"""
JUMP_V: Final = 15.0
"""Change of a voltage between two readings that needs a second one. [V]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveSettings:
    """What can be in this home.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    connection_w: float
    """Rating of the grid connection, > 0. [W]"""
    battery_max_w: float
    """Greatest power of the battery at its terminals, > 0. [W]"""
    capacity_wh: float
    """Capacity of the battery, > 0. [Wh]"""
    pv_max_w: float | None = None
    """Rating of the panels; None where it is not known. [W]"""
    beyond: float = 1.5
    """How many times a rating a sample may be: fuses and inverters bear overload, >= 1."""
    jump_w: float = 1_000.0
    """Change between two readings that needs no second one, > 0. [W]"""
    jump_share: float = 0.3
    """The same as a share of the greater of the two, 0..1."""
    jump_soc: float = 0.02
    """Change of the state of charge beyond what power and time explain, 0..1."""
    stuck_cycles: int = 30
    """Equal readings of a meter, while the battery's power changes, that show it hangs, >= 2."""
    stuck_soc: float = 0.1
    """Energy through the battery, as a share of capacity, that must move its gauge, 0..1."""

    def __post_init__(self) -> None:
        positive = ("connection_w", "battery_max_w", "capacity_wh", "jump_w", "stuck_soc")
        for name in positive:
            if not 0 < getattr(self, name) < math.inf:
                msg = f"{name} is {getattr(self, name):g}; give a number > 0"
                raise ValueError(msg)
        if self.beyond < 1 or self.stuck_cycles < 2:
            msg = f"beyond is {self.beyond:g}, stuck_cycles {self.stuck_cycles}; give >= 1, >= 2"
            raise ValueError(msg)


class Sieve:
    """Reject the parts of a reading that cannot be believed.

    Parameters
    ----------
    settings : SieveSettings
        What can be in this home.

    Notes
    -----
    Three kinds of doubt. What is not finite, negative or beyond a rating can never be. What hangs
    (equal to the last digit while something moves that it must follow) is rejected until it
    changes. A jump can be a kettle or nonsense: it waits for a second sample, so that one bad
    sample never gets through, and a level that stays is believed one cycle late. It is believed if
    it is near the last believed one or near one of the two samples before; after two refusals the
    next is believed in any case, for a load that never rests is no nonsense.

    Meter and battery check each other: load + battery − production − grid may have an offset (what
    one of them does not measure), but it does not jump. Where it does, the one that moved is
    rejected.
    """

    def __init__(self, settings: SieveSettings) -> None:
        self._settings = settings
        self._meter, self._battery, self._offset, self._inverter = (Trail() for _ in range(4))
        self._before: Reading | None = None
        self._hung_meter = HungMeter(settings.stuck_cycles)
        self._hung_gauge = HungGauge(settings.stuck_soc * settings.capacity_wh)

    def pass_(self, reading: Reading) -> tuple[Reading, Mapping[str, str]]:
        """Return the reading without what is rejected, and why, by part.

        Parameters
        ----------
        reading : Reading
            As the devices told it; magnitudes a little below zero come back as zero.

        Returns
        -------
        tuple[Reading, Mapping[str, str]]
            Rejected parts are None in the reading; the reasons of ``meter``, ``battery`` and
            ``inverter`` are one line each.
        """
        why: dict[str, str] = {}
        now_s = reading.monotonic_s
        meter, battery, inverter = reading.meter, reading.battery, reading.inverter
        meter = _kept(meter, "meter", self._doubt_meter(meter, now_s), why)
        battery = _kept(battery, "battery", self._doubt_battery(battery, now_s), why)
        inverter = _kept(inverter, "inverter", self._doubt_inverter(inverter, now_s), why)
        if meter is not None and battery is not None:
            meter = _kept(meter, "meter", self._hung_meter.doubt(meter, battery), why)
        if meter is not None and battery is not None:
            meter_doubt, battery_doubt = self._doubt_both(meter, battery, now_s)
            meter = _kept(meter, "meter", meter_doubt, why)
            battery = _kept(battery, "battery", battery_doubt, why)
        passed = replace(
            reading, meter=_clean_meter(meter), battery=_clean_battery(battery), inverter=inverter
        )
        self._remember(passed)
        return passed, why

    def _remember(self, passed: Reading) -> None:
        before = self._before
        self._before = replace(
            passed,
            meter=passed.meter or (before.meter if before else None),
            battery=passed.battery or (before.battery if before else None),
        )

    def _doubt_meter(self, meter: MeterState | None, now_s: float) -> str | None:
        if meter is None:
            return None
        values = {"load": meter.load_w, "pv": meter.pv_w, "grid": meter.grid_power_w}
        for name, value in values.items():
            if not math.isfinite(value):
                return f"{name} is {value:g}"
            if name != "grid" and value < -NOISE_W:
                return f"{name} of {value:g} W is negative"
            if abs(value) > self._most_w(name):
                return f"{name} of {value:g} W is beyond what the home can have"
        jumped = not self._meter.steady((meter.load_w, meter.pv_w), now_s, self._near_w)
        return f"load {meter.load_w:g} W, pv {meter.pv_w:g} W: a jump, once" if jumped else None

    def _most_w(self, name: str) -> float:
        """Return the most that a quantity can be. [W]"""
        s = self._settings
        if name == "pv" and s.pv_max_w is not None:
            return s.beyond * s.pv_max_w
        if name == "grid":
            return s.beyond * s.connection_w
        return s.beyond * (s.connection_w + s.battery_max_w + (s.pv_max_w or s.connection_w))

    def _near_w(self, values: Values, earlier: Values, passed_s: float) -> bool:
        del passed_s
        s = self._settings
        return all(
            abs(a - b) <= max(s.jump_w, s.jump_share * max(abs(a), abs(b)))
            for a, b in zip(values, earlier, strict=True)
        )

    def _doubt_battery(self, battery: BatteryState | None, now_s: float) -> str | None:
        if battery is None:
            return None
        doubt = self._impossible(battery) or self._hung_gauge.doubt(battery, now_s)
        if doubt is None and not self._battery.steady((battery.soc,), now_s, self._near_soc):
            doubt = f"state of charge {battery.soc:g}: a jump that its power cannot make, once"
        return doubt

    def _impossible(self, battery: BatteryState) -> str | None:
        s, power_w = self._settings, battery.battery_power_w
        if not (math.isfinite(power_w) and math.isfinite(battery.soc)):
            return f"power is {power_w:g} W, state of charge {battery.soc:g}"
        if abs(power_w) > s.beyond * s.battery_max_w:
            return f"power of {power_w:g} W is beyond its rating of {s.battery_max_w:g} W"
        if not -NOISE_SOC <= battery.soc <= 1 + NOISE_SOC:
            return f"state of charge of {battery.soc:g} is not in 0..1"
        return None

    def _near_soc(self, values: Values, earlier: Values, passed_s: float) -> bool:
        s = self._settings
        explained = s.beyond * s.battery_max_w * passed_s / 3600 / s.capacity_wh
        return abs(values[0] - earlier[0]) <= s.jump_soc + explained

    def _doubt_both(
        self, meter: MeterState, battery: BatteryState, now_s: float
    ) -> tuple[str | None, str | None]:
        """Return why to doubt the meter or the battery, where the two contradict each other."""
        offset_w = meter.load_w + battery.battery_power_w - meter.pv_w - meter.grid_power_w
        if self._offset.steady((offset_w,), now_s, self._near_w):
            return None, None
        before = self._before
        grid_moved_w = battery_moved_w = 0.0
        if before is not None and before.meter is not None and before.battery is not None:
            grid_moved_w = abs(meter.grid_power_w - before.meter.grid_power_w)
            battery_moved_w = abs(battery.battery_power_w - before.battery.battery_power_w)
        why = f"load + battery - pv - grid is {offset_w:g} W: a jump, once"
        return (None, why) if battery_moved_w > grid_moved_w else (why, None)

    def _doubt_inverter(self, inverter: InverterState | None, now_s: float) -> str | None:
        if inverter is None or (inverter.frequency_hz is None and not inverter.phase_voltages_v):
            return None
        hz, volts = inverter.frequency_hz, inverter.phase_voltages_v
        values = (0.0 if hz is None else hz, max(volts, default=0.0), min(volts, default=0.0))
        if not all(map(math.isfinite, (values[0], *volts))):
            return f"frequency is {hz} Hz, voltages {volts} V"
        if not (values[0] >= 0 and values[2] >= 0):
            return f"frequency of {hz} Hz or a voltage of {volts} V is negative"
        if not self._inverter.steady(values, now_s, _near_grid):
            return f"frequency {hz} Hz, voltages {volts} V: a jump, once"
        return None


def _near_grid(values: Values, earlier: Values, passed_s: float) -> bool:
    del passed_s
    jumps = (JUMP_HZ, JUMP_V, JUMP_V)
    return all(abs(a - b) <= jump for a, b, jump in zip(values, earlier, jumps, strict=True))


def _kept(part: Part | None, name: str, doubt: str | None, why: dict[str, str]) -> Part | None:
    """Return a part, or None and note the reason."""
    if doubt is None:
        return part
    why[name] = doubt
    return None


def _clean_meter(meter: MeterState | None) -> MeterState | None:
    """Return magnitudes without the noise below zero."""
    if meter is None:
        return None
    return replace(meter, load_w=max(meter.load_w, 0.0), pv_w=max(meter.pv_w, 0.0))


def _clean_battery(battery: BatteryState | None) -> BatteryState | None:
    """Return a state of charge in 0..1, and no number that is none."""
    if battery is None:
        return None
    soh, temperature_c = battery.soh, battery.temperature_c
    return replace(
        battery,
        soc=min(max(battery.soc, 0.0), 1.0),
        soh=soh if soh is not None and math.isfinite(soh) else None,
        temperature_c=(
            temperature_c if temperature_c is not None and math.isfinite(temperature_c) else None
        ),
    )
