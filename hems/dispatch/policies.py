"""What a battery behind a meter can be told to do: Marchi 2022's five policies as checked values.

SAM (the System Advisor Model, which the paper ran) is the reference of what they mean;
`docs/dispatch.md` says it in words.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.errors import ControlInputError

MONTHS = 12
HOURS = 24
PERIODS_MAX = 6
"""As many periods as SAM's manual dispatch knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakShaving:
    """Keep the day's highest import as low as one full window of the battery a day allows.

    Notes
    -----
    Marchi 2022, policies 1 and 2.
    """

    look: Literal["ahead", "behind"] = "ahead"
    """``ahead``: the day's own load and PV are known at midnight. ``behind``: the day before's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridTarget:
    """Hold the import at a target of the month: discharge above it, charge below it.

    Notes
    -----
    Marchi 2022, policy 3.

    Raises
    ------
    ControlInputError
        Unless there are twelve finite targets >= 0.
    """

    target_w: FloatArray
    """Highest import wanted in each month, shape (12,). [W]"""

    def __post_init__(self) -> None:
        _require_series("grid target", self.target_w, MONTHS)
        if np.any(self.target_w < 0):
            month = int(np.argmax(self.target_w < 0))
            msg = f"grid target: month {month + 1} is {self.target_w[month]:g} W; give 0 or more"
            raise ControlInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDispatch:
    """Ask the battery for a series of powers; its limits and sources clip them.

    Notes
    -----
    Marchi 2022, policy 4.

    Raises
    ------
    ControlInputError
        If the series is empty or not finite.
    """

    power_w: FloatArray
    """Power at the terminals, > 0 charges, one for each step; begins anew each year. [W]"""

    def __post_init__(self) -> None:
        _require_series("input dispatch", self.power_w, self.power_w.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What the battery may do in hours of a kind.

    Raises
    ------
    ControlInputError
        If a percentage is not from 0 to 100.
    """

    charge_from_pv: bool = False
    """PV may charge it."""
    charge_from_grid: bool = False
    """The grid may charge it."""
    discharge: bool = False
    """It may discharge; where PV leaves load uncovered, discharging goes before charging."""
    discharge_percent_per_h: float = 100.0
    """Energy of the window to discharge in an hour. [%/h]"""
    grid_charge_percent_per_h: float = 100.0
    """Energy of the window that the grid may charge in an hour. [%/h]"""

    def __post_init__(self) -> None:
        for name in ("discharge_percent_per_h", "grid_charge_percent_per_h"):
            percent = getattr(self, name)
            if not 0 <= percent <= 100:
                msg = f"manual dispatch: {name} is {percent:g}; give 0 to 100"
                raise ControlInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualDispatch:
    """Do what the period of the hour says; an hour's period hangs on month and kind of day.

    Notes
    -----
    Marchi 2022, policy 5.

    Raises
    ------
    ControlInputError
        If a matrix is not of shape (12, 24) or names a period that is not there.
    """

    periods: tuple[Period, ...]
    """The kinds of hours, one to six."""
    weekday: IntArray
    """Period of each month and hour from Monday to Friday, from 1, shape (12, 24)."""
    weekend: IntArray
    """Period of each month and hour on Saturday and Sunday, from 1, shape (12, 24)."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.periods) <= PERIODS_MAX:
            msg = f"manual dispatch: {len(self.periods)} periods; give 1 to {PERIODS_MAX}"
            raise ControlInputError(msg)
        for name in ("weekday", "weekend"):
            matrix = getattr(self, name)
            if matrix.shape != (MONTHS, HOURS):
                msg = f"manual dispatch: {name} has shape {matrix.shape}; give 12 rows of 24 hours"
                raise ControlInputError(msg)
            wrong = np.argwhere((matrix < 1) | (matrix > len(self.periods)))
            if wrong.size:
                month, hour = (int(i) for i in wrong[0])
                msg = (
                    f"manual dispatch: {name}, month {month + 1}, hour {hour} names period "
                    f"{int(matrix[month, hour])}; there are 1 to {len(self.periods)}"
                )
                raise ControlInputError(msg)


Policy = PeakShaving | GridTarget | InputDispatch | ManualDispatch
"""Every policy that a plant can be run with."""


def _require_series(name: str, values: FloatArray, count: int) -> None:
    """Raise unless ``values`` are ``count`` finite numbers in a row."""
    if values.shape != (count,) or not count:
        msg = f"{name}: values of shape {values.shape}; give {count or 'some'} in a row"
        raise ControlInputError(msg)
    if not np.all(np.isfinite(values)):
        place = int(np.argmin(np.isfinite(values)))
        msg = f"{name}: value {place + 1} is {values[place]:g}; give finite watts"
        raise ControlInputError(msg)
