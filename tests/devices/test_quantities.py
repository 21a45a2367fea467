"""Windows of samples, and the direction that powers have."""

from devices.quantities import Quantity, Window, directed


def window_of(*samples):
    window = Window()
    for sample in samples:
        window.add(sample)
    return window


def test_another_number_of_phases_starts_a_window_anew():
    window = window_of((230.0,), (231.0, 232.0))

    assert window.figures(1.0)["avg"] == [231.0, 232.0]
    window.clear()
    assert not window


def test_the_direction_is_that_of_the_last_value_and_figures_follow_it():
    window = window_of((-1_000.0,), (500.0,), (-2_000.0,))
    figures = {"min": -500.0, "max": 2_000.0, "avg": 833.333, "last": 2_000.0}

    assert directed(Quantity.ACTIVE_POWER, window) == ("delivered", figures)
    assert directed(Quantity.REACTIVE_POWER, window_of((0.0,)))[0] == "absorbed"
    assert directed(Quantity.FREQUENCY, window_of((50.0,)))[0] is None
