"""A manual dispatch from a TOML file; `docs/dispatch.md` shows one."""

import tomllib
from pathlib import Path

import numpy as np

from devices.arrays import IntArray
from hems.dispatch.policies import HOURS, MONTHS, ManualDispatch, Period
from hems.errors import ControlInputError


def read_manual(path: Path) -> ManualDispatch:
    """Return the manual dispatch of a file.

    Raises
    ------
    ControlInputError
        If there is no such file, or it is no manual dispatch in TOML.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        weekday = _hours("weekday", data["weekday"])
        return ManualDispatch(
            periods=tuple(Period(**period) for period in data["period"]),
            weekday=weekday,
            weekend=_hours("weekend", data["weekend"]) if "weekend" in data else weekday,
        )
    except FileNotFoundError as error:
        msg = f"{path}: no such file; give a TOML file of a manual dispatch"
        raise ControlInputError(msg) from error
    except KeyError as error:
        msg = f"{path}: {error} is missing; give [[period]] tables and weekday"
        raise ControlInputError(msg) from error
    except (ControlInputError, OSError, TypeError, ValueError) as error:
        msg = f"{path}: {' '.join(str(error).split())}; see docs/dispatch.md for its form"
        raise ControlInputError(msg) from error


def _hours(name: str, given: object) -> IntArray:
    """Return the period of each month and hour: one list for all months, or twelve."""
    hours = np.array(given)
    if hours.dtype.kind != "i" or hours.shape not in {(HOURS,), (MONTHS, HOURS)}:
        msg = f"{name} is no list of {HOURS} whole numbers, nor twelve of them"
        raise TypeError(msg)
    return np.broadcast_to(hours.astype(np.int64), (MONTHS, HOURS)).copy()
