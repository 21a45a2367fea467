"""What a home's controller sees and answers; every array has one row per home (§5)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.errors import ControlInputError

BLOCK_MIN_S = 1.0
"""Shortest block: clocks of homes and ledger count whole seconds. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that homes know when they decide.

    Raises
    ------
    ControlInputError
        If a shape is wrong, a value is not finite or out of its range.
    """

    bank: BatteryBank
    """Ratings of the batteries, shape (homes,)."""
    stored_wh: FloatArray
    """Energy in the cells, shape (homes,). [Wh]"""
    block_s: FloatArray
    """Lengths of the blocks ahead up to the end of the market interval, shape (blocks,). [s]

    Block 0 is the step that the decision is for.
    """
    load_w: FloatArray
    """Expected load of each block, shape (homes, blocks). [W]"""
    pv_w: FloatArray
    """Expected production of each block, shape (homes, blocks). [W]"""
    import_price_per_mwh: float
    """Retail price of import, π_i. [currency/MWh]"""
    export_price_per_mwh: float
    """Market price of export, π_e. [currency/MWh]"""
    import_limit_w: FloatArray
    """Grid cap on import, shape (homes,). [W]"""
    export_limit_w: FloatArray
    """Grid cap on export, shape (homes,). [W]"""
    remaining_export_wh: FloatArray
    """RE^{t,k}: net export the home still owes, eq. (7), shape (homes,). [Wh]"""
    steered: BoolArray
    """S^t, shape (homes,)."""
    soc_target: FloatArray
    """SoC^{t,A}, shape (homes,), 0..1."""

    def __post_init__(self) -> None:
        homes, blocks = self.bank.homes, self.block_s.shape[0]
        if blocks == 0:
            msg = "observation: no block ahead; observe before the market interval ends"
            raise ControlInputError(msg)
        _check("block_s", self.block_s, (blocks,), low=BLOCK_MIN_S)
        for name in ("load_w", "pv_w"):
            _check(name, getattr(self, name), (homes, blocks), low=0.0)
        for name in ("import_limit_w", "export_limit_w", "stored_wh"):
            _check(name, getattr(self, name), (homes,), low=0.0)
        _check("soc_target", self.soc_target, (homes,), low=0.0, high=1.0)
        _check("steered", self.steered.astype(np.float64), (homes,), low=0.0)
        _check("remaining_export_wh", self.remaining_export_wh, (homes,), low=-np.inf)
        prices = np.array([self.import_price_per_mwh, self.export_price_per_mwh])
        _check("price", prices, (2,), low=-np.inf)
        if np.any(self.stored_wh > self.bank.capacity_wh * (1 + 1e-9)):
            home = int(np.argmax(self.stored_wh - self.bank.capacity_wh))
            msg = (
                f"observation: home {home} stores {self.stored_wh[home]:g} Wh, more than its "
                f"capacity of {self.bank.capacity_wh[home]:g} Wh; correct the rating"
            )
            raise ControlInputError(msg)


def _check(
    name: str, values: FloatArray, shape: tuple[int, ...], *, low: float, high: float = np.inf
) -> None:
    """Raise for the first value that a controller cannot use."""
    if values.shape != shape:
        msg = f"observation: {name} has shape {values.shape}, expected {shape}"
        raise ControlInputError(msg)
    bad = np.argwhere(~(np.isfinite(values) & (values >= low) & (values <= high)))
    if bad.size:
        place = tuple(int(i) for i in bad[0])
        msg = f"observation: {name}{list(place)} is {values[place]:g}; reject the sample before"
        raise ControlInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What each battery shall do until the next decision."""

    follow: BoolArray
    """True: follow residual demand each device cycle; False: hold ``battery_power_w``."""
    battery_power_w: FloatArray
    """Set-point at the terminals, > 0 charges, shape (homes,); used where not following. [W]"""
    proved: BoolArray
    """True where the decision is a proved optimum of its controller's problem."""
    cap_excess_wh: FloatArray
    """Energy by which block 0 is expected to exceed a grid cap, shape (homes,). [Wh]"""
    relay_closed: BoolArray | None = None
    """True: stay on the grid; False: run as an island, where the battery takes what the balance
    leaves, shape (homes,). None: the controller leaves the relay alone, which stays closed."""


class Controller(Protocol):
    """Decides for all homes at once; pure and synchronous."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        ...


def set_point_w(decision: Decision, load_w: FloatArray, pv_w: FloatArray) -> FloatArray:
    """Return the terminal power to ask of each battery in one device cycle.

    Parameters
    ----------
    decision : Decision
        The standing decision.
    load_w, pv_w : FloatArray, shape (homes,)
        What the meter reads now. [W]

    Returns
    -------
    FloatArray, shape (homes,)
        Set-point, > 0 charges; the battery's own limits still apply. [W]

    Notes
    -----
    Couraud 2021, eq. (8)-(9). At the terminals (§3) following is simply pv − load; the equation's
    η turns it into power at the cells.
    """
    return np.where(decision.follow, pv_w - load_w, decision.battery_power_w)
