"""What the fleet's promise asks of a home now: the contract's answer, or the schedule."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from contracts.promise import SOC_BP_MAX, WEIGHT_PPB, Schedule
from hems.agent.ledger.account import Answered
from hems.agent.ledger.memory import LedgerMemory
from hems.agent.standing import Standing
from hems.see import owed_export_wh

_SCHEDULE: Final = "schedule"
_ANSWER: Final = "answer"
_LEAST_S: Final = 30.0
"""Over how short a time a plant's power is told. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What was promised of one interval."""

    soc_bp: int
    """SoC^{t,A}. [bp]"""
    commitment_wh: int
    """E_c. [Wh]"""
    steered: bool
    """S^t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The contract's last answer."""

    interval: int
    """Number of the interval that it is of."""
    answered_s: float
    """When it came. [s since 1970]"""
    known_wh: float
    """The home's running total up to what it knows of. [Wh]"""
    remaining_wh: int
    """RE^{t,A}. [Wh]"""
    export_weight: float
    """w_e^k, 0..1."""
    import_weight: float
    """w_i^k, 0..1."""
    plant_wh: int = 0
    """The plant's net export in the interval so far. [Wh]"""
    plant_w: float = 0.0
    """The plant's mean export before it. [W]"""


class Promise:
    """What is known of the fleet's promise, kept through restarts.

    Parameters
    ----------
    memory : LedgerMemory
        Where it is kept.
    interval_s : int
        Length of a market interval. [s]
    capacity_share : float, optional
        This home's share until the contract has told a weight.

    Notes
    -----
    In an interval in which the contract has answered, the home owes by Couraud 2021, eq. (7), from
    that answer on (`hems.see.owed_export_wh`). Before, and while the ledger is away, all that the
    interval's schedule commits is owed by the whole fleet from its beginning, and the home's share
    of it is the weight that it had last: weights follow from everybody's state of charge, which
    changes little in an interval. A home that has never had a weight takes its share of the fleet's
    capacity, a setting: the contract has no sum of capacities, and to learn it from everybody's
    enrolment would have each home read the events of the whole fleet.
    """

    def __init__(
        self, memory: LedgerMemory, *, interval_s: int, capacity_share: float | None = None
    ) -> None:
        self._memory = memory
        self._interval_s = interval_s
        self._capacity_share = capacity_share
        slots: dict[str, Any] = memory.get(_SCHEDULE) or {}
        self._slots = {int(interval): Slot(**slot) for interval, slot in slots.items()}
        found = memory.get(_ANSWER)
        self._asked = None if found is None else Asked(**found)

    def published(self, schedules: Sequence[Schedule]) -> None:
        """Take up the schedule, in parts; what was known otherwise is forgotten."""
        self._slots = {
            interval: Slot(soc_bp=soc_bp, commitment_wh=commitment_wh, steered=steered)
            for each in schedules
            for interval, soc_bp, commitment_wh, steered in zip(
                each.grid.intervals, each.soc_bp, each.commitment_wh, each.steered, strict=True
            )
        }
        self._keep_slots()

    def answered(self, answer: Answered, *, known_wh: float, utc_s: float) -> bool:
        """Take up an answer; return whether the schedule that we had says the same.

        Parameters
        ----------
        answer : Answered
            The answer.
        known_wh : float
            The running total up to what it knows of. [Wh]
        utc_s : float
            The time now. [s since 1970]
        """
        told, before = answer.coordination, self._asked
        plant_wh = answer.plant_wh or 0
        self._asked = Asked(
            interval=answer.interval,
            answered_s=utc_s,
            known_wh=known_wh,
            remaining_wh=told.remaining_export_wh,
            export_weight=told.export_weight_ppb / WEIGHT_PPB,
            import_weight=told.import_weight_ppb / WEIGHT_PPB,
            plant_wh=plant_wh,
            plant_w=self._plant_w(before, answer.interval, plant_wh, utc_s),
        )
        self._memory.put(_ANSWER, asdict(self._asked))
        slot = Slot(soc_bp=told.soc_bp, commitment_wh=told.commitment_wh, steered=told.steered)
        same = self._slots.get(answer.interval) == slot
        if not same:
            self._slots[answer.interval] = slot
            self._keep_slots()
        return same

    def standing(self, utc_s: float, *, total_wh: float, begun_wh: float) -> Standing:
        """Return what is asked now, without what was earned and reported.

        Parameters
        ----------
        utc_s : float
            The time. [s since 1970]
        total_wh : float
            The home's running total now. [Wh]
        begun_wh : float
            The same when the interval began. [Wh]
        """
        interval = int(utc_s // self._interval_s)
        slot, asked = self._slots.get(interval), self._asked
        if slot is None:
            return Standing(source="none")
        if asked is not None and asked.interval == interval:
            source, now = "answer", asked
        else:
            source, now = "schedule", self._unasked(interval, slot, begun_wh)
        owed_wh = owed_export_wh(
            remaining_export_wh=np.array([float(now.remaining_wh)]),
            export_weight=np.array([now.export_weight]),
            import_weight=np.array([now.import_weight]),
            exported_since_wh=np.array([total_wh - now.known_wh]),
            promised=slot.commitment_wh > 0,
            steered=slot.steered,
            unsteered_wh=now.plant_w
            * max((interval + 1) * self._interval_s - now.answered_s, 0.0)
            / 3600,
        )
        return Standing(
            source="answer" if source == "answer" else "schedule",
            steered=slot.steered,
            soc_target=slot.soc_bp / SOC_BP_MAX,
            commitment_wh=slot.commitment_wh,
            owed_wh=float(owed_wh[0]),
        )

    def _unasked(self, interval: int, slot: Slot, begun_wh: float) -> Asked:
        """Return what holds of an interval without an answer: all of its promise is owed."""
        before, share = self._asked, self._capacity_share or 0.0
        return Asked(
            interval=interval,
            answered_s=interval * self._interval_s,
            known_wh=begun_wh,
            remaining_wh=slot.commitment_wh,
            export_weight=share if before is None else before.export_weight,
            import_weight=share if before is None else before.import_weight,
            plant_w=0.0 if before is None else before.plant_w,
        )

    def _plant_w(self, before: Asked | None, interval: int, plant_wh: int, utc_s: float) -> float:
        """Return the plant's mean export since the last answer, or the interval's begin. [W]"""
        same = before is not None and before.interval == interval
        since_s, since_wh = interval * self._interval_s * 1.0, 0
        if before is not None and same:
            since_s, since_wh = before.answered_s, before.plant_wh
        if utc_s - since_s >= _LEAST_S:
            return (plant_wh - since_wh) * 3600 / (utc_s - since_s)
        return 0.0 if before is None else before.plant_w

    def _keep_slots(self) -> None:
        self._memory.put(_SCHEDULE, {str(each): asdict(slot) for each, slot in self._slots.items()})
