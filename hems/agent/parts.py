"""The parts of one gateway, put together from its configuration."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from devices.arrays import FloatArray
from devices.clock import Clock
from devices.write_log import WriteLog
from hems.agent.config import AgentConfig
from hems.agent.health import Health
from hems.agent.reading import Listener, Reading
from hems.agent.seeing.cycles import CycleLog
from hems.agent.seeing.price_watch import PriceWatch
from hems.agent.seeing.senses import Senses
from hems.agent.standing import Standing
from hems.agent.status import StatusRow
from hems.agent.steering.decide import Decider
from hems.agent.steering.equipment import Equipment
from hems.agent.steering.relay import RelayKeeper
from hems.agent.steering.steer import Steering
from hems.agent.steering.wish import Limits
from hems.agent.store import Store
from hems.forecast_score import Score
from hems.grid_caps import GridCaps

INTERVAL_S = 1800
"""Length of the intervals that a home without a ledger plans in. [s]"""


class Sieves(Protocol):
    """Rejects bad samples (`hems.agent.seeing.samples.Sieve`)."""

    def pass_(self, reading: Reading) -> tuple[Reading, Mapping[str, str]]:
        """Return the reading without what is rejected, and why each part was."""
        ...


class Remembers(Listener, Protocol):
    """Keeps a home's history and forecasts from it (`hems.agent.seeing.history.History`)."""

    def forecast(self, utc: datetime, quarters: int) -> tuple[FloatArray, FloatArray]:
        """Return expected load and production, each (1, quarters). [W]"""
        ...

    def scores(self) -> Mapping[str, Score]:
        """Return how good forecasts of ``load`` and ``pv`` were."""
        ...


class Accounts(Listener, Protocol):
    """Reports to the ledger and knows what it asks (`hems.agent.ledger.books.Books`)."""

    def standing(self, utc: datetime) -> Standing:
        """Return what is asked of the home now."""
        ...

    async def run(self) -> None:
        """Report and ask, until cancelled."""
        ...

    async def report(self) -> object:
        """Report now, as a last act."""
        ...

    async def close(self) -> None:
        """Write what is not written, and let go."""
        ...


class Waits(Protocol):
    """Keeps what waits for the broker (`hems.agent.mqtt.spool.Spool`)."""

    @property
    def waiting(self) -> int:
        """Messages that wait."""
        ...

    @property
    def dropped(self) -> int:
        """Messages that were given up since the beginning."""
        ...


class Carries(Listener, Protocol):
    """Speaks to the broker (`hems.agent.mqtt.courier.Courier`)."""

    @property
    def spool(self) -> Waits:
        """What waits for the broker."""
        ...

    async def run(self) -> None:
        """Send and hear, until cancelled."""
        ...

    async def close(self) -> None:
        """Say that the gateway goes, within a bound of its own."""
        ...


class NoLedger:
    """See `Accounts`: a home that belongs to no fleet owes nothing."""

    def add(self, reading: Reading) -> None:
        """Take no notice."""

    def standing(self, utc: datetime) -> Standing:
        """Return that nothing is asked."""
        del utc
        return Standing(source="none")

    async def run(self) -> None:
        """Wait to be cancelled."""
        await asyncio.Event().wait()

    async def report(self) -> None:
        """Have nothing to report."""

    async def close(self) -> None:
        """Have nothing to let go of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an agent is made of."""

    health: Health
    """What is lost."""
    store: Store
    """The state file."""
    log: WriteLog
    """Counts of the devices' writes."""
    equipment: Equipment
    """The devices."""
    senses: Senses
    """Which of them tell something."""
    sieve: Sieves
    """Rejects bad samples."""
    caps: "CapKeeper"
    """What no set-point goes beyond."""
    steering: Steering
    """Holds the battery."""
    history: Remembers
    """What the home did before."""
    decider: Decider
    """The controller."""
    books: Accounts
    """The ledger."""
    status: StatusRow
    """What others may look at."""
    courier: Carries | None
    """The broker; None without one."""
    prices: PriceWatch | None = None
    """The market's prices; None where the tariff is all."""
    relay: RelayKeeper | None = None
    """Holds the relay; None where the house never leaves the grid."""
    cycles: CycleLog | None = None
    """Keeps what rules for the edge saw and decided; None for other controllers."""

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Who is told of every reading, in order."""
        spoken = () if self.courier is None else (self.courier,)
        return (self.steering, self.history, self.books, *spoken)

    def close(self) -> None:
        """Let go of the files."""
        self.log.close()
        self.store.close()


class CapKeeper:
    """What no set-point goes beyond, from ratings, the battery and the strained grid."""

    def __init__(self, config: AgentConfig, equipment: Equipment, clock: Clock) -> None:
        self._bank = config.storage.bank()
        self._equipment = equipment
        self._caps = GridCaps(config.grid)
        self._cap = self._caps.at(clock.monotonic_s(), None, ())

    def see(self, reading: Reading) -> None:
        """Take up what the inverter measured; quietly where it tells nothing."""
        told = reading.inverter
        hz = None if told is None else told.frequency_hz
        volts = () if told is None else told.phase_voltages_v
        self._cap = self._caps.at(reading.monotonic_s, hz, volts)

    def limits(self) -> Limits:
        """Return the limits that hold now."""
        cells_w = self._bank.power_max_w
        charge_w = float(self._bank.terminal_power_w(cells_w)[0])
        discharge_w = -float(self._bank.terminal_power_w(-cells_w)[0])
        told = self._equipment.limits
        if told is not None:
            charge_w = min(charge_w, told.charge_max_w)
            discharge_w = min(discharge_w, told.discharge_max_w)
        return Limits(
            charge_max_w=charge_w,
            discharge_max_w=discharge_w,
            import_max_w=self._cap.import_max_w,
            export_max_w=self._cap.export_max_w,
            soc_min=float(self._bank.soc_min[0]),
            soc_max=float(self._bank.soc_max[0]),
        )
