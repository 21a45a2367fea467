"""What a home knows of its fleet's promise at a moment, as its controller and its owner need it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger, or without it the last schedule, asks of this home now."""

    source: Literal["answer", "schedule", "none"]
    """Whether the contract answered in this interval, only the schedule is known, or nothing."""
    steered: bool = False
    """S^t."""
    soc_target: float = 0.0
    """SoC^{t,A}, 0..1."""
    commitment_wh: int = 0
    """E_c of the fleet in this interval. [Wh]"""
    owed_wh: float = 0.0
    """RE^{t,k}: net export that this home still owes in this interval. [Wh]"""
    earned_micro: int | None = None
    """What the settlement contract holds for it or has paid; None where unknown. [micro]"""
    reported_wh: int = 0
    """Net export reported since the gateway began, as the contract took it. [Wh]"""
    unreported_wh: float = 0.0
    """Net export metered since then and not yet taken by the contract. [Wh]"""
