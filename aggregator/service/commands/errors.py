"""What can go wrong with an order from a terminal (§7); the class says what to do.

::

    ServiceError
    └── OrderError
        ├── OrderInputError (ValueError)   it cannot be given so: mend it
        ├── OrderUnavailableError          the service does not answer: try again
        └── OrderFailedError               it was given, and not every battery did it
"""

from aggregator.service.errors import ServiceError


class OrderError(ServiceError):
    """Base of what can go wrong with an order."""


class OrderInputError(OrderError, ValueError):
    """An order that means nothing, or that the service refuses."""


class OrderUnavailableError(OrderError):
    """The service cannot be reached."""


class OrderFailedError(OrderError):
    """An order that was given and came to nothing at some homes, or is not over yet."""
