"""The sonnen codec: signs, firmware of several years, answers to writes; and noise."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.sonnen_codec import (
    SonnenRatings,
    SonnenStatus,
    decode_ratings,
    decode_status,
    looks_commanded,
    require_done,
    setpoints,
    to_limits,
    to_meter,
    to_state,
)
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)

STATUS = {
    "BackupBuffer": "10",
    "Consumption_W": 403,
    "GridFeedIn_W": 54,
    "OperatingMode": "2",
    "Pac_total_W": -95,
    "Production_W": 578,
    "RSOC": 98,
    "Sac2": None,
    "SystemStatus": "OnGrid",
    "Timestamp": "2026-06-01 12:00:00",
    "USOC": 97,
}


def status(**changes):
    table = {**STATUS, **changes}
    left = {key: value for key, value in table.items() if value != "left out"}
    return decode_status(json.dumps(left).encode(), "it")


def test_signs_are_turned_the_vendor_discharges_and_exports_above_zero():
    charging = status(Pac_total_W=-1_394, GridFeedIn_W=200, Production_W=2_000, Consumption_W=406)
    discharging = status(Pac_total_W=1_438, GridFeedIn_W=-60)

    assert to_state(charging, commanded=False).battery_power_w == 1_394
    assert to_state(discharging, commanded=False).battery_power_w == -1_438
    assert to_meter(charging, "it").grid_power_w == -200
    assert to_meter(discharging, "it").grid_power_w == 60


def test_a_status_is_translated_whole():
    assert to_state(status(), commanded=True) == BatteryState(
        soc=0.97, battery_power_w=95.0, following=True
    )
    assert to_meter(status(), "it") == MeterState(load_w=403.0, pv_w=578.0, grid_power_w=-54.0)


def test_manual_mode_is_not_following_whoever_asked_for_it():
    assert not to_state(status(OperatingMode="1"), commanded=False).following
    assert not to_state(status(OperatingMode=1), commanded=False).following
    assert to_state(status(OperatingMode="10"), commanded=True).following


def test_firmware_that_tells_less_is_read_as_far_as_it_goes():
    old = status(OperatingMode="left out", USOC="left out", GridFeedIn_W="left out")

    assert to_state(old, commanded=True) == BatteryState(
        soc=0.98, battery_power_w=95.0, following=False
    )
    assert to_meter(old, "it").grid_power_w == 403 + 95 - 578


def test_numbers_may_be_strings_or_floats():
    assert status(Pac_total_W="-95.0", USOC=97.0, Production_W="578") == status()


def test_a_gauge_that_rounds_beyond_its_ends_is_cut():
    assert [status(USOC=usoc).usoc for usoc in (-1, 101)] == [0, 100]


def test_production_below_zero_at_night_is_none():
    assert to_meter(status(Production_W=-3), "it").pv_w == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"Pac_total_W": None},
        {"Pac_total_W": "left out"},
        {"Pac_total_W": 2**31},
        {"USOC": None, "RSOC": None},
        {"USOC": 32_768},
        {"Consumption_W": -(2**31)},
    ],
)
def test_a_status_without_power_or_charge_or_with_markers_is_refused(changes):
    with pytest.raises(DeviceReplyError, match=r"it: .* must be"):
        status(**changes)


def test_the_empty_table_of_old_firmware_for_a_bad_token_is_refused():
    with pytest.raises(DeviceReplyError, match="Pac_total_W is None"):
        decode_status(b"{}", "it")


def test_a_status_without_meter_has_no_reading():
    with pytest.raises(DeviceReplyError, match="has no meter"):
        to_meter(status(Consumption_W=None), "it")


@pytest.mark.parametrize(
    ("power_w", "percent_of_w", "held"),
    [
        (1_250.4, None, [("discharge", 0), ("charge", 1_250)]),
        (-1_875.0, None, [("charge", 0), ("discharge", 1_875)]),
        (0.0, None, [("discharge", 0), ("charge", 0)]),
        (1_000.0, 2_500.0, [("discharge", 0), ("charge", 40)]),
        (-1_250.0, 2_500.0, [("charge", 0), ("discharge", 50)]),
    ],
)
def test_the_opposite_set_point_is_zeroed_first(power_w, percent_of_w, held):
    """Percents: Burgio 2023, §3.3."""
    assert [*setpoints(power_w, percent_of_w=percent_of_w).items()] == held


@pytest.mark.parametrize(
    "body",
    [b"", b" \n", b"true", b'{"ReturnCode":"0"}', b'{"ReturnCode":0}', b'{"EM_OperatingMode":"1"}'],
)
def test_what_devices_answer_to_a_write_that_they_did_passes(body):
    require_done(body, "it")


def test_the_answer_that_tn007_shows_has_18_bytes():
    assert len(b'{"ReturnCode":"0"}') == 18


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"false", DeviceRefusedError),
        (b'{"error":"validation failed","details":{}}', DeviceRefusedError),
        (b'{"ReturnCode":"5"}', DeviceRefusedError),
        (b'{"ReturnCode":"16"}', DeviceRefusedError),
        (b'{"ReturnCode":"13"}', DeviceUnavailableError),
        (b'{"ReturnCode":"99"}', DeviceReplyError),
        (b"<html>", DeviceReplyError),
        (b"done", DeviceReplyError),
    ],
)
def test_what_went_wrong_with_a_write_is_told(body, error):
    with pytest.raises(DeviceError) as caught:
        require_done(body, "it")

    assert type(caught.value) is error


def test_ratings_are_strings_and_may_be_missing():
    body = (
        b'{"IC_BatteryModules":"4","CM_MarketingModuleCapacity":"5000",'
        b'"IC_InverterMaxPower_w":"3300"}'
    )

    assert decode_ratings(body, "it") == SonnenRatings(
        inverter_max_power_w=3_300.0, capacity_wh=20_000.0
    )
    nothing = decode_ratings(b'{"IC_InverterMaxPower_w":null}', "it")
    assert nothing == SonnenRatings(inverter_max_power_w=None, capacity_wh=None)
    assert to_limits(nothing, power_max_w=2_500.0, capacity_wh=None, where="it") == BatteryLimits(
        charge_max_w=2_500.0, discharge_max_w=2_500.0
    )
    with pytest.raises(DeviceConfigError, match="give power_max_w"):
        to_limits(nothing, power_max_w=None, capacity_wh=None, where="it")


@pytest.mark.parametrize(
    ("pac_w", "grid_w", "usoc", "obeys"),
    [(-500, -1_000, 50, True), (500, 0, 50, False), (-500, 0, 50, False), (-500, -900, 99, False)],
)
def test_a_battery_that_tells_no_mode_gives_itself_away_at_the_grid(pac_w, grid_w, usoc, obeys):
    seen = status(Pac_total_W=pac_w, GridFeedIn_W=grid_w, USOC=usoc, OperatingMode=None)

    assert looks_commanded(seen, 500.0) is obeys


@given(st.binary(max_size=80))
def test_random_bytes_raise_nothing_but_our_errors(body):
    for decode in (decode_status, decode_ratings, require_done):
        with contextlib.suppress(DeviceError):
            decode(body, "it")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*STATUS, "ReturnCode", "IC_BatteryModules"]), JSON))
def test_mutated_answers_raise_nothing_but_our_errors(changes):
    body = json.dumps({**STATUS, **changes}).encode()
    for decode in (decode_status, decode_ratings, require_done):
        with contextlib.suppress(DeviceError):
            told = decode(body, "it")
            if isinstance(told, SonnenStatus):
                to_state(told, commanded=True)
                to_meter(told, "it")
