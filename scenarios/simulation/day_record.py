"""A day of a fleet as its homes' half-hours tell it, however many shards they live in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from aggregator.bills import Registers
from devices.arrays import FloatArray
from scenarios.simulation.half_hours import HalfHours
from scenarios.simulation.prepared_day import chained
from scenarios.simulation.trace import DayOutcome

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """What is left of a day that was lived through."""

    outcome: DayOutcome
    """What became of reports and decisions."""
    parts: tuple[HalfHours, ...]
    """What consecutive homes did."""
    minutes: Columns
    """The fleet's minutes and those of watched homes, see `scenarios.simulation.fleet_minutes`."""

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column of all homes by its name, shape (homes, slots)."""
        columns: npt.NDArray[Any] = np.concatenate([part.columns[name] for part in self.parts])
        return columns

    def sum_wh(self, name: str) -> float:
        """Return the sum of a column over homes and slots. [Wh]"""
        return float(self.column(name).sum())

    def by_slot(self, name: str) -> FloatArray:
        """Return the sum of a column over the homes, shape (slots,)."""
        total = np.zeros(self.slots)
        for part in self.parts:
            total = chained(total, part.columns[name])
        return total

    @property
    def homes(self) -> int:
        """Number of homes."""
        return sum(part.begun_wh.shape[0] for part in self.parts)

    @property
    def slots(self) -> int:
        """Number of market intervals."""
        return int(self.parts[0].columns["net_wh"].shape[1])

    @property
    def registers(self) -> Registers:
        """What the homes' meters counted, netted per settlement period."""
        net_wh = self.column("net_wh")
        return Registers(import_wh=np.maximum(net_wh, 0.0), export_wh=np.maximum(-net_wh, 0.0))

    @property
    def panels_alone_import_wh(self) -> FloatArray:
        """What the homes would import with panels and no battery, shape (slots,). [Wh]"""
        total_wh = np.zeros(self.slots)
        for part in self.parts:
            total_wh = chained(total_wh, np.maximum(part.columns["own_wh"], 0.0))
        return total_wh

    @property
    def stored_change_wh(self) -> float:
        """What the cells hold more at the day's end than at its beginning. [Wh]"""
        changes = [part.columns["stored_wh"][:, -1] - part.begun_wh for part in self.parts]
        return float(np.concatenate(changes).sum())

    @property
    def balance_error_wh(self) -> float:
        """Largest gap in any home's energy balances over a minute. [Wh]"""
        return max(part.balance_error_wh for part in self.parts)

    def row_groups(self, names: Sequence[str], homes: int) -> Iterator[Columns]:
        """Yield columns of all homes, so many homes at a time, home by home and slot by slot.

        Parameters
        ----------
        names : Sequence[str]
            Which columns.
        homes : int
            Homes of each group but the last.
        """
        waiting = {name: [part.columns[name] for part in self.parts] for name in names}
        edges = np.cumsum([0, *(part.begun_wh.shape[0] for part in self.parts)]).tolist()
        for first in range(0, self.homes, homes):
            end = min(first + homes, self.homes)
            yield {
                name: np.concatenate(
                    [
                        columns[max(first - begins, 0) : end - begins]
                        for columns, (begins, ends) in zip(parts, pairwise(edges), strict=True)
                        if begins < end and ends > first
                    ]
                ).ravel()
                for name, parts in waiting.items()
            }
