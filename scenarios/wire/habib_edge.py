"""The edge of Habib et al. 2023 end to end: a gateway with the fuzzy manager, and its frames.

The real agent with a home.toml of its own steers an emulated Xtender over a pseudo-terminal. It
reads the sun's inverter and the load's meter by SunSpec Modbus over TCP and fetches day-ahead
prices over HTTP. Each cycle takes ten minutes of an hour that is moved by hand.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from devices.battery_model import BatteryModel
from devices.drivers.xtender_objects import CHARGE_A, FIRST_UNIT
from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_dialects import energy_charts
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.emulators.xtender import XtenderEmulator
from devices.errors import DeviceUnavailableError
from devices.hand_clock import HandClock
from hems.agent.agent import Agent
from hems.agent.config import read_config
from scenarios.wire.habib_edge_tap import Exchange, SerialTap, modbus_exchanges
from scenarios.wire.wire_tap import WireTap

SOC: Final = 0.7
"""State of charge at the start."""
CHEAP_PER_MWH, DEAR_PER_MWH = 40.0, 180.0
"""Prices of the quarter-hours before and after 12:15 UTC. [EUR/MWh]"""
DEAR_FROM: Final = timedelta(hours=12, minutes=15)
"""Time of day, UTC, from which power is dear."""
BEGIN: Final = timedelta(minutes=13)
"""When the agent begins, after 12:00 UTC."""
KETTLES_S, KETTLES_OFF_S = 450.0, 600.0
"""When the load leaves what the inverter carries alone, and when it is back, from then on. [s]"""
LOAD_W, KETTLES_W, SUN_W = 1_500.0, 4_600.0, 900.0
"""The house's load, the same with all its kettles on, and the sun. [W]"""
REAL_S: Final = 60.0
"""What no step takes in real time, however busy the computer is. [s]"""
_MOMENTS: Final = (
    (4.0, "12:13:05, the agent begins; power is cheap", "charges"),
    (420.0, "12:20, power is dear", "island"),
    (455.0, "12:20:35, between two decisions: the load leaves what the inverter carries", "grid"),
    (1_020.0, "12:30, the next decision", "island"),
)
"""When something is looked at [s], what is the matter, and what it ends in."""
FEEDING: Final = "101.1127"
"""The permission to feed the grid, as the device counts its writes."""
_LONG_S: Final = 4.0
"""How long a moment is looked at, at least. [s]"""
_PATIENCE: Final = 20
"""Looks at the wires, 10 ms each, before the clock moves on."""
_HOME: Final = """
[home]
name = "Habib's laboratory"
device_id = "offenburg"
state_folder = "state"
[storage]
capacity_wh = 26208
power_max_w = 4000
soc_min = 0.5
soc_max = 0.9
[grid]
import_max_w = 10000
export_max_w = 10000
[tariff]
import_price_per_mwh = 300
export_price_per_mwh = 80
zone = "Europe/Berlin"
import_factor = 1.19
import_add_per_mwh = 180
[controller]
kind = "fuzzy"
device_cycle_s = 5
[relay]
inverter_w = 4000
dwell_s = 300
[prices]
source = "energy-charts"
area = "DE-LU"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One cycle, from its readings to what was written."""

    title: str
    """When, and what is the matter."""
    exchanges: tuple[Exchange, ...]
    """What went over the wires, in the order of the links."""
    row: dict[str, Any]
    """The last decision's row in the gateway's store."""
    relay_closed: bool
    """Where the relay stands after it."""
    why: str
    """Why the house hangs on the grid; empty where it is an island."""
    battery_power_w: float
    """What the battery does after it, > 0 charges. [W]"""
    grid_power_w: float
    """What flows at the connection after it, > 0 imports. [W]"""
    said: tuple[str, ...]
    """Lines of the agent's log meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What happened."""

    moments: tuple[Moment, ...]
    """In their order."""
    writes: dict[str, int]
    """Writes by unit and parameter, all of them to RAM."""
    flash_writes: int
    """Writes of flash."""
    closed_after: bool
    """Whether the relay is closed when the agent has ended."""
    left: tuple[Exchange, ...]
    """What the agent wrote on leaving."""


