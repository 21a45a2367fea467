"""What goes wrong with real devices, for emulators to inject by a plan that repeats."""

from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum

import numpy as np


class Fault(Enum):
    """One way in which a device fails; the value is its name on a command line."""

    TIMEOUT = "timeout"
    """The request arrives and no answer ever comes."""
    REFUSED_CONNECTION = "refused-connection"
    """The connection is refused, or closed before a byte is answered."""
    HALF_ANSWER = "half-answer"
    """The answer breaks off in the middle and the connection closes."""
    WRONG_CHECKSUM = "wrong-checksum"
    """The answer is whole and its checksum is not that of its bytes."""
    NOT_IMPLEMENTED_VALUE = "not-implemented-value"
    """A value is the protocol's "I do not have this": NaN, 0x8000, 0xFFFF or null."""
    WRONG_SCALE_FACTOR = "wrong-scale-factor"
    """The scale factor beside a value is not the one that the value was scaled with."""
    BUSY = "busy"
    """The device serves another client and says so, or lets this one wait."""
    UNAUTHORISED = "unauthorised"
    """The key or token is not accepted: HTTP 401."""
    TOO_MANY = "too-many"
    """Requests come too fast: HTTP 429."""
    SERVER_ERROR = "server-error"
    """The device fails inside: HTTP 500, or the protocol's device failure."""
    HTML_INSTEAD_OF_JSON = "html-instead-of-json"
    """A page for people is answered with status 200, where a document was asked for."""
    WRITE_IGNORED = "write-ignored"
    """A write is acknowledged and nothing changes."""
    WRITE_LATE = "write-late"
    """A write is acknowledged at once and takes effect some seconds later."""
    REBOOT = "reboot"
    """The device restarts: gone for a while, then back with its own settings, set-points lost."""
    WORDS_SWAPPED = "words-swapped"
    """Values of two registers or more come with their words in the other order."""
    STUCK_SENSOR = "stuck-sensor"
    """Readings stay at their last value while the device works on."""


class FaultPlan:
    """Say, request by request, whether a fault is injected and which.

    An emulator calls `require` once when it starts and `next_fault` once per request. A plan
    belongs to one emulator: it counts. Make one with `none`, `always`, `once` or `random`.

    Parameters
    ----------
    named : frozenset[Fault]
        Every fault that the plan may inject.
    choose : Callable[[frozenset[Fault]], Fault | None]
        Returns the wish for one request; a fault that the request cannot show is not injected.
    """

    def __init__(
        self, named: frozenset[Fault], choose: Callable[[frozenset[Fault]], Fault | None]
    ) -> None:
        self.named = named
        self.seen: Counter[Fault] = Counter()
        self._choose = choose

    @classmethod
    def none(cls) -> "FaultPlan":
        """Return the plan of a device in good health."""
        return cls(frozenset(), lambda _: None)

    @classmethod
    def always(cls, fault: Fault) -> "FaultPlan":
        """Return a plan that injects ``fault`` into every request that can show it."""
        return cls(frozenset({fault}), lambda _: fault)

    @classmethod
    def once(cls, fault: Fault, after: int = 0) -> "FaultPlan":
        """Return a plan that injects ``fault`` once, ``after`` requests that could have shown it.

        Raises
        ------
        ValueError
            If ``after`` is negative.
        """
        if after < 0:
            msg = f"fault plan: {fault.value} after {after} requests cannot be, must be >= 0"
            raise ValueError(msg)
        passed = 0

        def choose(offered: frozenset[Fault]) -> Fault | None:
            nonlocal passed
            if fault not in offered:
                return None
            passed += 1
            return fault if passed == after + 1 else None

        return cls(frozenset({fault}), choose)

    @classmethod
    def random(cls, rates: Mapping[Fault, float], seed: int) -> "FaultPlan":
        """Return a plan that draws, the same for the same seed.

        Parameters
        ----------
        rates : Mapping[Fault, float]
            Share of requests that each fault strikes, together at most 1.
        seed : int
            Start of the draws. One draw is made per request, whatever the request can show.

        Raises
        ------
        ValueError
            If a rate is not in 0..1 or they sum to more than 1.
        """
        for fault, rate in rates.items():
            if not 0 <= rate <= 1:
                msg = f"fault plan: rate {rate:g} of {fault.value} is not in 0..1"
                raise ValueError(msg)
        # in the order of `Fault`, so that the order of the mapping changes no draw
        struck = [fault for fault in Fault if rates.get(fault, 0) > 0]
        bounds = np.cumsum([rates[fault] for fault in struck])
        # ten rates of 0.1 sum to a little more than 1
        if struck and bounds[-1] > 1 + 1e-9:
            msg = f"fault plan: the rates sum to {bounds[-1]:g}; lower them to at most 1 together"
            raise ValueError(msg)
        draws = np.random.default_rng(seed)

        def choose(_: frozenset[Fault]) -> Fault | None:
            index = int(np.searchsorted(bounds, draws.random(), side="right"))
            return struck[index] if index < len(struck) else None

        return cls(frozenset(struck), choose)

    def require(self, offered: frozenset[Fault]) -> None:
        """Refuse a plan that names a fault which the emulator's protocol cannot show.

        Parameters
        ----------
        offered : frozenset[Fault]
            Every fault that the emulator can inject.

        Raises
        ------
        ValueError
            If the plan names another one.
        """
        missing = sorted(fault.value for fault in self.named - offered)
        if missing:
            can = ", ".join(sorted(fault.value for fault in offered)) or "none"
            msg = f"fault plan: {', '.join(missing)} cannot be shown by this device; it can: {can}"
            raise ValueError(msg)

    def next_fault(self, offered: frozenset[Fault]) -> Fault | None:
        """Return the fault to inject into this request, and count it in `seen`.

        Parameters
        ----------
        offered : frozenset[Fault]
            Faults that this request can show; a read cannot show `Fault.WRITE_IGNORED`.

        Returns
        -------
        Fault | None
            One of ``offered``, or None for an answer in good health.
        """
        fault = self._choose(offered)
        if fault is None or fault not in offered:
            return None
        self.seen[fault] += 1
        return fault
