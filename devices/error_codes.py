"""What went wrong with a device, in a word for programs at the other end of a connection."""

from collections.abc import Mapping
from typing import Final

from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
    WriteBudgetError,
)

CODES: Final[Mapping[str, type[DeviceError]]] = {
    "read-only": DeviceReadOnlyError,
    "budget-spent": WriteBudgetError,
    "unauthorised": DeviceUnauthorisedError,
    "refused": DeviceRefusedError,
    "settings": DeviceConfigError,
    "ignored": DeviceIgnoredError,
    "reply": DeviceReplyError,
    "unavailable": DeviceUnavailableError,
}
"""What went wrong, by the ``code`` of an answer; subclasses stand before their bases."""


def code_of(error: DeviceError) -> str:
    """Return the ``code`` of an error."""
    return next((code for code, kind in CODES.items() if isinstance(error, kind)), "unavailable")