class _LaterClock(HandClock):
    """A clock moved by hand that begins at `BEGIN`, patient with a busy computer."""

    def __init__(self) -> None:
        super().__init__(turns=200)

    def utc(self) -> datetime:
        """See `devices.clock.Clock`."""
        return super().utc() + BEGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """The laboratory around the agent."""

    clock: HandClock
    xtender: XtenderEmulator
    line: SerialTap
    pv: WireTap
    load: WireTap
    prices: PriceService

    def take(self) -> tuple[Exchange, ...]:
        """Return what went over the wires since the last time."""
        pv, load = (
            modbus_exchanges("pv", self.pv.take()),
            modbus_exchanges("load", self.load.take()),
        )
        return (*pv, *load, *self.line.take())


def run() -> Trace:
    """Let the gateway live half an hour.

    Raises
    ------
    DeviceUnavailableError
        If the agent does not begin within a minute; it does.
    """
    return asyncio.run(_run())


async def _run() -> Trace:
    async with _world() as world:
        with tempfile.TemporaryDirectory() as folder:
            return await _live(world, Path(folder))


async def _live(world: _World, folder: Path) -> Trace:
    said: list[str] = []
    agent = Agent(read_config(_configured(world, folder)), clock=world.clock, tell=said.append)
    running = asyncio.ensure_future(agent.run())
    await _begun(said, running)
    moments = []
    for due_s, title, ends_in in _MOMENTS:
        await world.clock.advance(due_s - 1.0 - world.clock.monotonic_s())
        world.take()
        before = len(said)
        await world.clock.advance(_LONG_S)
        await _until(partial(_is, ends_in, world, agent), clock=world.clock)
        moments.append(_moment(world, agent, title, tuple(said[before:])))
    agent.stop()
    async with asyncio.timeout(REAL_S):
        while not running.done():
            await world.clock.advance(0.5)
            await asyncio.sleep(0.005)
    await running
    unit = world.xtender.units[FIRST_UNIT]
    return Trace(
        moments=tuple(moments),
        writes=dict(sorted(world.xtender.writes.items())),
        flash_writes=sum(unit.flash_writes.values()),
        closed_after=not world.xtender.home.islanded,
        left=tuple(each for each in world.take() if each.writes),
    )


def _moment(world: _World, agent: Agent, title: str, said: tuple[str, ...]) -> Moment:
    cycles = None if agent.parts is None else agent.parts.cycles
    state = world.xtender.home.state()
    return Moment(
        title=title,
        exchanges=world.take(),
        row={} if cycles is None else cycles.rows()[-1],
        relay_closed=not world.xtender.home.islanded,
        why="" if agent.parts is None or agent.parts.relay is None else agent.parts.relay.why,
        battery_power_w=state.battery_power_w,
        grid_power_w=state.grid_power_w,
        said=said,
    )


async def _until(holds: Callable[[], bool], *, clock: HandClock | None = None) -> None:
    """Wait, in real time, until something holds; move the clock where the wires are at rest."""
    polls = 0
    async with asyncio.timeout(REAL_S):
        while not holds():
            await asyncio.sleep(0.01)
            polls += 1
            if clock is not None and polls % _PATIENCE == 0:
                await clock.advance(1.0)


def _is(ends_in: str, world: _World, agent: Agent) -> bool:
    """Return whether the laboratory is where a moment ends, and the agent has seen it."""
    if not world.line.resting:
        return False
    if ends_in == "charges":  # what a set-point writes last is heard, too
        return FEEDING in world.xtender.writes and world.xtender.home.state().battery_power_w > 0
    relay = None if agent.parts is None else agent.parts.relay
    closed = ends_in == "grid"
    seen = relay is not None and relay.status["closed"] is closed
    return seen and world.xtender.home.islanded is not closed


async def _begun(said: list[str], running: "asyncio.Task[None]") -> None:
    await _until(lambda: bool(said) or running.done())
    if running.done():
        await running
        msg = "the agent ended at once; run it again"
        raise DeviceUnavailableError(msg)


def _configured(world: _World, folder: Path) -> Path:
    """Write the home's configuration: everything behind its tap."""
    path = folder / "home.toml"
    xtender = {**world.xtender.settings, "port": world.line.path, "capacity_wh": 26_208}
    tables = {
        "battery": xtender,
        "pv": {"driver": "sunspec", "host": "127.0.0.1", "port": world.pv.port},
        "load": {"driver": "sunspec", "host": "127.0.0.1", "port": world.load.port},
    }
    lines_of = [
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items()))
    ]
    text = "\n".join(lines_of)
    path.write_text(f'{_HOME}url = "{world.prices.url}"\n{text}', "utf-8")
    return path


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'


