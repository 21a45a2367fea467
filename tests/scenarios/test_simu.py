"""Homes made up for tests, in a service's store."""

import json
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from aggregator.service.store.channels import GRID, SOC
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import homes, telemetry, telemetry_15min
from devices.battery_bank import BatteryBank
from scenarios.cli import cli
from scenarios.simu import Asked, live

DAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def lived():
    """Return a day of two homes."""
    bank = BatteryBank.uniform(2)
    asked = Asked(homes=2, first=DAY, last=DAY, seed=3)
    return live(asked, bank, stored_wh=0.5 * bank.capacity_wh)


def test_the_same_seed_gives_the_same_homes(lived):
    bank = BatteryBank.uniform(2)
    asked = Asked(homes=2, first=DAY, last=DAY, seed=3)

    again = live(asked, bank, stored_wh=0.5 * bank.capacity_wh)

    assert np.array_equal(again.grid_power_w, lived.grid_power_w)
    assert lived.grid.count == 96


def test_batteries_take_what_the_sun_leaves(lived):
    surplus_w = lived.pv_w - lived.load_w

    # never against the home's own surplus, and never beyond it
    assert (np.sign(lived.battery_power_w) * np.sign(surplus_w) >= 0).all()
    assert (np.abs(lived.battery_power_w) <= np.abs(surplus_w) + 1e-6).all()
    assert ((lived.soc >= 0) & (lived.soc <= 1)).all()


def test_homes_that_promised_export_give_it_together():
    bank = BatteryBank.uniform(2)
    asked = Asked(homes=2, first=DAY, last=DAY, seed=3)
    promised_w = np.full(96, np.nan)
    promised_w[40:42] = 3_000.0

    found = live(asked, bank, stored_wh=0.9 * bank.capacity_wh, promised_w=promised_w)

    given_w = -found.grid_power_w.sum(axis=0)[40:42]
    assert given_w.tolist() == pytest.approx([3_000.0, 3_000.0])


def test_the_command_fills_a_store_and_fills_it_no_fuller_the_second_time(tmp_path):
    command = ["simu", "--folder", str(tmp_path), "--homes", "2", "--days", "1"]
    command += ["--until", str(DAY), "--json"]

    first = CliRunner().invoke(cli, command)
    second = CliRunner().invoke(cli, command)

    assert json.loads(first.stdout) == {
        "homes": 2,
        "first": "2026-06-01",
        "last": "2026-06-01",
        "rows": 2 * 5 * 96,
        "rolled_up": json.loads(first.stdout)["rolled_up"],
    }
    assert json.loads(second.stdout)["rows"] == 0
    store = open_store(f"sqlite:///{tmp_path / 'service.db'}")
    with store.read() as connection:
        ids = connection.execute(select(homes.c.id).order_by(homes.c.number)).scalars().all()
        rows = connection.scalar(select(func.count()).select_from(telemetry))
        of_channel = telemetry_15min.c.channel_number.in_([GRID, SOC])
        quarters = connection.scalar(
            select(func.count()).select_from(telemetry_15min).where(of_channel)
        )
    store.close()
    assert (ids, rows, quarters) == (["simu-1", "simu-2"], 960, 2 * 2 * 96)
