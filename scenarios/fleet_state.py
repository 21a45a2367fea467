"""What a fleet carries from one simulated day to the next."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.past import Past


@dataclass(slots=True, kw_only=True)
class FleetState:
    """Batteries, meters and last answers; members are the homes, then the plant."""

    stored_wh: FloatArray
    """Energy in the cells, shape (homes,). [Wh]"""
    net_export_wh: FloatArray
    """Export less import as metered since the beginning, shape (members,). [Wh]"""
    reported_wh: IntArray
    """Sum of all that was reported, or given up, shape (members,). [Wh]"""
    at_answer_wh: FloatArray
    """Net export that the last answer knows of, shape (members,). [Wh]"""
    export_weight: FloatArray
    """w_e^k of the last answer, shape (homes,), 0..1."""
    import_weight: FloatArray
    """w_i^k of the last answer, shape (homes,), 0..1."""
    weighed: BoolArray
    """Whose battery the contract counts in its weights, shape (homes,)."""
    plant_power_w: float
    """The plant's mean export between its last two reports. [W]"""
    past: Past
    """What homes measured before the day that is, or comes next."""

    @classmethod
    def fresh(cls, *, stored_wh: FloatArray, past: Past) -> "FleetState":
        """Return the state of a fleet that never reported."""
        homes = stored_wh.shape[0]
        return cls(
            stored_wh=stored_wh,
            net_export_wh=np.zeros(homes + 1),
            reported_wh=np.zeros(homes + 1, dtype=np.int64),
            at_answer_wh=np.zeros(homes + 1),
            export_weight=np.zeros(homes),
            import_weight=np.zeros(homes),
            weighed=np.zeros(homes, dtype=np.bool_),
            plant_power_w=0.0,
            past=past,
        )
