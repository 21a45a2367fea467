"""A microgrid's steps in compiled code; `scenarios.microgrid.plant` tells the physics."""

from typing import NamedTuple

from devices.arrays import BoolArray, FloatArray
from hems.mpc_kernel import compiled


class Limits(NamedTuple):
    """What batteries and inverters can do; every array has shape (homes,)."""

    low_wh: FloatArray
    """Empty. [Wh]"""
    high_wh: FloatArray
    """Full. [Wh]"""
    cell_power_w: FloatArray
    """Greatest power into or out of the cells. [W]"""
    eta_c: FloatArray
    """Cells over terminals when charging."""
    eta_d: FloatArray
    """Terminals over cells when discharging."""
    power_max_w: float
    """P_max of eq. (4). [W]"""
    droop_hz: float
    """Rise of the frequency at P_max. [Hz]"""
    fade_hz: float
    """Further rise over which PV fades out. [Hz]"""
    step_h: float
    """Length of a step. [h]"""


class Given(NamedTuple):
    """What comes from outside; arrays of shape (homes, steps)."""

    load_w: FloatArray
    """Load. [W]"""
    pv_w: FloatArray
    """Production that the sun offers. [W]"""
    deviation_hz: FloatArray
    """Of the grid's frequency from nominal. [Hz]"""


class Flows(NamedTuple):
    """What comes of it; arrays of shape (homes, steps), one more step for the stored energy."""

    stored_wh: FloatArray
    """Energy in the cells at the beginning of each step, and at the end. [Wh]"""
    battery_power_w: FloatArray
    """Terminal power, > 0 charges. [W]"""
    grid_power_w: FloatArray
    """At the relay, > 0 imports. [W]"""
    curtailed_w: FloatArray
    """Production that the island could not take. [W]"""
    unserved_w: FloatArray
    """Load that the island could not serve. [W]"""
    overload_w: FloatArray
    """What the island's balance asks of the inverter beyond P_max. [W]"""
    closed: BoolArray
    """Whether the relay was closed."""


class World(NamedTuple):
    """All of it."""

    limits: Limits
    """What can be done."""
    given: Given
    """What happens."""
    flows: Flows
    """What comes of it."""


@compiled
def advance(span: tuple[int, int], orders: tuple[FloatArray, BoolArray], world: World) -> None:
    """Hold orders over some steps and write what flows.

    Parameters
    ----------
    span : tuple[int, int]
        First step, and the one after the last.
    orders : tuple[FloatArray, BoolArray]
        Set-points, > 0 charges [W], and whether relays are closed, each of shape (homes,).
    world : World
        Whose flows are written.
    """
    set_point_w, closed = orders
    for home in range(set_point_w.size):
        for step in range(span[0], span[1]):
            world.flows.closed[home, step] = closed[home]
            if closed[home]:
                _connected((home, step), set_point_w[home], world)
            else:
                _island((home, step), world)


@compiled
def _connected(at: tuple[int, int], set_point_w: float, world: World) -> None:
    limits, given, most_w = world.limits, world.given, world.limits.power_max_w
    droop_w = most_w / limits.droop_hz * given.deviation_hz[at]
    power_w = _held(at, min(max(set_point_w + droop_w, -most_w), most_w), world)
    world.flows.grid_power_w[at] = given.load_w[at] + power_w - given.pv_w[at]


@compiled
def _island(at: tuple[int, int], world: World) -> None:
    limits, flows, most_w = world.limits, world.flows, world.limits.power_max_w
    load_w, pv_w = world.given.load_w[at], world.given.pv_w[at]
    asked_w = pv_w - load_w
    flows.overload_w[at] = max(abs(asked_w) - most_w, 0.0)
    wanted_w = asked_w
    if asked_w > most_w:
        # wanted = pv (1 - steep (wanted / most - 1)) - load, solved for what is wanted
        steep = limits.droop_hz / limits.fade_hz
        wanted_w = (pv_w * (1.0 + steep) - load_w) / (1.0 + pv_w * steep / most_w)
    power_w = _held(at, wanted_w, world)
    flows.curtailed_w[at] = max(asked_w - power_w, 0.0)
    flows.unserved_w[at] = max(power_w - asked_w, 0.0)


@compiled
def _held(at: tuple[int, int], wanted_w: float, world: World) -> float:
    """Charge or discharge as far as physics allows and return the terminal power. [W]"""
    (home, step), limits, flows = at, world.limits, world.flows
    eta_c, eta_d, step_h = limits.eta_c[home], limits.eta_d[home], limits.step_h
    most_w, stored_wh = limits.cell_power_w[home], flows.stored_wh[at]
    wanted_cell_w = wanted_w * eta_c if wanted_w >= 0 else wanted_w / eta_d
    cell_w = min(max(wanted_cell_w, -most_w), most_w)
    # a battery found outside of what physics allows may come back, but goes no further
    room_wh = max(limits.high_wh[home] - stored_wh, 0.0)
    left_wh = max(stored_wh - limits.low_wh[home], 0.0)
    cell_w = min(max(cell_w, -left_wh / step_h), room_wh / step_h)
    power_w = wanted_w
    if cell_w != wanted_cell_w:
        power_w = cell_w / eta_c if cell_w >= 0 else cell_w * eta_d
    flows.stored_wh[home, step + 1] = stored_wh + cell_w * step_h
    flows.battery_power_w[at] = power_w
    return power_w
