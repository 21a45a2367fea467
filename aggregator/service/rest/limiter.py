"""How often somebody may ask, counted in this process."""

import math
import time
from dataclasses import dataclass, field
from functools import cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """How often, as ``AMOUNT/PERIOD``."""

    member: str = "6000/minute"
    """Requests with one viewer's or operator's token."""
    home: str = "600/minute"
    """Requests with one home's token."""
    stranger: str = "300/minute"
    """Requests without a token from one address: health, readiness, the page's own files."""
    refused: str = "30/minute"
    """Requests from one address with no token or a wrong one where one is needed. Beyond it the
    address is not heard, so that guessing is slow and the audit log does not fill."""


_parsed = cache(parse)


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """Counts requests in a sliding window."""

    counter: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )

    def wait_s(self, limit: str, who: str) -> int:
        """Count a request and return 0, or how long to wait where it is one too many. [s]

        Parameters
        ----------
        limit : str
            ``AMOUNT/PERIOD``.
        who : str
            Whose requests are counted together.
        """
        item = _parsed(limit)
        return 0 if self.counter.hit(item, who) else self._wait_s(item, who)

    def _wait_s(self, item: RateLimitItem, who: str) -> int:
        # the window is the library's, by the wall clock
        reset = self.counter.get_window_stats(item, who).reset_time
        return max(1, math.ceil(reset - time.time()))
