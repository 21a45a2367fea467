"""How long to leave something alone that failed."""

from typing import Final

from devices.clock import Clock

FIRST_S: Final = 2.0
"""The first pause; doubled each time. [s]"""
LONGEST_S: Final = 60.0
"""The longest, where trying again may help. [s]"""
REFUSED_S: Final = 900.0
"""The longest, where it was refused: somebody has to mend something. [s]"""


class Backoff:
    """Pauses that grow with each failure in a row.

    Parameters
    ----------
    clock : Clock
        The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pause_s = 0.0
        self._until_s: float | None = None

    @property
    def over(self) -> bool:
        """Whether it may be tried now."""
        return self._until_s is None or self._clock.monotonic_s() >= self._until_s

    @property
    def left_s(self) -> float:
        """How long until it may be tried. [s]"""
        return max((self._until_s or 0.0) - self._clock.monotonic_s(), 0.0)

    def failed(self, *, longest_s: float = LONGEST_S) -> None:
        """Begin a pause, twice as long as the last. [s]"""
        self._pause_s = min(max(2 * self._pause_s, FIRST_S), longest_s)
        self._until_s = self._clock.monotonic_s() + self._pause_s

    def worked(self) -> None:
        """Forget all failures."""
        self._pause_s, self._until_s = 0.0, None
