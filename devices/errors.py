"""What can go wrong with a device; `DeviceError.retry` says whether asking again makes sense.

DeviceError
├── DeviceUnavailableError        no answer now; ask again, later if it says so
├── DeviceReplyError              an answer that cannot be understood; ask again (also ValueError)
├── DeviceIgnoredError            a write was taken and not done; write again
├── DeviceRefusedError            it will not do what was asked; do not repeat it (also ValueError)
│   ├── DeviceUnauthorisedError   it does not know us: mend the credentials
│   ├── DeviceReadOnlyError       it was opened for reading only
│   └── WriteBudgetError          the day's writes of a register are spent
└── DeviceConfigError             its settings cannot be used (also ValueError)
"""

from typing import ClassVar


class DeviceError(Exception):
    """Base of the errors of `devices`."""

    retry: ClassVar[bool] = False
    """Whether the same request may succeed when it is repeated."""


class DeviceUnavailableError(DeviceError):
    """No answer: a time-out, a refused or lost connection, a busy device.

    Parameters
    ----------
    message : str
        Who, what and the remedy, in a line.
    retry_after_s : float, optional
        How long the device wants to be left alone, where it says so. [s]
    """

    retry = True

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeviceReplyError(DeviceError, ValueError):
    """An answer that is damaged, incomplete or outside what the device can mean."""

    retry = True


class DeviceIgnoredError(DeviceError):
    """A write that the device accepted and its read-back does not show."""

    retry = True


class DeviceRefusedError(DeviceError, ValueError):
    """A request outside what the device does."""


class DeviceUnauthorisedError(DeviceRefusedError):
    """Credentials that the device does not take."""


class DeviceReadOnlyError(DeviceRefusedError):
    """A write to a device that was opened for reading only; nothing was sent."""


class WriteBudgetError(DeviceRefusedError):
    """A write beyond a register's budget of the day; nothing was sent."""


class DeviceConfigError(DeviceError, ValueError):
    """Settings that name no device, or that its driver cannot use."""
