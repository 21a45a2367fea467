"""Inputs in words: triangles and trapezoids over a range."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray

CORNERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word for some values of an input: true in full between two corners, not at all outside."""

    name: str
    """What it is called."""
    corners: tuple[float, float, float, float]
    """Where it begins, holds in full, ceases to, and ends; a triangle has one peak, twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An input with its words."""

    name: str
    """What it is called."""
    low: float
    """Lower end of its range; a value below counts as this."""
    high: float
    """Upper end; a value above counts as this."""
    terms: tuple[Term, ...]
    """Its words."""

    def faults(self) -> list[str]:
        """Return what keeps the words from describing every value, a line each."""
        if not self.terms:
            return [f"{self.name}: no terms; give at least one"]
        found = self._twice_named()
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            found.append(
                f"{self.name}: range {self.low:g} to {self.high:g}; give a lower end first"
            )
            return found
        bad = [fault for term in self.terms for fault in self._bad_corners(term)]
        return [*found, *(bad or self._gaps())]

    def _twice_named(self) -> list[str]:
        names = [term.name for term in self.terms]
        twice = sorted({name for name in names if names.count(name) > 1})
        return [f"{self.name}: term {name} twice; name each once" for name in twice]

    def _bad_corners(self, term: Term) -> list[str]:
        """Return what is wrong with one word's corners."""
        begins, full, ceases, ends = term.corners
        where = f"{self.name} {term.name}: corners {list(term.corners)}"
        if not np.isfinite(term.corners).all() or sorted(term.corners) != list(term.corners):
            return [f"{where} fall; give numbers that rise from left to right"]
        if begins < self.low or ends > self.high:
            return [f"{where} leave the range {self.low:g} to {self.high:g}; stay inside it"]
        if (begins == full and begins > self.low) or (ceases == ends and ends < self.high):
            return [f"{where} jump inside the range; slope each side that is not at its end"]
        return []

    def _gaps(self) -> list[str]:
        """Return the first value that no word describes: neighbours must overlap.

        Notes
        -----
        Between corners every degree is a straight line: a value without any word shows at a corner
        or half-way between two.
        """
        corners = {self.low, self.high, *(corner for term in self.terms for corner in term.corners)}
        at = np.array(sorted(corners))
        at = np.unique(np.concatenate([at, (at[1:] + at[:-1]) / 2]))
        most = Ramps(self).degrees(at).max(axis=0)
        bare = np.flatnonzero(most <= 0)
        return [
            f"{self.name}: no term holds at {at[place]:g}; let neighbours overlap"
            for place in bare[:1].tolist()
        ]


class Ramps:
    """A variable's degrees as straight lines, for many values at once.

    Parameters
    ----------
    variable : Variable
        One without faults.
    """

    __slots__ = ("_down", "_down_at", "_high", "_low", "_up", "_up_at")

    def __init__(self, variable: Variable) -> None:
        corners = np.array([term.corners for term in variable.terms])
        self._low, self._high = variable.low, variable.high
        self._up, self._up_at = _line(corners[:, 0], corners[:, 1])
        self._down, self._down_at = _line(corners[:, 3], corners[:, 2])

    def degrees(self, values: FloatArray) -> FloatArray:
        """Return how far each word holds, 0..1, shape (terms, n)."""
        inside = np.minimum(np.maximum(values, self._low), self._high)
        # In place: at 10,000 values memory traffic is the cost.
        rising = np.multiply(self._up, inside)
        rising += self._up_at
        falling = np.multiply(self._down, inside)
        falling += self._down_at
        np.minimum(rising, falling, out=rising)
        return np.clip(rising, 0.0, 1.0, out=rising)


def _line(zero: FloatArray, one: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return slope and offset of lines that are 0 and 1 there; upright ones are 1."""
    width = one - zero
    upright = width == 0
    slope = np.where(upright, 0.0, 1.0) / np.where(upright, 1.0, width)
    offset = np.where(upright, 1.0, -zero * slope)
    return slope[:, None], offset[:, None]
