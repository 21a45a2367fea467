"""A lithium cell in compiled code: voltage over charge, the current that a power takes, its warmth.

Per cell; a current that charges is positive (§3).
"""

from typing import NamedTuple

import numpy as np

from devices.arrays import FloatArray
from hems.mpc_kernel import compiled

STEPS_MAX = 20
"""Newton steps for a current; three to five are usual."""
NEAR_W = 1e-12
"""Power of a cell that counts as reached. [W]"""
SLOPE_A = 1e-4
"""Difference of current that its slope is taken over. [A]"""
LEAST_SLOPE_V = 0.1
"""Where a cell is nearly empty, more current may bring no more power; then steps stay short. [V]"""


class Cells(NamedTuple):
    """Numbers of a cell that do not change in a run; see `scenarios.dispatch.plant.Cell`."""

    E0: float
    """Constant voltage. [V]"""
    K: float
    """Polarisation voltage. [V]"""
    A: float
    """Height of the exponential stretch. [V]"""
    B: float
    """Inverse of its width. [1/Ah]"""
    R: float
    """Inner resistance. [Ω]"""
    empty_v: float
    """Voltage of an empty cell, 0 if the charge alone ends it. [V]"""
    c_rate: float
    """Current of the data sheet over the charge. [1/h]"""
    full_ah: float
    """Charge of a full new cell. [Ah]"""
    number: float
    """Cells in the battery; any number > 0."""
    strings: float
    """Cells side by side, whose currents add up."""
    room_c: float
    """Temperature around. [°C]"""
    kelvin_per_a2: float
    """Rise of temperature at rest over the square of the battery's current. [K/A²]"""
    keeps: float
    """Share of a rise that is left after a step."""
    mean_keeps: float
    """Its mean over the step."""


class Warmth(NamedTuple):
    """How much of a cell's charge is there; apart, since arrays make a call slow."""

    temperatures_c: FloatArray
    """Temperatures, rising. [°C]"""
    capacity: FloatArray
    """Share of the charge that is there."""


class Held(NamedTuple):
    """What a cell holds."""

    charge_ah: float
    """Charge. [Ah]"""
    full_ah: float
    """Charge of a full one. [Ah]"""
    wide_ah: float
    """Q*: charge at which the polarisation would be infinite. [Ah]"""


class Wish(NamedTuple):
    """What a cell shall take in a step."""

    power_w: float
    """Power. [W]"""
    low_a: float
    """Lowest current that limits allow, <= 0. [A]"""
    high_a: float
    """Highest current that limits allow, >= 0. [A]"""
    step_h: float
    """Length of the step. [h]"""


@compiled
def held(cells: Cells, charge_ah: float, full_ah: float) -> Held:
    """Return what a cell holds, with Q* for its age."""
    if cells.empty_v == 0:
        return Held(charge_ah, full_ah, full_ah)
    bottom = cells.A * np.exp(-cells.B * full_ah)
    at_rate = cells.R * full_ah * cells.c_rate
    c = (cells.E0 - cells.empty_v - at_rate + bottom) / cells.K
    return Held(charge_ah, full_ah, full_ah + full_ah / (c - 1))


@compiled
def voltage(cells: Cells, of: Held, ampere: float, step_h: float) -> float:
    """Return the voltage of a cell after a current has flowed for a step, while it flows. [V]

    Notes
    -----
    Tremblay 2009, as SAM has it: V = E0 − K·Q*/(Q* − it) + A·exp(−B·it) − R·I, it = Q − q; the
    current here is the other way round.
    """
    it = of.full_ah - of.charge_ah - ampere * step_h
    flat = cells.E0 - cells.K * of.wide_ah / (of.wide_ah - it)
    return float(max(flat + cells.A * np.exp(-cells.B * it) + cells.R * ampere, 0.0))


@compiled
def current(cells: Cells, of: Held, wish: Wish) -> float:
    """Return the current by which a cell takes a power, as far as limits allow. [A]"""
    power_w, step_h = wish.power_w, wish.step_h
    if power_w == 0:
        return 0.0
    ampere, before = min(max(power_w / cells.E0, wish.low_a), wish.high_a), np.inf
    for _ in range(STEPS_MAX):
        miss = ampere * voltage(cells, of, ampere, step_h) - power_w
        if abs(miss) < NEAR_W or ampere == before:
            break
        near = ampere + SLOPE_A
        slope = (near * voltage(cells, of, near, step_h) - power_w - miss) / SLOPE_A
        before = ampere
        ampere -= miss / max(slope, LEAST_SLOPE_V)
        ampere = min(max(ampere, wish.low_a), wish.high_a)
    return ampere


@compiled
def warmed(cells: Cells, warm_k: float, ampere: float) -> tuple[float, float]:
    """Return the rise of temperature after a step, and its mean over the step. [K]"""
    rest_k = cells.kelvin_per_a2 * (ampere * cells.strings) ** 2
    after = (warm_k - rest_k) * cells.keeps + rest_k
    return after, (warm_k - rest_k) * cells.mean_keeps + rest_k


@compiled
def warm_share(warmth: Warmth, celsius: float) -> float:
    """Return the share of the charge that is there at a temperature."""
    at, left = warmth.temperatures_c, warmth.capacity
    above = 1
    while above < at.size - 1 and at[above] < celsius:
        above += 1
    share = (celsius - at[above - 1]) / (at[above] - at[above - 1])
    share = min(max(share, 0.0), 1.0)
    return float(min(left[above - 1] + share * (left[above] - left[above - 1]), 1.0))
