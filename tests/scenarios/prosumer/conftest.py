"""A prosumer of ten generated days, and its study."""

from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.timegrid import TimeGrid
from scenarios.prosumer.beside import Found
from scenarios.prosumer.evolved import Budget
from scenarios.prosumer.foreseen import imperfect
from scenarios.prosumer.series import ProsumerSeries
from scenarios.prosumer.speed import Speed
from scenarios.prosumer.study import Study, cases, run

DAYS = 40


@pytest.fixture(scope="session")
def study() -> Study:
    """Return a study of four days, two for searches, after five weeks of history."""
    rng, hours = np.random.default_rng(5), np.arange(24 * DAYS)
    sun = np.maximum(np.sin((hours % 24 - 6) / 12 * np.pi), 0) * rng.uniform(0.3, 1, hours.size)
    price = 150 + 100 * np.sin((hours % 24 - 14) / 24 * 2 * np.pi) + rng.uniform(0, 40, hours.size)
    series = ProsumerSeries(
        grid=TimeGrid(start=datetime(2022, 4, 1, tzinfo=UTC), step_s=3600, count=hours.size),
        zone="Europe/Rome",
        load_wh=rng.exponential(350, (1, hours.size)),
        pv_wh=1800 * sun[None],
        import_price_per_mwh=1.8 * price[None],
        export_price_per_mwh=price[None],
        currency="EUR",
        source="generated",
        provenance=("drawn for a test", "prices: a sine"),
    )
    begin = 35 * 24
    return Study(
        series=series,
        imperfect=imperfect(series, "linear"),
        begin=begin,
        hours=96,
        month_begin=begin,
        month_hours=48,
        budget=Budget(evaluations=60, population=20),
    )


@pytest.fixture(scope="session")
def found(study: Study) -> Found:
    """Return what that study came to; how long plans take is made up."""
    outcomes = run(study, cases())
    speed = Speed(
        rules_ms=0.05,
        rules_numpy_ms=0.25,
        rules_batch_us=3.0,
        rules_numpy_batch_us=5.0,
        milp_ms=1.5,
        milp_binaries_ms=80.0,
        ga_ms=60.0,
        pso_ms=61.0,
    )
    return Found(outcomes=outcomes, speed=speed, currency="EUR")
