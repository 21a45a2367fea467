"""Stretches of hours with a surplus or without, and the sharing out of energy within each.

Arrays have shape (homes, hours) or (homes, slots). Homes have different numbers of slots; those
that a home has not are empty.
"""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The hours of some homes, cut where a surplus begins or ends."""

    positive: BoolArray
    """Hours with a surplus, shape (homes, hours)."""
    number: IntArray
    """Slot of each hour, from 0, shape (homes, hours)."""
    count: int
    """Greatest number of slots of a home."""

    @classmethod
    def of(cls, net_wh: FloatArray) -> "Slots":
        """Return the slots of an expected surplus, shape (homes, hours). [Wh]

        Notes
        -----
        Becchi 2024, §II.A: injection into the grid is a positive exchange, absorption a negative
        one. An hour without either counts as negative: it has nothing to store.
        """
        positive = net_wh > 0
        number = np.zeros(net_wh.shape, dtype=np.int64)
        np.cumsum(positive[:, 1:] != positive[:, :-1], axis=1, out=number[:, 1:])
        return cls(positive=positive, number=number, count=int(number[:, -1].max()) + 1)

    @property
    def is_positive(self) -> BoolArray:
        """Slots with a surplus, shape (homes, slots)."""
        odd = (np.arange(self.count) & 1).astype(np.bool_)
        return self.positive[:, :1] ^ odd

    def totals(self, hourly: FloatArray) -> FloatArray:
        """Return the sum over each slot, shape (homes, slots)."""
        homes = hourly.shape[0]
        flat = self.number + np.arange(0, homes * self.count, self.count)[:, None]
        sums = np.bincount(flat.ravel(), hourly.ravel(), homes * self.count)
        return sums.reshape(homes, self.count).astype(np.float64, copy=False)

    def last_of_days(self, day: IntArray) -> BoolArray:
        """Return which slots hold the last surplus of a day, shape (homes, slots)."""
        homes = np.arange(self.number.shape[0])
        chosen = np.zeros((homes.size, self.count), dtype=np.bool_)
        bounds = np.flatnonzero(np.diff(day, prepend=day[0] - 1, append=day[-1] + 1))
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            sunny = self.positive[:, begin:end]
            last = end - 1 - np.argmax(sunny[:, ::-1], axis=1)
            chosen[homes, self.number[homes, last]] |= sunny.any(axis=1)
        return chosen

    def share_out(
        self, budget: FloatArray, most: FloatArray, totals: FloatArray, turn: "Turn"
    ) -> FloatArray:
        """Give each slot's budget to its hours by turns, each as much as it takes.

        Parameters
        ----------
        budget : FloatArray, shape (homes, slots)
            What to share out.
        most : FloatArray, shape (homes, hours)
            What each hour takes at most.
        totals : FloatArray, shape (homes, slots)
            Sums of ``most``.
        turn : Turn
            Who comes first.

        Returns
        -------
        FloatArray, shape (homes, hours)
            What each hour gets.
        """
        homes, hours = most.shape
        order = turn.sorted_hours(self)
        order += np.arange(0, homes * hours, hours)[:, None]
        in_order = np.take(most, order)
        passed = np.cumsum(in_order, axis=1)
        passed -= in_order
        # what may have been given by the end of a slot's budget, from the first slot on
        until = np.cumsum(totals, axis=1)
        until += budget - totals
        # sorting by slot first leaves the slots' own order as it is
        left = np.take(until, self.number + np.arange(0, until.size, self.count)[:, None])
        left -= passed
        np.maximum(left, 0.0, out=left)
        given = np.empty(most.shape)
        given.ravel()[order] = np.minimum(left, in_order, out=left)
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """In which order the hours of a slot come, by price; rows are homes, or one for all."""

    hours: IntArray
    """Hours in order, in negative and in positive slots, shape (2, rows, hours)."""
    ranks: IntArray
    """Place of each hour in that order, same shape."""

    @classmethod
    def of(cls, *, import_price: FloatArray, export_price: FloatArray) -> "Turn":
        """Return the dearest import first in negative slots, the cheapest export in positive ones.

        Equal prices come in order of time; both of shape (rows, hours) [currency/MWh].
        """
        hours = np.stack(
            [
                np.argsort(-import_price, axis=1, kind="stable"),
                np.argsort(export_price, axis=1, kind="stable"),
            ]
        )
        places = np.empty_like(hours)
        np.put_along_axis(places, hours, np.arange(hours.shape[2])[None, None, :], axis=2)
        return cls(hours=hours, ranks=places)

    def sorted_hours(self, slots: Slots) -> IntArray:
        """Return each home's hours by slot, then by turn, shape (homes, hours)."""
        _, rows, hours = self.hours.shape
        # sixteen bits sort several times faster than sixty-four
        width = np.int16 if slots.count * hours <= np.iinfo(np.int16).max else np.int64
        first = (slots.number * hours).astype(width)
        keys = np.where(slots.positive, *self.ranks[::-1].astype(width))
        keys += first
        keys.sort(axis=1)
        keys -= first
        # a slot's hours are all of one kind, so that the kinds stay where they were
        row = np.arange(0, rows * hours, hours)[:, None]
        place = keys + slots.positive * (rows * hours) + row
        order: IntArray = np.take(self.hours, place)
        return order
