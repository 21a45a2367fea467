"""What a fleet carries from one simulated day to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.simulation.past import Past


@dataclass(slots=True, kw_only=True)
class HomesState:
    """Batteries, meters and last answers of some homes; arrays have shape (homes,)."""

    stored_wh: FloatArray
    """Energy in the cells. [Wh]"""
    net_export_wh: FloatArray
    """Export less import as metered since the beginning. [Wh]"""
    reported_wh: IntArray
    """Sum of all that was reported, or given up. [Wh]"""
    at_answer_wh: FloatArray
    """Net export that the last answer knows of. [Wh]"""
    export_weight: FloatArray
    """w_e^k of the last answer, 0..1."""
    import_weight: FloatArray
    """w_i^k of the last answer, 0..1."""
    past: Past
    """What homes measured before the day that is, or comes next."""

    @classmethod
    def fresh(cls, *, stored_wh: FloatArray, past: Past) -> "HomesState":
        """Return the state of homes that never reported."""
        homes = stored_wh.shape[0]
        return cls(
            stored_wh=stored_wh.copy(),
            net_export_wh=np.zeros(homes),
            reported_wh=np.zeros(homes, dtype=np.int64),
            at_answer_wh=np.zeros(homes),
            export_weight=np.zeros(homes),
            import_weight=np.zeros(homes),
            past=past,
        )

    @classmethod
    def joined(cls, parts: Sequence["HomesState"]) -> "HomesState":
        """Return the state of consecutive homes together."""
        return cls(
            past=Past.joined([part.past for part in parts]),
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS},
        )

    def part(self, homes: slice) -> "HomesState":
        """Return the state of some homes, in arrays of its own."""
        return HomesState(
            past=self.past.part(homes),
            **{name: getattr(self, name)[homes].copy() for name in _ARRAYS},
        )


_ARRAYS = tuple(field.name for field in fields(HomesState) if field.name != "past")


@dataclass(slots=True, kw_only=True)
class ContractSide:
    """What the exchange with the contract remembers beside the homes."""

    weighed: BoolArray
    """Whose battery the contract counts in its weights, shape (homes,)."""
    plant_net_export_wh: float = 0.0
    """The plant's export since the beginning. [Wh]"""
    plant_reported_wh: int = 0
    """What of it was reported. [Wh]"""
    plant_power_w: float = 0.0
    """The plant's mean export between its last two reports. [W]"""

    @classmethod
    def fresh(cls, homes: int) -> "ContractSide":
        """Return the memory of a fleet that never reported."""
        return cls(weighed=np.zeros(homes, dtype=np.bool_))


@dataclass(slots=True, kw_only=True)
class FleetState:
    """All of it."""

    homes: HomesState
    """The homes."""
    contract: ContractSide
    """What is between them and the contract."""
