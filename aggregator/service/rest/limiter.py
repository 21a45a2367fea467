"""How often somebody may ask, counted in this process."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv6Network

from limits import parse


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


@dataclass(slots=True)
class RateLimiter:
    """Counts requests, evenly over the period once the first are used up.

    Of each who asks one number is kept: until when what was asked so far would take at the even
    rate. (The memory of the package ``limits``, which reads the limits, starts a thread each time.)
    """

    clock_s: Callable[[], float] = time.monotonic
    """The time. [s]"""
    most: int = 100_000
    """Who is remembered at once."""
    _used_s: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)

    def wait_s(self, limit: str, who: str) -> int:
        """Count a request and return 0, or how long to wait where it is one too many. [s]

        Parameters
        ----------
        limit : str
            ``AMOUNT/PERIOD``.
        who : str
            Whose requests are counted together.
        """
        amount, period_s = _parsed(limit)
        now_s = self.clock_s()
        used_s = max(self._used_s.get((limit, who), now_s), now_s) + period_s / amount
        over_s = used_s - now_s - period_s
        # a rounding is no request
        if over_s > 1e-6 * period_s / amount:
            return max(1, math.ceil(over_s))
        self._used_s[limit, who] = used_s
        if len(self._used_s) > self.most:
            self._forget(now_s)
        return 0

    def _forget(self, now_s: float) -> None:
        """Forget who has nothing used, and, where that is not enough, everybody."""
        self._used_s = {key: used_s for key, used_s in self._used_s.items() if used_s > now_s}
        if len(self._used_s) > self.most:
            self._used_s.clear()


@cache
def _parsed(limit: str) -> tuple[int, int]:
    """Return how many requests in how long. [s]"""
    item = parse(limit)
    return item.amount, item.get_expiry()


def counted_address(address: str) -> str:
    """Return what a client is counted as: its address, of IPv6 the network of its line.

    Parameters
    ----------
    address : str
        The client's.
    """
    if ":" not in address:
        return address
    # a line has 2^64 addresses, and whoever guesses takes a new one each time
    network = IPv6Network((address.partition("%")[0], 64), strict=False)
    return str(network)
