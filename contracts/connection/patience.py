"""How long a transaction may wait for its block, and what being quicker may cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Describe how long to wait for a block and what to do meanwhile."""

    receipt_timeout_s: float = 120.0
    """How long to wait before the caller is told that a transaction is pending. [s]"""
    raise_after_s: float = 30.0
    """How long an offered fee may be too low before it is raised. Every time a transaction that is
    not raised is sent again instead, in case the node has lost it. [s]"""
    fee_cap_wei: int | None = None
    """What a unit of gas may cost at most, tip included. None takes what the node advises at first
    and never raises it. [wei]"""
    clock: Callable[[], float] = time.monotonic
    """Seconds since some moment. [s]"""
    sleep: Callable[[float], None] = time.sleep
    """Wait for some seconds. [s]"""

    def __post_init__(self) -> None:
        for name in ("receipt_timeout_s", "raise_after_s"):
            if not getattr(self, name) > 0:
                msg = f"{name} of {getattr(self, name)} s is not positive; wait a while"
                raise ValueError(msg)
        if self.fee_cap_wei is not None and self.fee_cap_wei < 0:
            msg = f"fee cap of {self.fee_cap_wei} wei is negative; give 0 or more"
            raise ValueError(msg)
