"""One home's agent: reads, decides, steers and accounts in loops of one process, until stopped."""

import asyncio
import math
import traceback
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from devices.clock import Clock
from devices.errors import DeviceConfigError, DeviceError, DeviceUnavailableError
from hems.agent.build import build
from hems.agent.config import AgentConfig
from hems.agent.lock import only_agent
from hems.agent.parts import Carries, Parts
from hems.agent.seeing.cycles import Cycle
from hems.agent.standing import Standing
from hems.agent.status import forecast_errors
from hems.agent.steering.equipment import ANSWER_SHARE
from hems.agent.ticks import Ticks
from hems.controller import Decision
from hems.errors import AgentConfigError, AgentFailedError, ControlError

CLOSE_S: Final = 30.0
"""How long a part may take to let go. [s]"""
LATE_S: Final = 5.0
"""A tick that is no later than this is decided for as if it were in time. [s]"""
NOTE_S: Final = 90.0
"""How old what stands may be for whoever looks; decisions each minute make it no more often. [s]"""


_LEFT: Final = "the battery is back in self-consumption"
Loop = asyncio.Task[None]


class Maker(Protocol):
    """Makes an agent's parts."""

    def __call__(self, config: AgentConfig, *, clock: Clock, tell: Callable[[str], None]) -> Parts:
        """See `hems.agent.build.build`."""
        ...


