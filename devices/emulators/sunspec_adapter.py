"""A SunSpec adapter before an emulated inverter: the real adapter, which can be made to fail."""

import asyncio
import json
import math
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final, cast

from devices.adapter.broker import AdapterBroker, server_context
from devices.adapter.certificates import CertificateFiles, make_certificates
from devices.adapter.desk import Desk
from devices.adapter.messages import COMMAND, MONITORING
from devices.adapter.monitoring import encode_done, encode_error, mode_of
from devices.adapter.storages import storage_opener
from devices.clock import Clock
from devices.emulators.emulator import Emulator
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.errors import DeviceError, DeviceUnavailableError
from devices.quantities import Quantity
from devices.registry import EMULATORS, resolve
from devices.requests import MINUTE_S, ReadRequest, WriteRequest, decode_command
from devices.write_log import WriteLog

READ_FAULTS: Final = frozenset(
    {
        Fault.TIMEOUT,
        Fault.REFUSED_CONNECTION,
        Fault.HALF_ANSWER,
        Fault.NOT_IMPLEMENTED_VALUE,
        Fault.BUSY,
        Fault.SERVER_ERROR,
        Fault.HTML_INSTEAD_OF_JSON,
        Fault.REBOOT,
        Fault.STUCK_SENSOR,
    }
)
"""Faults that an adapter's read can show."""
WRITE_FAULTS: Final = (READ_FAULTS | {Fault.WRITE_IGNORED, Fault.WRITE_LATE}) - {
    Fault.NOT_IMPLEMENTED_VALUE,
    Fault.STUCK_SENSOR,
}
"""Faults that an adapter's write can show."""
_INVERTERS: Final = {
    "sunspec": "sunspec",
    "solaredge": "solaredge",
    "sonnen": "sonnen-v1",
}
"""What stands behind the adapter unless the caller made one: an emulator by manufacturer."""
LATE_S: Final = 3.0
"""How much later a late write is done. [s]"""
AWAY_S: Final = 3.0
"""How long a restart takes. [s]"""
MOST_KEPT: Final = 1_000
"""Messages that are kept for whoever wants to see them."""
STOP_S: Final = 1.0
"""How long stopping waits for the inverter to be let go of, in real time. [s]"""
_PAGE: Final = b"<!DOCTYPE html><html><body>Welcome</body></html>"


