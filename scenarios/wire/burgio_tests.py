"""The three validation tests of Burgio et al. 2023, §3, against emulated devices on real sockets.

Test 1 charges an ABB REACT2 (3 kW, 12 kWh) by REST. Tests 2 and 3 go through the SunSpec adapter to
a SolarEdge (4 kW, 4 kWh) by Modbus and to a Sonnen (3 kW, 4 kWh) by REST; test 2 also makes the
paper's call of SolarEdge's Grid Services. What is printed was heard on the wire.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from devices.adapter.messages import MONITORING
from devices.battery import Battery
from devices.battery_model import BatteryModel
from devices.drivers.grid_services import GridServices
from devices.emulators.emulator import Emulator
from devices.emulators.grid_services import GridServicesEmulator
from devices.emulators.house import EmulatedHome
from devices.emulators.react2 import React2Emulator
from devices.emulators.solaredge import SolarEdgeEmulator
from devices.emulators.sonnen import SonnenV1Emulator
from devices.emulators.sunspec_adapter import AdapterEmulator
from devices.hand_clock import HandClock
from devices.registry import Device, Site, open_device
from devices.write_log import WriteLog
from scenarios.errors import ScenarioInputError
from scenarios.wire.wire_tap import Heard, WireTap, compact, http_lines, modbus_lines

LOAD_W: Final = 500.0
"""What the house takes, so that self-consumption shows. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message of a test."""

    way: str
    """From whom to whom, and how."""
    lines: tuple[str, ...]
    """What was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What happened in a test."""

    name: str
    """Its name."""
    title: str
    """What it shows."""
    steps: tuple[Step, ...]
    """Every message, in order."""
    battery_power_w: Mapping[str, float]
    """Power at the battery's terminals after each command, > 0 charges. [W]"""

    def lines(self) -> list[str]:
        """Return the test for people, a line each."""
        found = [f"{self.name}: {self.title}"]
        for step in self.steps:
            found.append(f"  {step.way}")
            found.extend(f"    {line}" for line in step.lines)
        found.extend(
            f"  battery after {what}: {power_w:+.0f} W"
            for what, power_w in self.battery_power_w.items()
        )
        return found


@dataclass(slots=True)
class _Script:
    """Collect what happens while a test runs."""

    clock: HandClock
    home: EmulatedHome
    log: WriteLog
    steps: list[Step] = field(default_factory=list)
    powers_w: dict[str, float] = field(default_factory=dict)

    def say(self, way: str, document: Mapping[str, object]) -> None:
        self.steps.append(Step(way=way, lines=(json.dumps(document),)))

    def hear(self, tap: WireTap, way: str, show: Callable[[Heard], list[str]]) -> None:
        lines: list[str] = []
        for heard in tap.take():
            sign = ">" if heard.request else "<"
            lines.extend(f"{sign} {line}" for line in show(heard))
        self.steps.append(Step(way=way, lines=tuple(lines)))

    def hear_adapter(self, adapter: AdapterEmulator) -> None:
        lines = []
        for topic, payload in adapter.messages:
            sign = "<" if topic == MONITORING else ">"
            lines.append(f"{sign} {topic} {compact(payload.decode())}")
        adapter.messages.clear()
        self.steps.append(Step(way="gateway - adapter (MQTT over TLS)", lines=tuple(lines)))

    async def measure(self, what: str, *, after_s: float = 5.0) -> None:
        await self.clock.advance(after_s)
        self.powers_w[what] = round(self.home.state().battery_power_w, 1) + 0.0

    async def open(self, settings: Mapping[str, object], name: str) -> Device:
        site = Site(name=name, where=f"scenario {name}", clock=self.clock, log=self.log)
        return await open_device(settings, site)


async def _react2(script: _Script) -> None:
    """§3.1: charge at 100 % for 30 minutes."""
    rated_w = 3_000.0
    emulator = React2Emulator(script.home, clock=script.clock, rated_w=rated_w)
    async with _running(emulator) as tap:
        # one command holds for the whole time-out, as in the paper
        settings = {**emulator.settings, "port": tap.port, "hold_s": 1_800.0}
        device = await script.open(settings, "react2")
        try:
            battery = _battery_of(device)
            tap.take()
            command = {
                "storage_id": "000000001",
                "CMDMode": "charge",
                "timeout": 1_800_000,
                "percSetpoint": 100,
            }
            script.say("cloud -> gateway (MQTT)", command)
            await battery.set_power(rated_w * 100 / 100, valid_s=1_800_000 / 1_000)
            script.hear(tap, "gateway - REACT2 (REST)", http_lines)
            await script.measure("charge 100 %")
            power_w = (await battery.read()).battery_power_w
            script.hear(tap, "gateway - REACT2 (REST), to verify", http_lines)
            script.say("gateway -> cloud (MQTT)", _consumption(power_w))
            await script.measure("30 minutes", after_s=1_800)
        finally:
            await device.close()


