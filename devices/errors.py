"""What can go wrong with a device.

DeviceError
└── DeviceRefusedError    the device will not do what was asked; do not repeat it (also ValueError)
"""


class DeviceError(Exception):
    """Base of the errors of `devices`."""


class DeviceRefusedError(DeviceError, ValueError):
    """A request outside what the device does."""
