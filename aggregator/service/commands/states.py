"""What a command can be, and why it came to nothing where no gateway said so."""

from typing import Final

WAITING: Final = "waiting"
"""Written down, not sent."""
SENT: Final = "sent"
"""The broker has it."""
ACCEPTED: Final = "accepted"
"""The gateway has it."""
DONE: Final = "done"
"""The battery does it."""
REFUSED: Final = "refused"
"""It was not done, for the reason given."""
EXPIRED: Final = "expired"
"""Its time was over before it was begun."""
UNANSWERED: Final = "unanswered"
"""Nobody said what became of it in time."""
OPEN: Final = (WAITING, SENT, ACCEPTED)
"""What may still come to something by itself."""
FAILED: Final = (REFUSED, EXPIRED, UNANSWERED)
"""What came to nothing, as far as is known."""

SUPERSEDED: Final = "superseded"
"""Code: a later order to the same home took its place before the gateway acknowledged it."""
NOT_SENT: Final = "not-sent"
"""Code: it expired before the broker took it."""
NO_ACKNOWLEDGEMENT: Final = "no-acknowledgement"
"""Code: the gateway did not say that it has it."""
NO_OUTCOME: Final = "no-outcome"
"""Code: the gateway had it and did not say what became of it."""
