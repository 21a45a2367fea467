"""How fast a kind of battery ages: tables from data files, read along straight lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from devices.arrays import FloatArray, IntArray
from devices.battery_efficiency import require_range, require_rising

DATA = Path(__file__).parent / "ageing_data"
"""Where the laws that ship with this package are."""


class Growth(StrEnum):
    """How the two losses grow under conditions that stay the same."""

    LINEAR = "linear"
    """In proportion to time and to cycles: what Becchi 2024 assumes."""
    ROOT = "root"
    """With their square root, as measured; meets the straight line at the end of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A value over two axes: bilinear between the grid's points, flat beyond its ends.

    Raises
    ------
    ValueError
        If an axis does not rise, or a value is negative or not finite.
    """

    name: str
    """What it is, for messages."""
    rows: FloatArray
    """First axis, rising, shape (rows,)."""
    columns: FloatArray
    """Second axis, rising, shape (columns,)."""
    values: FloatArray
    """Values, >= 0, shape (rows, columns)."""

    def __post_init__(self) -> None:
        for axis in (self.rows, self.columns):
            require_rising(self.name, axis)
        if self.values.shape != (self.rows.size, self.columns.size):
            msg = (
                f"battery {self.name} has shape {self.values.shape}, must be "
                f"({self.rows.size}, {self.columns.size})"
            )
            raise ValueError(msg)
        require_range(self.name, self.values, 0, np.finfo(np.float64).max)

    def at(self, row: FloatArray, column: FloatArray) -> FloatArray:
        """Return the value at places on both axes, which broadcast."""
        i, along_rows = _place(self.rows, row)
        j, along_columns = _place(self.columns, column)
        flat, width = self.values.ravel(), self.columns.size
        first = i * width + j
        right, down = min(1, width - 1), width * min(1, self.rows.size - 1)
        above: FloatArray = flat[first] + (flat[first + right] - flat[first]) * along_columns
        if not np.any(along_rows):
            return above
        first = first + down
        below = flat[first] + (flat[first + right] - flat[first]) * along_columns
        between: FloatArray = above + (below - above) * along_rows
        return between


def _place(axis: FloatArray, at: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the grid point at or below each place, and the share of the way to the next."""
    if axis.size == 1:
        return np.zeros(np.shape(at), dtype=np.int64), np.zeros(np.shape(at))
    below = np.asarray(np.searchsorted(axis[1:-1], at, side="right"))
    share: FloatArray = (at - axis[below]) / (axis[below + 1] - axis[below])
    return below, np.minimum(np.maximum(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingLaw:
    """What time and cycles cost a kind of battery, as shares of its nominal capacity.

    Notes
    -----
    Becchi 2024, §III.B: D_seq = D_cycle + D_age. Cycles cost by depth, C-rate and temperature,
    time by temperature and state of charge.
    """

    name: str
    """Kind of battery."""
    end_of_life_loss: float
    """D_max: the loss at which the battery is replaced, 0 < D_max < 1."""
    calendar_per_year: Surface
    """Loss in a year over temperature [°C] and state of charge."""
    per_cycle: Surface
    """Loss by a full cycle over depth and C-rate; the first depth is 0 and costs nothing."""
    cycle_temperature: Surface
    """Factor on the loss by a cycle over temperature [°C]; one column."""
    growth: Growth = Growth.LINEAR
    """How losses grow."""
    sources: Mapping[str, str]
    """Where the numbers of each part come from."""

    def __post_init__(self) -> None:
        if not 0 < self.end_of_life_loss < 1:
            msg = f"ageing: end of life at a loss of {self.end_of_life_loss}, must be in 0..1"
            raise ValueError(msg)

    @classmethod
    def lfp(cls, growth: Growth = Growth.LINEAR) -> "AgeingLaw":
        """Return the law of lithium iron phosphate that ships with this package."""
        return cls.load(DATA / "lfp.json", growth=growth)

    @classmethod
    def load(cls, path: Path, *, growth: Growth = Growth.LINEAR) -> "AgeingLaw":
        """Return the law of a data file.

        Parameters
        ----------
        path : Path
            A JSON file; its form is in ``docs/ageing.md``.
        growth : Growth
            How losses grow.

        Raises
        ------
        ValueError
            If the file lacks a part, or a number is out of its range.
        """
        return _read(path, growth)

    @classmethod
    def parsed(cls, data: Mapping[str, Any], *, growth: Growth) -> Self:
        """Return the law of a data file's content; see `load`."""
        calendar, life = data["calendar"], data["cycle_life"]
        warmth = data["cycle_temperature"]
        end = float(data["end_of_life_loss"])
        cycles = np.array(life["cycles"], dtype=np.float64)
        require_range("cycle life", cycles, np.nextafter(0, 1), np.inf)
        free = np.zeros((1, len(life["c_rate"])))
        return cls(
            name=data["name"],
            end_of_life_loss=end,
            calendar_per_year=_surface(
                "calendar loss",
                calendar["temperature_c"],
                calendar["soc"],
                calendar["loss_per_year"],
            ),
            per_cycle=_surface(
                "cycle loss", [0.0, *life["depth"]], life["c_rate"], np.vstack([free, end / cycles])
            ),
            cycle_temperature=_surface(
                "cycle temperature",
                warmth["temperature_c"],
                [0.0],
                np.array(warmth["factor"])[:, None],
            ),
            growth=growth,
            sources=data["sources"],
        )

    def grown(self, straight: FloatArray) -> FloatArray:
        """Return what a loss on the straight line is under this law's growth."""
        if self.growth is Growth.LINEAR:
            return straight
        return np.sqrt(self.end_of_life_loss * straight)


def _surface(name: str, rows: Any, columns: Any, values: Any) -> Surface:  # noqa: ANN401 - JSON
    return Surface(
        name=name,
        rows=np.array(rows, dtype=np.float64),
        columns=np.array(columns, dtype=np.float64),
        values=np.array(values, dtype=np.float64),
    )


@cache
def _read(path: Path, growth: Growth) -> AgeingLaw:
    try:
        return AgeingLaw.parsed(json.loads(path.read_text(encoding="utf-8")), growth=growth)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"ageing law {path.name}: {error}; see docs/ageing.md for its form"
        raise ValueError(msg) from error
