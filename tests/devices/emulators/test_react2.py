"""The emulated REACT2 answers as captures of real ones, and as the paper's command asks."""

import json

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import HttpRequest
from devices.emulators.react2 import BATTERY, INVERTER, METER, React2Emulator
from devices.errors import DeviceConfigError
from devices.hand_clock import HandClock


def emulator(**options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (500.0, 200.0),
    )
    return React2Emulator(home, clock=clock, **options), clock


def ask(device, method, path, body=b"", **headers):
    answer = device.answer(
        HttpRequest(method=method, path=path, query={}, headers=headers, body=body)
    )
    if answer.effect is not None:
        answer.effect()
    return answer.status, answer.body


def points(device, path="/v1/livedata"):
    listed = json.loads(ask(device, "GET", path)[1])
    return {
        key: {point["name"]: point["value"] for point in each["points"]}
        for key, each in listed.items()
    }


def test_the_papers_command_charges_for_its_time_and_expires():
    """Burgio 2023, §3.1, shortened to a minute."""
    device, clock = emulator(rated_w=3_000.0)
    body = b'{"timeout":60000,"setpoint_percent":100}'

    assert ask(device, "POST", "/v1/ess/poc/config/", body)[0] == 200
    during = points(device)
    clock._now_s = 60.0
    after = points(device)

    assert (during[INVERTER]["PbaT"], during[INVERTER]["BattExtCtrlEna"]) == (-3_000.0, 1.0)
    assert (after[INVERTER]["PbaT"], after[INVERTER]["BattExtCtrlEna"]) == (300.0, 0.0)


def test_signs_are_the_vendors_and_the_inverter_feeds_what_it_makes():
    device, _ = emulator()
    shown = points(device)

    assert {key: shown[INVERTER][key] for key in ("PbaT", "Pin", "Pgrid", "TSoc")} == {
        "PbaT": 300.0,
        "Pin": 200.0,
        "Pgrid": 500.0,
        "TSoc": 50.0,
    }
    assert shown[BATTERY]["Pba"] == 300.0
    assert shown[METER] == {"MeterPgrid_Tot": 0.0, "HousePgrid_Tot": 500.0, "HousePInverter": 500.0}


def test_both_paths_of_the_article_are_served():
    device, _ = emulator()

    assert points(device, "/livedata") == points(device, "/v1/livedata")
    assert ask(device, "GET", "/v1/status")[0] == 200
    assert ask(device, "GET", "/v1/feeds")[0] == 404


def test_numbers_are_integers_or_always_floats():
    for whole, kind in ((True, int), (False, float)):
        device, _ = emulator(whole_numbers=whole)
        kinds = {type(value) for each in points(device).values() for value in each.values()}
        assert kinds == {kind}


def test_a_body_in_latin_1_is_no_utf_8():
    device, _ = emulator(latin_1=True)

    with pytest.raises(UnicodeDecodeError):
        ask(device, "GET", "/v1/livedata")[1].decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"timeout":60000}',
        b'{"timeout":0,"setpoint_percent":1}',
        b'{"timeout":60000,"setpoint_percent":101}',
        b'{"timeout":60000,"setpoint_percent":NaN}',
    ],
)
def test_what_is_no_command_changes_nothing(body):
    device, _ = emulator()

    assert ask(device, "POST", "/v1/ess/poc/config", body)[0] == 400
    assert not device.writes


def test_a_401_asks_for_a_digest_and_says_nothing_of_basic():
    basic, _ = emulator(auth="basic")
    request = HttpRequest(method="GET", path="/v1/livedata", query={}, headers={}, body=b"")
    digest, _ = emulator(auth="digest")

    assert (basic.answer(request).status, dict(basic.answer(request).headers)) == (401, {})
    asked = digest.answer(request).headers["WWW-Authenticate"]
    assert asked.startswith('X-Digest realm="registered_user@power-one.com", nonce="')


def test_an_option_that_is_none_is_named():
    with pytest.raises(DeviceConfigError, match="give none, basic or digest"):
        emulator(auth="bearer")
