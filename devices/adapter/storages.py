"""From a configuration message to an open storage: each manufacturer's own way to be spoken to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from devices.adapter.messages import StorageConfig
from devices.battery import Battery, BatteryLimits, BatteryState
from devices.clock import Clock
from devices.errors import DeviceRefusedError
from devices.quantities import Quantity
from devices.registry import Device, Driver, Site, open_device
from devices.write_log import WriteLog


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How a manufacturer's storage is reached."""

    driver: str
    """Driver in `devices.registry`."""
    port: int
    """Usual port."""
    unit: int | None
    """Usual Modbus unit; None where it is no Modbus."""
    rated: str | None = None
    """The driver's setting for the rated power; None where the storage tells it."""


MANNERS: Final = {
    "sunspec": _Manner(driver="sunspec", port=502, unit=1),
    "solaredge": _Manner(driver="solaredge", port=1502, unit=1),
    "solardge": _Manner(driver="solaredge", port=1502, unit=1),  # as Burgio §3.2 prints it
    "sonnen": _Manner(driver="sonnen-v1", port=8080, unit=None, rated="power_max_w"),
}
"""How each manufacturer's storage is reached; every other is asked by SunSpec."""


Open = Callable[[StorageConfig], Awaitable[Device]]
"""Opens the storage that a configuration names."""


def storage_opener(
    *,
    clock: Clock,
    log: WriteLog,
    timeout_s: float = 5.0,
    read_only: bool = False,
    open_with: Driver = open_device,
) -> Open:
    """Return what opens storages with the drivers of `devices.registry`.

    Parameters
    ----------
    clock : Clock
        The time, for drivers.
    log : WriteLog
        Where writes are counted.
    timeout_s : float
        How long a storage may take to answer. [s]
    read_only : bool
        Refuse every write.
    open_with : callable
        Opens a device; `devices.dead_man.open_watched` where storages keep set-points.
    """

    async def open_storage(config: StorageConfig) -> Device:
        manner = MANNERS.get(config.storage, MANNERS["sunspec"])
        table: dict[str, object] = {
            "driver": manner.driver,
            "host": config.host,
            "port": manner.port if config.port is None else config.port,
            "timeout_s": timeout_s,
        }
        if manner.unit is not None:
            table["unit"] = manner.unit if config.unit is None else config.unit
        if manner.rated is not None:
            table[manner.rated] = config.rated_w
        site = Site(
            name=f"{config.storage} at {config.host}",
            where="configuration of the adapter",
            clock=clock,
            log=log,
            read_only=read_only,
        )
        return await open_with(table, site)

    return open_storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """An open storage with the adapter's questions to it."""

    config: StorageConfig
    """What it was configured as."""
    device: Device
    """Its driver's device."""

    @property
    def battery(self) -> Battery:
        """Its battery.

        Raises
        ------
        DeviceRefusedError
            If the device behind the address has none.
        """
        if self.device.battery is None:
            msg = f"{self.device.name} has no battery; configure the address of one that has"
            raise DeviceRefusedError(msg)
        return self.device.battery

    async def limits(self) -> BatteryLimits:
        """Return what the battery can do, as far as its driver tells, within the rated power."""
        told = getattr(self.battery, "limits", None)
        known = await told() if told is not None else None
        rated_w = self.config.rated_w
        if not isinstance(known, BatteryLimits):
            return BatteryLimits(charge_max_w=rated_w, discharge_max_w=rated_w)
        return BatteryLimits(
            charge_max_w=min(known.charge_max_w, rated_w),
            discharge_max_w=min(known.discharge_max_w, rated_w),
            capacity_wh=known.capacity_wh,
            charges_from_grid=known.charges_from_grid,
            exports_to_grid=known.exports_to_grid,
        )

    async def read(self, quantity: Quantity, state: BatteryState) -> tuple[float, ...]:
        """Return the values of a quantity, one for each phase; ``state`` is the battery's now.

        Raises
        ------
        DeviceRefusedError
            If the storage does not measure it.
        DeviceError
            Whatever its driver raises.
        """
        if quantity is Quantity.ACTIVE_POWER:
            return (state.battery_power_w,)
        if quantity is Quantity.STATE_OF_CHARGE:
            return (100 * state.soc,)
        found: tuple[float | None, ...] = ()
        if quantity is Quantity.TEMPERATURE:
            found = (state.temperature_c,)
        elif self.device.inverter is not None:
            measured = await self.device.inverter.read_inverter()
            found = {
                Quantity.FREQUENCY: (measured.frequency_hz,),
                Quantity.PHASE_VOLTAGE: measured.phase_voltages_v,
                Quantity.LINE_CURRENT: measured.line_currents_a,
                Quantity.REACTIVE_POWER: (measured.reactive_power_var,),
            }[quantity]
        values = tuple(value for value in found if value is not None)
        if not values:
            msg = f"{self.device.name} does not tell its {quantity.value.lower()}; leave it out"
            raise DeviceRefusedError(msg)
        return values

    async def set_reserve(self, reserve_soc: float) -> None:
        """Have self-consumption keep a reserve.

        Raises
        ------
        DeviceRefusedError
            If the storage cannot be told; nothing is changed.
        """
        if self.device.reserve is None:
            msg = f"{self.device.name} cannot be told a backup; set it in its own menu, send none"
            raise DeviceRefusedError(msg)
        await self.device.reserve.set_reserve(reserve_soc)