class Agent:
    """The gateway of one home.

    Parameters
    ----------
    config : AgentConfig
        The home.
    clock : Clock
        The time.
    tell : Callable[[str], None]
        Takes a line of the log.
    make : callable
        Makes the parts: `hems.agent.build.build`, or what replaces some of them.

    Notes
    -----
    The loops share nothing but the parts. Whatever goes wrong in a part's world (a device, the
    ledger, the broker, the disk) is told once and survived there. Anything else is a fault of the
    agent's own: it ends then, and the battery goes back to self-consumption first.
    """

    def __init__(
        self,
        config: AgentConfig,
        *,
        clock: Clock,
        tell: Callable[[str], None],
        make: Maker = build,
    ) -> None:
        self._config = config
        self._clock = clock
        self._tell = tell
        self._make = make
        self._stopped = asyncio.Event()
        self._read = asyncio.Event()
        self._source: str | None = None
        self._blind = False
        self._noted_s = -math.inf
        self.parts: Parts | None = None
        """What it is made of, while it runs."""

    def stop(self) -> None:
        """Have `run` end well."""
        self._stopped.set()

    async def run(self) -> None:
        """Run until `stop` is called or the task cancelled; the battery then serves its house.

        Raises
        ------
        AgentRunningError
            If another agent runs for this home.
        AgentConfigError
            If a device's settings cannot be used.
        StoreError
            If the state file cannot be opened.
        AgentFailedError
            If it ended on a fault of its own.
        DeviceError
            If the battery could not be brought back to self-consumption in the end.
        """
        with only_agent(self._config.home.state_folder):
            parts = self.parts = self._make(self._config, clock=self._clock, tell=self._tell)
            try:
                await self._check_devices(parts)
                await self._live(parts)
            finally:
                parts.close()
                self.parts = None

    async def _check_devices(self, parts: Parts) -> None:
        """Refuse to start with settings that no retry can mend; a device may well be away."""
        try:
            await parts.equipment.open()
        except DeviceConfigError as error:
            await parts.equipment.close()
            raise AgentConfigError(str(error)) from error
        except DeviceError:
            return  # the device cycle tells

    async def _live(self, parts: Parts) -> None:
        controller = self._config.controller
        self._tell(
            f"{self._config.home.name}: agent runs, {controller.kind} each {controller.decide_s} s,"
            f" devices each {controller.device_cycle_s} s"
        )
        near = _begun(self._cycle(parts), self._decide(parts), parts.steering.run())
        far = _begun(parts.books.run())
        if parts.prices is not None:
            far += _begun(parts.prices.run())
        if parts.courier is not None:
            far += _begun(parts.courier.run())
        stop = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([*near, *far, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            fault = next((_fault(each) for each in (*near, *far) if each.done()), None)
            stuck = await self._leave_battery(parts, near)
            await self._leave_the_rest(parts, far)
        if fault is not None:
            where = _LEFT if stuck is None else f"the battery was not let go of ({stuck})"
            msg = f"the agent failed ({_named(fault)}); {where}; start it again and report this"
            raise AgentFailedError(msg) from fault
        if stuck is not None:
            raise stuck
        self._tell(f"{self._config.home.name}: stopped, {_LEFT}")

    async def _leave_battery(self, parts: Parts, loops: Sequence[Loop]) -> DeviceError | None:
        """End the loops that steer, then let go of the battery; nothing else is waited for.

        Returns
        -------
        DeviceError or None
            Why the battery could not be brought back to self-consumption.
        """
        await _ended(loops)
        try:
            async with asyncio.timeout(CLOSE_S):
                await parts.equipment.close()
        except TimeoutError:
            return DeviceUnavailableError(f"battery: no end of its set-point in {CLOSE_S:g} s")
        except DeviceError as error:
            return error
        return None

    async def _leave_the_rest(self, parts: Parts, loops: Sequence[Loop]) -> None:
        """End the other loops, report for the last time and say farewell, each within a bound."""
        await _ended(loops)
        await _let_go(parts, "last report", parts.books.report())
        utc = self._clock.utc()
        self._note(parts, utc, parts.books.standing(utc))
        await _let_go(parts, "ledger", parts.books.close())
        if parts.prices is not None:
            await _let_go(parts, "prices", parts.prices.close())
        if parts.courier is not None:
            await _let_go(parts, "broker", parts.courier.close())

    async def _cycle(self, parts: Parts) -> None:
        """Read the devices again and again."""
        ticks = Ticks(
            float(self._config.controller.device_cycle_s), clock=self._clock, at_once=True
        )
        while True:
            await ticks.wait()
            raw, errors = await parts.equipment.read(within_s=ANSWER_SHARE * ticks.period_s)
            reading, reasons = parts.sieve.pass_(raw)
            parts.senses.heard(reading, errors, reasons)
            parts.caps.see(reading)
            for listener in parts.listeners:
                listener.add(reading)
            self._read.set()
            utc = self._clock.utc()
            if self._is_news(parts, utc):
                self._plan(parts, utc)
            elif self._clock.monotonic_s() >= self._noted_s + NOTE_S:
                self._note(parts, utc, parts.books.standing(utc))

    def _is_news(self, parts: Parts, utc: datetime) -> bool:
        """Return whether something came that is not left waiting for the next t_j.

        That is the contract's first answer, the first price of the market, and a device that the
        last decision had to do without.
        """
        if self._source is None:
            return False  # the first decision is about to be made
        blind = self._blind and None not in {parts.senses.meter, parts.senses.battery}
        priced = parts.prices is not None and parts.prices.take_news()
        return blind or priced or self._source != parts.books.standing(utc).source

    async def _decide(self, parts: Parts) -> None:
        """Decide each t_j, the first time when the devices have been read."""
        ticks = Ticks(float(self._config.controller.decide_s), clock=self._clock, at_once=True)
        await self._read.wait()
        while True:
            tick = await ticks.wait()
            self._plan(parts, tick.due if 0 <= tick.late_s < LATE_S else self._clock.utc())

    def _plan(self, parts: Parts, utc: datetime) -> None:
        """Decide, hand the decision on, and write down what stands."""
        standing = parts.books.standing(utc)
        self._source = standing.source
        decision = self._decision(parts, utc, standing)
        parts.steering.plan(decision)
        if parts.cycles is not None:
            price = parts.decider.import_price_per_mwh(utc)
            parts.cycles.add(
                Cycle(utc=utc, reading=parts.senses.last, price_per_mwh=price, decision=decision)
            )
        self._note(parts, utc, standing)

    def _decision(self, parts: Parts, utc: datetime, standing: Standing) -> Decision | None:
        """Return the controller's decision; None where nothing can be decided on."""
        meter, battery = parts.senses.meter, parts.senses.battery
        self._blind = meter is None or battery is None
        if meter is None or battery is None:
            return None
        try:
            decision = parts.decider.decide(
                utc,
                meter=meter,
                battery=battery,
                standing=standing,
                limits=parts.caps.limits(),
            )
        except ControlError as error:
            parts.health.lost("controller", f"{error}; the battery follows the house")
            return None
        parts.health.back("controller")
        return decision

    def _note(self, parts: Parts, utc: datetime, standing: Standing) -> None:
        """Write what stands for whoever looks."""
        self._noted_s = self._clock.monotonic_s()
        order = parts.steering.order
        parts.status.write(
            utc,
            reading=parts.senses.last,
            standing=standing,
            wish=parts.steering.wish,
            facts={
                "home": self._config.home.name,
                "rejected": dict(parts.senses.rejected),
                "order": None if order is None else order.correlation_id,
                "spool": _spool(parts.courier),
                "forecast": forecast_errors(parts.history.scores()),
                "relay": None if parts.relay is None else parts.relay.status,
                "prices": None if parts.prices is None else parts.prices.status(utc),
            },
        )


def _begun(*loops: Coroutine[object, object, None]) -> list[Loop]:
    return [asyncio.ensure_future(each) for each in loops]


async def _ended(loops: Sequence[Loop]) -> None:
    """Cancel loops and wait for them, within a bound."""
    for each in loops:
        each.cancel()
    done, _ = await asyncio.wait(loops, timeout=CLOSE_S)
    await asyncio.gather(*done, return_exceptions=True)  # what ended the agent has been told


def _spool(courier: Carries | None) -> dict[str, int]:
    """Return how many messages wait for the broker, and how many were given up."""
    if courier is None:
        return {}
    return {"waiting": courier.spool.waiting, "dropped": courier.spool.dropped}


async def _let_go(parts: Parts, name: str, farewell: Coroutine[object, object, object]) -> None:
    """Take leave of a part; what is wrong in its world is told, and the wait has a bound."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await farewell
    except (TimeoutError, OSError, ControlError) as error:
        why = f"not done within {CLOSE_S:g} s" if isinstance(error, TimeoutError) else str(error)
        parts.health.lost(name, f"{why}; it is made up for at the next start")


def _fault(loop: asyncio.Future[None]) -> BaseException:
    """Return what ended a loop that should not have ended."""
    error = None if loop.cancelled() else loop.exception()
    return error or RuntimeError("a loop ended by itself")


def _named(fault: BaseException) -> str:
    """Return a fault with the place in the code, in a few words."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{place}: {fault}"
