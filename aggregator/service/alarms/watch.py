"""From measures to what begins and what is over, on arrays over all homes.

A value that is not known neither begins nor ends anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aggregator.service.alarms.rules import Rule

Numbers: TypeAlias = NDArray[np.int64]
"""Homes by their numbers in the store; 0 is the fleet."""
Values: TypeAlias = NDArray[np.float64]
"""What is measured; NaN where it is not known."""


@dataclass(frozen=True, slots=True)
class News:
    """What changed of one rule."""

    raised: Numbers
    """Where it begins, shape (raised,)."""
    values: Values
    """The values there, shape (raised,)."""
    over: Numbers
    """Where it is over, shape (over,)."""


class Watch:
    """Remembers since when each home is above one rule's threshold, and where it was told.

    Parameters
    ----------
    rule : Rule
        The rule.
    raised : iterable of int
        Where it is raised already.
    """

    def __init__(self, rule: Rule, raised: Iterable[int] = ()) -> None:
        self.rule = rule
        self._since_s = np.full(1, np.nan)
        self._raised = np.zeros(1, dtype=np.bool_)
        self.resume(raised)

    def resume(self, raised: Iterable[int]) -> None:
        """Go on from where it is raised; since when values are above stays known.

        Parameters
        ----------
        raised : iterable of int
            Homes, all of them.
        """
        self._raised[:] = False
        for number in raised:
            self._grow(number)
            self._raised[number] = True

    def look(self, numbers: Numbers, values: Values, now_s: float) -> News:
        """Return what begins and what is over.

        Parameters
        ----------
        numbers : ndarray, shape (homes,)
            Which homes, each once.
        values : ndarray, shape (homes,)
            What is measured there, in the rule's unit; NaN where it is not known.
        now_s : float
            A clock that never runs backwards. [s]
        """
        if not len(numbers):
            return News(numbers, values, numbers)
        self._grow(int(numbers.max()))
        rule = self.rule
        above = values > rule.above
        below = values <= rule.above
        since_s = self._since_s[numbers]
        since_s = np.where(above & np.isnan(since_s), now_s, since_s)
        self._since_s[numbers] = np.where(below, np.nan, since_s)
        known = self._raised[numbers]
        begins = above & ~known & (now_s - since_s >= rule.held_s)
        ends = known & (values <= rule.clear)
        self._raised[numbers] = (known | begins) & ~ends
        return News(numbers[begins], values[begins], numbers[ends])

    def forget(self, numbers: Numbers) -> Numbers:
        """Return where it is raised of homes that are not among ``numbers``, and drop them.

        Parameters
        ----------
        numbers : ndarray, shape (homes,)
            Homes that are in use.
        """
        gone = self._raised.copy()
        gone[numbers[numbers < len(gone)]] = False
        self._raised &= ~gone
        return np.flatnonzero(gone)

    def _grow(self, number: int) -> None:
        """Make room for a home's number."""
        size = len(self._raised)
        if number >= size:
            more = max(number + 1, 2 * size) - size
            self._since_s = np.concatenate([self._since_s, np.full(more, np.nan)])
            self._raised = np.concatenate([self._raised, np.zeros(more, dtype=np.bool_)])
