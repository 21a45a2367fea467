"""From measurements and the contract's answer to what a controller sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.errors import ForecastError
from hems.see import blocks_ahead_s, expected_w, owed_export_wh, unreported_wh

QUARTER_S = 900


@pytest.mark.parametrize(
    ("remaining", "promised", "steered", "unsteered", "owed"),
    [
        # the fleet owes 1000 Wh, of which 0.2 and 0.1; home 0 gave 50 Wh since, home 1 took 30
        (1_000.0, True, True, 0.0, [150.0, 130.0]),
        # the fleet exported 400 Wh too much: the shares to take are 0.5 and 0.25
        (-400.0, True, True, 0.0, [-250.0, -70.0]),
        # nothing owed is weighed as export, and what was given since is to be taken back
        (0.0, True, True, 0.0, [-50.0, 30.0]),
        # a plant will give 300 of the 1000 Wh by itself; 700 are shared
        (1_000.0, True, True, 300.0, [90.0, 100.0]),
        # it will give more than is owed: the 400 Wh too much are shared by the import weights
        (1_000.0, True, True, 1_400.0, [-250.0, -70.0]),
        # nothing was sold and batteries follow: nothing is owed, but a surplus may be taken
        (1_000.0, False, False, 0.0, [0.0, 0.0]),
        (-400.0, False, False, 0.0, [-250.0, -70.0]),
        (0.0, False, False, 400.0, [-250.0, -70.0]),
        (0.0, False, False, 0.0, [-50.0, 0.0]),
        # nothing was sold and batteries are to charge: the state of charge alone counts
        (-400.0, False, True, 300.0, [0.0, 0.0]),
    ],
)
def test_owed_export_is_the_share_less_what_was_given_since(
    remaining, promised, steered, unsteered, owed
):
    share = owed_export_wh(
        remaining_export_wh=np.full(2, remaining),
        export_weight=np.array([0.2, 0.1]),
        import_weight=np.array([0.5, 0.25]),
        exported_since_wh=np.array([50.0, -30.0]),
        promised=promised,
        steered=steered,
        unsteered_wh=unsteered,
    )

    assert share.tolist() == pytest.approx(owed)


@pytest.mark.parametrize(
    ("elapsed_s", "step_s", "blocks_s"),
    [
        (0, 60, [60, 840, 900]),
        (840, 60, [60, 900]),  # the step ends with the quarter
        (840, 120, [120, 840]),  # the step reaches into the next quarter
        (900, 120, [120, 780]),
        (1_740, 60, [60]),
        (1_740, 120, [60]),  # no further than the interval
        (0, 900, [900, 900]),
        (0, 1_800, [1_800]),
        (1_800, 60, []),
    ],
)
def test_blocks_are_the_step_then_the_rest_of_its_quarter_then_quarters(
    elapsed_s, step_s, blocks_s
):
    assert blocks_ahead_s(elapsed_s, 1_800, step_s).tolist() == blocks_s


@given(
    elapsed_s=st.integers(0, 7_199),
    quarters=st.integers(1, 8),
    step_s=st.integers(1, 3_600),
)
def test_blocks_share_out_the_rest_of_the_interval_with_edges_on_quarters(
    elapsed_s, quarters, step_s
):
    interval_s = quarters * QUARTER_S
    elapsed_s %= interval_s

    blocks_s = blocks_ahead_s(elapsed_s, interval_s, step_s)

    edges_s = elapsed_s + np.cumsum(blocks_s)
    assert edges_s[-1] == interval_s
    assert np.all(blocks_s > 0)
    assert edges_s[0] == min(elapsed_s + step_s, interval_s)
    assert np.all(edges_s[1:] % QUARTER_S == 0)
    assert np.all(blocks_s[1:] <= QUARTER_S)


@pytest.mark.parametrize(
    ("elapsed_s", "block_s", "expected"),
    [
        (0, [60, 840, 900], [[7, 10, 11], [8, 20, 21]]),
        (840, [60, 900], [[7, 11], [8, 21]]),
        (840, [120, 840], [[7, 11], [8, 21]]),  # block 1 begins a minute into the next quarter
        (900, [120, 780], [[7, 10], [8, 20]]),  # the forecast begins with the quarter of "now"
        (1_020, [60, 720], [[7, 10], [8, 20]]),
        (1_740, [60], [[7], [8]]),
        (1_860, [120, 720, 900, 900], [[7, 10, 11, 12], [8, 20, 21, 22]]),
    ],
)
def test_expected_power_is_now_then_the_forecast_of_the_quarter_that_a_block_begins_in(
    elapsed_s, block_s, expected
):
    quarters_w = np.array([[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])

    power_w = expected_w(
        np.array([7.0, 8.0]), quarters_w, elapsed_s=elapsed_s, block_s=np.array(block_s, float)
    )

    assert power_w.tolist() == expected


@given(st.lists(st.floats(-5_000, 5_000), min_size=1, max_size=60))
def test_reports_always_sum_to_the_rounded_total(energies_wh):
    reports, reported, total_wh = [], np.zeros(1, dtype=np.int64), np.zeros(1)
    for energy_wh in energies_wh:
        total_wh = total_wh + energy_wh
        due = unreported_wh(total_wh, reported)
        reports.append(int(due[0]))
        reported = reported + due

        assert sum(reports) == np.rint(total_wh[0])


def test_small_flows_are_reported_once_they_make_a_watt_hour():
    reported, reports = np.zeros(2, dtype=np.int64), []
    for minute in range(1, 6):
        due = unreported_wh(np.array([0.4, -0.4]) * minute, reported)
        reports.append(due.tolist())
        reported = reported + due

    assert reports == [[0, 0], [1, -1], [0, 0], [1, -1], [0, 0]]
    assert due.dtype == np.int64


def test_forecast_that_ends_before_the_blocks_is_refused():
    with pytest.raises(ForecastError, match="1 quarters ends before"):
        expected_w(np.zeros(1), np.zeros((1, 1)), elapsed_s=0, block_s=np.array([60.0, 840, 900]))
