"""An emulated system of Xtenders behind a gateway: scom on a pseudo-terminal or on TCP.

A unit that does not feed the grid charges with its charge current. A unit in forced feeding gives
its feeding current until the battery's voltage is down. A unit that may feed and is not forced to
follows the house: what installers make of it differs, and this is what the emulated one did.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from devices.clock import Clock
from devices.drivers.scom_codec import Frame, ObjectType, Service, encode
from devices.drivers.scom_codec import PropertyId as Property
from devices.drivers.xtender_objects import (
    ALL_UNITS,
    BATTERY_A,
    BATTERY_V,
    BSP,
    BSP_A,
    BSP_C,
    BSP_INFOS,
    BSP_SOC,
    BSP_SOC_MINUTE,
    BSP_SOH,
    BSP_V,
    BSP_W,
    CHARGE_A,
    FEED_A,
    FEED_DOWN_TO_V,
    FEED_START_MIN,
    FEED_STOP_MIN,
    FEEDING_ALLOWED,
    FIRST_UNIT,
    INPUT_KW,
    MODE,
    OUTPUT_KW,
    RELAY_ALLOWED,
    RELAY_STATE,
    UNIT_INFOS,
    UNIT_SOC,
    Parameter,
)
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.scom_server import ScomServer
from devices.emulators.xtender_unit import (
    OBJECT_UNKNOWN,
    PROPERTY_UNKNOWN,
    READ_ONLY,
    EmulatedUnit,
    ScomRefusal,
    info_content,
)

GRID_V: Final = 230.0
RATED_W: Final = 4_000.0
"""Greatest power of one unit, as of an XTM 4000-48. [W]"""
INSTALLED: Final = {FEEDING_ALLOWED.object_id: 1.0, FEED_A.object_id: 16.0}
"""What the emulated installer saved beside the factory's settings."""
BOOT_S: Final = 3.0
"""How long a unit is gone when it restarts. [s]"""
LATE_S: Final = 2.0
"""How long a late write takes to have an effect. [s]"""
_REGULATED_S: Final = 5.0
_REGULATED_A: Final = 0.01
_REGULATIONS: Final = 8
_FRAME_FLAGS: Final = 0x34
"""A memory card is present, a datalog is there and supported."""

_DEVICE_MISSING, _SERVICE_UNKNOWN, _BUSY, _TYPE_UNKNOWN = 0x02, 0x11, 0x13, 0x21
_READ_FAILED, _MULTICAST_READ = 0x2A, 0x2D
_OFFERED: Final = frozenset(
    {
        Fault.TIMEOUT, Fault.HALF_ANSWER, Fault.WRONG_CHECKSUM, Fault.NOT_IMPLEMENTED_VALUE,
        Fault.BUSY, Fault.SERVER_ERROR, Fault.WRITE_IGNORED, Fault.WRITE_LATE, Fault.REBOOT,
        Fault.STUCK_SENSOR,
    }
)  # fmt: skip
_OF_READS: Final = frozenset({Fault.NOT_IMPLEMENTED_VALUE, Fault.SERVER_ERROR, Fault.STUCK_SENSOR})
_OF_WRITES: Final = frozenset({Fault.WRITE_IGNORED, Fault.WRITE_LATE})


