"""The emulated car: tapers, waits, and forgets a limit when its time is over."""

import pytest

from devices.emulators.car import CarState, EmulatedCar


class Hand:
    """A car whose time is moved by hand."""

    def __init__(self, **options):
        self.now_s = 0.0
        self.car = EmulatedCar(clock=lambda: self.now_s, **options)

    def after(self, seconds):
        self.now_s += seconds
        return self.car.state()


def test_car_takes_what_the_charger_gives():
    state = Hand().after(360.0)

    assert state == CarState(
        plugged=True,
        soc=pytest.approx(0.4 + 1_100 * 0.9 / 60_000),
        power_w=11_000.0,
        register_wh=pytest.approx(12_345.0 + 1_100),
        limit_w=11_000.0,
    )


def test_limit_ends_in_the_middle_of_a_step():
    hand = Hand()
    hand.car.limit(6_000.0, until_s=3.0)

    state = hand.after(6.0)

    assert state.register_wh == pytest.approx(12_345.0 + (6_000 * 3 + 11_000 * 3) / 3_600)
    assert state.limit_w == 11_000.0


def test_car_waits_below_its_least_power():
    hand = Hand()
    hand.car.limit(1_000.0)

    assert hand.after(60.0).power_w == 0.0


@pytest.mark.parametrize(("soc", "power_w"), [(0.8, 11_000.0), (0.9, 5_775.0), (1.0, 0.0)])
def test_car_takes_less_when_it_is_nearly_full(soc, power_w):
    assert Hand(soc=soc).after(0.0).power_w == pytest.approx(power_w)


def test_car_that_drives_away_takes_nothing():
    hand = Hand()
    hand.car.plug(plugged=False)

    state = hand.after(60.0)

    assert (state.plugged, state.power_w, state.register_wh) == (False, 0.0, 12_345.0)


def test_car_is_full_at_last_and_no_energy_is_lost():
    state = Hand().after(1e5)

    assert state.soc == pytest.approx(1.0)
    assert state.register_wh == pytest.approx(12_345.0 + 0.6 * 60_000 / 0.9, rel=1e-3)
