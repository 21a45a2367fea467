"""What is lost just now, told once when it goes and once when it is back."""

from collections.abc import Callable, Mapping
from types import MappingProxyType


class Health:
    """Keep what is lost and why; say each change in one line, never the same twice in a row.

    Parameters
    ----------
    tell : Callable[[str], None]
        Takes a line: the command's log.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lost: dict[str, str] = {}

    def lost(self, thing: str, why: str) -> None:
        """Note that ``thing`` cannot be used; ``why`` is one line with the remedy."""
        if thing not in self._lost:
            self._tell(f"{thing} lost: {' '.join(why.split())}")
        self._lost[thing] = why

    def back(self, thing: str) -> None:
        """Note that ``thing`` works, again or still."""
        if self._lost.pop(thing, None) is not None:
            self._tell(f"{thing} back")

    def note(self, line: str) -> None:
        """Say something that is worth a line and is no loss."""
        self._tell(" ".join(line.split()))

    @property
    def standing(self) -> Mapping[str, str]:
        """What is lost now, and why."""
        return MappingProxyType(self._lost)
