"""Infos and parameters of a system of Xtenders: read by name, written to RAM only.

Flash bears a thousand writes of a parameter, a week of one every ten minutes; nothing in here can
write it. A reset of the device loses what is in RAM and brings back what its installer saved.
"""

from collections.abc import Iterable
from typing import Final

from devices.drivers.scom_codec import (
    HOST,
    Frame,
    ObjectType,
    PropertyId,
    Service,
    decode_value,
    encode_value,
)
from devices.drivers.scom_line import ScomLine
from devices.drivers.xtender_objects import BSP, FIRST_UNIT, Info, Parameter
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.guarded_writes import GuardedWrites, Register, within

_UNSAVED: Final = PropertyId.UNSAVED


class XtenderRegisters:
    """Read and write a system; every write of all Xtenders alike.

    Parameters
    ----------
    line : ScomLine
        The way to the gateway.
    writes : GuardedWrites
        What writes go through.
    units : int
        Xtenders of the system, 1..9.
    """

    def __init__(self, line: ScomLine, writes: GuardedWrites, *, units: int) -> None:
        self._line = line
        self._writes = writes
        self._missing: set[int] = set()
        self.units: Final = range(FIRST_UNIT, FIRST_UNIT + units)
        """Addresses of the Xtenders."""

    @property
    def name(self) -> str:
        """What messages call the system."""
        return self._line.name

    def require_writable(self) -> None:
        """Raise `DeviceReadOnlyError` where nothing may be written."""
        self._writes.require_writable()

    def forget(self) -> None:
        """Look again at what the device holds before the next writes."""
        self._writes.forget()

    async def info(self, info: Info, *, address: int = FIRST_UNIT) -> float:
        """Return a measurement.

        Raises
        ------
        DeviceReplyError
            If the device has no value for it.
        DeviceError
            If it does not answer, or refuses.
        """
        frame = self._read(address, ObjectType.INFO, info.object_id, PropertyId.INFO_VALUE)
        return await self._value(frame, info)

    async def total(self, info: Info) -> float:
        """Return the sum of a measurement over all Xtenders."""
        return sum([await self.info(info, address=unit) for unit in self.units])

    async def monitor(self, info: Info) -> float | None:
        """Return a measurement of the battery monitor; None where it does not have it."""
        if info.object_id in self._missing:
            return None
        try:
            return await self.info(info, address=BSP)
        except DeviceRefusedError:
            self._missing.add(info.object_id)  # an older one: it will not learn
        except DeviceReplyError:
            pass
        return None

    async def saved(self, parameter: Parameter, unit: int) -> float:
        """Return what a parameter is in flash: what the installer saved."""
        return await self._parameter(parameter, unit, PropertyId.SAVED)

    async def present(self, parameter: Parameter, unit: int) -> float:
        """Return what a parameter is at present, saved or not."""
        return await self._parameter(parameter, unit, _UNSAVED)

    async def put(
        self, parameter: Parameter, value: float, *, essential: bool = False, renew: bool = False
    ) -> None:
        """Have every Xtender hold a parameter in RAM; see `GuardedWrites.put`."""
        for unit in self.units:
            await self._put(parameter, value, unit, essential=essential, renew=renew)

    async def restore(self, parameters: Iterable[Parameter]) -> None:
        """Bring parameters back, in their order, to what the installer saved."""
        for parameter in parameters:
            for unit in self.units:
                value = await self.saved(parameter, unit)
                await self._put(parameter, value, unit, essential=True)

    async def close(self) -> None:
        """Let go of the line."""
        await self._line.close()

    async def _put(
        self,
        parameter: Parameter,
        value: float,
        unit: int,
        *,
        essential: bool = False,
        renew: bool = False,
    ) -> None:
        frame = self._read(unit, ObjectType.PARAMETER, parameter.object_id, _UNSAVED)
        written = frame._replace(service=Service.WRITE, content=encode_value(parameter.kind, value))
        await self._writes.put(
            # RAM does not wear out: no budget
            Register(name=f"{unit}.{parameter.object_id}", budget_per_day=None),
            value,
            send=lambda: self._line.ask(written),
            read_back=lambda: self._value(frame, parameter),
            same=within(parameter.tolerance),
            essential=essential,
            renew=renew,
        )

    async def _parameter(self, parameter: Parameter, unit: int, kept: PropertyId) -> float:
        frame = self._read(unit, ObjectType.PARAMETER, parameter.object_id, kept)
        return await self._value(frame, parameter)

    async def _value(self, frame: Frame, what: Info | Parameter) -> float:
        content = await self._line.ask(frame)
        place = f"{self.name} {frame.destination}.{what.object_id} {what.name}"
        try:
            value = decode_value(what.kind, content)
        except DeviceReplyError as error:
            msg = f"{place}: {error}"
            raise DeviceReplyError(msg) from error
        if value is None:
            msg = f"{place}: the device has no value; ask again"
            raise DeviceReplyError(msg)
        return value

    @staticmethod
    def _read(address: int, kind: ObjectType, object_id: int, kept: PropertyId) -> Frame:
        return Frame(
            source=HOST,
            destination=address,
            service=Service.READ,
            object_type=kind,
            object_id=object_id,
            property_id=kept,
        )
