"""Small fleets and days for the tests of planning."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from aggregator.forecast import Forecast
from aggregator.virtual_battery import VirtualBattery
from contracts.timegrid import TimeGrid

START = datetime(2020, 5, 20, tzinfo=UTC)


@pytest.fixture(scope="session")
def battery() -> Callable[..., VirtualBattery]:
    """Return a maker of batteries: 10 kWh, 10 kW, η 0.9, empty, unless said otherwise."""

    def make(**rating: float) -> VirtualBattery:
        usual = {
            "capacity_wh": 10_000.0,
            "power_max_w": 10_000.0,
            "charge_efficiency": 0.9,
            "discharge_efficiency": 0.9,
            "stored_min_wh": 0.0,
            "stored_wh": 0.0,
        }
        merged = usual | rating
        return VirtualBattery(
            stored_max_wh=merged.pop("stored_max_wh", merged["capacity_wh"]), **merged
        )

    return make


@pytest.fixture(scope="session")
def day() -> Callable[..., Forecast]:
    """Return a maker of short days out of plain lists; a number stands for a constant series."""

    def make(
        *,
        demand_wh: list[float] | float = 0.0,
        production_wh: list[float] | float = 0.0,
        import_price: list[float] | float = 100.0,
        export_price: list[float] | float = 50.0,
        count: int = 2,
        step_s: int = 3600,
    ) -> Forecast:
        series = [demand_wh, production_wh, import_price, export_price]
        count = max([count, *(len(values) for values in series if isinstance(values, list))])
        demand, production, bought, sold = (
            np.broadcast_to(np.asarray(values, dtype=np.float64), (count,)).copy()
            for values in series
        )
        return Forecast(
            grid=TimeGrid(start=START, step_s=step_s, count=count),
            demand_wh=demand,
            production_wh=production,
            import_price_per_mwh=bought,
            export_price_per_mwh=sold,
        )

    return make
