"""The data of a run of many days, a day at a time."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from contracts.timegrid import TimeGrid
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.data.real import HomeSet
from scenarios.data.source import fleet_data
from scenarios.past import Past

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

    def day(self, day: date) -> FleetData:
        """Return a local market day without history."""
        return self._load(day, history_days=0)

    def begin(self, day: date) -> tuple[FleetData, Past]:
        """Return the first day of a run, and what homes remember of the days before it."""
        data = self._load(day, history_days=HISTORY_DAYS)
        return _without_history(data), Past.before(data)

    def _load(self, day: date, *, history_days: int) -> FleetData:
        return fleet_data(
            self.folder,
            day=day,
            homes=self.homes,
            seed=self.seed,
            history_days=history_days,
            home_set=self.home_set,
        )


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
