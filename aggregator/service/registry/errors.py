"""What the registry refuses (§7); the class says what to do.

::

    RegistryError (ServiceError)
    ├── RegistryInputError (ValueError)   a configuration that cannot be: mend it
    ├── RegistryAbsentError               nothing is known by that name: configure it first
    └── RegistryConflictError             somebody else changed it: read it again, then decide
"""

from aggregator.service.errors import ServiceError


class RegistryError(ServiceError):
    """Base of what the registry refuses."""


class RegistryInputError(RegistryError, ValueError):
    """A configuration refers to what is not there, or a name cannot be one."""


class RegistryAbsentError(RegistryError):
    """Nothing is known by that name."""


class RegistryConflictError(RegistryError):
    """It is of another version than the change is for."""
