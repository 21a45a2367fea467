"""What a home's controller sees and answers; every array has one row per home (§5)."""

from dataclasses import dataclass
from typing import Protocol

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that homes know when they decide."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What each battery shall do until the next decision."""

    follow: BoolArray
    """True: follow residual demand each device cycle; False: hold ``battery_power_w``."""
    battery_power_w: FloatArray
    """Set-point at the terminals, > 0 charges, shape (homes,). [W]"""
    proved: BoolArray
    """True where the decision is a proved optimum of its controller's problem."""
    broken_wh: FloatArray
    """Energy by which the expected plan exceeds a grid cap, shape (homes,). [Wh]"""


class Controller(Protocol):
    """Decides for all homes at once; pure and synchronous."""

    def decide(self, seen: Observation) -> Decision:
        """Return the set-points for block 0."""
        ...
