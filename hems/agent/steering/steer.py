"""The part of the agent that holds the battery: orders before decisions, within limits, safely."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryState, MeterState
from devices.clock import Clock
from devices.errors import DeviceError, DeviceRefusedError, DeviceUnavailableError
from hems.agent.orders import GivenUp, Order
from hems.agent.reading import Reading
from hems.agent.steering.equipment import Equipment
from hems.agent.steering.grip import Grip
from hems.agent.steering.island import IslandCase
from hems.agent.steering.order_book import OrderBook
from hems.agent.steering.order_watch import OrderWatch
from hems.agent.steering.reference import GridReference
from hems.agent.steering.relay import RelayKeeper
from hems.agent.steering.wish import Limits, Seen, Wish, wished
from hems.controller import Decision

LOST_S: Final = 10.0
"""How long the last reading of a silent meter or battery serves; then it is lost. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What steering works with."""

    equipment: Equipment
    """The devices."""
    grip: Grip
    """Tells the battery."""
    book: OrderBook
    """The order that stands, and the reserve."""
    reference: GridReference
    """Turns a wanted grid power into a battery power."""
    limits: Callable[[], Limits]
    """What no set-point goes beyond, as of now."""
    relay: RelayKeeper | None = None
    """Holds the transfer relay; None where the house stays on the grid."""
    alive: Callable[[], None] = lambda: None
    """Is called each time that all of this was seen to."""


class Steering:
    """See `hems.agent.orders.OrderDesk`; also a `hems.agent.reading.Listener`.

    Parameters
    ----------
    tools : Tools
        What it works with.
    hold_s : float
        How long a set-point outlives the decision behind it. [s]
    clock : Clock
        The time.
    """

    def __init__(self, tools: Tools, *, hold_s: float, clock: Clock) -> None:
        self._tools = tools
        self._hold_s = hold_s
        self._clock = clock
        self._decision: Decision | None = None
        self._decided_s = 0.0
        self._meter: tuple[float, MeterState] | None = None
        self._battery: tuple[float, BatteryState] | None = None
        self._busy = asyncio.Lock()
        self._changed = asyncio.Event()
        self._began_s = clock.monotonic_s()
        self._watch = OrderWatch(clock)
        self._tell: Callable[[GivenUp], None] = lambda _: None
        self.wish = Wish(battery_power_w=None, why="no decision")
        """What was last asked of the battery."""

    @property
    def rated_w(self) -> tuple[float, float]:
        """See `OrderDesk`."""
        limits = self._tools.limits()
        return limits.charge_max_w, limits.discharge_max_w

    @property
    def order(self) -> Order | None:
        """The order that stands."""
        return self._tools.book.standing()

    def add(self, reading: Reading) -> None:
        """See `hems.agent.reading.Listener`: readings without what was rejected."""
        if reading.meter is not None:
            self._meter = (reading.monotonic_s, reading.meter)
        if reading.battery is not None:
            self._battery = (reading.monotonic_s, reading.battery)
        if self._tools.relay is not None:
            self._tools.relay.see(reading.relay)
        self._changed.set()

    def plan(self, decision: Decision | None) -> None:
        """Take the controller's decision, good for ``hold_s``; None lets the battery follow."""
        self._decision = decision
        self._decided_s = self._clock.monotonic_s()
        self._changed.set()

    def tell(self, hears: Callable[[GivenUp], None]) -> None:
        """Have somebody told of each order that ends before its time for want of a device."""
        self._tell = hears

    async def run(self) -> None:
        """Steer at every reading and every decision, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._busy:
                with suppress(DeviceError):  # told by the grip; tried again
                    await self._steer()
                self._look_after_order()
            self._tools.alive()

    async def take(self, order: Order) -> None:
        """See `OrderDesk`."""
        if order.until <= self._clock.utc():
            msg = f"order {order.correlation_id} ended at {order.until}; send a new one"
            raise DeviceRefusedError(msg)
        stops = order.battery_power_w == 0.0
        async with self._busy:
            if self._meter_now() is None and not stops:
                msg = f"order {order.correlation_id}: no meter answers, so the battery is stopped"
                raise DeviceUnavailableError(msg)
            before = self._tools.book.standing()
            self._tools.book.put(order)
            self._tools.reference.begin()
            self._tools.grip.try_now()
            try:
                await self._steer()
                self._check_blind(order)
            except BaseException:
                # whoever wants the battery to stop does not want it to go on as before
                self._tools.book.put(None if stops else before)
                raise
            finally:
                self._changed.set()

    async def keep_reserve(self, reserve_soc: float) -> None:
        """See `OrderDesk`; the agent itself keeps it where the device cannot."""
        if not 0 <= reserve_soc <= 1:
            msg = f"reserve is {reserve_soc:g}; give 0..1"
            raise DeviceRefusedError(msg)
        async with self._busy:
            keeper = await self._tools.equipment.reserve()
            if keeper is not None:
                await keeper.set_reserve(reserve_soc)
            self._tools.book.keep(0.0 if keeper is not None else reserve_soc)
        self._changed.set()

    async def end_order(self) -> Order | None:
        """See `OrderDesk`."""
        async with self._busy:
            ended = self._tools.book.standing()
            self._tools.book.put(None)
        self._changed.set()
        return ended

    async def read(self) -> Reading:
        """See `OrderDesk`."""
        reading, errors = await self._tools.equipment.read(within_s=LOST_S)
        if reading.meter is None and reading.battery is None:
            nobody = DeviceUnavailableError(f"no device answered within {LOST_S:g} s; ask again")
            raise next(iter(errors.values()), nobody)
        return reading

    def _check_blind(self, order: Order) -> None:
        """Refuse an order where neither meter nor battery answers: it was sent to follow."""
        if self.wish.why == "no meter" and self.wish.battery_power_w is None:
            msg = f"order {order.correlation_id}: neither meter nor battery answers; see to them"
            raise DeviceUnavailableError(msg)

    def _look_after_order(self) -> None:
        """Give up an order that the battery has not done for too long, and say so."""
        given_up = self._watch.see(self.order, self.wish, self._tools.grip.trouble)
        if given_up is not None:
            self._tools.book.put(None)
            self._changed.set()
            self._tell(given_up)

    def _meter_now(self) -> MeterState | None:
        """Return what the meter read last, unless that is too old."""
        return None if self._meter is None or self._old(self._meter[0]) else self._meter[1]

    def _battery_now(self) -> BatteryState | None:
        return None if self._battery is None or self._old(self._battery[0]) else self._battery[1]

    def _old(self, at_s: float) -> bool:
        return self._clock.monotonic_s() - at_s > LOST_S

    def _decision_left_s(self) -> float:
        return self._decided_s + self._hold_s - self._clock.monotonic_s()

    def _seen(self) -> Seen:
        order, limits = self._tools.book.standing(), self._tools.limits()
        return Seen(
            limits=limits,
            meter=self._meter_now(),
            battery=self._battery_now(),
            decision=self._decision if self._decision_left_s() > 0 else None,
            order=order,
            referred_w=self._referred_w(order, limits),
            reserve_soc=self._tools.book.reserve_soc,
        )

    def _referred_w(self, order: Order | None, limits: Limits) -> float:
        """Return the battery power that an order's grid power asks for. [W]"""
        if order is None or order.grid_power_w is None:
            return 0.0
        if self._meter is None or self._battery is None:
            return 0.0
        return self._tools.reference.battery_w(
            order.grid_power_w, self._meter[1], self._battery[1], limits=limits, at_s=self._meter[0]
        )

    async def _steer(self) -> None:
        """Have the battery do what is wished for, if it does not already."""
        if self._meter is None and not self._old(self._began_s):
            return  # just begun: the devices are still being asked
        seen = self._seen()
        on_grid = await self._on_grid(seen)
        self.wish = wished(seen) if on_grid else Wish(battery_power_w=None, why="island")
        valid_s = self._hold_s
        if self.wish.why == "decision":
            valid_s = self._decision_left_s()
        elif self.wish.why == "order":
            valid_s = min(self._hold_s, self._tools.book.left_s)
        if valid_s > 0:
            await self._tools.grip.do(self.wish, valid_s=valid_s, seen=self._battery)
        if on_grid and self._tools.relay is not None and self.wish.battery_power_w is None:
            # an island may take over a battery that follows
            following = seen.battery is not None and seen.battery.following
            await self._tools.relay.open(following=following)

    async def _on_grid(self, seen: Seen) -> bool:
        """Return whether set-points mean anything: as an island the battery takes the balance."""
        if self._tools.relay is None:
            return True
        return await self._tools.relay.on_grid(
            IslandCase(
                meter=seen.meter,
                battery=seen.battery,
                decision=seen.decision,
                ordered=seen.order is not None,
                charge_max_w=seen.limits.charge_max_w,
                reserve_soc=seen.reserve_soc,
            )
        )
