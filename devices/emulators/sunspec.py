"""A SunSpec hybrid inverter with a battery, on TCP or a serial line (RTU)."""

import math
from collections import Counter
from collections.abc import Mapping

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, RefusalError
from devices.emulators.modbus_server import ModbusServer
from devices.emulators.sampled import Sampled
from devices.emulators.sunspec_control import RULES, SunSpecMake, check_write
from devices.emulators.sunspec_image import Image, Section
from devices.emulators.sunspec_readings import chain_of


class SunSpecEmulator:
    """See `devices.emulators.emulator.Emulator`; driven by the driver ``sunspec``.

    A hybrid inverter: production and battery share its AC side, which therefore shows production
    less charging. Control is what the chain has of models 124 and 704; the one written last rules.

    Parameters
    ----------
    home : EmulatedHome
        The battery and the house behind it.
    clock : Clock
        Measures reversion times.
    host, port
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What to inject.
    make : SunSpecMake, optional
        What is built into it.
    """

    def __init__(
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        make: SunSpecMake | None = None,
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self._host, self._port = host, port
        self._make = make or SunSpecMake()
        self._image = Image(chain_of(self._make), base=self._make.base)
        self._sampled = Sampled(home, clock)
        self._until_s = math.inf
        self._server = ModbusServer(
            self,
            unit=self._make.unit,
            clock=clock,
            plan=lambda: self.faults,
            serial=self._make.serial,
            one_client=self._make.one_client,
            idle_s=self._make.idle_s,
            answer_s=self._make.answer_s,
        )

    @property
    def offered(self) -> frozenset[Fault]:
        """See `devices.emulators.emulator.Emulator`."""
        return self._server.offered

    @property
    def settings(self) -> Mapping[str, object]:
        """See `devices.emulators.emulator.Emulator`."""
        place: dict[str, object] = {"host": self._host, "port": self._server.port}
        if self._make.serial:
            place = {"serial": self._server.path}
        return {"driver": "sunspec", **place, "unit": self._make.unit}

    async def start(self) -> None:
        """See `devices.emulators.emulator.Emulator`."""
        self.faults.require(self.offered)
        await self._server.start(self._host, self._port)

    async def stop(self) -> None:
        """See `devices.emulators.emulator.Emulator`."""
        await self._server.stop()

    def drop_connections(self) -> None:
        """Drop every connection, as a network that fails does."""
        self._server.drop_all()

    def read(self, address: int, count: int, fault: Fault | None) -> tuple[int, ...]:
        """See `devices.emulators.modbus_server.Registers`."""
        self._expire()
        return self._image.read(address, count, fault, self._sampled)

    def check(self, address: int, values: tuple[int, ...]) -> None:
        """See `devices.emulators.modbus_server.Registers`."""
        self._expire()
        named = self._image.named(address, len(values))
        if not named:
            raise RefusalError(ILLEGAL_ADDRESS)
        before = self._image.copy()
        self._image.write(address, values)
        try:
            for section, name in named:
                check_write(section.model_id, name, self._image.values(section))
        finally:
            self._image = before

    def write(self, address: int, values: tuple[int, ...]) -> None:
        """See `devices.emulators.modbus_server.Registers`."""
        named = self._image.named(address, len(values)) or []
        section = named[0][0]
        self.writes[f"{section.model_id}." + "+".join(name for _, name in named)] += 1
        self._image.write(address, values)
        self._sampled.forget()
        control = self._image.values(section)
        timer_s = RULES[section.model_id].timer_s(control, {name for _, name in named})
        if timer_s is not None:
            self._until_s = self.home.now_s + timer_s if timer_s else math.inf
        self._obey(section)

    def reboot(self) -> None:
        """See `devices.emulators.modbus_server.Registers`."""
        self._image = Image(chain_of(self._make), base=self._make.base)
        self._until_s = math.inf
        self._sampled.forget()
        self.home.steer(None)

    def _obey(self, section: Section) -> None:
        """Do what a model for control says now."""
        rule = RULES[section.model_id].rule(self._image.values(section), self._make)
        self.home.steer(rule, until_s=self._until_s if rule else math.inf)

    def _expire(self) -> None:
        """End what a reversion time has ended."""
        if math.isinf(self._until_s) or self.home.now_s < self._until_s:
            return
        self._until_s = math.inf
        for model_id, control in RULES.items():
            section = self._image.section(model_id)
            if section is not None:
                self._image.merge(section, control.reverted(self._image.values(section)))
                self._obey(section)
