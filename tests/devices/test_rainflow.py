"""Rainflow counting held against the `rainflow` package, whole and in pieces."""

from collections import Counter

import numpy as np
import pytest
import rainflow
from hypothesis import given
from hypothesis import strategies as st

from devices.rainflow import WALKED_POINTS, Trail, count, halves, turning_points

# sixteenths: sums and differences are exact, so that ranges compare with ==
socs = st.integers(0, 16).map(lambda sixteenths: sixteenths / 16)
series = st.lists(socs, min_size=3, max_size=3 * WALKED_POINTS)


def trail(*homes):
    """Return the turning points of series of equal or different lengths."""
    home = np.repeat(np.arange(len(homes)), [len(values) for values in homes])
    soc = np.concatenate([np.array(values, dtype=np.float64) for values in homes])
    steps = np.concatenate([np.arange(float(len(values))) for values in homes])
    points = Trail(home=home, soc=soc, moving_h=steps, throughput=steps, heat_ch=20 * steps)
    return points.pick(turning_points(home, soc))


def counted(*parts):
    """Return the number of cycles by home, range and mean."""
    found = Counter()
    for cycles in parts:
        for home, number, depth, mean in zip(
            cycles.home, cycles.count, cycles.depth, cycles.mean_soc, strict=True
        ):
            found[int(home), float(depth), float(mean)] += float(number)
    return found


def by_the_package(*homes):
    """Return the same, counted by the package; it counts half a cycle of no depth at times."""
    found = Counter()
    for home, values in enumerate(homes):
        for depth, mean, number, _, _ in rainflow.extract_cycles(values):
            if depth:
                found[home, depth, mean] += number
    return found


@given(st.lists(series, min_size=1, max_size=3))
def test_cycles_are_those_of_the_rainflow_package(homes):
    closed, left = count(trail(*homes))

    assert counted(closed, halves(left)) == by_the_package(*homes)


@pytest.mark.parametrize("shape", ["noise", "walk", "spiral", "windows"])
def test_long_series_are_counted_as_by_the_package(shape):
    rng = np.random.default_rng(6)
    steps = np.arange(4000)
    fading = np.concatenate([steps[::2][::-1], steps[::2]]) / 8192
    values = {
        "noise": rng.integers(0, 4096, 4000) / 4096,
        "walk": np.abs(np.cumsum(rng.integers(-3, 4, 4000)) % 512 - 256) / 256,
        "spiral": 0.5 + fading * (-1.0) ** np.arange(fading.size),
        "windows": steps % 2.0,
    }[shape]

    closed, left = count(trail(values))

    assert counted(closed, halves(left)) == by_the_package(values.tolist())


@given(series, st.integers(1, 20))
def test_a_series_counted_in_pieces_is_counted_as_one(values, piece):
    steps = np.arange(float(len(values)))
    whole = Trail(
        home=np.zeros(len(values), dtype=np.int64),
        soc=np.array(values),
        moving_h=steps,
        throughput=steps,
        heat_ch=20 * steps,
    )
    left, closed = whole.pick(np.array([0])), []
    for begin in range(1, len(values), piece):
        part = whole.pick(np.arange(begin - 1, min(begin + piece, len(values))))
        points = left.then(part)
        more, left = count(points.pick(turning_points(points.home, points.soc)))
        closed.append(more)

    assert counted(*closed, halves(left)) == by_the_package(values)


def test_the_standards_example_is_counted_as_printed():
    peaks = [-2, 1, -3, 5, -1, 3, -4, 4, -2]

    closed, left = count(trail(peaks))

    # ASTM E1049-85, figure 6: halves of 3, 4, 8, 9, 8 and 6, one full cycle of 4
    assert counted(closed, halves(left)) == {
        (0, 3.0, -0.5): 0.5,
        (0, 4.0, -1.0): 0.5,
        (0, 4.0, 1.0): 1.0,
        (0, 8.0, 1.0): 0.5,
        (0, 9.0, 0.5): 0.5,
        (0, 8.0, 0.0): 0.5,
        (0, 6.0, 1.0): 0.5,
    }


def test_a_battery_that_rests_keeps_its_point_and_has_no_cycles():
    closed, left = count(trail([0.5, 0.5, 0.5], [0.25]))

    assert counted(closed, halves(left)) == {}
    assert left.soc.tolist() == [0.5, 0.25]


def test_nothing_has_no_turning_points():
    assert turning_points(np.zeros(0, dtype=np.int64), np.zeros(0)).tolist() == []


def test_what_is_left_of_equal_windows_stays_short():
    closed, left = count(trail(np.arange(10_001) % 2.0))

    assert left.soc.size == 2
    assert closed.count.sum() == pytest.approx(10_000 / 2 - 0.5)


def test_a_cycle_tells_its_pace_and_its_temperature():
    points = trail([0.0, 1.0, 0.5, 0.75, 0.0])

    closed, left = count(points)

    full = counted(closed)
    assert full == {(0, 0.25, 0.625): 1.0, (0, 1.0, 0.5): 0.5}
    assert closed.c_rate.tolist() == [1.0, 1.0]
    assert closed.temperature_c.tolist() == [20.0, 20.0]
    assert left.soc.tolist() == [1.0, 0.0]
