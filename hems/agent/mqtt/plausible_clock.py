"""Whether the computer's clock can be right: a Raspberry Pi has none that runs without power.

Commands expire by the time of day, so a gateway that does not know it takes none.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.store import Store
from hems.errors import StoreError

EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""This program did not exist before."""
THING: Final = "memory of the time"
"""What the log calls it."""
SLACK: Final = timedelta(seconds=60)
"""How far a clock may be put back without being doubted."""
EVEN_S: Final = 3600.0
"""How long a clock has to run evenly until its time is remembered. [s]"""
BELIEVED_S: Final = 24 * 3600.0
"""How long until it is believed against what is remembered. [s]"""
_REMEMBER_EACH: Final = timedelta(minutes=10)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS known_time (one INTEGER PRIMARY KEY CHECK (one = 1), utc TEXT NOT NULL);
"""


class PlausibleClock:
    """Remember how late it was, and doubt a clock that says it is earlier.

    A clock that was wrongly ahead and is put right would be doubted until it caught up; so the time
    is only remembered after an hour without a jump, and a clock without one for a day is believed.

    Parameters
    ----------
    clock : Clock
        The computer's clock.
    store : Store
        Remembers the latest time known.
    health : Health
        Is told when it cannot be remembered.
    """

    def __init__(self, clock: Clock, *, store: Store, health: Health) -> None:
        self._clock = clock
        self._store = store
        self._health = health
        self._seen = (clock.utc(), clock.monotonic_s())
        self._even_since_s = clock.monotonic_s()
        store.create(_SCHEMA)
        known = [datetime.fromisoformat(utc) for (utc,) in store.rows("SELECT utc FROM known_time")]
        self._floor = max([EARLIEST, *known])

    def doubt(self) -> str | None:
        """Return why the clock cannot be right; None if it can."""
        self.look()
        now = self._clock.utc()
        if now >= self._floor - SLACK:
            return None
        return (
            f"the gateway's clock says {now:%Y-%m-%d %H:%M} UTC and it was "
            f"{self._floor:%Y-%m-%d %H:%M} before; see that it reaches a time server"
        )

    def look(self) -> None:
        """Take note of the time; to be called each minute or so."""
        now, now_s = self._clock.utc(), self._clock.monotonic_s()
        utc, monotonic_s = self._seen
        self._seen = (now, now_s)
        jump_s = (now - utc).total_seconds() - (now_s - monotonic_s)
        if abs(jump_s) > SLACK.total_seconds():
            self._even_since_s = now_s
        even_s = now_s - self._even_since_s
        ahead = even_s >= EVEN_S and now >= self._floor + _REMEMBER_EACH
        put_right = even_s >= BELIEVED_S and now < self._floor - SLACK
        if ahead or put_right:
            self._floor = now
            self._remember(now)

    def _remember(self, utc: datetime) -> None:
        try:
            with self._store.transaction() as base:
                base.execute("INSERT OR REPLACE INTO known_time VALUES (1, ?)", (utc.isoformat(),))
        except StoreError as error:
            self._health.lost(THING, str(error))
        else:
            self._health.back(THING)
