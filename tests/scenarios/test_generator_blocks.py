"""Fleets of thousands are drawn in blocks: other homes, the same sky."""

from datetime import date

import numpy as np

from scenarios.data.generate import BLOCK_HOMES, generate_fleet_data

DAY = date(2021, 6, 16)


def test_homes_beyond_the_first_block_are_others_under_the_same_weather():
    several = generate_fleet_data(day=DAY, homes=BLOCK_HOMES + 60, seed=1, history_days=0)
    one = generate_fleet_data(day=DAY, homes=BLOCK_HOMES, seed=1, history_days=0)
    few = generate_fleet_data(day=DAY, homes=60, seed=1, history_days=0)

    first, second = slice(0, BLOCK_HOMES), slice(BLOCK_HOMES, None)
    assert several.load_w[first].tobytes() == one.load_w.tobytes()
    assert several.pv_w[first].tobytes() == one.pv_w.tobytes()
    assert several.load_w[:60].tobytes() == few.load_w.tobytes()
    assert not np.array_equal(several.load_w[second], few.load_w)
    sky = [several.pv_w[block].mean(axis=0) for block in (first, second)]
    assert np.corrcoef(sky)[0, 1] > 0.99
    assert np.array_equal(several.day_ahead_price_per_mwh, few.day_ahead_price_per_mwh)
