"""The part of the agent that holds the transfer relay: closed, unless all speaks for an island."""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from devices.battery_bank import BatteryBank
from devices.clock import Clock
from devices.errors import DeviceError
from devices.switches import Relay, RelayState
from devices.write_log import WriteLog
from hems.agent.health import Health
from hems.agent.mqtt.backoff import LONGEST_S, REFUSED_S, Backoff
from hems.agent.steering.island import IslandCase, kept_on_grid
from hems.controller import Decision

THING: Final = "relay"
"""What the log calls it."""
OPENINGS: Final = "relay.opened"
"""What the log of writes counts openings as."""
OPEN_SETTLE_S: Final = 15.0
"""How long a relay may take to be seen open. [s]"""
CLOSE_SETTLE_S: Final = 120.0
"""How long it may take to be seen closed: the inverter meets the grid's phase first. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How the house may leave the grid: the table ``[relay]``; without it it never does.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    inverter_w: float
    """What the inverter carries alone, > 0. [W]"""
    dwell_s: int = 600
    """Least time from a switching to the next opening, 0..86400. [s]"""
    openings_per_day: int = 20
    """Openings that a day (UTC) may see, 0..1000: contacts wear."""

    def __post_init__(self) -> None:
        if not 0 < self.inverter_w < math.inf:
            msg = f"inverter_w is {self.inverter_w:g}; give the inverter's rated power"
            raise ValueError(msg)
        if not 0 <= self.dwell_s <= 86_400:
            msg = f"dwell_s is {self.dwell_s}; give 0..86400 seconds"
            raise ValueError(msg)
        if not 0 <= self.openings_per_day <= 1000:
            msg = f"openings_per_day is {self.openings_per_day}; give 0..1000"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """What the keeper works with."""

    relay: Callable[[], Awaitable[Relay]]
    """Returns the open relay, or raises `DeviceError`."""
    bank: BatteryBank
    """The battery's ratings, one home."""
    log: WriteLog
    """Where openings are counted, over restarts."""
    clock: Clock
    """The time."""
    health: Health
    """Is told what changes, and what is wrong."""


class RelayKeeper:
    """Open the relay when the controller asks for it and nothing speaks against it; else close it.

    Parameters
    ----------
    settings : RelaySettings
        Rating, dwell and budget.
    contacts : Contacts
        What it works with.

    Notes
    -----
    Closing is never held back: neither by the dwell nor by the budget nor by a full disk. A relay
    that is found open and was not opened here is closed: a start after a crash begins on the grid.
    Once closed it waits for a new decision, so that no load flutters it.
    """

    def __init__(self, settings: RelaySettings, contacts: Contacts) -> None:
        self._settings = settings
        self._with = contacts
        self._opening, self._closing = Backoff(contacts.clock), Backoff(contacts.clock)
        self._told: bool | None = None
        self._told_s = -math.inf
        self._must_close = False
        self._decision: Decision | None = None
        self._spent: Decision | None = None
        self._seen: RelayState | None = None
        self._closed_for = ""
        self.why = "not read yet"
        """Why the house hangs on the grid; empty where it is an island."""

    @property
    def status(self) -> dict[str, Any]:
        """What `gridpact agent status` shows."""
        return {
            "closed": None if self._seen is None else self._seen.closed,
            "told": None if self._told is None else "close" if self._told else "open",
            "why": self.why,
            "openings_today": self._openings(),
        }

    def see(self, state: RelayState | None) -> None:
        """Take up a reading; find out whether the relay does what it was told."""
        if state is None:
            return
        self._seen = state
        told_s = self._with.clock.monotonic_s() - self._told_s
        if self._told is False and state.closed and told_s > OPEN_SETTLE_S:
            self._must_close = True
            self._failed("it was told to open and stays closed; see to it", self._opening)
        elif self._told is True and not state.closed and told_s > CLOSE_SETTLE_S:
            self._told = None  # it is told again, after a pause
            self._failed("it was told to close and stays open; see to the grid", self._closing)
        elif self._told is state.closed:
            self._with.health.back(THING)
            self._say_closed()

    async def on_grid(self, case: IslandCase) -> bool:
        """Close the relay if it must be; return whether the house hangs on the grid.

        Raises
        ------
        DeviceError
            If the relay is not told to close; it is tried again with the next reading.
        """
        self._decision = case.decision
        bank, inverter_w = self._with.bank, self._settings.inverter_w
        self.why = kept_on_grid(case, bank=bank, inverter_w=inverter_w) or ""
        strange = self._told is None and self._seen is not None and not self._seen.closed
        if strange or self._must_close or (self._told is False and self.why):
            if strange:
                self.why = self.why or "it was found open"
            if self._closing.over:
                await self._close()
        return self._told is not False and self._seen is not None and self._seen.closed

    async def open(self, *, following: bool) -> None:
        """Open the relay, where `on_grid` found nothing against it and it may be opened again.

        Parameters
        ----------
        following : bool
            Whether the battery was seen to follow the house, as it has to before.

        Raises
        ------
        DeviceError
            If it does not take it; it is told to close then.
        """
        since_s = self._with.clock.monotonic_s() - self._told_s
        if self.why or self._told is False or not self._opening.over:
            return
        if not following:
            self.why = "the battery does not follow the house yet"
        elif self._decision is self._spent:
            self.why = "it was closed since that decision; the next one may open it"
        elif since_s < self._settings.dwell_s:
            self.why = f"it switched {since_s:.0f} s ago"
        elif (self._openings() or 0) >= self._settings.openings_per_day:
            self.why = f"it was opened {self._openings()} times today, its budget"
        else:
            self._count()
            self._told = False  # also where the answer is lost: it may have been done
            self._must_close = True
            await self._tell(closed=False, backoff=self._opening)
            self._must_close = False
            self._with.health.note("relay opened: the house is an island")

    async def _close(self) -> None:
        self._spent = self._decision
        self._closed_for = self._closed_for or self.why or "it did not open"
        await self._tell(closed=True, backoff=self._closing)
        self._must_close = False
        self._say_closed()

    def _say_closed(self) -> None:
        """Say why the relay was closed, once it is: with the grid gone it stays open."""
        if self._closed_for and self._told and self._seen is not None and self._seen.closed:
            why, self._closed_for = self._closed_for, ""
            self._with.health.note(f"relay closed, the house is on the grid: {why}")

    async def _tell(self, *, closed: bool, backoff: Backoff) -> None:
        """Tell the relay, and read back what it does."""
        try:
            relay = await self._with.relay()
            await relay.set_relay(closed=closed)
            self._told, self._told_s = closed, self._with.clock.monotonic_s()
            self._seen = await relay.read_relay()
        except DeviceError as error:
            self._failed(str(error), backoff)
            raise
        backoff.worked()

    def _failed(self, why: str, backoff: Backoff) -> None:
        backoff.failed(longest_s=LONGEST_S if backoff is self._closing else REFUSED_S)
        self._with.health.lost(THING, why)

    def _openings(self) -> int | None:
        """Return how often it was opened today; None where the log cannot be read."""
        with suppress(DeviceError):
            return self._with.log.count("battery", OPENINGS, self._with.clock.utc().date())
        return None

    def _count(self) -> None:
        """Count an opening, or leave the relay closed: contacts must not wear unseen."""
        try:
            self._with.log.record("battery", OPENINGS, self._with.clock.utc().date())
        except DeviceError as error:
            self._failed(str(error), self._opening)
            raise
