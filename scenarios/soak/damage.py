"""How what breaks in a soak is broken, and mended."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from devices.emulators.faults import Fault, FaultPlan
from scenarios.bench.agent_bench_world import BrokerHere
from scenarios.soak.clock import ScaledClock
from scenarios.soak.faults import LEDGER, REORGANISES, Wire
from scenarios.soak.gateway import Gateway
from scenarios.soak.house import House

Act = Callable[[], Awaitable[object]]
_HOUR_S = 3600.0


@dataclass(slots=True, kw_only=True)
class Damage:
    """Break things and mend them, each by its name in `scenarios.soak.faults.KINDS`."""

    clock: ScaledClock
    """Everybody's clock."""
    house: House
    """Battery and meter."""
    gateway: Gateway
    """The gateway's process."""
    broker: BrokerHere
    """The broker's."""
    wire: Wire
    """The line to the node."""
    node: str
    """The node itself, past the line."""
    _snapshot: object = None

    async def break_(self, kind: str) -> None:
        """Break something."""
        await self._ways()[kind][0]()

    async def mend(self, kind: str) -> None:
        """Mend it."""
        await self._ways()[kind][1]()

    def _ways(self) -> dict[str, tuple[Act, Act]]:
        """Return what breaks and what mends, by kind."""
        house, gateway, broker, wire = self.house, self.gateway, self.broker, self.wire
        garbage = FaultPlan.always(Fault.HTML_INSTEAD_OF_JSON)
        ignored = FaultPlan.always(Fault.WRITE_IGNORED)
        well = _sets(self._set_faults, FaultPlan.none())
        lines = {each: (_sets(wire.set_mode, each), _sets(wire.set_mode, "")) for each in LEDGER}
        return {
            **lines,
            REORGANISES: (self._remember, self._forget),
            "broker killed": (_does(broker.kill), _does(broker.start)),
            "battery gone": (house.battery.stop, house.battery.start),
            "battery refuses": (_sets(self._set_vpp, True), _sets(self._set_vpp, False)),
            "battery talks garbage": (_sets(self._set_faults, garbage), well),
            "battery ignores writes": (_sets(self._set_faults, ignored), well),
            "meter gone": (house.meter.stop, house.meter.start),
            "disk full": (
                _does(partial(gateway.let_write, may=False)),
                _does(partial(gateway.let_write, may=True)),
            ),
            "clock an hour ahead": (
                _sets(self.clock.set_ahead, _HOUR_S),
                _sets(self.clock.set_ahead, 0.0),
            ),
            "clock an hour behind": (
                _sets(self.clock.set_ahead, -_HOUR_S),
                _sets(self.clock.set_ahead, 0.0),
            ),
            "agent killed": (_does(gateway.kill), _does(gateway.start)),
        }

    def _set_faults(self, plan: FaultPlan) -> None:
        self.house.battery.faults = plan

    def _set_vpp(self, refuses: bool) -> None:
        self.house.battery.vpp = refuses

    async def _remember(self) -> None:
        self._snapshot = await asyncio.to_thread(self._ask, "evm_snapshot")

    async def _forget(self) -> None:
        await asyncio.to_thread(self._ask, "evm_revert", self._snapshot)

    def _ask(self, method: str, *parameters: object) -> object:
        """Ask the node for what no chain but a development one does."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        request = urllib.request.Request(  # noqa: S310 -- our own node
            self.node, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- as above
            return json.loads(answer.read())["result"]


def _sets(work: Callable[..., object], *arguments: object) -> Act:
    """Return what does something at once, on the loop whose things it changes."""

    async def act() -> None:
        work(*arguments)

    return act


def _does(work: Callable[..., object], *arguments: object) -> Act:
    """Return what does some blocking work in a thread."""
    return partial(asyncio.to_thread, work, *arguments)