async def _solaredge(script: _Script) -> None:
    """§3.2: charge at 35 %, by Grid Services and then by the adapter."""
    rated_w = 4_000.0
    cloud = GridServicesEmulator(script.home, clock=script.clock, rated_w=rated_w)
    async with _running(cloud) as tap:
        url = f"http://127.0.0.1:{tap.port}/v1"
        device = await script.open({**cloud.settings, "url": url}, "grid services")
        try:
            service = device.connection
            if not isinstance(service, GridServices):
                msg = f"grid services driver opened {type(service).__name__}"
                raise ScenarioInputError(msg)
            await service.set_power(0.35 * rated_w, valid_s=480)
            script.hear(tap, "gateway - SolarEdge cloud (REST)", http_lines)
            await script.measure("Grid Services charge 35 %")
            await script.measure("Grid Services endTime", after_s=480)
        finally:
            await device.close()
    inverter = SolarEdgeEmulator(
        script.home, clock=script.clock, power_max_w=rated_w, capacity_wh=4_000
    )
    await _through_adapter(
        script,
        AdapterEmulator(
            script.home, clock=script.clock, storage="solaredge", inverter=inverter, rated_w=rated_w
        ),
        model="Storedge 4",
        way="adapter - SolarEdge (Modbus TCP)",
        show=modbus_lines,
        commands={"charge 35 %": 0.35 * rated_w, "discharge 35 %": -0.35 * rated_w},
    )


async def _sonnen(script: _Script) -> None:
    """§3.3: charge at 40 %, discharge at 50 %."""
    rated_w = 3_000.0
    inverter = SonnenV1Emulator(script.home, clock=script.clock, rated_w=rated_w)
    await _through_adapter(
        script,
        AdapterEmulator(
            script.home, clock=script.clock, storage="sonnen", inverter=inverter, rated_w=rated_w
        ),
        model="Ecobatteries 8.2",
        way="adapter - Sonnen (REST)",
        show=http_lines,
        commands={"charge 40 %": 0.4 * rated_w, "discharge 50 %": -0.5 * rated_w},
    )


async def _through_adapter(
    script: _Script,
    adapter: AdapterEmulator,
    *,
    model: str,
    way: str,
    show: Callable[[Heard], list[str]],
    commands: Mapping[str, float],
) -> None:
    """Configure an adapter, give commands for a minute each, and go back to self-consumption."""
    await adapter.start()
    behind = WireTap(int(str(adapter.inverter.settings["port"])))
    await behind.start()
    try:
        settings = {
            **adapter.settings,
            "model": model,
            "storage_port": behind.port,
            "gateway": "gw",
        }
        device = await script.open(settings, model)
        try:
            battery = _battery_of(device)
            script.hear_adapter(adapter)
            script.hear(behind, f"{way}, to know it", show)
            for what, power_w in commands.items():
                await battery.set_power(power_w, valid_s=60)
                script.hear_adapter(adapter)
                script.hear(behind, way, show)
                await script.measure(what)
            await battery.follow()
            script.hear_adapter(adapter)
            script.hear(behind, way, show)
            await script.measure("self-consumption")
        finally:
            await device.close()
    finally:
        await behind.stop()
        await adapter.stop()


@asynccontextmanager
async def _running(emulator: Emulator) -> AsyncIterator[WireTap]:
    """Run a device with a tap before it."""
    await emulator.start()
    try:
        port = emulator.settings.get("port") or str(emulator.settings["url"]).split(":")[2]
        async with WireTap(int(str(port).split("/")[0])) as tap:
            yield tap
    finally:
        await emulator.stop()


def _battery_of(device: Device) -> Battery:
    if device.battery is None:
        msg = f"{device.name} has no battery; name a device that has one"
        raise ScenarioInputError(msg)
    return device.battery


def _consumption(battery_power_w: float) -> dict[str, object]:
    """Return what §3.1's gateway tells the cloud."""
    power: dict[str, object] = {
        "discharge": round(max(-battery_power_w, 0.0)),
        "charge": round(max(battery_power_w, 0.0)),
        "measure_unit": "W",
    }
    return {"consumption": {"powerActive": power}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    title: str
    capacity_wh: float
    rated_w: float
    act: Callable[[_Script], Awaitable[None]]


_TESTS: Final = {
    "burgio-1": _Test(
        title="a REACT2 charges at 100 % for 30 minutes (Burgio et al. 2023, §3.1)",
        capacity_wh=12_000,
        rated_w=3_000,
        act=_react2,
    ),
    "burgio-2": _Test(
        title="a SolarEdge charges at 35 % (Burgio et al. 2023, §3.2)",
        capacity_wh=4_000,
        rated_w=4_000,
        act=_solaredge,
    ),
    "burgio-3": _Test(
        title="a Sonnen charges at 40 % and discharges at 50 % (Burgio et al. 2023, §3.3)",
        capacity_wh=4_000,
        rated_w=3_000,
        act=_sonnen,
    ),
}
NAMES: Final = tuple(_TESTS)
"""Names of the tests."""


def run(name: str) -> Trace:
    """Run one of the paper's validation tests.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Raises
    ------
    ScenarioInputError
        If there is no such test.
    DeviceError
        If a device does not do what it is told.
    """
    if name not in _TESTS:
        msg = f"{name} is no test of the paper; take one of {', '.join(NAMES)}"
        raise ScenarioInputError(msg)
    test = _TESTS[name]
    clock = HandClock()
    home = EmulatedHome(
        # the paper's batteries are rated at their terminals; the cells take a little more
        model=BatteryModel.lfp(1, capacity_wh=test.capacity_wh, power_max_w=1.2 * test.rated_w),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (LOAD_W, 0.0),
    )
    with WriteLog() as log:
        script = _Script(clock=clock, home=home, log=log)
        asyncio.run(partial(_acted, test, script)())
    return Trace(
        name=name,
        title=test.title,
        steps=tuple(script.steps),
        battery_power_w=script.powers_w,
    )


async def _acted(test: _Test, script: _Script) -> None:
    await test.act(script)
