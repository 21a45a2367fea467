"""An operator's folder, commands and node."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aggregator.forecast import Forecast
from aggregator.tables import write_forecast, write_series
from contracts.local.anvil import anvil_node
from contracts.timegrid import TimeGrid
from scenarios.cli import main

DAY = datetime(2026, 12, 1, tzinfo=UTC)
GRID = TimeGrid(start=DAY, step_s=1800, count=48)
FLEET = """
[battery]
capacity_wh = 100000
power_max_w = 50000
charge_efficiency = 0.9
discharge_efficiency = 0.9
stored_min_wh = 0
stored_max_wh = 100000
stored_wh = 60000
"""


@pytest.fixture
def gridpact(capsys, tmp_path, monkeypatch):
    """Return a function that runs one command in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        assert left.value.code == code, streams.err
        return streams.out if code == 0 else streams.err

    return run


@pytest.fixture
def files(tmp_path):
    """Write the operator's files: forecast, prices, fleet."""
    price = np.full(48, 40.0)
    price[34:38] = 120.0
    forecast = Forecast(
        grid=GRID,
        demand_wh=np.full(48, 5_000.0),
        production_wh=np.full(48, 6_000.0),
        import_price_per_mwh=np.full(48, 150.0),
        export_price_per_mwh=price,
    )
    write_forecast(tmp_path / "forecast.csv", forecast)
    prices = {"price_per_mwh": price, "imbalance_price_per_mwh": np.full(48, 50.0)}
    write_series(tmp_path / "prices.csv", GRID, prices)
    (tmp_path / "fleet.toml").write_text(FLEET, "utf-8")
    return tmp_path


@pytest.fixture
def node(needs_anvil):
    """Start Anvil two days before the market day; return its URL."""
    with anvil_node(start_timestamp=int((DAY - timedelta(days=2)).timestamp())) as url:
        yield url


@pytest.fixture(scope="session")
def one_line():
    """Return what takes a complaint that must be one line."""

    def taken(error):
        assert error.startswith("gridpact: ")
        assert error.count("\n") == 1
        return error

    return taken
