"""What can go wrong with alarms (§7).

::

    ServiceError
    └── ChannelUnavailableError   e-mail or webhook did not take a message: try again
"""

from aggregator.service.errors import ServiceError


class ChannelUnavailableError(ServiceError):
    """A message was not taken; it may be sent again."""
