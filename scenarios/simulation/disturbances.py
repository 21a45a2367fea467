"""What keeps a fleet from being ideal: slow, lost and missing messages, batteries with limits."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from scenarios.errors import ScenarioInputError

LOST, OFFLINE = 1, 2
"""Kinds of draws: each has streams of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbances:
    """What goes wrong in a simulated fleet; nothing by default.

    Raises
    ------
    ScenarioInputError
        If a number is out of its range.
    """

    latency_s: int = 0
    """Time from a home's reading to the contract, and so the age of its answer, < t_sc. [s]"""
    lost_share: float = 0.0
    """Part of the exchanges that fail: no report arrives, the home keeps its last answer, 0..1."""
    offline_share: float = 0.0
    """Part of the homes without a connection, drawn anew for each day, 0..1.

    Such a home follows its residual demand, and what it exports meanwhile is never reported.
    """
    power_cap_w: float | None = None
    """Terminal power that batteries do not exceed and controllers do not know of. [W]"""
    deadband_w: float = 0.0
    """A set-point smaller than this leaves a battery idle. [W]"""
    quantum_w: float = 0.0
    """Step that batteries round a set-point to, the nearest; 0 for none. [W]"""

    def __post_init__(self) -> None:
        if self.latency_s < 0:
            msg = f"latency of {self.latency_s} s: choose 0 or more, below t_sc"
            raise ScenarioInputError(msg)
        for name in ("lost_share", "offline_share"):
            if not 0 <= getattr(self, name) <= 1:
                msg = f"{name} of {getattr(self, name)}: choose a share in 0..1"
                raise ScenarioInputError(msg)
        for name in ("deadband_w", "quantum_w"):
            if not 0 <= getattr(self, name) < np.inf:
                msg = f"{name} of {getattr(self, name)}: choose a power >= 0"
                raise ScenarioInputError(msg)
        if self.power_cap_w is not None and not 0 < self.power_cap_w < np.inf:
            msg = f"power cap of {self.power_cap_w} W: choose a power > 0, or None for no cap"
            raise ScenarioInputError(msg)

    def limited_w(self, wanted_w: FloatArray) -> FloatArray:
        """Return what batteries make of set-points at their terminals, shape (homes,). [W]"""
        asked_w = wanted_w
        if self.quantum_w:
            asked_w = np.rint(asked_w / self.quantum_w) * self.quantum_w
        if self.deadband_w:
            asked_w = np.where(np.abs(asked_w) < self.deadband_w, 0.0, asked_w)
        if self.power_cap_w is not None:
            asked_w = np.clip(asked_w, -self.power_cap_w, self.power_cap_w)
        return asked_w

    def offline(self, *, seed: int, day: int, homes: int) -> BoolArray:
        """Return which homes have no connection on a day, shape (homes,).

        Parameters
        ----------
        seed : int
            The run's seed.
        day : int
            Ordinal of the day's date.
        homes : int
            Number of homes.
        """
        return _drawn(self.offline_share, (OFFLINE, day), seed=seed, homes=homes)

    def lost(self, *, seed: int, day: int, minute: int, homes: int) -> BoolArray:
        """Return whose exchange at a minute of a day fails; the rest is as for `offline`."""
        return _drawn(self.lost_share, (LOST, day, minute), seed=seed, homes=homes)


def _drawn(share: float, stream: tuple[int, ...], *, seed: int, homes: int) -> BoolArray:
    """Draw from a stream that depends on nothing drawn before: a resumed run draws the same."""
    if not share:
        return np.zeros(homes, dtype=np.bool_)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))
    return rng.random(homes) < share
