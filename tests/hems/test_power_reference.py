"""A power held at the grid connection, by a battery that lags and a meter that is late."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.errors import ControlInputError
from hems.power_reference import PowerReference

RULE = PowerReference()
MAX_W = 5_000.0


def row(*values):
    return np.array(values, dtype=np.float64)


def step(rule=RULE, *, set_point=None, reference=0.0, grid=0.0, battery=0.0, **limits):
    """Return the next set-point of one home. [W]"""
    return float(
        rule.next_w(
            None if set_point is None else row(set_point),
            reference_w=row(reference),
            grid_power_w=row(grid),
            battery_power_w=row(battery),
            charge_max_w=row(limits.get("charge_max", MAX_W)),
            discharge_max_w=row(limits.get("discharge_max", MAX_W)),
            cycle_s=limits.get("cycle_s", 1.0),
        )[0]
    )


@pytest.mark.parametrize(
    ("given_w", "next_w"),
    [
        # 1,000 W of import too much: 0.3 of it less
        ({"set_point": 500.0, "battery": 500.0, "grid": 1_000.0}, 200.0),
        ({"set_point": 500.0, "battery": 500.0, "reference": -600.0, "grid": -900.0}, 590.0),
        # it starts from what the battery does
        ({"battery": -700.0, "grid": 0.0}, -700.0),
        ({"battery": -700.0, "grid": 100.0}, -730.0),
        # noise is left
        ({"set_point": 500.0, "battery": 480.0, "grid": 9.0}, 500.0),
        # no further ahead of the battery than 1,000 W
        ({"set_point": 1_900.0, "battery": 1_000.0, "grid": -2_000.0}, 2_000.0),
        # no faster than 2,000 W/s
        ({"set_point": 0.0, "battery": 0.0, "grid": -3_000.0, "cycle_s": 0.2}, 400.0),
        # the battery's limits
        ({"set_point": 700.0, "battery": 700.0, "grid": -900.0, "charge_max": 800.0}, 800.0),
        ({"set_point": -700.0, "battery": -700.0, "grid": 900.0, "discharge_max": 750.0}, -750.0),
        # a meter or a battery that does not tell
        ({"set_point": 500.0, "battery": 500.0, "grid": np.nan}, 500.0),
        ({"set_point": 500.0, "battery": np.nan, "grid": 1_000.0}, 200.0),
        ({"battery": np.nan, "grid": 1_000.0}, -300.0),
    ],
)
def test_one_cycle_by_hand(given_w, next_w):
    assert step(**given_w) == pytest.approx(next_w)


def lived(rule, *, residual_w, reference_w, bank, delay=1, lag=0.0, noise_w=0.0, seed=0, soc=0.5):
    """Return grid and set-point of each one-second cycle, shape (homes, cycles). [W]

    ``lag`` is the share of the way to its set-point that the battery has not gone after a cycle;
    meter and battery are read ``delay`` cycles late.
    """
    rng = np.random.default_rng(seed)
    cycles, homes = residual_w.shape[-1], bank.homes
    stored_wh, battery_w = soc * bank.capacity_wh, np.zeros(homes)
    set_point_w, grid_w, gave_w, asked_w = None, [], [], []
    limit_w = bank.power_max_w
    for k in range(cycles):
        grid_w.append(residual_w[..., k] + battery_w + rng.normal(0, noise_w, homes))
        gave_w.append(battery_w)
        seen = max(k - delay, 0)
        set_point_w = rule.next_w(
            set_point_w,
            reference_w=np.broadcast_to(reference_w, (cycles,))[k] * np.ones(homes),
            grid_power_w=grid_w[seen],
            battery_power_w=gave_w[seen],
            charge_max_w=limit_w,
            discharge_max_w=limit_w,
            cycle_s=1.0,
        )
        asked_w.append(set_point_w)
        wanted_w = lag * battery_w + (1 - lag) * set_point_w
        stored_wh, battery_w = bank.advance(stored_wh, wanted_w, 1.0)
    return np.array(grid_w).T, np.array(asked_w).T


BANK = BatteryBank.uniform(3, capacity_wh=10_000.0, power_max_w=MAX_W, efficiency=0.95)


@pytest.mark.parametrize(("delay", "settles"), [(0, 25), (1, 25), (2, 45), (3, 150)])
@pytest.mark.parametrize("lag", [0.0, 0.4])
def test_it_settles_whatever_delay_and_lag_a_home_has(delay, settles, lag):
    residual_w = np.full((3, 2 * settles + 10), 800.0) + row(0.0, 500.0, -2_000.0)[:, None]
    residual_w[:, settles + 5 :] += 1_500.0

    grid_w, _ = lived(
        RULE, residual_w=residual_w, reference_w=-500.0, bank=BANK, delay=delay, lag=lag
    )

    assert np.abs(grid_w[:, settles : settles + 5] + 500.0).max() <= 2 * RULE.dead_band_w
    assert np.abs(grid_w[:, -5:] + 500.0).max() <= 2 * RULE.dead_band_w


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_gain_below_the_bound_in_the_docstring_is_stable_and_above_it_is_not(delay):
    bound = 2 * np.sin(np.pi / (4 * delay + 2))

    radii = [
        max(abs(np.roots([1.0, -1.0, *[0.0] * (delay - 1), gain])))
        for gain in (0.99 * bound, 1.01 * bound)
    ]

    assert radii[0] < 1 < radii[1]
    assert bound > RULE.gain


def test_gain_of_the_print_swings_for_ever_once_the_meter_is_a_cycle_late():
    quiet_w = np.full((3, 200), 800.0)
    quiet_w[:, 50:] += 300.0
    print_rule = replace(RULE, gain=1.0, dead_band_w=0.0)

    swinging_w, _ = lived(print_rule, residual_w=quiet_w, reference_w=0.0, bank=BANK)
    settled_w, _ = lived(RULE, residual_w=quiet_w, reference_w=0.0, bank=BANK)

    assert np.ptp(swinging_w[0, -20:]) == pytest.approx(200.0)
    assert np.ptp(settled_w[0, -20:]) == 0.0


def test_noise_of_the_meter_is_not_amplified_and_makes_no_limit_cycle():
    residual_w = np.full((3, 600), 1_000.0)

    grid_w, asked_w = lived(
        RULE, residual_w=residual_w, reference_w=0.0, bank=BANK, lag=0.4, noise_w=30.0, seed=4
    )

    settled_w = grid_w[:, 100:]
    assert np.abs(settled_w.mean(axis=1)).max() <= 5.0
    assert settled_w.std() <= 1.5 * 30.0
    spectrum = np.abs(np.fft.rfft(asked_w[:, 100:] - asked_w[:, 100:].mean(axis=1)[:, None]))
    assert spectrum.max() ** 2 <= 0.25 * (spectrum**2).sum()  # no single frequency stands out


def test_it_begins_without_a_bump_at_what_the_battery_does():
    assert step(reference=400.0, grid=400.0, battery=-1_234.0) == -1_234.0


@pytest.mark.parametrize("soc", [0.0, 1.0])
def test_battery_that_was_full_or_empty_for_long_turns_within_ten_cycles(soc):
    # for five minutes an error that the battery cannot mend, then one of the other sign
    wrong_w = 3_000.0 if soc == 0.0 else -3_000.0
    residual_w = np.full((3, 330), wrong_w)
    residual_w[:, 300:] = -wrong_w / 3

    grid_w, asked_w = lived(RULE, residual_w=residual_w, reference_w=0.0, bank=BANK, soc=soc)

    assert np.abs(asked_w[:, 299]).max() == RULE.lead_w  # it has not wound up
    assert np.abs(grid_w[:, 299]).min() == 3_000.0
    assert np.abs(grid_w[:, 315:]).max() <= 0.1 * 1_000.0
    assert np.all(np.sign(asked_w[:, 310]) == np.sign(wrong_w))


@given(
    st.floats(-20_000, 20_000),
    st.floats(allow_nan=True),
    st.floats(allow_nan=True),
    st.none() | st.floats(-MAX_W, MAX_W),
)
def test_limits_and_rate_hold_whatever_is_read(reference, grid, battery, set_point):
    next_w = step(set_point=set_point, reference=reference, grid=grid, battery=battery)

    assert -MAX_W <= next_w <= MAX_W
    if set_point is not None:
        assert abs(next_w - set_point) <= RULE.rate_w_per_s + 1e-9


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gain": 0.0}, "gain of 0"),
        ({"gain": 1.1}, r"gain of 1\.1"),
        ({"rate_w_per_s": 0.0}, "rate_w_per_s of 0"),
        ({"lead_w": float("nan")}, "lead_w of nan"),
        ({"dead_band_w": -1.0}, "dead_band_w of -1"),
    ],
)
def test_settings_out_of_range_are_refused(fields, message):
    with pytest.raises(ControlInputError, match=message):
        PowerReference(**fields)
