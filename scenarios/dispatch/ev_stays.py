"""The steps that charging sessions may use, side by side in flat arrays, and their powers."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.dispatch.ev_sessions import ChargingSessions
from scenarios.errors import ScenarioInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """Sessions on a grid of steps."""

    begins: IntArray
    """Where each session's places begin, and the end of all, shape (sessions + 1,)."""
    step: IntArray
    """Step of each place, shape (places,)."""
    limit_w: FloatArray
    """Greatest mean power of each place: a step is used for the part that the car stays. [W]"""
    energy_wh: FloatArray
    """What each session gets: what it wants, or all that fits, shape (sessions,). [Wh]"""
    short_wh: FloatArray
    """What cannot be charged in time, shape (sessions,). [Wh]"""
    steps: int
    """Number of steps."""
    step_s: int
    """Length of a step. [s]"""

    @classmethod
    def of(cls, sessions: ChargingSessions, *, step_s: int, steps: int) -> Self:
        """Return sessions on steps from second 0 on.

        Raises
        ------
        ScenarioInputError
            If a session reaches beyond the steps.
        """
        outside = (sessions.arrive_s < 0) | (sessions.depart_s > steps * step_s)
        if outside.any():
            row = int(np.argmax(outside))
            msg = (
                f"charging session {row + 1} stays from {sessions.arrive_s[row]:g} s to "
                f"{sessions.depart_s[row]:g} s; give sessions within 0 to {steps * step_s} s"
            )
            raise ScenarioInputError(msg)
        first = (sessions.arrive_s // step_s).astype(np.int64)
        last = np.ceil(sessions.depart_s / step_s).astype(np.int64)
        begins = np.concatenate([[0], np.cumsum(last - first)])
        owner = np.repeat(np.arange(sessions.count), last - first)
        step = np.arange(begins[-1]) - begins[owner] + first[owner]
        until_s = np.minimum(sessions.depart_s[owner], (step + 1) * step_s)
        share = (until_s - np.maximum(sessions.arrive_s[owner], step * step_s)) / step_s
        short_wh = sessions.short_wh()
        return cls(
            begins=begins,
            step=step,
            limit_w=share * sessions.power_max_w[owner],
            energy_wh=sessions.energy_wh - short_wh,
            short_wh=short_wh,
            steps=steps,
            step_s=step_s,
        )

    @property
    def owner(self) -> IntArray:
        """Session of each place, shape (places,)."""
        return np.repeat(np.arange(self.begins.size - 1), np.diff(self.begins))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartCharge:
    """How sessions are charged within their stays."""

    stays: Stays
    """The sessions."""
    power_w: FloatArray
    """Mean power of each place, shape (places,). [W]"""
    above_best_w: float = 0.0
    """No plan's load is lower than this one's by more at its peak; 0 is proved optimal. [W]"""

    @property
    def load_w(self) -> FloatArray:
        """All sessions together, shape (steps,). [W]"""
        load_w: FloatArray = np.zeros(self.stays.steps)
        np.add.at(load_w, self.stays.step, self.power_w)
        return load_w

    @property
    def energy_wh(self) -> FloatArray:
        """What each session got, shape (sessions,). [Wh]"""
        energy_wh: FloatArray = np.zeros(self.stays.energy_wh.size)
        np.add.at(energy_wh, self.stays.owner, self.power_w * (self.stays.step_s / 3600))
        return energy_wh

    @property
    def short_wh(self) -> FloatArray:
        """What no plan can give each session in its stay, shape (sessions,). [Wh]"""
        return self.stays.short_wh
