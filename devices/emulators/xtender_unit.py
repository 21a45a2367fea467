"""The parameters of one emulated Xtender: flash that wears out, RAM, 16-bit floats, a watchdog."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

from devices.drivers.scom_codec import Format, PropertyId, decode_value, encode_value
from devices.drivers.xtender_objects import (
    PARAMETERS,
    SAVES_IN_FLASH,
    WATCHDOG,
    WATCHDOG_S,
    Info,
    Parameter,
)
from devices.errors import DeviceReplyError

FLASH_WRITES: Final = 1_000
"""Writes of a parameter that flash bears; the vendor guarantees no more."""
_HALF_RANGE: Final = 32_768

OBJECT_UNKNOWN, PROPERTY_UNKNOWN, WRONG_LENGTH, WRONG_DATA = 0x22, 0x23, 0x24, 0x26
TOO_SMALL, TOO_BIG, READ_ONLY, WRITE_FAILED = 0x27, 0x28, 0x25, 0x29


class ScomRefusal(Exception):  # noqa: N818 -- no error of ours: an answer of the device
    """What the emulated device refuses a request with.

    Parameters
    ----------
    code : int
        The protocol's error code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:02X}")
        self.code = code


def held(value: float, full_scale: float) -> float:
    """Return a float as 16 bits hold it: a multiple of a 32768th of the full scale."""
    quantum = full_scale / _HALF_RANGE
    return min(max(round(value / quantum), -_HALF_RANGE), _HALF_RANGE - 1) * quantum


def parameter_content(parameter: Parameter, value: float) -> bytes:
    """Return a parameter's value as the device answers it, rounded to its step and its 16 bits."""
    if parameter.kind is not Format.FLOAT:
        return encode_value(parameter.kind, value)
    stepped = round(value / parameter.step) * parameter.step
    full_scale = 2.0 ** math.ceil(math.log2(parameter.maximum + 1))
    return encode_value(parameter.kind, held(stepped, full_scale))


def info_content(info: Info, value: float) -> bytes:
    """Return a measurement as the device answers it."""
    if info.kind is Format.FLOAT:
        value = held(value, info.full_scale)
    return encode_value(info.kind, value)


class EmulatedUnit:
    """What one Xtender holds.

    Parameters
    ----------
    saved : Mapping[int, float]
        What the installer saved, by a parameter's number; the rest is as from the factory.
    """

    def __init__(self, saved: Mapping[int, float]) -> None:
        factory = {number: parameter.factory for number, parameter in PARAMETERS.items()}
        self.saved: dict[int, float] = {**factory, **saved}
        """Values in flash."""
        self.unsaved: dict[int, float] = {}
        """Values in RAM that lie over them."""
        self.flash_writes: Counter[int] = Counter()
        """Writes of flash by parameter."""
        self._asked_s = 0.0

    def value(self, parameter: Parameter) -> float:
        """Return what a parameter is at present."""
        number = parameter.object_id
        return self.unsaved.get(number, self.saved[number])

    def read(self, number: int, kept: int) -> bytes:
        """Return a property of a parameter as the device answers it, or raise `ScomRefusal`."""
        parameter = _known(number)
        values = {
            PropertyId.SAVED: self.saved[number],
            PropertyId.MINIMUM: parameter.minimum,
            PropertyId.MAXIMUM: parameter.maximum,
            PropertyId.UNSAVED: self.value(parameter),
        }
        if kept not in values:
            raise ScomRefusal(PROPERTY_UNKNOWN)
        return parameter_content(parameter, values[PropertyId(kept)])

    def check(self, number: int, kept: int, content: bytes) -> float:
        """Return the value that a write asks for, or raise `ScomRefusal`."""
        parameter = _known(number)
        if kept in {PropertyId.MINIMUM, PropertyId.MAXIMUM}:
            raise ScomRefusal(READ_ONLY)
        if kept not in {PropertyId.SAVED, PropertyId.UNSAVED}:
            raise ScomRefusal(PROPERTY_UNKNOWN)
        try:
            value = decode_value(parameter.kind, content)
        except DeviceReplyError as error:
            raise ScomRefusal(WRONG_LENGTH) from error
        if value is None:
            raise ScomRefusal(WRONG_DATA)
        if value < parameter.minimum:
            raise ScomRefusal(TOO_SMALL)
        if value > parameter.maximum:
            raise ScomRefusal(TOO_BIG)
        if self._is_flash(number, kept) and self.flash_writes[number] >= FLASH_WRITES:
            raise ScomRefusal(WRITE_FAILED)
        return value

    def write(self, number: int, kept: int, value: float, *, now_s: float) -> None:
        """Hold a value that was checked, and start the watchdog anew. [s]"""
        self._asked_s = now_s
        content = parameter_content(PARAMETERS[number], value)
        rounded = decode_value(PARAMETERS[number].kind, content) or 0.0
        if self._is_flash(number, kept):
            self.flash_writes[number] += 1
            self.saved[number] = rounded
            self.unsaved.pop(number, None)
        else:
            self.unsaved[number] = rounded

    def expires_s(self) -> float:
        """Return when the watchdog resets the unit, on the clock of its writes; inf for never."""
        # with everything saved in flash nobody steers it, and the watchdog sleeps
        if not (self.value(WATCHDOG) and self.unsaved):
            return math.inf
        return self._asked_s + self.value(WATCHDOG_S)

    def reset(self) -> None:
        """Restart: what was not saved is lost."""
        self.unsaved.clear()

    def _is_flash(self, number: int, kept: int) -> bool:
        """Return whether a write goes to flash; 1550 itself costs flash when it says yes."""
        return kept == PropertyId.SAVED and bool(
            self.value(SAVES_IN_FLASH) or number == SAVES_IN_FLASH.object_id
        )


def _known(number: int) -> Parameter:
    if number not in PARAMETERS:
        raise ScomRefusal(OBJECT_UNKNOWN)
    return PARAMETERS[number]
