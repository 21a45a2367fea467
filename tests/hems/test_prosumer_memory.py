"""How wrong forecasts of negative slots were, on average."""

import numpy as np

from hems.prosumer_memory import REMEMBERED_SLOTS, SlotErrors


def lived(*hours, homes=1):
    """Return the memory after hours of (expected surplus ahead, real surplus)."""
    memory = SlotErrors.none(homes)
    for expected, real in hours:
        memory = memory.after(np.atleast_2d(expected), np.atleast_1d(real))
    return memory


def test_a_slot_counts_when_it_has_ended():
    going_on = lived(([-300.0, -200.0, 50.0, -70.0], -400.0), ([-200.0, 50.0], -300.0))
    ended = going_on.after(np.array([[50.0, -70.0]]), np.array([40.0]))

    assert going_on.mean_wh.tolist() == [0.0]
    # 700 used, 500 expected when it began
    assert ended.mean_wh.tolist() == [200.0]
    assert ended.slots.tolist() == [1]


def test_errors_of_both_signs_are_averaged():
    memory = lived(([-300.0], -400.0), ([9.0], 9.0), ([-300.0], -100.0), ([9.0], 9.0), homes=1)

    assert memory.mean_wh.tolist() == [(100.0 - 200.0) / 2]


def test_a_slot_that_nobody_expected_is_all_error():
    assert lived(([100.0, -50.0], -80.0), ([9.0], 9.0)).mean_wh.tolist() == [80.0]


def test_homes_have_their_own_slots():
    memory = SlotErrors.none(2)
    for expected, real in (([[-10.0], [5.0]], [-30.0, 5.0]), ([[5.0], [-10.0]], [5.0, -10.0])):
        memory = memory.after(np.array(expected), np.array(real))

    assert memory.mean_wh.tolist() == [20.0, 0.0]
    assert memory.within.tolist() == [False, True]


def test_old_errors_fade():
    memory = SlotErrors.none(1)
    for error_wh in [1000.0] * 20 + [0.0] * 60:
        memory = memory.after(np.array([[-500.0]]), np.array([-500.0 - error_wh]))
        memory = memory.after(np.array([[9.0]]), np.array([9.0]))

    assert memory.slots.tolist() == [REMEMBERED_SLOTS]
    assert 0 < memory.mean_wh[0] < 1000 * (1 - 1 / REMEMBERED_SLOTS) ** 59