class XtenderEmulator:
    """See `devices.emulators.emulator.Emulator`.

    Parameters
    ----------
    home : EmulatedHome
        Battery, sun and house.
    clock : Clock
        For the device's time of day.
    host, port : str, int
        Where it listens with ``over_tcp``, else it makes a pseudo-terminal; port 0 is a free one.
    faults : FaultPlan, optional
        What it injects.
    units : int
        Xtenders that share the battery.
    saved : Mapping[int, float], optional
        What their installer saved, by a parameter's number; `INSTALLED` where not given.
    over_tcp : bool
        Be an Xcom-LAN rather than an Xcom-232i.
    latency_s : float
        How long an answer takes, in real time. [s]
    """

    def __init__(  # noqa: PLR0913 -- five of them are every emulator's
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        units: int = 1,
        saved: Mapping[int, float] | None = None,
        over_tcp: bool = False,
        latency_s: float = 0.0,
    ) -> None:
        self.home = home
        self.faults = FaultPlan.none() if faults is None else faults
        self.writes: Counter[str] = Counter()
        self.grid_lost = False
        """Set to take the grid away: the relay opens by itself, and closes once it is back."""
        self.resets = 0
        """How often the units were reset: each time the house was without power."""
        installed = INSTALLED if saved is None else saved
        self.units = {FIRST_UNIT + each: EmulatedUnit(installed) for each in range(units)}
        """The Xtenders by address."""
        self._clock = clock
        self._host, self._tcp_port = host, port
        self._over_tcp = over_tcp
        self._server = ScomServer(self._answered, latency_s=latency_s)
        self._address = ""
        self._back_s = -math.inf
        self._regulated_s = -math.inf
        self._late: list[tuple[float, Callable[[], None]]] = []
        self._shown: dict[tuple[int, int], bytes] = {}

    @property
    def offered(self) -> frozenset[Fault]:
        """See `Emulator`."""
        return _OFFERED

    @property
    def settings(self) -> Mapping[str, object]:
        """See `Emulator`."""
        return {
            "driver": "studer-xtender",
            "port": self._address,
            "parity": "E" if self._over_tcp else "N",  # a pseudo-terminal has no parity
            "units": len(self.units),
            "feeds_grid": True,
        }

    async def start(self) -> None:
        """See `Emulator`."""
        self.faults.require(self.offered)
        if self._over_tcp:
            port = await self._server.listen(self._host, self._tcp_port)
            self._address = f"tcp://{self._host}:{port}"
        else:
            self._address = self._server.open_terminal()
        self._apply()

    async def stop(self) -> None:
        """See `Emulator`."""
        await self._server.close()

    def _answered(self, request: Frame) -> bytes:
        """Return the bytes that answer a request; none where no answer comes."""
        self._pass_time()
        of_kind = _OF_READS if request.service == Service.READ else _OF_WRITES
        fault = self.faults.next_fault(_OFFERED - (_OF_READS | _OF_WRITES) | of_kind)
        if fault is Fault.TIMEOUT:
            return b""
        raw = encode(self._answer(request, fault))
        if fault is Fault.HALF_ANSWER:
            return raw[: len(raw) // 2]
        if fault is Fault.WRONG_CHECKSUM:
            return raw[:-1] + bytes([raw[-1] ^ 0x55])
        return raw

    def _answer(self, request: Frame, fault: Fault | None) -> Frame:
        try:
            content = self._content(request, fault)
        except ScomRefusal as refusal:
            code = refusal.code.to_bytes(2, "little")
            return request.answer(code, error=True, frame_flags=_FRAME_FLAGS)
        return request.answer(content, frame_flags=_FRAME_FLAGS)

    def _content(self, request: Frame, fault: Fault | None) -> bytes:
        if fault is Fault.REBOOT:
            self._reset(at_s=self.home.now_s)
        self._require_ready(request, fault)
        if request.service == Service.WRITE:
            return self._written(request, fault)
        if request.service != Service.READ:
            raise ScomRefusal(_SERVICE_UNKNOWN)
        place = request.destination, request.object_id
        content = self._read(request)
        if fault is Fault.STUCK_SENSOR and request.object_type == ObjectType.INFO:
            return self._shown.get(place, content)
        self._shown[place] = content
        if fault is Fault.NOT_IMPLEMENTED_VALUE and len(content) == 4:
            return b"\x00\x00\xc0\x7f"  # NaN
        return content

    def _require_ready(self, request: Frame, fault: Fault | None) -> None:
        if fault is Fault.BUSY:
            raise ScomRefusal(_BUSY)
        if fault is Fault.SERVER_ERROR:
            raise ScomRefusal(_READ_FAILED)
        known = {ALL_UNITS, BSP, *self.units}
        booting = self.home.now_s < self._back_s and request.destination != BSP
        if request.destination not in known or booting:
            raise ScomRefusal(_DEVICE_MISSING)

    def _written(self, request: Frame, fault: Fault | None) -> bytes:
        if request.object_type != ObjectType.PARAMETER:
            raise ScomRefusal(
                READ_ONLY if request.object_type == ObjectType.INFO else _TYPE_UNKNOWN
            )
        addresses = self.units if request.destination == ALL_UNITS else [request.destination]
        units = [self.units[each] for each in addresses if each in self.units]
        if not units:
            raise ScomRefusal(OBJECT_UNKNOWN)
        number, kept = request.object_id, request.property_id
        values = [unit.check(number, kept, request.content) for unit in units]
        self.writes[f"{request.destination}.{number}"] += 1
        if fault is Fault.WRITE_IGNORED:
            return b""

        def write() -> None:
            for unit, value in zip(units, values, strict=True):
                unit.write(number, kept, value, now_s=self.home.now_s)
            self._apply()

        if fault is Fault.WRITE_LATE:
            self._late.append((self.home.now_s + LATE_S, write))
        else:
            write()
        return b""

    def _read(self, request: Frame) -> bytes:
        if request.destination == ALL_UNITS:
            raise ScomRefusal(_MULTICAST_READ)
        number, kept = request.object_id, request.property_id
        if request.object_type == ObjectType.PARAMETER:
            if request.destination == BSP:
                raise ScomRefusal(OBJECT_UNKNOWN)
            return self.units[request.destination].read(number, kept)
        if request.object_type != ObjectType.INFO:
            raise ScomRefusal(_TYPE_UNKNOWN)
        infos = BSP_INFOS if request.destination == BSP else UNIT_INFOS
        if number not in infos:
            raise ScomRefusal(OBJECT_UNKNOWN)
        if kept not in {Property.INFO_VALUE, Property.SAVED}:  # client libraries send the latter
            raise ScomRefusal(PROPERTY_UNKNOWN)
        return info_content(infos[number], self._measured()[number])

    def _measured(self) -> dict[int, float]:
        """Return every measurement, by number."""
        state, units = self.home.state(), len(self.units)
        feeds = state.battery_power_w < 0
        return {
            BATTERY_V.object_id: state.dc_voltage_v,
            BATTERY_A.object_id: state.dc_current_a / units,
            UNIT_SOC.object_id: state.estimated_soc * 100,
            RELAY_STATE.object_id: float(not self.home.islanded),
            MODE.object_id: 1.0 if self.home.islanded else 4.0 if feeds else 2.0,
            OUTPUT_KW.object_id: (state.load_w - state.pv_w) / units / 1000,
            INPUT_KW.object_id: state.grid_power_w / units / 1000,
            BSP_V.object_id: state.dc_voltage_v,
            BSP_A.object_id: state.dc_current_a,
            BSP_SOC.object_id: state.estimated_soc * 100,
            BSP_W.object_id: state.dc_voltage_v * state.dc_current_a,
            BSP_C.object_id: state.cell_temperature_c,
            BSP_SOC_MINUTE.object_id: state.estimated_soc * 100,
            BSP_SOH.object_id: 100.0,
        }

    def _pass_time(self) -> None:
        """Do what has come due since the last request."""
        now_s = self.home.now_s
        due = [write for due_s, write in self._late if due_s <= now_s]
        self._late = [each for each in self._late if each[0] > now_s]
        for write in due:
            write()
        expires_s = self._expires_s()
        if now_s >= expires_s:
            self._reset(at_s=expires_s)
        elif now_s >= self._regulated_s + _REGULATED_S:
            self._apply()

    def _expires_s(self) -> float:
        return min(unit.expires_s() for unit in self.units.values())

    def _reset(self, *, at_s: float) -> None:
        """Restart every unit, seen now or later: the house is without power for a moment."""
        self.resets += 1
        self._late.clear()
        for unit in self.units.values():
            unit.reset()
        self._back_s = at_s + BOOT_S
        self._apply()

    def _total(self, parameter: Parameter) -> float:
        return sum(unit.value(parameter) for unit in self.units.values())

    def _apply(self) -> None:
        """Have the home do what the parameters say."""
        home, until_s = self.home, self._expires_s()
        self._regulated_s = home.now_s
        home.islanded = self.grid_lost or self._total(RELAY_ALLOWED) < len(self.units)
        home.limit(None, None)
        feed_w = self._total(FEED_A) * GRID_V
        if not self._total(FEEDING_ALLOWED):
            self._charge(self._total(CHARGE_A), until_s)
        elif self._is_forced():
            down = home.state().dc_voltage_v <= self.units[FIRST_UNIT].value(FEED_DOWN_TO_V)
            home.steer(_holding(0.0 if down else -min(feed_w, self._rated_w)), until_s=until_s)
        else:
            home.steer(None)
            home.limit(self._total(CHARGE_A) * home.state().dc_voltage_v, feed_w)

    @property
    def _rated_w(self) -> float:
        return RATED_W * len(self.units)

    def _charge(self, current_a: float, until_s: float) -> None:
        """Find the terminal power at which the battery takes a current, as the charger does."""
        power_w = current_a * self.home.state().dc_voltage_v
        for _ in range(_REGULATIONS):
            power_w = min(power_w, self._rated_w)
            self.home.steer(_holding(power_w), until_s=until_s)
            taken_a = self.home.state().dc_current_a
            if taken_a <= 0 or abs(taken_a - current_a) < _REGULATED_A:
                return
            power_w *= current_a / taken_a

    def _is_forced(self) -> bool:
        """Return whether the first unit's time of day is inside its window for forced feeding."""
        unit, now = self.units[FIRST_UNIT], self._clock.utc()
        start, stop = unit.value(FEED_START_MIN), unit.value(FEED_STOP_MIN)
        minute = now.hour * 60 + now.minute
        if start <= stop:
            return start <= minute < stop
        return minute >= start or minute < stop


def _holding(power_w: float) -> Callable[[float, float], float]:
    return lambda load_w, pv_w: power_w
