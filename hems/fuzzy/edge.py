"""What a controller at the edge works within and answers: battery power and the grid relay."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Decision, Observation
from hems.errors import ControlInputError

NOMINAL_V: Final = 48.0
"""A lead-acid bank's voltage, constant (Habib 2023, eq. 3). [V]"""
ROUNDS_UP: Final = 0.5
"""A relay's value from here on is rounded to closed."""
MEDIUM: Final = 0.5
"""Place of a price where all prices are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What battery and inverter may do in one cycle, eq. (4) and (5); numbers, or arrays of homes.

    Arrays are of any shape that goes with that of the inputs: (homes, 1) with (homes, times).
    """

    charge_max_w: FloatArray | float
    """Greatest power into the terminals, >= 0. [W]"""
    discharge_max_w: FloatArray | float
    """Greatest power out of the terminals, >= 0. [W]"""
    capacity_wh: FloatArray | float
    """Nominal capacity, > 0. [Wh]"""
    soc_min: FloatArray | float
    """Lower end of the window, 0..1."""
    soc_max: FloatArray | float
    """Upper end, soc_min..1."""
    cycle_s: float
    """Time from one decision to the next, > 0. [s]"""
    charge_efficiency: FloatArray | float = 1.0
    """Cells over terminals, 0 < η <= 1."""
    discharge_efficiency: FloatArray | float = 1.0
    """Terminals over cells, 0 < η <= 1."""

    @classmethod
    def of_bank(cls, bank: BatteryBank, cycle_s: float) -> "Limits":
        """Return the limits of a fleet's batteries, shape (homes,)."""
        return cls(
            charge_max_w=bank.power_max_w / bank.charge_efficiency,
            discharge_max_w=bank.power_max_w * bank.discharge_efficiency,
            capacity_wh=bank.capacity_wh,
            soc_min=bank.soc_min,
            soc_max=bank.soc_max,
            cycle_s=cycle_s,
            charge_efficiency=bank.charge_efficiency,
            discharge_efficiency=bank.discharge_efficiency,
        )

    def bounds_w(self, soc: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the least and the greatest power that keep both constraints for a cycle. [W]

        Notes
        -----
        A battery found outside its window may come back in any time, but goes no further out.
        """
        wh = self.capacity_wh / (self.cycle_s / 3600)
        room_w = np.maximum(self.soc_max - soc, 0.0) * wh / self.charge_efficiency
        left_w = np.maximum(soc - self.soc_min, 0.0) * wh * self.discharge_efficiency
        least_w: FloatArray = -np.minimum(left_w, self.discharge_max_w)
        most_w: FloatArray = np.minimum(room_w, self.charge_max_w)
        return least_w, most_w


PAPER_LIMITS: Final = Limits(
    charge_max_w=4_000.0,
    discharge_max_w=4_000.0,
    capacity_wh=546.0 * NOMINAL_V,
    soc_min=0.5,
    soc_max=0.9,
    cycle_s=600.0,
)
"""Habib 2023, section 4; eq. (5) counts no losses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBand:
    """The lowest and the highest of the prices that are known, such as those of a day ahead."""

    low_per_mwh: float
    """Lowest price. [currency/MWh]"""
    high_per_mwh: float
    """Highest price. [currency/MWh]"""

    def __post_init__(self) -> None:
        if not -np.inf < self.low_per_mwh <= self.high_per_mwh < np.inf:
            msg = (
                f"prices from {self.low_per_mwh:g} to {self.high_per_mwh:g}: give the lowest first"
            )
            raise ControlInputError(msg)

    @classmethod
    def of(cls, price_per_mwh: FloatArray) -> "PriceBand":
        """Return the band of some prices."""
        return cls(low_per_mwh=float(price_per_mwh.min()), high_per_mwh=float(price_per_mwh.max()))

    def level(self, price_per_mwh: FloatArray) -> FloatArray:
        """Return the places of prices in the band, 0 lowest to 1 highest; 0.5 where all are one."""
        width = self.high_per_mwh - self.low_per_mwh
        if not width > 0:
            return np.full(np.shape(price_per_mwh), MEDIUM)
        return np.clip((price_per_mwh - self.low_per_mwh) / width, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What rules ask for, before a relay's inertia; arrays of the inputs' shape."""

    battery_power_w: FloatArray
    """Set-point on the grid, > 0 charges. [W]"""
    closed: FloatArray
    """The relay, 0 open to 1 closed, before rounding."""
    must_close: BoolArray
    """Where an island would break eq. (4) or (5) within the cycle."""


class EdgeRules(Protocol):
    """Rules for battery and relay; pure."""

    def wish(
        self, limits: Limits, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> Wish:
        """Return what the rules ask for.

        Parameters
        ----------
        limits : Limits
            What the equipment may do.
        power_balance_w : FloatArray
            Production less load, ΔP. [W]
        soc : FloatArray
            State of charge, 0..1.
        price_level : FloatArray
            Place of the price in its band, 0..1.
        """
        ...


def follow_wish(wish: Wish, power_balance_w: FloatArray, relay_closed: BoolArray) -> FloatArray:
    """Return the battery's power with the relay as it is; an island's takes the balance. [W]"""
    return np.where(relay_closed, wish.battery_power_w, power_balance_w)


def rounded(wish: Wish) -> BoolArray:
    """Return whether the relay is to be closed: rounded, and where an island cannot be."""
    return wish.must_close | (wish.closed >= ROUNDS_UP)


def current_a(battery_power_w: FloatArray) -> FloatArray:
    """Return the current of a battery's power, > 0 charges; Habib 2023, eq. (3). [A]"""
    return battery_power_w / NOMINAL_V


def decide_by(rules: EdgeRules, seen: Observation, band: PriceBand | None) -> Decision:
    """Return a fleet's decision by rules for the edge; without a band prices count as medium.

    Notes
    -----
    On the grid the set-point also stays within the connection's caps, as far as the battery can.
    """
    limits = Limits.of_bank(seen.bank, float(seen.block_s[0]))
    balance_w = seen.pv_w[:, 0] - seen.load_w[:, 0]
    price = np.full(seen.bank.homes, seen.import_price_per_mwh)
    level = np.full(seen.bank.homes, MEDIUM) if band is None else band.level(price)
    wish = rules.wish(limits, balance_w, seen.stored_wh / seen.bank.capacity_wh, level)
    closed = rounded(wish)
    within_w = np.clip(
        wish.battery_power_w, balance_w - seen.export_limit_w, balance_w + seen.import_limit_w
    )
    least_w, most_w = limits.bounds_w(seen.stored_wh / seen.bank.capacity_wh)
    power_w = np.where(closed, np.clip(within_w, least_w, most_w), balance_w)
    grid_w = power_w - balance_w
    over_w = np.maximum(grid_w - seen.import_limit_w, -grid_w - seen.export_limit_w)
    return Decision(
        follow=~closed,
        battery_power_w=power_w,
        proved=np.zeros(seen.bank.homes, dtype=np.bool_),
        cap_excess_wh=np.maximum(over_w, 0.0) * limits.cycle_s / 3600,
        relay_closed=closed,
    )
