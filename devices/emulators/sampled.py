"""A device's own measuring: a few times a second, whoever asks."""

from typing import Final

from devices.clock import Clock
from devices.emulators.house import EmulatedHome, HomeState

SAMPLE_S: Final = 0.2
"""How long a reading stands before it is measured anew. [s]"""


class Sampled:
    """The home as the device last measured it.

    Parameters
    ----------
    home : EmulatedHome
        What it measures.
    clock : Clock
        The time.
    """

    def __init__(self, home: EmulatedHome, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._state: HomeState | None = None
        self._due_s = 0.0

    def __call__(self) -> HomeState:
        """Return the last reading, measured anew when it is older than `SAMPLE_S`."""
        now_s = self._clock.monotonic_s()
        if self._state is None or now_s >= self._due_s:
            self._state, self._due_s = self._home.state(), now_s + SAMPLE_S
        return self._state

    def forget(self) -> None:
        """Measure anew at the next request: a set-point has changed."""
        self._state = None
