"""What an Xtender's readings and currents mean."""

import pytest

from devices.battery import BatteryState, MeterState
from devices.drivers.xtender_codec import (
    Conversion,
    Currents,
    XtenderReading,
    battery_state,
    meter_state,
)
from devices.errors import DeviceReplyError

CEILING = Currents(charge_a=60, feed_a=16)


def reading(**changed):
    return XtenderReading(**{"input_kw": 0.0, "output_kw": 0.0, "soc_percent": 50.0, **changed})


@pytest.mark.parametrize(
    ("input_kw", "output_kw", "battery_power_w"),
    [(2.0, 0.5, 1_500.0), (0.25, 0.75, -500.0), (-1.0, 0.5, -1_500.0), (0.0, -0.5, 500.0)],
    ids=["charges from the grid", "helps the house", "feeds the grid", "takes the sun"],
)
def test_vendors_sign_what_goes_in_and_does_not_come_out_charges(
    input_kw, output_kw, battery_power_w
):
    state = battery_state(reading(input_kw=input_kw, output_kw=output_kw), following=False)

    assert state == BatteryState(soc=0.5, battery_power_w=battery_power_w, following=False)


def test_state_takes_what_the_monitor_tells_beside():
    state = battery_state(reading(soh_percent=97.0, temperature_c=23.5), following=True)

    assert state == BatteryState(
        soc=0.5, battery_power_w=0.0, following=True, soh=0.97, temperature_c=23.5
    )


@pytest.mark.parametrize("temperature_c", [-60.1, 120.1, float("nan")])
def test_a_temperature_that_no_battery_has_is_none(temperature_c):
    assert battery_state(reading(temperature_c=temperature_c), following=True).temperature_c is None


def test_a_little_more_than_full_is_full_and_nonsense_is_refused():
    assert battery_state(reading(soc_percent=101.0), following=True).soc == 1.0
    for soc_percent in (-1.0, 127.99):
        with pytest.raises(DeviceReplyError, match="state of charge"):
            battery_state(reading(soc_percent=soc_percent), following=True)


def test_meter_tells_grid_and_net_and_not_sun_from_load():
    house = meter_state(reading(input_kw=-0.25, output_kw=0.5))
    sun = meter_state(reading(input_kw=-0.25, output_kw=-0.5))

    assert house == MeterState(load_w=500.0, pv_w=0.0, grid_power_w=-250.0)
    assert sun == MeterState(load_w=0.0, pv_w=500.0, grid_power_w=-250.0)


@pytest.mark.parametrize(
    ("power_w", "currents"),
    [
        (1_000.0, Currents(charge_a=19)),  # 1000 / (48 * 1.1) = 18.9
        (20.0, Currents()),
        (0.0, Currents()),
        (-20.0, Currents()),
        (-300.0, Currents(feed_a=1.4)),  # 300 / 230 = 1.30, in fifths 1.4
        (9_000.0, Currents(charge_a=60)),
        (-9_000.0, Currents(feed_a=16)),
    ],
)
def test_power_becomes_whole_amperes_in_and_fifths_out(power_w, currents):
    conversion = Conversion(units=1, battery_v=48.0, grid_v=230.0)

    assert conversion.currents(power_w, CEILING) == currents


def test_power_is_shared_by_every_unit():
    conversion = Conversion(units=3, battery_v=48.0, grid_v=230.0)

    assert conversion.currents(3_000.0, CEILING) == Currents(charge_a=19)
    assert conversion.currents(-900.0, CEILING) == Currents(feed_a=1.4)


def test_gain_is_learned_of_what_a_current_gave():
    conversion = Conversion(units=1, battery_v=50.0, grid_v=230.0)

    assert conversion.learned(Currents(charge_a=10), 600.0) == (1.2, 1.0)
    assert conversion.learned(Currents(feed_a=10), -2_185.0) == (1.1, 0.95)
    assert conversion.learned(Currents(), 600.0) == (1.1, 1.0)


@pytest.mark.parametrize("measured_w", [0.0, -700.0, 1e9, -1e9])
def test_a_battery_that_takes_nothing_is_never_told_more_than_was_asked_for(measured_w):
    conversion = Conversion(units=1, battery_v=50.0, grid_v=230.0)
    charge_gain, _ = conversion.learned(Currents(charge_a=10), measured_w)
    learned = Conversion(units=1, battery_v=50.0, grid_v=230.0, charge_gain=charge_gain)

    assert learned.currents(500.0, CEILING).charge_a <= 10
