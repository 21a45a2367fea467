"""A gateway's soak: its process for simulated hours at many times the pace while things break.

The house is the truth: what its meter counted must stand on the chain in the end, to the
watt-hour. Devices, line to the node, broker and gateway are on real sockets, gateway, node and
broker processes of their own; a clock of theirs passes many times as fast as the computer's.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from contracts.errors import LedgerError
from hems.agent.status import read_status
from hems.errors import StoreError
from scenarios.bench.agent_bench_world import (
    FleetHere,
    broker_here,
    fleet_here,
    home_tables,
    write_home,
)
from scenarios.errors import DataError
from scenarios.soak.clock import ScaledClock
from scenarios.soak.damage import Damage
from scenarios.soak.faults import Break, Wire, drawn
from scenarios.soak.gateway import Gateway
from scenarios.soak.house import Connection, House

RATE: Final = 100.0
"""How many times as fast as the computer's the soak's clock is."""
INTERVAL_S: Final = 1_800
"""Length of a market interval. [s]"""
BEGUN_UTC_S: Final = 1_780_290_000
"""When a soak begins: 1 June 2026, 05:00 UTC. [s since 1970]"""
CONNECTION: Final = Connection(import_max_w=9_000.0, export_max_w=3_000.0)
"""What the house's connection carries."""
FAULT_EVERY_S: Final = 900.0
"""From a fault to the next, on average. [s]"""
END_S: Final = 180.0
"""How long the last reports may take, in real time. [s]"""
DOUBT_WH: Final = 2.0
"""What readings between two steps of a counter may be off by. [Wh]"""
_LAG_S: Final = 3 * 3600.0
"""How old what the chain has may be. [s]"""
_NEVER: Final = "1970-01-01T00:00:00+00:00"
_LOOK_S: Final = 0.2
"""How often the world is looked at, in real time. [s]"""

Tell = Callable[[str, float, float], None]
"""Is told what goes on, the simulated seconds done and to do."""


@dataclass(slots=True, kw_only=True)
class SoakFigures:
    """What a soak found."""

    hours: float
    """Simulated time. [h]"""
    faults: int
    """Things that broke."""
    reported_wh: int
    """Net export on the chain. [Wh]"""
    metered_wh: int
    """Net export by the meter's counters. [Wh]"""
    true_wh: float
    """Net export as the house knows it. [Wh]"""
    double_reports: int
    """Times that more stood on the chain than had flowed."""
    limit_violations: int
    """Set-points beyond what battery and connection allowed."""
    set_points: int
    """Set-points that were written."""
    reports: int
    """Reports that the contract counted."""
    kills: int
    """Times that the gateway was killed."""
    lines: list[str] = field(default_factory=list)
    """What the gateway said."""
    doubts: list[str] = field(default_factory=list)
    """What was doubled or beyond a limit, in words."""

    def figures(self) -> dict[str, object]:
        """Return the figures by name, without words."""
        return {key: value for key, value in asdict(self).items() if not isinstance(value, list)}


