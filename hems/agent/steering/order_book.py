"""The order that stands and the reserve that is kept, remembered over a restart."""

import math
from datetime import datetime, timedelta

from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.orders import Order
from hems.agent.store import Store
from hems.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS standing_order (
    one INTEGER PRIMARY KEY CHECK (one = 1), correlation_id TEXT NOT NULL, until TEXT NOT NULL,
    battery_power_w REAL, grid_power_w REAL, follow INTEGER NOT NULL, length_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS kept_reserve (
    one INTEGER PRIMARY KEY CHECK (one = 1), reserve_soc REAL NOT NULL
);
"""


class OrderBook:
    """What outranks the controller, in memory and in the store.

    An order's end is a time of day; how long that is from now is measured by the clock that does
    not jump, so a computer whose clock is set meanwhile neither drops nor prolongs it. After a
    restart the time of day is all there is; a clock that is behind then, as a computer without one
    of its own begins with, lets an order last no longer than it was given for.

    Parameters
    ----------
    store : Store
        Remembers.
    clock : Clock
        The time.
    health : Health
        Is told when nothing can be remembered; orders then stand until a restart.
    """

    def __init__(self, store: Store, *, clock: Clock, health: Health) -> None:
        self._store = store
        self._clock = clock
        self._health = health
        self._order: Order | None = None
        self._ends_s = 0.0
        self.reserve_soc = 0.0
        """What the agent keeps back where the device cannot, 0..1."""
        store.create(_SCHEMA)
        self._recall()

    def standing(self) -> Order | None:
        """Return the order that stands now; None if none does."""
        if self._order is not None and self._clock.monotonic_s() >= self._ends_s:
            self.put(None)
        return self._order

    @property
    def left_s(self) -> float:
        """How long the order goes on. [s]"""
        return max(self._ends_s - self._clock.monotonic_s(), 0.0)

    def put(self, order: Order | None) -> None:
        """Let an order stand, or none."""
        self._take(order, most_s=math.inf)
        rows = [] if order is None else [_row(order, length_s=self.left_s)]
        self._write("standing_order", rows)

    def keep(self, reserve_soc: float) -> None:
        """Keep a reserve, 0..1."""
        self.reserve_soc = reserve_soc
        self._write("kept_reserve", [(1, reserve_soc)])

    def _take(self, order: Order | None, *, most_s: float) -> None:
        self._order = order
        if order is not None:
            left: timedelta = order.until - self._clock.utc()
            self._ends_s = self._clock.monotonic_s() + min(left.total_seconds(), most_s)

    def _write(self, table: str, rows: list[tuple[object, ...]]) -> None:
        try:
            with self._store.transaction() as base:
                base.execute(f"DELETE FROM {table}")  # noqa: S608 -- one of two names above
                for row in rows:
                    marks = ", ".join("?" * len(row))
                    base.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 -- same
        except StoreError as error:
            self._health.lost("memory of orders", str(error))
        else:
            self._health.back("memory of orders")

    def _recall(self) -> None:
        for _, name, until, battery_w, grid_w, follow, length_s in self._store.rows(
            "SELECT * FROM standing_order"
        ):
            order = Order(
                correlation_id=name,
                until=datetime.fromisoformat(until),
                battery_power_w=battery_w,
                grid_power_w=grid_w,
                follow=bool(follow),
            )
            self._take(order, most_s=length_s)
        for (reserve_soc,) in self._store.rows("SELECT reserve_soc FROM kept_reserve"):
            self.reserve_soc = reserve_soc


def _row(order: Order, *, length_s: float) -> tuple[object, ...]:
    return (
        1,
        order.correlation_id,
        order.until.isoformat(),
        order.battery_power_w,
        order.grid_power_w,
        int(order.follow),
        length_s,
    )
