"""Answers what is asked on the adapter's topics, by way of the one storage it is configured for."""

from typing import Final

from devices.adapter.messages import CONFIGURATION, StorageConfig, decode_configuration
from devices.adapter.monitoring import (
    NOT_CONFIGURED,
    Mode,
    encode_configured,
    encode_done,
    encode_error,
    encode_report,
    mode_of,
)
from devices.adapter.storages import Open, Storage
from devices.battery import BatteryState
from devices.clock import Clock
from devices.error_codes import code_of
from devices.errors import DeviceError, DeviceRefusedError
from devices.quantities import Quantity, Window
from devices.requests import (
    LONGEST_S,
    MINUTE_S,
    SELF_CONSUMPTION,
    Action,
    Id,
    ReadRequest,
    WriteRequest,
    decode_command,
    decode_document,
    request_id,
)

_SIGNS: Final = {Action.CHARGE: 1.0, Action.DISCHARGE: -1.0, Action.STOP: 0.0}


class _NotConfiguredError(DeviceRefusedError):
    """A request that came before a configuration."""


class Desk:
    """Answer requests one after the other; holds the storage's connection.

    An interval is the validity of the set-point: when it is over, the storage's driver returns it
    to self-consumption, whatever becomes of the gateway.

    Parameters
    ----------
    open_storage : callable
        Opens the storage that a configuration names; see `devices.adapter.storages`.
    clock : Clock
        Time stamps of answers.
    interval_unit_s : float
        What one of a command's ``interval`` is. [s]
    """

    def __init__(
        self, open_storage: Open, *, clock: Clock, interval_unit_s: float = MINUTE_S
    ) -> None:
        self._open = open_storage
        self._clock = clock
        self._unit_s = interval_unit_s
        self._config: StorageConfig | None = None
        self._storage: Storage | None = None
        self._standing: WriteRequest | None = None
        self._mode = Mode(name=SELF_CONSUMPTION)
        self._windows = {quantity: Window() for quantity in Quantity}

    async def answer(self, topic: str, payload: bytes) -> bytes:
        """Do what a message asks and return what is to be said of it."""
        marked: Id = None
        try:
            what = "configuration" if topic == CONFIGURATION else "command"
            marked = request_id(decode_document(payload, what))
            if topic == CONFIGURATION:
                return await self._configure(decode_configuration(payload), marked)
            request = decode_command(payload, interval_unit_s=self._unit_s)
            if isinstance(request, ReadRequest):
                return await self._read(request)
            return await self._write(request)
        except _NotConfiguredError as error:
            return encode_error(NOT_CONFIGURED, str(error), time_s=self._time_s(), marked=marked)
        except DeviceError as error:
            return encode_error(code_of(error), str(error), time_s=self._time_s(), marked=marked)

    async def sample(self) -> None:
        """Take a sample of everything the storage tells, and keep its least state of charge.

        Raises
        ------
        DeviceError
            Whatever the storage's driver raises.
        """
        if self._config is None:
            return
        storage = await self._opened()
        state = await storage.battery.read()
        self._see(state)
        for quantity in Quantity:
            try:
                self._windows[quantity].add(await storage.read(quantity, state))
            except DeviceRefusedError:
                continue  # it does not measure this
        await self._keep_least_soc(storage, state)

    def reports(self) -> list[bytes]:
        """Return what was measured since the last time, one message for each quantity."""
        if self._config is None:
            return []
        reports = []
        for quantity, window in self._windows.items():
            if window:
                reports.append(
                    encode_report(quantity, window, time_s=self._time_s(), mode=self._mode)
                )
                window.clear()
        return reports

    async def close(self) -> None:
        """Return the storage to self-consumption, let go of it and forget its configuration.

        Raises
        ------
        DeviceError
            If it could not be brought back; it is let go of all the same.
        """
        storage, self._storage = self._storage, None
        self._config = self._standing = None
        if storage is not None:
            await storage.device.close()

    async def _configure(self, config: StorageConfig, marked: Id) -> bytes:
        if config != self._config:
            await self.close()
            self._config = config
            for window in self._windows.values():
                window.clear()
        limits = await (await self._opened()).limits()
        return encode_configured(
            config,
            limits,
            time_s=self._time_s(),
            marked=marked,
        )

    async def _read(self, request: ReadRequest) -> bytes:
        storage = await self._opened()
        state = await storage.battery.read()
        mode = self._see(state)
        window = Window()
        window.add(await storage.read(request.quantity, state))
        return encode_report(
            request.quantity, window, time_s=self._time_s(), mode=mode, marked=request.id
        )

    async def _write(self, request: WriteRequest) -> bytes:
        storage = await self._opened()
        if request.action is Action.PROFILE:
            if request.backup_soc is not None:
                await storage.set_reserve(request.backup_soc)
            await storage.battery.follow()
        else:
            await self._hold(storage, request)
        self._standing = request
        mode = mode_of(request, following=request.action is Action.PROFILE)
        return encode_done(request, time_s=self._time_s(), mode=mode, interval_unit_s=self._unit_s)

    async def _hold(self, storage: Storage, request: WriteRequest) -> None:
        """Have the storage hold what was asked, unless it is too empty for it."""
        config = storage.config
        if request.action is Action.DISCHARGE and config.soc_min > 0:
            state = await storage.battery.read()
            if state.soc <= config.soc_min:
                msg = (
                    f"{storage.device.name} is at {100 * state.soc:.0f} %, its least is "
                    f"{100 * config.soc_min:g} %; charge it first"
                )
                raise DeviceRefusedError(msg)
        power_w = _SIGNS[request.action] * request.power_percent / 100 * config.rated_w
        self._standing = None  # if it fails half way, nothing is known to stand
        # the paper's stop has no interval: it stands for a day
        valid_s = LONGEST_S if request.interval_s is None else request.interval_s
        await storage.battery.set_power(power_w + 0.0, valid_s=valid_s)

    async def _keep_least_soc(self, storage: Storage, state: BatteryState) -> None:
        """End a discharge on command when the storage is down to its least state of charge."""
        standing = self._standing
        discharging = standing is not None and standing.action is Action.DISCHARGE
        if discharging and state.soc <= storage.config.soc_min and not state.following:
            await storage.battery.follow()
            self._standing = None

    async def _opened(self) -> Storage:
        """Return the storage, opened anew if that failed when it was configured."""
        if self._config is None:
            msg = "adapter: no storage is configured; send a configuration first"
            raise _NotConfiguredError(msg)
        if self._storage is None:
            device = await self._open(self._config)
            self._storage = Storage(config=self._config, device=device)
        return self._storage

    def _see(self, state: BatteryState) -> Mode:
        """Return what the storage does, and remember it for reports."""
        self._mode = mode_of(self._standing, following=state.following)
        return self._mode

    def _time_s(self) -> float:
        return self._clock.utc().timestamp()
