"""The data of a run of many days, a day at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np

from contracts.timegrid import TimeGrid
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.data.generate import generated_homes, generated_surroundings
from scenarios.data.home_minutes import HomeMinutes
from scenarios.data.real import HomeSet
from scenarios.data.source import fleet_data
from scenarios.simulation.arrangement import FRAMEWORK, Arrangement, arranged, volatile

HISTORY_DAYS = 2
"""Days that homes remember: what their forecasts learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySource:
    """Where a run's load, sun, wind and prices come from."""

    homes: int
    """Size of the fleet."""
    seed: int = 0
    """Everything that is drawn, is drawn from it."""
    folder: Path | None = None
    """Folder of real series; None generates."""
    home_set: HomeSet = "bootstrap"
    """Which homes of the real set."""
    arrangement: Arrangement = FRAMEWORK
    """Whose load and sun the data are: the homes', or a central site's."""
    price_volatility: float = 1.0
    """Multiplies the day-ahead prices' deviations from each day's mean."""

    def day(self, day: date) -> FleetData:
        """Return a local market day of all members, without history."""
        return self.whole(day, history_days=0)

    def surroundings(self, day: date, *, history_days: int = 0) -> FleetData:
        """Return the plant and the prices of a market day, drawn as they are with history.

        Its homes are one row, which is no home's: theirs are `minutes`.
        """
        if self._in_blocks:
            data = generated_surroundings(
                day=day, homes=self.homes, seed=self.seed, history_days=history_days
            )
            return _without_history(self._arranged(data))
        data = _whole(self, day, history_days)
        return _without_history(
            replace(
                data,
                load_w=data.load_w[:1],
                pv_w=data.pv_w[:1],
                pv_rating_w=data.pv_rating_w[:1],
            )
        )

    def minutes(self, day: date, part: range, *, history_days: int) -> Iterator[HomeMinutes]:
        """See `prepared_day.MinuteSource`; members are homes, or one central site."""
        if not self._in_blocks:
            data, rows = _whole(self, day, history_days), slice(part.start, part.stop)
            yield HomeMinutes(load_w=data.load_w[rows], pv_w=data.pv_w[rows])
            return
        for block in generated_homes(
            day=day, homes=self.homes, part=part, seed=self.seed, history_days=history_days
        ):
            panels = self.arrangement.panels != "none"
            yield block if panels else replace(block, pv_w=np.zeros_like(block.pv_w))

    @property
    def _in_blocks(self) -> bool:
        """Whether some homes can be had without the others."""
        return self.folder is None and not self.arrangement.central

    def _arranged(self, data: FleetData) -> FleetData:
        return volatile(arranged(data, self.arrangement), self.price_volatility)

    def whole(self, day: date, *, history_days: int) -> FleetData:
        """Return a local market day of all members and the days before it."""
        return self._arranged(
            fleet_data(
                self.folder,
                day=day,
                homes=self.homes,
                seed=self.seed,
                history_days=history_days,
                home_set=self.home_set,
            )
        )


@lru_cache(maxsize=1)
def _whole(source: DaySource, day: date, history_days: int) -> FleetData:
    """Return all members' day: a shard asks for it right after the surroundings were."""
    return source.whole(day, history_days=history_days)


def _without_history(data: FleetData) -> FleetData:
    """Return the market day alone, in arrays of its own so that the history can go."""
    first = data.day_start_minute
    grid = TimeGrid(
        start=data.market_grid.start, step_s=MINUTE_S, count=data.minute_grid.count - first
    )
    return replace(
        data,
        minute_grid=grid,
        load_w=data.load_w[:, first:].copy(),
        pv_w=data.pv_w[:, first:].copy(),
        plant_pv_w=data.plant_pv_w[first:].copy(),
        plant_wind_w=data.plant_wind_w[first:].copy(),
    )
