"""The REACT2 codec: signs, loggers of several years, the paper's command; and noise."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryState, MeterState
from devices.drivers.react2_codec import (
    decode_livedata,
    encode_command,
    rated_power_w,
    require_done,
    to_meter,
    to_state,
)
from devices.errors import DeviceError, DeviceReplyError

INVERTER, BATTERY, METER = "140842-3P81-2619", "113049-3P72-0221", "120730-3N52-3019"


def device(kind, **points):
    listed = [{"name": name, "value": value} for name, value in points.items()]
    return {"device_type": kind, "timestamp": "2026-02-14T04:01:10+0100", "points": listed}


def table(**changes):
    points = {"PbaT": 894.5, "TSoc": 61.0, "Pin": 1_820.6, "WRtg": 5_050.0, **changes}
    return {
        INVERTER: device("inverter_1phase", **points),
        BATTERY: device("battery", Pba=894.5, Soc=61.0, Soh=98.0, Tba=27.5, PCh=1_748, PDh=2_154),
        METER: device("meter", MeterPgrid_Tot=2_100.0, HousePgrid_Tot=577.7),
        "0c:1c:57:fd:c6:2c": {"device_id": "0c:1c:57:fd:c6:2c", "points": []},
    }


def live(**changes):
    return decode_livedata(json.dumps(table(**changes)).encode(), "it")


def state(found, *, commanded=False):
    return to_state(found, "it", commanded=commanded, state_point="BattExtCtrlEna")


def test_signs_are_turned_the_vendor_discharges_and_exports_above_zero():
    """PbaT > 0 adds to the inverter's output: Pin 1820.6 + PbaT 894.5 gave Pgrid 2677.7."""
    assert state(live()).battery_power_w == -894.5
    assert state(live(PbaT=-2_949)).battery_power_w == 2_949
    assert to_meter(live(), "it").grid_power_w == -2_100


def test_live_data_are_translated_whole():
    assert state(live(BattExtCtrlEna=1)) == BatteryState(
        soc=0.61, battery_power_w=-894.5, following=False, soh=0.98, temperature_c=27.5
    )
    assert to_meter(live(), "it") == MeterState(load_w=577.7, pv_w=1_820.6, grid_power_w=-2_100.0)
    assert rated_power_w(live(), "it") == 5_050.0


def test_integers_of_old_firmware_and_numbers_in_strings_read_the_same():
    assert live(PbaT=894, TSoc=61) == live(PbaT=894.0, TSoc=61.0)
    assert state(live(PbaT="894.5")) == state(live())


@pytest.mark.parametrize(
    ("told", "commanded", "following"),
    [
        (0.0, True, True),
        (1, False, False),
        (None, True, False),
        (None, False, True),
    ],
)
def test_what_the_inverter_says_of_its_control_goes_before_what_we_remember(
    told, commanded, following
):
    assert state(live(BattExtCtrlEna=told), commanded=commanded).following is following


def test_without_the_inverters_sums_the_batteries_are_summed():
    shown = table(PbaT=None, TSoc=None)
    shown["113049-3P72-0222"] = device("battery", Pba=100, Soc=59)
    found = decode_livedata(json.dumps(shown).encode(), "it")

    assert (state(found).soc, state(found).battery_power_w) == (0.6, -994.5)


def test_latin_1_and_odd_entries_are_borne():
    shown = table() | {"x": None, "y": {"device_type": 7, "points": [1, {"name": 2}]}, "z": "Büro"}
    body = json.dumps(shown, ensure_ascii=False).encode("latin-1")

    assert state(decode_livedata(body, "it")) == state(live())


def test_devices_whose_kind_is_not_told_are_known_by_their_points():
    shown = table()
    for each in shown.values():
        each.pop("device_type", None)
    found = decode_livedata(json.dumps(shown).encode(), "it")

    assert found == live()


def test_a_load_that_is_not_told_follows_from_inverter_and_meter():
    shown = table(Pgrid=2_677.7)
    shown[METER] = device("meter", MeterPgrid_Tot=2_100.0)
    shown = {"idle": device("meter"), **shown}
    found = decode_livedata(json.dumps(shown).encode(), "it")

    assert to_meter(found, "it").load_w == pytest.approx(577.7)


def test_one_of_several_inverters_is_chosen():
    shown = {"solar-only": device("inverter_1phase", Pin=5)} | table()
    body = json.dumps(shown).encode()

    assert decode_livedata(body, "it").inverter["PbaT"] == 894.5
    assert decode_livedata(body, "it", inverter_id="solar-only").inverter == {"Pin": 5}
    with pytest.raises(DeviceReplyError, match="shows no inverter nowhere among 5 devices"):
        decode_livedata(body, "it", inverter_id="nowhere")


@pytest.mark.parametrize(
    ("changes", "ask"),
    [
        ({"PbaT": 2**31}, state),
        ({"PbaT": "x", "TSoc": None}, state),
        ({"WRtg": 0}, lambda found: rated_power_w(found, "it")),
        ({"WRtg": None}, lambda found: rated_power_w(found, "it")),
        ({"Pin": 1e9}, lambda found: to_meter(found, "it")),
    ],
)
def test_markers_and_values_out_of_range_are_refused(changes, ask):
    shown = table(**changes)
    shown[BATTERY] = device("battery", Soc=65_535, Pba=None)
    found = decode_livedata(json.dumps(shown).encode(), "it")
    with pytest.raises(DeviceReplyError, match="must be"):
        ask(found)


def test_a_gauge_that_rounds_beyond_full_is_full():
    assert state(live(TSoc=100.4)).soc == 1.0


def test_a_logger_without_meter_has_no_reading():
    shown = table()
    del shown[METER]
    with pytest.raises(DeviceReplyError, match="shows no meter"):
        to_meter(decode_livedata(json.dumps(shown).encode(), "it"), "it")


def test_the_command_is_the_papers():
    """Burgio 2023, §3.1: full charge for half an hour."""
    assert encode_command(5_050.0, hold_s=1_800, reference_w=5_050.0, charge_sign=1) == {
        "timeout": 1_800_000,
        "setpoint_percent": 100,
    }


def test_percents_are_whole_and_their_sign_is_a_setting():
    bodies = [
        encode_command(power_w, hold_s=0.0001, reference_w=5_000.0, charge_sign=sign)
        for power_w, sign in ((1_020.0, 1), (-1_020.0, 1), (1_020.0, -1), (-20.0, 1))
    ]

    assert [body["setpoint_percent"] for body in bodies] == [20, -20, -20, 0]
    assert {body["timeout"] for body in bodies} == {1}


def test_any_answer_to_a_write_but_a_page_is_one():
    for body in (b"", b"OK", b"{}", b"\xff"):
        require_done(body, "it")
    with pytest.raises(DeviceReplyError, match="a page for people"):
        require_done(b" <html>", "it")


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(st.binary(max_size=80))
def test_random_bytes_raise_nothing_but_our_errors(body):
    for decode in (decode_livedata, require_done):
        with contextlib.suppress(DeviceError):
            decode(body, "it")


@given(st.dictionaries(st.sampled_from(["PbaT", "TSoc", "WRtg", "Pin", "BattExtCtrlEna"]), VALUES))
def test_mutated_live_data_raise_nothing_but_our_errors(changes):
    with contextlib.suppress(DeviceError):
        found = live(**changes)
        for translate in (state, lambda each: to_meter(each, "it")):
            with contextlib.suppress(DeviceError):
                translate(found)
