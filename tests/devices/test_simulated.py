"""What is particular to the simulated home; what every battery does is in tests/conformance."""

import asyncio

import pytest

from devices.battery import BatteryState
from devices.battery_bank import BatteryBank
from devices.errors import DeviceError, DeviceRefusedError
from devices.simulated import SimulatedHome


def home_at(now_s, *, bank=None, **arguments):
    return SimulatedHome(
        bank or BatteryBank.uniform(1, capacity_wh=3_600.0, power_max_w=3_600.0, efficiency=1.0),
        clock=lambda: now_s[0],
        **({"soc": 0.5, "demand": lambda _: (0.0, 0.0)} | arguments),
    )


def test_demand_is_followed_cycle_by_cycle():
    now_s = [0.0]
    # 360 W more each second: 0.1 Wh a second, less production of the last second
    home = home_at(now_s, demand=lambda at_s: (360.0 * at_s, 0.0))

    now_s[0] = 4.0
    state = asyncio.run(home.read())

    # cycles of a second begin at 0, 1, 2 and 3: 0 + 0.1 + 0.2 + 0.3 Wh of 3600
    assert state == BatteryState(
        soc=pytest.approx(0.5 - 0.6 / 3_600), battery_power_w=pytest.approx(-1_440), following=True
    )


def test_longer_cycle_keeps_its_power_for_longer():
    now_s = [0.0]
    home = home_at(now_s, cycle_s=2.0, demand=lambda at_s: (360.0 * at_s, 0.0))

    now_s[0] = 4.0

    # cycles begin at 0 and 2: 0 + 2 s × 0.2 Wh
    assert asyncio.run(home.read()).soc == pytest.approx(0.5 - 0.4 / 3_600)


def test_set_point_ends_inside_a_cycle_to_the_second():
    now_s = [0.0]
    home = home_at(now_s, cycle_s=10.0)
    asyncio.run(home.set_power(3_600.0, valid_s=4.0))

    now_s[0] = 10.0

    # 1 Wh a second for four seconds, then a house that wants nothing
    assert asyncio.run(home.read()).soc == pytest.approx(0.5 + 4 / 3_600)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bank": BatteryBank.uniform(2)}, "2 batteries given, a home has one"),
        ({"soc": 1.2}, r"state of charge 1\.2 is not in 0\.\.1"),
        ({"soc": -0.1}, r"state of charge -0\.1"),
        ({"soc": float("nan")}, "state of charge nan"),
        ({"cycle_s": 0.0}, "device cycle of 0 s"),
        ({"cycle_s": -1.0}, "device cycle of -1 s"),
        ({"cycle_s": float("nan")}, "device cycle of nan s"),
    ],
)
def test_home_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(DeviceRefusedError, match=message):
        home_at([0.0], **arguments)


def test_refusal_can_be_caught_as_a_device_error_and_as_a_value_error():
    assert issubclass(DeviceRefusedError, DeviceError)
    assert issubclass(DeviceRefusedError, ValueError)
