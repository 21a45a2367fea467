"""Ageing as SAM counts it: by hand, and beside figures of the program itself."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ageing_law import DATA
from devices.ageing_sam import SamLaw, SamState, advance

RULER = SamLaw(
    depths=np.array([0.2, 1.0]),
    cycles=(np.array([0.0, 100.0]), np.array([0.0, 10.0, 20.0])),
    capacity=(np.array([1.0, 0.9]), np.array([1.0, 0.9, 0.7])),
    q0=1.02,
    a=0.01,
    b=0.0,
    c=0.0,
    sources={},
)
"""0.1 points a cycle of depth 0.2; 1, then 2 points a cycle of depth 1; 1 point after a day."""


def run(law, *days, start=0.0, step_h=1.0):
    """Return the state after days of use, each fed as one stretch."""
    state = SamState.new(start)
    for day in days:
        state = advance(law, state, np.array(day), step_h=step_h)
    return state


def test_25_years_of_full_windows_end_within_half_a_point_of_sam():
    # PySAM 7.1.1.post1, BatteryStateful LFPGraphite, 15 to 95 %, 20 °C, 5 kW of 10 kWh from 9 h,
    # back from 18 h: relative capacity, by cycles alone, by time alone, after so many years.
    sam = {1: (93.01, 96.66, 96.35), 5: (83.24, 91.29, 91.95), 10: (76.75, 88.10, 88.64)}
    sam[25] = (62.62, 80.57, 82.04)
    law = SamLaw.lfp()
    day = np.array([0.15] * 9 + [0.6494] + [0.95] * 8 + [0.4443] + [0.15] * 5)
    state = SamState.new(0.15)
    ours = {}
    for year in range(1, 26):
        for days in np.split(np.tile(day, 365), 5):
            state = advance(law, state, days, step_h=1.0, temperature_c=20.0)
        by_time = law.q0 - state.calendar_square**0.5
        ours[year] = np.array([state.capacity, state.cycle_capacity, by_time]) * 100

    for year, printed in sam.items():
        assert ours[year] == pytest.approx(np.array(printed), abs=0.5)
    assert state.cycles == pytest.approx(9127, abs=3)


def test_cycles_cost_by_their_depth_and_their_number():
    law = RULER

    fifteen = run(law, [0.0, *[1.0, 0.0] * 15])

    # the fifteenth closes with the next turn; n runs from 1, so that ten cost 9 × 1 + 1 × 2 points
    assert fifteen.cycles == 14
    assert fifteen.cycle_capacity == pytest.approx(1 - 0.09 - 0.10)


def test_a_depth_between_two_rows_costs_between_them():
    between = RULER.capacity_after(np.array([0.1, 0.2, 0.6, 1.0, 0.0]), np.full(5, 10.0))

    assert between == pytest.approx([0.995, 0.99, 0.945, 0.9, 1.0])


def test_rows_go_on_along_their_last_two_points():
    assert RULER.capacity_after(np.array([1.0]), np.array([25.0])) == pytest.approx([0.6])


def test_a_law_without_rows_counts_cycles_that_cost_nothing():
    law = SamLaw(depths=np.empty(0), cycles=(), capacity=(), q0=1.0, a=0, b=0, c=0, sources={})

    state = run(law, [0.0, *[1.0, 0.0] * 5])

    assert (state.cycles, state.capacity) == (4, 1.0)


def test_time_costs_by_its_root_from_a_start_above_nominal():
    four_days = run(RULER, [0.5] * 96, start=0.5)
    nine_days = run(RULER, [0.5] * 216, start=0.5)

    assert four_days.capacity == pytest.approx(1.0)
    assert nine_days.capacity == pytest.approx(0.99)


def test_before_2024_the_worse_of_the_two_counted():
    use = [0.0, *[1.0, 0.0] * 20]
    new = run(RULER, use, step_h=24 * 9)
    old = run(
        SamLaw(**{**{n: getattr(RULER, n) for n in RULER.__slots__}, "adds": False}),
        use,
        step_h=24 * 9,
    )

    by_use, by_time = new.cycle_capacity, 1.02 - new.calendar_square**0.5
    assert new.capacity == pytest.approx(by_use + by_time - 1)
    assert old.capacity == pytest.approx(min(by_use, by_time))


def test_before_2021_the_mean_depth_counted():
    law = SamLaw(**{**{n: getattr(RULER, n) for n in RULER.__slots__}, "own_depth": False})

    state = run(law, [0.0, 1.0, 0.0, 0.2, 0.0, 1.0])

    # closed: 1.0, then 0.2 at a mean of 0.6
    assert state.cycles == 2
    assert state.cycle_capacity == pytest.approx(1 - 0.01 - (0.001 + 0.01) / 2)


def test_capacity_never_grows():
    rising = SamLaw(
        depths=np.array([1.0]),
        cycles=(np.array([0.0, 2.0, 9.0]),),
        capacity=(np.array([1.0, 0.8, 1.0]),),
        q0=1.0,
        a=0,
        b=0,
        c=0,
        sources={},
    )

    state = run(rising, [0.0, *[1.0, 0.0] * 8])

    assert state.capacity == pytest.approx(0.9)


def test_idle_hours_feed_no_point():
    state = run(RULER, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 1.0])

    assert state.cycles == 1
    assert state.open_points == (100.0,)


@given(
    st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=80),
    st.integers(1, 30),
)
def test_a_history_in_pieces_ages_as_in_one(soc, piece):
    law = SamLaw.lfp()

    whole = run(law, soc, start=0.5)
    pieces = run(law, *[soc[i : i + piece] for i in range(0, len(soc), piece)], start=0.5)

    assert pieces.open_points == whole.open_points
    assert (pieces.cycles, pieces.soc, pieces.charging) == (whole.cycles, whole.soc, whole.charging)
    assert pieces.capacity == pytest.approx(whole.capacity)
    assert pieces.calendar_square == pytest.approx(whole.calendar_square)


def test_a_law_of_ones_own_is_read_from_a_file(tmp_path):
    data = json.loads((DATA / "sam_lfp.json").read_text(encoding="utf-8"))
    data["cycles"] = [{"depth": 1.0, "cycles": [0, 6000], "capacity": [1.0, 0.8]}]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data), encoding="utf-8")

    law = SamLaw.load(path, adds=False)

    assert law.capacity_after(np.array([0.5]), np.array([3000.0])) == pytest.approx([0.95])
    assert not law.adds


def test_a_law_that_cannot_be_used_is_refused_by_file_and_reason(tmp_path):
    data = json.loads((DATA / "sam_lfp.json").read_text(encoding="utf-8"))
    data["cycles"] = [{"depth": 1.0, "cycles": [0], "capacity": [1.0]}]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data), encoding="utf-8")

    with pytest.raises(ValueError, match=r"mine\.json: .*a row of cycles needs two points"):
        SamLaw.load(path)
