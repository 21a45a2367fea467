"""What can go wrong in the service (§7); the class says what to do.

::

    ServiceError (PlanError)
    ├── ServiceConfigError (ValueError)   a setting or file cannot be used: mend it
    ├── StoreUnavailableError             the database does not answer: try again
    └── BrokerUnavailableError            the broker does not answer or let us in: try again
"""

from aggregator.errors import PlanError


class ServiceError(PlanError):
    """Base of the service's errors."""


class ServiceConfigError(ServiceError, ValueError):
    """A setting is missing, of another kind or out of range, or a file cannot be used."""


class StoreUnavailableError(ServiceError):
    """The database does not answer; nothing of the transaction was kept."""


class BrokerUnavailableError(ServiceError):
    """The broker cannot be reached, or does not let us in."""