class AdapterEmulator:
    """See `devices.emulators.emulator.Emulator`; driven by the driver ``sunspec-adapter``.

    Messages, broker, TLS and the way to the inverter are those of `devices.adapter`. ``faults``
    strike between gateway and adapter; ``inverter.faults`` between adapter and inverter.

    Parameters
    ----------
    home : EmulatedHome
        The battery and the house behind the inverter.
    clock : Clock
        The time of adapter and inverter.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What to inject.
    storage : str
        Manufacturer of the inverter: ``sunspec``, ``solaredge`` or ``sonnen``.
    inverter : Emulator, optional
        The inverter, made for the same home; None makes one of ``storage`` as it is by default.
    rated_w : float
        Its rated power, which percentages are of. [W]
    folder : Path, optional
        Where certificates go; None makes a folder that goes when it stops.
    interval_unit_s : float
        What one of a command's ``interval`` is. [s]
    timeout_s : float
        How long the inverter may take to answer. [s]
    """

    def __init__(  # noqa: PLR0913 -- options, all by keyword
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        storage: str = "sunspec",
        inverter: Emulator | None = None,
        rated_w: float = 5_000.0,
        folder: Path | None = None,
        interval_unit_s: float = MINUTE_S,
        timeout_s: float = 2.0,
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self.inverter: Emulator = inverter or _inverter(storage, home, clock)
        """The emulated device behind the adapter, with faults and counts of its own."""
        self.messages: deque[tuple[str, bytes]] = deque(maxlen=MOST_KEPT)
        """Topics and payloads of the latest messages, both ways, in their order."""
        self._clock = clock
        self._host, self._port = host, port
        self._storage, self._rated_w = storage, rated_w
        self._unit_s = interval_unit_s
        self._folder = folder
        self._timeout_s = timeout_s
        self._open = AsyncExitStack()
        self._files: CertificateFiles | None = None
        self._desk: Desk | None = None
        self._broker: AdapterBroker | None = None
        self._away_until_s = -math.inf
        self._stuck: dict[Quantity, object] = {}
        self._later: set[asyncio.Task[None]] = set()

    @property
    def offered(self) -> frozenset[Fault]:
        """See `devices.emulators.emulator.Emulator`."""
        return READ_FAULTS | WRITE_FAULTS

    @property
    def settings(self) -> Mapping[str, object]:
        """See `devices.emulators.emulator.Emulator`."""
        behind = self.inverter.settings
        return {
            "driver": "sunspec-adapter",
            "host": self._host,
            "port": self._port if self._broker is None else self._broker.port,
            "ca_file": "" if self._files is None else str(self._files.ca),
            "storage": self._storage,
            "address": behind["host"],
            "storage_port": behind["port"],
            "rated_w": self._rated_w,
            "interval_unit_s": self._unit_s,
        }

    async def start(self) -> None:
        """See `devices.emulators.emulator.Emulator`."""
        self.faults.require(self.offered)
        folder = self._folder
        if folder is None:
            folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        log = self._open.enter_context(WriteLog())
        self._files = make_certificates(folder, hosts=(self._host,), now=self._clock.utc())
        self._desk = Desk(
            storage_opener(clock=self._clock, log=log, timeout_s=self._timeout_s),
            clock=self._clock,
            interval_unit_s=self._unit_s,
        )
        await self.inverter.start()
        self._broker = AdapterBroker(
            self._handle,
            host=self._host,
            port=self._port,
            tls=server_context(self._files.certificate, self._files.key),
            open_to=self._is_up,
        )
        await self._broker.start()

    async def stop(self) -> None:
        """See `devices.emulators.emulator.Emulator`."""
        for task in self._later:
            task.cancel()
        if self._later:
            await asyncio.wait(self._later)
        if self._broker is not None:
            await self._broker.stop()
        # the clock may stand still now, and an inverter may not answer: then it is left as it is
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._forget()
        await self.inverter.stop()
        await self._open.aclose()

    async def _handle(self, topic: str, payload: bytes) -> None:
        self.messages.append((topic, payload))
        request = _request(topic, payload, self._unit_s)
        offered = WRITE_FAULTS if isinstance(request, WriteRequest) else frozenset[Fault]()
        if isinstance(request, ReadRequest):
            offered = READ_FAULTS
        fault = self.faults.next_fault(offered)
        if isinstance(request, WriteRequest):
            self.writes[request.action.value] += 1
        if fault in _BEFORE:
            await _BEFORE[fault](self)
        elif fault in {Fault.BUSY, Fault.SERVER_ERROR}:
            await self._complain(request, fault)
        elif isinstance(request, WriteRequest) and fault in {Fault.WRITE_IGNORED, Fault.WRITE_LATE}:
            if fault is Fault.WRITE_LATE:
                self._start_later(self._do_later(topic, payload))
            await self._publish(self._acknowledged(request))
        else:
            await self._answer(topic, payload, request, fault)

    async def _answer(
        self,
        topic: str,
        payload: bytes,
        request: ReadRequest | WriteRequest | None,
        fault: Fault | None,
    ) -> None:
        answer = await self._ask(topic, payload)
        if isinstance(request, ReadRequest):
            answer = self._measured(answer, request.quantity, fault)
        if fault is Fault.HTML_INSTEAD_OF_JSON:
            answer = _PAGE
        if fault is Fault.HALF_ANSWER:
            answer = answer[: len(answer) // 2]
        await self._publish(answer)
        if fault is Fault.HALF_ANSWER:
            await asyncio.sleep(0.05)  # let the half out before the line is cut
            await self._cut()

    def _measured(self, answer: bytes, quantity: Quantity, fault: Fault | None) -> bytes:
        """Return a report with what a faulty sensor shows in the place of its figures."""
        document = json.loads(answer)
        if "last" not in document:
            return answer
        figures = {key: document[key] for key in ("min", "max", "avg", "last", "type")}
        if fault is Fault.NOT_IMPLEMENTED_VALUE:
            figures = dict.fromkeys(figures)
        elif fault is Fault.STUCK_SENSOR:
            figures = cast("dict[str, object]", self._stuck.get(quantity, figures))
        else:
            self._stuck[quantity] = figures
        return json.dumps({**document, **figures}).encode()

    async def _complain(self, request: ReadRequest | WriteRequest | None, fault: Fault) -> None:
        text = "serves another client" if fault is Fault.BUSY else "failed inside"
        marked = None if request is None else request.id
        time_s = self._clock.utc().timestamp()
        await self._publish(encode_error("unavailable", text, time_s=time_s, marked=marked))

    def _acknowledged(self, request: WriteRequest) -> bytes:
        return encode_done(
            request,
            time_s=self._clock.utc().timestamp(),
            mode=mode_of(request, following=False),
            interval_unit_s=self._unit_s,
        )

    async def _do_later(self, topic: str, payload: bytes) -> None:
        await self._clock.sleep(LATE_S)
        await self._ask(topic, payload)

    async def _ask(self, topic: str, payload: bytes) -> bytes:
        if self._desk is None:
            msg = "adapter emulator: not started; start it first"
            raise DeviceUnavailableError(msg)
        return await self._desk.answer(topic, payload)

    async def _reboot(self) -> None:
        """Be gone for a while, then back without a storage, which is left to itself."""
        self._away_until_s = self._clock.monotonic_s() + AWAY_S
        await self._cut()
        await self._forget()

    def _is_up(self) -> bool:
        return self._clock.monotonic_s() >= self._away_until_s

    async def _forget(self) -> None:
        try:
            if self._desk is not None:
                await self._desk.close()
        except DeviceError:
            return  # the inverter does not answer; its own watchdog is what remains

    async def _cut(self) -> None:
        if self._broker is not None:
            self._broker.drop_connections()

    async def _say_nothing(self) -> None:
        """Let the request go without an answer."""

    async def _publish(self, answer: bytes) -> None:
        self.messages.append((MONITORING, answer))
        if self._broker is not None:
            await self._broker.publish(answer)

    def _start_later(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


_BEFORE: Final = {
    Fault.TIMEOUT: AdapterEmulator._say_nothing,
    Fault.REFUSED_CONNECTION: AdapterEmulator._cut,
    Fault.REBOOT: AdapterEmulator._reboot,
}


def _request(topic: str, payload: bytes, unit_s: float) -> ReadRequest | WriteRequest | None:
    """Return what a command asks, or None for everything else."""
    if topic != COMMAND:
        return None
    try:
        return decode_command(payload, interval_unit_s=unit_s)
    except DeviceError:
        return None


def _inverter(storage: str, home: EmulatedHome, clock: Clock) -> Emulator:
    """Return the emulated device behind the adapter."""
    if storage not in _INVERTERS:
        known = ", ".join(_INVERTERS)
        msg = f"adapter emulator: storage {storage} is not emulated; take one of {known}"
        raise ValueError(msg)
    make = cast("Callable[..., Emulator]", resolve(EMULATORS[_INVERTERS[storage]]))
    return make(home, clock=clock)
