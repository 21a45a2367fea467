"""The fleet minute by minute, as sums over its homes, and a few homes that somebody watches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.simulation.recorders import Lived, Setting

SERIES: Final = ("load_w", "pv_w", "battery_w", "grid_w", "stored_wh")
"""What is kept of a home's minute; stored energy is that at its beginning."""
MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Watching:
    """Makes a `FleetMinutes` that watches some homes.

    Parameters
    ----------
    watch : tuple[int, ...]
        Numbers of the homes in their fleet.
    """

    watch: tuple[int, ...]

    def __call__(self, setting: Setting) -> "FleetMinutes":
        """Return a recorder for the homes of ``setting``."""
        return FleetMinutes(setting, self.watch)


class FleetMinutes:
    """See `scenarios.simulation.recorders.Recorder`; as large for a million homes as for one.

    Parameters
    ----------
    setting : Setting
        Homes and day.
    watch : tuple[int, ...]
        Numbers of the homes whose own minutes are kept; those elsewhere are not.
    """

    def __init__(self, setting: Setting, watch: tuple[int, ...]) -> None:
        minutes, self._per_slot = setting.slots * setting.per_slot, setting.per_slot
        self._rows = {home: setting.part.index(home) for home in watch if home in setting.part}
        self.sums_micro: dict[str, IntArray] = {
            name: np.empty(minutes, dtype=np.int64) for name in SERIES
        }
        """Sums over the homes, shape (minutes,): integers add up to the same in any order. [µ]"""
        self.watched: dict[int, dict[str, FloatArray]] = {
            home: {name: np.empty(minutes) for name in SERIES} for home in self._rows
        }
        """Series of single homes, shape (minutes,)."""

    def add(self, lived: Lived) -> None:
        """See `scenarios.simulation.recorders.Recorder`."""
        span = slice(lived.slot * self._per_slot, (lived.slot + 1) * self._per_slot)
        for name, values in zip(
            SERIES,
            (
                lived.load_w,
                lived.pv_w,
                lived.battery_power_w,
                lived.grid_power_w,
                lived.stored_wh[:, :-1],
            ),
            strict=True,
        ):
            micro = np.rint(values * MICRO).astype(np.int64)
            self.sums_micro[name][span] = micro.sum(axis=0)
            for home, row in self._rows.items():
                self.watched[home][name][span] = values[row]


def minute_columns(kept: Sequence[FleetMinutes]) -> dict[str, FloatArray]:
    """Return a row per minute: the fleet's sums, then ``home{n}_...`` of each watched home."""
    sums = {
        name: np.sum([each.sums_micro[name] for each in kept], axis=0) / MICRO for name in SERIES
    }
    watched = {home: series for each in kept for home, series in each.watched.items()}
    return sums | {
        f"home{home}_{name}": watched[home][name] for home in sorted(watched) for name in SERIES
    }
