"""Observations for tests: a plain one by default, any field replaced."""

from dataclasses import replace

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.controller import Observation


def _observe(*, homes=1, block_s=(60.0, 840.0, 900.0), bank=None, soc=0.5, **fields):
    """Return an observation; scalars and one row are repeated for every home and block."""
    bank = bank or BatteryBank.uniform(homes)
    homes, blocks = bank.homes, len(block_s)

    def per_home(value):
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (homes,)).copy()

    def per_block(value):
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (homes, blocks)).copy()

    return Observation(
        bank=bank,
        stored_wh=per_home(fields.pop("stored_wh", per_home(soc) * bank.capacity_wh)),
        block_s=np.array(block_s, dtype=np.float64),
        load_w=per_block(fields.pop("load_w", 500.0)),
        pv_w=per_block(fields.pop("pv_w", 0.0)),
        import_price_per_mwh=fields.pop("import_price_per_mwh", 150.0),
        export_price_per_mwh=fields.pop("export_price_per_mwh", 50.0),
        import_limit_w=per_home(fields.pop("import_limit_w", 10_000.0)),
        export_limit_w=per_home(fields.pop("export_limit_w", 10_000.0)),
        remaining_export_wh=per_home(fields.pop("remaining_export_wh", 0.0)),
        steered=np.broadcast_to(np.asarray(fields.pop("steered", False)), (homes,)).copy(),
        soc_target=per_home(fields.pop("soc_target", 0.5)),
        **fields,
    )


def _random_homes(seed, *, homes=1, blocks=None):
    """Return homes with everything that may happen to them, well beyond what is likely.

    Full, empty and out-of-window batteries, caps of zero, negative prices, prices of export above
    those of import, ideal batteries, debts far out of reach, steered or not, 1 to 5 blocks.
    """
    rng = np.random.default_rng(seed)
    blocks = blocks or int(rng.integers(1, 6))
    block_s = (float(rng.choice([60, 120])), *rng.choice([300.0, 780.0, 900.0], blocks - 1))
    soc_min = rng.choice([0.0, 0.1, 0.3], homes)
    soc_max = rng.choice([1.0, 0.9, 0.7], homes)
    within = rng.uniform(soc_min, soc_max)
    bank = BatteryBank(
        capacity_wh=rng.uniform(2_000, 15_000, homes),
        power_max_w=rng.uniform(500, 6_000, homes),
        charge_efficiency=rng.choice([0.8, 0.9, 0.97, 1.0], homes),
        discharge_efficiency=rng.choice([0.8, 0.9, 0.97, 1.0], homes),
        soc_min=soc_min,
        soc_max=soc_max,
    )
    # five ways to start: full, empty, at the window's ends, anywhere inside it
    start = np.stack([np.zeros(homes), np.ones(homes), soc_min, soc_max, within])
    limits_w = np.array([0.0, 300.0, 3_680.0, 10_000.0, 20_000.0])
    return _observe(
        bank=bank,
        block_s=block_s,
        soc=start[rng.choice(5, homes, p=[0.15, 0.15, 0.1, 0.1, 0.5]), np.arange(homes)],
        load_w=rng.uniform(0, 6_000, (homes, blocks)) * rng.integers(0, 2, (homes, blocks)),
        pv_w=rng.uniform(0, 7_000, (homes, blocks)) * rng.integers(0, 2, (homes, blocks)),
        import_price_per_mwh=float(rng.choice([-80.0, 0.0, 20.0, 150.0, 400.0])),
        export_price_per_mwh=float(rng.choice([-60.0, 0.0, 50.0, 200.0, 500.0])),
        import_limit_w=rng.choice(limits_w, homes),
        export_limit_w=rng.choice(limits_w, homes),
        remaining_export_wh=rng.choice([0, 1, 1, 100], homes) * rng.uniform(-900, 900, homes),
        steered=rng.random(homes) < 0.5,
        soc_target=rng.uniform(0, 1, homes),
    )


PER_HOME = (
    "stored_wh",
    "load_w",
    "pv_w",
    "import_limit_w",
    "export_limit_w",
    "remaining_export_wh",
    "steered",
    "soc_target",
)


def _homes_of(seen, rows):
    """Return some of the homes, one per entry of ``rows``."""
    return replace(
        seen, bank=seen.bank.pick(rows), **{name: getattr(seen, name)[rows] for name in PER_HOME}
    )


@pytest.fixture(scope="session")
def homes_of():
    return _homes_of


@pytest.fixture(scope="session")
def observe():
    return _observe


@pytest.fixture(scope="session")
def random_homes():
    return _random_homes