@asynccontextmanager
async def _world() -> AsyncIterator[_World]:
    """Start the laboratory: one battery, its house, the sun, the market."""
    clock = _LaterClock()

    def load_w(at_s: float) -> float:
        return KETTLES_W if KETTLES_S <= at_s < KETTLES_OFF_S else LOAD_W

    bank = BatteryModel.lead_acid(1, power_max_w=4_000.0)
    home = EmulatedHome(
        model=bank, soc=SOC, clock=clock.monotonic_s, demand=lambda at_s: (load_w(at_s), SUN_W)
    )
    xtender = XtenderEmulator(home, clock=clock)
    pv = _branch(clock, 103, lambda _: (0.0, SUN_W))
    load = _branch(clock, 203, lambda at_s: (load_w(at_s), 0.0))
    prices = PriceService(
        energy_charts(),
        prices=PublishedPrices(price_of=_price_of, step=timedelta(minutes=15)),
        clock=clock,
    )
    async with AsyncExitStack() as stack:
        for each in (xtender, pv, load, prices):
            await each.start()
            stack.push_async_callback(each.stop)
        line = SerialTap(str(xtender.settings["port"]))
        line.start()
        stack.push_async_callback(line.stop)
        taps = [
            await stack.enter_async_context(WireTap(int(str(each.settings["port"]))))
            for each in (pv, load)
        ]
        yield _World(
            clock=clock, xtender=xtender, line=line, pv=taps[0], load=taps[1], prices=prices
        )


def _branch(
    clock: HandClock, model: int, demand: Callable[[float], tuple[float, float]]
) -> SunSpecEmulator:
    """Return an inverter or a meter without a battery: the one behind it rests for ever."""
    home = EmulatedHome(model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=demand)
    home.steer(lambda load_w, pv_w: 0.0)
    return SunSpecEmulator(home, clock=clock, make=SunSpecMake(chain=(model,)))


def _price_of(begin: datetime) -> float:
    since_midnight = timedelta(hours=begin.hour, minutes=begin.minute)
    return DEAR_PER_MWH if since_midnight >= DEAR_FROM else CHEAP_PER_MWH


def lines(trace: Trace) -> list[str]:
    """Return the trace as text, a line each."""
    text: list[str] = []
    for moment in trace.moments:
        text += [moment.title, *_moment_lines(moment), ""]
    text += ["the agent ends", *_frames(trace.left)]
    counted = Counter(trace.writes)
    text += [
        f"  relay {'closed' if trace.closed_after else 'OPEN'}",
        "",
        f"{counted.total()} writes to RAM ({', '.join(f'{k}: {n}' for k, n in counted.items())}), "
        f"{trace.flash_writes} to flash; 1138 is parameter {CHARGE_A.name}",
    ]
    return text


def _moment_lines(moment: Moment) -> list[str]:
    row = moment.row
    asked_w, closed = row["asked_w"], row["relay_closed"]
    does = "the battery follows the house" if asked_w is None else f"battery {asked_w:+.0f} W"
    return [
        " readings",
        *_frames(each for each in moment.exchanges if not each.writes),
        f" decision of {row['utc'][11:16]}: sun {row['pv_w']:.0f} W, load {row['load_w']:.0f} W, "
        f"charge {100 * row['soc']:.1f} %, {row['price_per_mwh']:.2f} EUR/MWh -> {does}, "
        f"relay {'closed' if closed else 'open'}",
        " writes",
        *_frames(each for each in moment.exchanges if each.writes),
        *(f" log: {line}" for line in moment.said),
        f" after it: relay {f'closed ({moment.why})' if moment.relay_closed else 'open'}, battery "
        f"{moment.battery_power_w:+.0f} W, grid {moment.grid_power_w:+.0f} W",
    ]


def _frames(exchanges: Iterable[Exchange]) -> list[str]:
    text = []
    for each in exchanges:
        text.append(f"  {each.link:8} {each.meaning}")
        text += [f"    > {each.request}", f"    < {each.answer}"]
    return text
