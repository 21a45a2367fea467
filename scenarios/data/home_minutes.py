"""Minutes of some homes of a fleet, without what surrounds them."""

from dataclasses import dataclass

from devices.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeMinutes:
    """Minutes of consecutive homes of a fleet."""

    load_w: FloatArray
    """Load, >= 0, shape (homes, minutes). [W]"""
    pv_w: FloatArray
    """Production, >= 0, shape (homes, minutes). [W]"""