class Soak:
    """One soak; see the module.

    Parameters
    ----------
    seed : int
        Start of all draws.
    hours : float
        Simulated time. [h]
    rate : float
        Pace of the clock.
    every_s : float
        From a fault to the next, on average, simulated. [s]
    tell : Tell
        Is told how far it is.
    """

    def __init__(
        self,
        seed: int,
        *,
        hours: float,
        rate: float = RATE,
        every_s: float = FAULT_EVERY_S,
        tell: Tell = lambda *_: None,
    ) -> None:
        self._seed, self._hours, self._rate, self._tell = seed, hours, rate, tell
        self._breaks = drawn(seed, hours=hours, every_s=every_s)
        self._truth: list[tuple[float, float]] = []
        self._nonce = 0
        self._sums_wh = (0, 0, 0.0)
        self._doubts: list[str] = []
        self._restarted_s = 0.0

    async def run(self) -> SoakFigures:
        """Run it, and return what it found.

        Raises
        ------
        LedgerUnavailableError
            If Anvil is not there.
        DataError
            If the gateway ends by itself, or does not report what it owes in the end.
        """
        # a dead-man may still write there
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, ExitStack() as undo:
            folder = Path(place)
            draws = np.random.default_rng(self._seed + 2)
            count = int(self._hours * 3600 / INTERVAL_S)
            promised = [int(each) for each in draws.choice([0, 0, 400, 800, 1500], count + 4)]
            promised[count:] = [0] * 4  # in the end the battery shall rest with its house
            self._fleet: FleetHere = undo.enter_context(
                fleet_here(
                    folder,
                    now_s=BEGUN_UTC_S,
                    interval_s=INTERVAL_S,
                    commitments_wh=promised,
                )
            )
            self._broker = undo.enter_context(broker_here(folder))
            self._clock = ScaledClock(
                rate=self._rate,
                begun_s=time.monotonic(),
                utc_s=BEGUN_UTC_S,
                ahead=folder / "clock",
            )
            self._house = House.of(
                self._seed, hours=self._hours, clock=self._clock, connection=CONNECTION
            )
            self._wire = Wire(self._fleet.url)
            await self._house.battery.start()
            await self._house.meter.start()
            self._gateway = Gateway(self._written(folder, await self._wire.start()), self._clock)
            undo.callback(self._gateway.kill)
            self._damage = Damage(
                clock=self._clock,
                house=self._house,
                gateway=self._gateway,
                broker=self._broker,
                wire=self._wire,
                node=self._fleet.url,
            )
            try:
                return await self._live()
            finally:
                await self._house.battery.stop()
                await self._house.meter.stop()
                await self._wire.stop()

    def _written(self, folder: Path, url: str) -> Path:
        tables = home_tables(
            battery={**self._house.battery.settings, "timeout_s": 1.0},
            ledger_url=url,
            account=self._fleet.account,
            broker_port=self._broker.port,
        )
        tables["meter"] = {**self._house.meter.settings, "timeout_s": 1.0}
        tables["grid"] = {
            "import_max_w": CONNECTION.import_max_w,
            "export_max_w": CONNECTION.export_max_w,
        }
        tables["controller"] = {"device_cycle_s": 5}
        # what is waited for in real time is short beside the soak's
        tables["ledger"] |= {"answer_timeout_s": 2.0, "block_timeout_s": 2.0}
        return write_home(folder, tables)

    async def _live(self) -> SoakFigures:
        """Begin, break, mend, end, and count."""
        self._gateway.start()
        await self._until(self._seen, "first reading")
        begun_s = self._clock.monotonic_s()
        self._house.day.begin(begun_s)
        breaks = list(self._breaks)
        broken: Break | None = None
        total_s = self._hours * 3600
        while (passed_s := self._clock.monotonic_s() - begun_s) < total_s:
            await self._look()
            self._gateway.require_alive()
            if broken is not None and passed_s >= broken.end_s:
                await self._damage.mend(broken.kind)
                broken = None
            if broken is None and breaks and passed_s >= breaks[0].begin_s:
                broken = breaks.pop(0)
                await self._damage.break_(broken.kind)
            self._tell("all is well" if broken is None else broken.kind, passed_s, total_s)
            await asyncio.sleep(_LOOK_S)
        if broken is not None:
            await self._damage.mend(broken.kind)
        return await self._ended(len(self._breaks) - len(breaks))

    async def _ended(self, faults: int) -> SoakFigures:
        """Kill it once more, so that it reads the counters anew; let it report; stop it."""
        self._tell("last reports", self._hours * 3600, self._hours * 3600)
        self._gateway.kill()
        self._gateway.start()
        self._restarted_s = self._clock.true_utc_s()
        await self._until(self._seen, "reading after the last start")
        await self._until(self._settled, "last report")
        code = await asyncio.to_thread(self._gateway.end, END_S)
        if code:
            msg = f"soak: the gateway ended with code {code}; it said {self._gateway.lines[-3:]}"
            raise DataError(msg)
        await self._look()
        reported_wh, metered_wh, true_wh = self._sums_wh
        battery = self._house.battery
        return SoakFigures(
            hours=self._hours,
            faults=faults,
            reported_wh=reported_wh,
            metered_wh=metered_wh,
            true_wh=true_wh,
            double_reports=len(self._doubts),
            limit_violations=len(battery.violations),
            set_points=battery.set_points,
            reports=self._nonce,
            kills=self._gateway.kills,
            lines=self._gateway.lines,
            doubts=[*self._doubts, *battery.violations],
        )

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + END_S
        while not await asyncio.to_thread(holds):
            self._gateway.require_alive()
            if time.monotonic() > deadline_s:
                msg = f"soak: no {what} within {END_S:g} s; the gateway said {self._gateway.lines}"
                raise DataError(msg)
            await self._look()
            await asyncio.sleep(_LOOK_S)

    def _seen(self) -> bool:
        """Return whether the gateway has read its meter since it was last started."""
        with suppress(StoreError):
            reading = read_status(self._gateway.state_folder)["reading"] or {}
            read_s = datetime.fromisoformat(reading.get("utc", _NEVER)).timestamp()
            return "meter" in reading and read_s > self._restarted_s
        return False

    def _settled(self) -> bool:
        """Return whether the chain has all that the meter counted, and remember both."""
        # the house goes on while the gateway is stopped afterwards
        house = self._house
        self._sums_wh = self._reported_wh(), house.metered_wh(), house.true_wh()
        reported_wh, metered_wh, _ = self._sums_wh
        return reported_wh == metered_wh

    async def _look(self) -> None:
        """Bring the chain to the time, note the truth, and see what the chain has."""
        self._note_truth()
        reported_wh = await asyncio.to_thread(self._look_at_chain)
        if reported_wh is not None:
            self._note_truth()  # energy went on flowing while the chain was asked
            self._compare(reported_wh)

    def _note_truth(self) -> None:
        self._truth.append((self._clock.monotonic_s(), self._house.true_wh()))

    def _look_at_chain(self) -> int | None:
        """Bring the chain to the time; return what it has where there is something new. [Wh]"""
        fleet = self._fleet
        with suppress(LedgerError, ValueError):  # the gateway's own block may have come between
            fleet.chain.set_time(int(self._clock.true_utc_s()))
        (nonce,) = fleet.ledger.fleet.nonces([fleet.account])
        if nonce == self._nonce:
            return None
        self._nonce = nonce
        return self._reported_wh()

    def _compare(self, reported_wh: int) -> None:
        """Doubt a sum on the chain that never flowed."""
        since_s = self._clock.monotonic_s() - _LAG_S
        lately_wh = [wh for at_s, wh in self._truth if at_s >= since_s]
        low_wh, high_wh = min(lately_wh) - DOUBT_WH, max(lately_wh) + DOUBT_WH
        if not low_wh <= reported_wh <= high_wh:
            at_s = self._clock.monotonic_s()
            self._doubts.append(
                f"{reported_wh} Wh on the chain at {at_s:.0f} s, {low_wh:.0f}..{high_wh:.0f} flowed"
            )

    def _reported_wh(self) -> int:
        """Return what the chain has of the home, all intervals together. [Wh]"""
        first = BEGUN_UTC_S // INTERVAL_S - 3
        last = int(self._clock.true_utc_s()) // INTERVAL_S + 3
        fleet = self._fleet.ledger.fleet
        return sum(fleet.export_wh(self._fleet.account, each) for each in range(first, last))


def soak(
    seed: int,
    *,
    hours: float,
    rate: float = RATE,
    every_s: float = FAULT_EVERY_S,
    tell: Tell = lambda *_: None,
) -> SoakFigures:
    """Run a soak; see `Soak`."""
    return asyncio.run(Soak(seed, hours=hours, rate=rate, every_s=every_s, tell=tell).run())
