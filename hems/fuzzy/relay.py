"""A relay's inertia: it neither flutters about a threshold nor switches twice in a short time."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.errors import ControlInputError
from hems.fuzzy.edge import ROUNDS_UP, EdgeRules, Limits, Wish, follow_wish


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayState:
    """Where relays stand, and for how long; arrays have the shape of the inputs."""

    closed: BoolArray
    """Whether each is closed."""
    stood_s: FloatArray
    """Time since it last switched, >= 0. [s]"""

    @classmethod
    def closed_for_long(cls, shape: tuple[int, ...]) -> "RelayState":
        """Return relays that are closed and free to open."""
        return cls(closed=np.ones(shape, dtype=np.bool_), stood_s=np.full(shape, np.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayInertia:
    """Hysteresis and dwell of a relay; pure.

    Raises
    ------
    ControlInputError
        If a value is out of its range.

    Notes
    -----
    Beyond Habib 2023, whose relay follows the rounded output in every cycle. Safety comes first: a
    relay closes at once where an island would overload the inverter, over-charge the battery or run
    it empty, however short it has been open. It then stays closed for the dwell.
    """

    hysteresis: float = 0.2
    """Width of the band about one half in which a relay stays as it is, 0 <= width < 1."""
    dwell_s: float = 1_800.0
    """Least time between two switchings that rules ask for, >= 0. [s]"""

    def __post_init__(self) -> None:
        if not 0 <= self.hysteresis < 1:
            msg = f"hysteresis of {self.hysteresis:g}: choose a width from 0 to below 1"
            raise ControlInputError(msg)
        if not 0 <= self.dwell_s < np.inf:
            msg = f"dwell of {self.dwell_s:g} s: choose a time >= 0"
            raise ControlInputError(msg)

    def next(self, state: RelayState, wish: Wish, elapsed_s: float) -> RelayState:
        """Return where relays stand now.

        Parameters
        ----------
        state : RelayState
            Where they stood.
        wish : Wish
            What rules ask for now.
        elapsed_s : float
            Time since ``state``, >= 0. [s]
        """
        stood_s = state.stood_s + elapsed_s
        half = self.hysteresis / 2
        wanted = np.where(
            state.closed, wish.closed >= ROUNDS_UP - half, wish.closed >= ROUNDS_UP + half
        )
        settled = stood_s >= self.dwell_s
        closed = wish.must_close | np.where(settled, wanted, state.closed)
        return RelayState(closed=closed, stood_s=np.where(closed == state.closed, stood_s, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyEdge:
    """Rules for the edge with a relay that has inertia; the caller keeps its state."""

    rules: EdgeRules
    """What asks."""
    limits: Limits
    """What they work within."""
    inertia: RelayInertia = RelayInertia()
    """Of the relay."""

    def edge(
        self,
        state: RelayState,
        power_balance_w: FloatArray,
        soc: FloatArray,
        price_level: FloatArray,
        *,
        elapsed_s: float,
    ) -> tuple[FloatArray, RelayState]:
        """Return the battery's power, > 0 charges [W], and where the relay stands now.

        Parameters
        ----------
        state : RelayState
            Where it stood.
        power_balance_w, soc, price_level : FloatArray
            See `EdgeRules.wish`.
        elapsed_s : float
            Time since then. [s]
        """
        wish = self.rules.wish(self.limits, power_balance_w, soc, price_level)
        now = self.inertia.next(state, wish, elapsed_s)
        return follow_wish(wish, power_balance_w, now.closed), now
