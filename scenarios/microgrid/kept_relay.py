"""A controller whose relay has inertia, with its memory: what `model.simulate` asks each cycle."""

from dataclasses import dataclass, field

from devices.arrays import BoolArray, FloatArray
from hems.fuzzy.relay import RelayState, SteadyEdge


@dataclass(slots=True, kw_only=True)
class KeptRelay:
    """Remembers where relays stand; one for each run. See `scenarios.microgrid.model`."""

    steady: SteadyEdge
    """What decides."""
    cycle_s: float
    """Time between two calls. [s]"""
    state: RelayState | None = field(default=None, init=False)
    """Where relays stand; None before the first call."""

    def edge(
        self, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return set-points and relays, and remember these; all relays begin closed."""
        before = self.state or RelayState.closed_for_long(soc.shape)
        power_w, self.state = self.steady.edge(
            before, power_balance_w, soc, price_level, elapsed_s=self.cycle_s
        )
        return power_w, self.state.closed
