"""The emulated sonnenBatterie answers as the vendor's documents and clients of real ones say."""

import json

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import HttpRequest
from devices.emulators.sonnen import SonnenV1Emulator, SonnenV2Emulator
from devices.errors import DeviceConfigError
from devices.hand_clock import HandClock


def emulator(cls, **options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    return cls(home, clock=clock, **options)


def ask(device, method, path, body=b"", **query):
    answer = device.answer(
        HttpRequest(method=method, path=path, query=query, headers={}, body=body)
    )
    if answer.effect is not None:
        answer.effect()
    return answer.status, answer.body


def test_v1_answers_a_set_point_with_the_18_bytes_of_tn007():
    device = emulator(SonnenV1Emulator)

    status, body = ask(device, "PUT", "/api/v1/setpoint/charge/1250")

    assert (status, len(body)) == (200, 18)
    assert device.writes == {"setpoint/charge": 1}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/setpoint/charge/1250", b"16"),
        ("PUT", "/api/v1/setpoint/charge/-5", b"5"),
        ("PUT", "/api/v1/setpoint/boil/5", b"5"),
        ("GET", "/elsewhere", b"5"),
    ],
)
def test_v1_tells_wrong_paths_and_methods_by_return_codes(method, path, code):
    device = emulator(SonnenV1Emulator)

    status, body = ask(device, method, path)

    assert status >= 400
    assert body == b'{"ReturnCode":"%s"}' % code
    assert not device.writes


def test_signs_and_rounding_are_the_vendors():
    device = emulator(SonnenV1Emulator)
    ask(device, "GET", "/api/setting", OperatingMode="1")
    ask(device, "PUT", "/api/v1/setpoint/charge/1250")

    told = json.loads(ask(device, "GET", "/api/v1/status")[1])

    shown = ("Pac_total_W", "GridFeedIn_W", "Consumption_W", "Production_W", "USOC")
    assert {key: told[key] for key in shown} == {
        "Pac_total_W": -1_250,
        "GridFeedIn_W": -1_750,
        "Consumption_W": 500,
        "Production_W": 0,
        "USOC": 50,
    }
    assert told["OperatingMode"] == "1"


def test_a_set_point_waits_for_manual_mode_and_outlives_it():
    device = emulator(SonnenV1Emulator)
    powers_w = []
    for mode in ("2", "1", "2", "1"):
        ask(device, "GET", "/api/setting", OperatingMode=mode)
        if len(powers_w) == 0:
            ask(device, "PUT", "/api/v1/setpoint/charge/1000")
        powers_w.append(device.home.state().battery_power_w)

    assert powers_w == [-500.0, 1_000.0, -500.0, 1_000.0]


def test_percents_are_of_the_rated_power():
    device = emulator(SonnenV1Emulator, setpoint_unit="percent", rated_w=2_500.0)
    ask(device, "GET", "/api/setting", OperatingMode="1")
    ask(device, "PUT", "/api/v1/setpoint/charge/40")

    assert device.home.state().battery_power_w == 1_000.0


@pytest.mark.parametrize(
    ("options", "answer"),
    [({}, (201, b"true")), ({"set_point_status": 200}, (200, b"true"))],
)
def test_v2_answers_a_set_point_as_real_ones_or_as_documented(options, answer):
    device = emulator(SonnenV2Emulator, **options)

    assert ask(device, "POST", "/api/v2/setpoint/charge/500") == answer


@pytest.mark.parametrize("body", [b"EM_OperatingMode=1", b'{"EM_OperatingMode":"1"}'])
def test_v2_takes_configurations_as_form_and_json(body):
    device = emulator(SonnenV2Emulator)

    assert ask(device, "PUT", "/api/v2/configurations", body) == (200, b'{"EM_OperatingMode": "1"}')
    assert ask(device, "GET", "/api/v2/configurations/EM_OperatingMode") == (
        200,
        b'{"EM_OperatingMode": "1"}',
    )


@pytest.mark.parametrize("body", [b"", b"EM_OperatingMode=99", b"{", b'{"x":1}'])
def test_v2_refuses_what_is_no_mode(body):
    status, said = ask(emulator(SonnenV2Emulator), "PUT", "/api/v2/configurations", body)

    assert status == 400
    assert json.loads(said)["error"] == "validation failed"


def test_v2_under_a_contract_drops_a_set_point_after_its_time():
    device = emulator(SonnenV2Emulator, hold_s=20.0)
    ask(device, "PUT", "/api/v2/configurations", b"EM_OperatingMode=1")
    ask(device, "POST", "/api/v2/setpoint/charge/500")
    device._battery._clock._now_s = 21.0

    assert device.home.state().battery_power_w == -500.0
    assert json.loads(ask(device, "GET", "/api/v2/status")[1])["OperatingMode"] == "2"


def test_an_option_that_is_none_is_named():
    with pytest.raises(DeviceConfigError, match="give net, charge or discharge"):
        emulator(SonnenV1Emulator, both="last")
