"""A SolarEdge StorEdge inverter with a battery and a meter, on Modbus TCP."""

import math
import struct
from collections import Counter
from collections.abc import Mapping
from typing import Final

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome, Rule
from devices.emulators.modbus_frames import DEVICE_FAILURE, ILLEGAL_ADDRESS, RefusalError
from devices.emulators.modbus_server import ModbusServer
from devices.emulators.sampled import Sampled
from devices.emulators.solaredge_blocks import (
    CONTROL,
    Words,
    battery_block,
    control_block,
    spoil_block,
    sunspec_chain,
)
from devices.emulators.sunspec_image import Image

_IDLE_S: Final = 120.0
_REMOTE: Final = 4
_SELF_CONSUMPTION: Final = 7


class SolarEdgeEmulator:
    """See `devices.emulators.emulator.Emulator`; driven by the driver ``solaredge``.

    One connection at a time, closed after two idle minutes. Set-points are lost at a restart, what
    the vendor calls stored is not. When a command's time is over, the default mode rules: to the
    second where it is self-consumption, else from the next request on.

    Parameters
    ----------
    home : EmulatedHome
        The battery and the house behind it.
    clock : Clock
        Measures the command's time and idle connections.
    host, port
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What to inject.
    capacity_wh, power_max_w : float
        The ratings that it shows. [Wh, W]
    answer_s : float
        How long an answer takes, in real time; the vendor says less than half a second. [s]
    """

    def __init__(
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        capacity_wh: float = 10_000.0,
        power_max_w: float = 5_000.0,
        answer_s: float = 0.0,
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self._host, self._port = host, port
        self._capacity_wh, self._power_max_w = capacity_wh, power_max_w
        self._image = Image(sunspec_chain())
        self._sampled = Sampled(home, clock)
        self._control = control_block(power_max_w)
        self._battery: Words = {}
        self._until_s = math.inf
        self._server = ModbusServer(
            self,
            unit=1,
            clock=clock,
            plan=lambda: self.faults,
            one_client=True,
            idle_s=_IDLE_S,
            answer_s=answer_s,
        )

    @property
    def offered(self) -> frozenset[Fault]:
        """See `devices.emulators.emulator.Emulator`."""
        return self._server.offered

    @property
    def settings(self) -> Mapping[str, object]:
        """See `devices.emulators.emulator.Emulator`."""
        return {"driver": "solaredge", "host": self._host, "port": self._server.port}

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
        if address < 0xE000:
            return self._image.read(address, count, fault, self._sampled)
        if fault is not Fault.STUCK_SENSOR or not self._battery:
            self._battery = battery_block(self._sampled(), self._capacity_wh, self._power_max_w)
        words = self._shown_control() | self._battery
        if fault is not None:
            spoil_block(words, fault)
        try:
            return tuple([words[at] for at in range(address, address + count)])
        except KeyError as error:
            raise RefusalError(ILLEGAL_ADDRESS) from error

    def check(self, address: int, values: tuple[int, ...]) -> None:
        """See `devices.emulators.modbus_server.Registers`."""
        point = CONTROL.get(address)
        if point is None or point.size != len(values):
            raise RefusalError(ILLEGAL_ADDRESS)
        if not point.takes(values):
            raise RefusalError(DEVICE_FAILURE)  # what it answers to a value that it does not take

    def write(self, address: int, values: tuple[int, ...]) -> None:
        """See `devices.emulators.modbus_server.Registers`."""
        self._expire()
        self._sampled.forget()
        self.writes[f"{address:04X}"] += 1
        self._control.update(zip(range(address, address + len(values)), values, strict=True))
        for limit in (0xE00E, 0xE010):
            if self._float(limit) > self._power_max_w:
                most = struct.unpack(">HH", struct.pack(">f", self._power_max_w))
                self._control[limit], self._control[limit + 1] = most[1], most[0]
        if address == 0xE00D:
            timeout_s = self._control[0xE00C] << 16 | self._control[0xE00B]
            self._until_s = self.home.now_s + timeout_s
        self._obey()

    def reboot(self) -> None:
        """See `devices.emulators.modbus_server.Registers`; what is stored outlives it."""
        stored = {at: self._control[at] for at in range(0xE000, 0xE00B)}
        self._control = control_block(self._power_max_w) | stored
        self._until_s = math.inf
        self._obey()

    def _obey(self) -> None:
        """Do what the registers of storage control say now."""
        mode = self._control[0xE004]
        if mode == _REMOTE:
            self._command(self._control[0xE00D])
        else:
            off = mode in (0, 3)
            self.home.steer((lambda _load_w, _pv_w: 0.0) if off else None)

    def _command(self, mode: int) -> None:
        charge_w, discharge_w = self._float(0xE00E), self._float(0xE010)
        if mode == _SELF_CONSUMPTION and min(charge_w, discharge_w) >= self._power_max_w:
            self.home.steer(None)
            return
        from_grid = self._control[0xE005] != 0
        rule = rule_of(mode, charge_w=charge_w, discharge_w=discharge_w, from_grid=from_grid)
        self.home.steer(rule, until_s=self._until_s)

    def _expire(self) -> None:
        """Go to the default mode when a command's time is over; its limits go with it."""
        if math.isinf(self._until_s) or self.home.now_s < self._until_s:
            return
        self._until_s = math.inf
        fresh = control_block(self._power_max_w)
        self._control.update({at: fresh[at] for at in range(0xE00E, 0xE012)})
        self._control[0xE00D] = self._control[0xE00A]
        self._obey()

    def _shown_control(self) -> Words:
        """Return storage control as it reads: no command while remote control is off."""
        remote = self._control[0xE004] == _REMOTE
        return self._control | ({} if remote else {0xE00D: 0xFFFF})

    def _float(self, address: int) -> float:
        words = self._control[address + 1], self._control[address]
        value: float = struct.unpack(">f", struct.pack(">HH", *words))[0]
        return value


def rule_of(mode: int, *, charge_w: float, discharge_w: float, from_grid: bool) -> Rule:
    """Return what a command mode does with the battery, inside its limits. [W]"""

    def wanted(load_w: float, pv_w: float) -> float:
        over_w = pv_w - load_w
        ac_w = charge_w if from_grid else min(pv_w, charge_w)
        return {
            1: min(max(over_w, 0.0), charge_w),
            2: min(pv_w, charge_w),
            3: ac_w,
            4: -discharge_w,
            5: max(min(over_w, 0.0), -discharge_w),
            _SELF_CONSUMPTION: min(max(over_w, -discharge_w), charge_w),
        }.get(mode, 0.0)

    return wanted
