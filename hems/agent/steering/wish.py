"""What the battery shall do in this device cycle: pure, from all that bears on it."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from devices.battery import BatteryState, MeterState
from hems.agent.orders import Order
from hems.controller import Decision, set_point_w

Why = Literal["order", "decision", "no decision", "no meter", "reserve", "island"]
RESERVE_BAND: Final = 0.02
"""How far above its reserve a battery must be before it serves the house again, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What no set-point goes beyond; every field >= 0."""

    charge_max_w: float
    """What the battery takes. [W]"""
    discharge_max_w: float
    """What the battery gives. [W]"""
    import_max_w: float
    """What the grid connection may import now. [W]"""
    export_max_w: float
    """What the grid connection may export now. [W]"""
    soc_min: float = 0.0
    """An order discharges no further, 0..1."""
    soc_max: float = 1.0
    """An order charges no further, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What bears on a cycle; None where it is not known, or too old to be used."""

    limits: Limits
    """What no set-point goes beyond."""
    meter: MeterState | None = None
    """The meter at the grid connection."""
    battery: BatteryState | None = None
    """The battery."""
    decision: Decision | None = None
    """The controller's, while it stands."""
    order: Order | None = None
    """The order, while it stands."""
    referred_w: float = 0.0
    """Battery power that an order's grid power asks for now. [W]"""
    reserve_soc: float = 0.0
    """What the agent keeps back where the device cannot, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the battery shall do."""

    battery_power_w: float | None
    """Terminal power to hold, > 0 charges; None follows residual demand. [W]"""
    why: Why
    """Whose wish it is."""
    low_w: float = -math.inf
    """What it may be at least, for limits that hold now. [W]"""
    high_w: float = math.inf
    """What it may be at most. [W]"""


def wished(seen: Seen) -> Wish:
    """Return what the battery shall do in this cycle.

    Notes
    -----
    Without a meter nothing says what the house does, so the battery is stopped: neither the
    connection's limits nor a promise can be kept blindly, and what flows would not be accounted
    for. Where the battery itself does not answer either, stopping it is no use; it is sent to
    self-consumption, which every device does by itself when nobody steers it.

    An order outranks the controller. Following is eq. (8)-(9) of Couraud 2021, done by the device
    itself, which is faster than any device cycle.
    """
    if seen.meter is None:
        return Wish(battery_power_w=None if seen.battery is None else 0.0, why="no meter")
    power_w, why = _asked(seen, seen.meter)
    kept_w = _kept_back(seen, seen.meter, power_w)
    if kept_w is not None:
        power_w, why = kept_w, "reserve"
    if power_w is None:
        return Wish(battery_power_w=None, why=why)
    low_w, high_w = bounds_w(seen.meter, seen.limits)
    return Wish(
        battery_power_w=min(max(power_w, low_w), high_w), why=why, low_w=low_w, high_w=high_w
    )


def bounds_w(meter: MeterState, limits: Limits) -> tuple[float, float]:
    """Return the range of set-points that break no limit of connection and battery. [W]

    Where the house breaks the connection's by itself, the battery brings it back as far as it can.
    """
    deficit_w = meter.load_w - meter.pv_w

    def possible(power_w: float) -> float:
        return min(max(power_w, -limits.discharge_max_w), limits.charge_max_w)

    return possible(-limits.export_max_w - deficit_w), possible(limits.import_max_w - deficit_w)


def _asked(seen: Seen, meter: MeterState) -> tuple[float | None, Why]:
    """Return what is asked for before limits; None follows."""
    if seen.order is not None:
        if seen.order.follow:
            return None, "order"
        held_w = seen.order.battery_power_w
        return _inside(seen, seen.referred_w if held_w is None else held_w), "order"
    if seen.decision is None:
        return None, "no decision"
    if bool(seen.decision.follow[0]):
        return None, "decision"
    power_w = set_point_w(seen.decision, np.array([meter.load_w]), np.array([meter.pv_w]))
    return float(power_w[0]), "decision"


def _inside(seen: Seen, power_w: float) -> float:
    """Return an order's power, none where it would leave the battery's window. [W]"""
    if seen.battery is None:
        return power_w
    empty = seen.battery.soc <= seen.limits.soc_min
    full = seen.battery.soc >= seen.limits.soc_max
    return 0.0 if (empty and power_w < 0) or (full and power_w > 0) else power_w


def _kept_back(seen: Seen, meter: MeterState, power_w: float | None) -> float | None:
    """Return the power that keeps the reserve, where what is asked for would take from it.

    Near the reserve the surplus is followed by set-points: changing a device's mode with every
    cloud would wear its flash.
    """
    ordered = seen.order is not None and not seen.order.follow
    if seen.reserve_soc <= 0 or ordered or seen.battery is None:
        return None
    surplus_w = meter.pv_w - meter.load_w
    wanted_w = surplus_w if power_w is None else power_w
    near = seen.battery.soc <= seen.reserve_soc + RESERVE_BAND
    if near and power_w is None:
        return max(wanted_w, 0.0)
    if seen.battery.soc <= seen.reserve_soc and wanted_w < 0:
        return 0.0
    return None
