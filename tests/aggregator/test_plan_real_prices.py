"""Days of real British prices: negative hours, π_e > π_i, 23 and 25 hours."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from aggregator.forecast import Forecast
from aggregator.market import PriceTakerMarket, bids
from aggregator.plan import plan_day, replan
from contracts.timegrid import TimeGrid

DAY_AHEAD = "gb_dayahead_hourly_2019-10_2020-09.csv.gz"
AGILE = "gb_agile_import_regionA_30min_2018-02_2021-08.csv.gz"


def prices(path, factor):
    """Return the second column of a file by its first, a time in UTC. [currency/MWh]"""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {
        datetime.fromisoformat(row[0]).replace(tzinfo=UTC): float(row[1]) * factor
        for row in rows
        if row[1]
    }


def hourly(sold, start):
    """Return the price of the hour a slot lies in; the file's few missing hours repeat the last."""
    hour = start - timedelta(minutes=start.minute)
    while hour not in sold:
        hour -= timedelta(hours=1)
    return sold[hour]


@pytest.fixture(scope="module")
def real_day(real_folder):
    """Return a maker of a fleet's day at real prices, homes and sun drawn by the day's number."""
    sold, bought = prices(real_folder / DAY_AHEAD, 1.0), prices(real_folder / AGILE, 10.0)

    def make(local_day):
        grid, rng = TimeGrid.local_day(local_day), np.random.default_rng(local_day.toordinal())
        hour = (np.arange(grid.count) + 0.5) / 2
        sun = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * (hour > 6) * (hour < 18)
        load_wh = 12_600 * (1 + 0.5 * np.sin(hour / 6)) * rng.uniform(0.8, 1.2, grid.count)
        return Forecast(
            grid=grid,
            demand_wh=load_wh,
            production_wh=sun * rng.uniform(10_000, 100_000) + rng.uniform(0, 30_000),
            import_price_per_mwh=np.array([bought[start] for start in grid.starts()]),
            export_price_per_mwh=np.array([hourly(sold, start) for start in grid.starts()]),
        )

    return make


@pytest.mark.parametrize(
    ("local_day", "count", "crossed"),
    [
        (date(2019, 10, 27), 50, False),
        (date(2019, 12, 9), 48, True),
        (date(2020, 3, 29), 46, True),
        (date(2020, 4, 5), 48, True),
        (date(2020, 5, 20), 48, False),
        (date(2020, 5, 23), 48, True),
    ],
)
def test_a_real_day_is_planned_bid_and_planned_again_to_proof(
    battery, real_day, local_day, count, crossed
):
    fleet = battery(capacity_wh=721_000.0, power_max_w=371_000.0, stored_wh=360_500.0)
    forecast = real_day(local_day)
    market = PriceTakerMarket(
        grid=forecast.grid,
        clearing_price_per_mwh=forecast.export_price_per_mwh,
        award_share=np.random.default_rng(0).uniform(0, 1, forecast.grid.count),
    )

    plan = plan_day(fleet, forecast)
    again = replan(fleet, forecast, market.clear(bids(plan)))

    assert forecast.grid.count == count
    assert (forecast.export_price_per_mwh > forecast.import_price_per_mwh).any() == crossed
    assert [plan.status.kind, again.status.kind] == ["proved", "proved"]
    assert plan.broken + again.broken == ()
