"""Notices an order that stands and that the battery does not do any more."""

from typing import Final

from devices.clock import Clock
from devices.error_codes import code_of
from devices.errors import DeviceError
from hems.agent.orders import GivenUp, Order
from hems.agent.steering.wish import Why, Wish

BROKEN_S: Final = 60.0
"""How long the battery may not do what an order says, until the order is given up. [s]"""
_AS_ORDERED: Final[tuple[Why, ...]] = ("order", "reserve")
_WORDS: Final[dict[Why, str]] = {
    "no meter": "no meter answers, so the battery is stopped",
    "island": "the house is an island, where the battery takes the balance",
}


class OrderWatch:
    """Say once that an order has to be given up: an outcome of ``done`` must not stay a lie.

    Parameters
    ----------
    clock : Clock
        The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._name: str | None = None
        self._done_s = 0.0

    def see(self, order: Order | None, wish: Wish, trouble: DeviceError | None) -> GivenUp | None:
        """Take up what a device cycle came to; return the order if it is to be given up.

        Parameters
        ----------
        order : Order, optional
            What stands.
        wish : Wish
            What the battery was told.
        trouble : DeviceError, optional
            Why it does not do that.
        """
        now_s = self._clock.monotonic_s()
        name = None if order is None else order.correlation_id
        if name != self._name or (trouble is None and _as_ordered(order, wish)):
            self._name, self._done_s = name, now_s
        if name is None or now_s - self._done_s < BROKEN_S:
            return None
        code = "unavailable" if trouble is None else code_of(trouble)
        cause = (
            _WORDS.get(wish.why, "the battery was not reached") if trouble is None else str(trouble)
        )
        reason = f"it was begun, and not done any more for {BROKEN_S:g} s: {cause}"
        return GivenUp(correlation_id=name, code=code, reason=reason)


def _as_ordered(order: Order | None, wish: Wish) -> bool:
    """Return whether a wish is what an order says: without a meter that is standby alone."""
    stands_by = order is not None and order.battery_power_w == wish.battery_power_w == 0.0
    return stands_by or wish.why in _AS_ORDERED
