"""Homes drawn at random, well beyond what is likely: what engines of the MPC are compared on."""

import numpy as np

from devices.battery_bank import BatteryBank
from hems.controller import Observation
from hems.see import blocks_ahead_s

IMPORT_PRICES = (-80.0, 0.0, 20.0, 150.0, 400.0)
EXPORT_PRICES = (-60.0, 0.0, 50.0, 200.0, 500.0)
"""Prices of a batch of instances, negative ones and exports dearer than imports. [currency/MWh]"""
GRID_LIMITS_W = np.array([0.0, 300.0, 3_680.0, 10_000.0, 23_000.0])
"""Caps of a home's connection. [W]"""


def random_homes(
    seed: int, homes: int, *, import_price: float | None = None, export_price: float | None = None
) -> Observation:
    """Return homes with everything that may happen to them.

    Full, empty and out-of-window batteries, some without power, caps of zero, ideal batteries,
    debts out of reach or none, steered or not, at any minute of the market interval.

    Parameters
    ----------
    seed : int
        Same seed, same homes.
    homes : int
        How many.
    import_price, export_price : float, optional
        The same for all of them; drawn without. [currency/MWh]
    """
    rng = np.random.default_rng(seed)
    bank = _bank(rng, homes)
    stored = np.stack(
        [np.zeros(homes), np.ones(homes), bank.soc_min, bank.soc_max, rng.random(homes)]
    )[rng.integers(0, 5, homes), np.arange(homes)]
    step_s = int(rng.choice([60, 120]))
    block_s = blocks_ahead_s(step_s * int(rng.integers(0, 1800 // step_s)), 1800, step_s)
    shape = (homes, block_s.shape[0])
    drawn = float(rng.choice(IMPORT_PRICES)), float(rng.choice(EXPORT_PRICES))
    return Observation(
        bank=bank,
        stored_wh=stored * bank.capacity_wh,
        block_s=block_s,
        load_w=rng.uniform(0, 6_000, shape) * rng.integers(0, 2, shape),
        pv_w=rng.uniform(0, 7_000, shape) * rng.integers(0, 2, shape),
        import_price_per_mwh=drawn[0] if import_price is None else import_price,
        export_price_per_mwh=drawn[1] if export_price is None else export_price,
        import_limit_w=rng.choice(GRID_LIMITS_W, homes),
        export_limit_w=rng.choice(GRID_LIMITS_W, homes),
        remaining_export_wh=rng.choice([0, 1, 1, 100], homes) * rng.uniform(-900, 900, homes),
        steered=rng.random(homes) < 0.5,
        soc_target=rng.random(homes),
    )


def _bank(rng: np.random.Generator, homes: int) -> BatteryBank:
    efficiencies = [0.8, 0.9, 0.97, 1.0]
    return BatteryBank(
        capacity_wh=rng.uniform(2_000, 15_000, homes),
        power_max_w=rng.uniform(500, 6_000, homes) * (rng.random(homes) > 0.02),
        charge_efficiency=rng.choice(efficiencies, homes),
        discharge_efficiency=rng.choice(efficiencies, homes),
        soc_min=rng.choice([0.0, 0.1, 0.3], homes),
        soc_max=rng.choice([1.0, 0.9, 0.7], homes),
    )
