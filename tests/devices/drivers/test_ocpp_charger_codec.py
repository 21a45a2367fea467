"""What OCPP chargers say, decoded: units, phases, versions, and rubbish."""

import json
import math
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.messages import Call, _validate_payload

from devices.drivers.ocpp_charger_codec import (
    ChargerSeen,
    after_request,
    decode_limit_w,
    to_state,
)
from devices.drivers.ocpp_charger_frames import (
    Answer,
    Failure,
    Request,
    decode_frame,
    encode_frame,
)
from devices.drivers.ocpp_charger_meter import Sample, decode_meter_values
from devices.drivers.ocpp_charger_requests import (
    Limit,
    clear_profile,
    composite,
    limit_of,
    set_profile,
    trigger,
)
from devices.errors import DeviceError, DeviceReplyError, DeviceUnavailableError
from devices.switches import ChargerState

KEYS = (
    "sampledValue", "value", "unit", "unitOfMeasure", "multiplier", "measurand", "phase", "status",
    "evse", "id", "meterValue", "chargingSchedule", "schedule", "chargingSchedulePeriod", "limit",
    "chargingRateUnit", "transactionInfo", "chargingState", "eventType", "meterStart",
    "connectorId", "evseId", "startPeriod", "numberPhases", "connectorStatus",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def values(*sampled):
    return [{"timestamp": "2026-06-01T12:00:00Z", "sampledValue": list(sampled)}]


def power(value, unit="W", **more):
    return {"value": value, "measurand": "Power.Active.Import", "unit": unit} | more


def seen_after(*requests, connector=1):
    seen = ChargerSeen()
    for at_s, action, payload in requests:
        seen = after_request(seen, action, payload, connector=connector, now_s=at_s)
    return seen


def state(seen, limit_w=None):
    return to_state(seen, limit_w=limit_w, power_max_w=11_000, name="car port")


@pytest.mark.parametrize(
    "frame",
    [
        Request(number="1", action="Heartbeat", payload={}),
        Answer(number="1", payload={"currentTime": "2026-06-01T12:00:00Z"}),
        Failure(number="1", code="NotImplemented", text="Heartbeat"),
    ],
)
def test_frames_come_back_as_they_went(frame):
    assert decode_frame(encode_frame(frame)) == frame


def test_the_boot_notification_printed_in_the_specification_is_read():
    raw = (
        '[2,"19223201","BootNotification",'
        '{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger"}]'
    )

    assert decode_frame(raw) == Request(
        number="19223201",
        action="BootNotification",
        payload={"chargePointVendor": "VendorX", "chargePointModel": "SingleSocketCharger"},
    )


@pytest.mark.parametrize(
    "raw",
    [
        "", "{}", "[]", "[2]", "[9,1,2,3]", '[3,"1",[]]', '[3,1,{}]', '[2,"1",7,{}]', "<html>",
        b"\xff\xfe", "[" * 10_000, '[3,"1",' + "9" * 5_000 + "]", '[2,"1","Heartbeat"]', "[[],[]]",
    ],
)  # fmt: skip
def test_what_is_no_frame_is_a_reply_error(raw):
    with pytest.raises(DeviceReplyError, match="no OCPP frame"):
        decode_frame(raw)


@given(st.binary(max_size=60) | JSON.map(json.dumps) | st.text(max_size=40))
def test_any_bytes_raise_our_errors_only(raw):
    with suppress(DeviceError):
        decode_frame(raw)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_valid_message_with_damaged_bytes_raises_our_errors_only(damage):
    sample = power("7.2", "kW", phase="L1") | {"unitOfMeasure": {"unit": "W", "multiplier": 1}}
    payload = {"connectorId": 1, "meterValue": values(sample, {"value": 1_500})}
    raw = bytearray(
        encode_frame(Request(number="1", action="MeterValues", payload=payload)).encode()
    )
    for place, octet in damage:
        raw[place % len(raw)] = octet

    with suppress(DeviceError):
        frame = decode_frame(bytes(raw))
        if isinstance(frame, Request):
            after_request(ChargerSeen(), frame.action, frame.payload, connector=1, now_s=1.0)


@given(
    st.sampled_from(["StatusNotification", "TransactionEvent", "StartTransaction", "MeterValues"]),
    st.dictionaries(st.text(max_size=3), JSON) | JSON.filter(lambda value: isinstance(value, dict)),
)
def test_any_payload_raises_our_errors_only(action, payload):
    with suppress(DeviceError):
        seen = after_request(ChargerSeen(), action, payload, connector=1, now_s=1.0)
        to_state(seen, limit_w=None, power_max_w=11_000, name="x")


@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_any_composite_schedule_raises_our_errors_only(payload):
    with suppress(DeviceError):
        decode_limit_w(payload, w_per_phase_a=230, phases=3)


@pytest.mark.parametrize(
    ("sampled", "sample"),
    [
        ([power("7360")], Sample(power_w=7_360.0)),
        ([power("7.36", "kW")], Sample(power_w=7_360.0)),
        ([power(7.36, None, unitOfMeasure={"unit": "kW"})], Sample(power_w=7_360.0)),
        ([power(736, unitOfMeasure={"unit": "W", "multiplier": 1})], Sample(power_w=7_360.0)),
        ([power("1000", phase=f"L{n}") for n in (1, 2, 3)], Sample(power_w=3_000.0)),
        ([power("1000", phase=f"L{n}-N") for n in (1, 2)], Sample(power_w=2_000.0)),
        ([power("999", phase="L1"), power("3000")], Sample(power_w=3_000.0)),
        ([power("500") | {"measurand": "Power.Active.Export"}], Sample(power_w=-500.0)),
        ([{"value": "1500"}], Sample(energy_wh=1_500.0)),
        ([{"value": "1.5", "unit": "kWh"}], Sample(energy_wh=1_500.0)),
        ([power("7", "hp")], Sample()),
        ([power("NaN"), {"value": None}], Sample()),
        ([power("ABC=", format="SignedData")], Sample()),
        ([power(1e30)], Sample()),
        ([{"value": "21", "measurand": "SoC", "unit": "Percent"}], Sample()),
    ],
)
def test_meter_values_are_read_in_any_unit_and_phase(sampled, sample):
    assert decode_meter_values(values(*sampled), where="charger") == sample


def test_the_last_of_several_samples_counts():
    found = decode_meter_values(values(power("1")) + values(power("2")), where="charger")

    assert found == Sample(power_w=2.0)


def test_a_session_of_1_6_is_told_whole():
    seen = seen_after(
        (0, "StatusNotification", {"connectorId": 0, "status": "Available"}),
        (0, "StatusNotification", {"connectorId": 1, "status": "Preparing"}),
        (1, "StartTransaction", {"connectorId": 1, "meterStart": 1_000}),
        (2, "StatusNotification", {"connectorId": 1, "status": "Charging"}),
        (60, "MeterValues", {"connectorId": 1,
                             "meterValue": values(power("7.2", "kW"), {"value": "1120"})}),
        (61, "MeterValues", {"connectorId": 2, "meterValue": values(power("1"))}),
    )  # fmt: skip

    assert state(seen, 8_000.0) == ChargerState(
        connected=True, charging=True, charger_power_w=7_200.0, session_wh=120.0, limit_w=8_000.0
    )


def test_a_session_of_2_0_1_is_told_whole():
    event = {"evse": {"id": 1}, "transactionInfo": {"chargingState": "Charging"}}
    seen = seen_after(
        (0, "StatusNotification", {"evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"}),
        (1, "TransactionEvent", event | {"eventType": "Started",
                                         "meterValue": values({"value": 1_000})}),
        (60, "TransactionEvent", event | {"eventType": "Updated",
                                          "meterValue": values(power(7_200), {"value": 1_120})}),
    )  # fmt: skip

    assert state(seen) == ChargerState(
        connected=True, charging=True, charger_power_w=7_200.0, session_wh=120.0, limit_w=None
    )


def test_a_charger_without_power_tells_it_by_its_energy_register():
    seen = seen_after(
        (0, "StatusNotification", {"connectorId": 1, "status": "Charging"}),
        (0, "MeterValues", {"connectorId": 1, "meterValue": values({"value": "1000"})}),
        (60, "MeterValues", {"connectorId": 1, "meterValue": values({"value": "1060"})}),
    )

    assert state(seen).charger_power_w == 3_600.0


def test_a_car_that_left_ends_the_session():
    seen = seen_after(
        (0, "StatusNotification", {"connectorId": 1, "status": "Charging"}),
        (1, "MeterValues", {"connectorId": 1, "meterValue": values(power("1"), {"value": "9"})}),
        (2, "StatusNotification", {"connectorId": 1, "status": "Available"}),
    )

    assert state(seen) == ChargerState(
        connected=False, charging=False, charger_power_w=0.0, session_wh=0.0, limit_w=None
    )


def test_a_charger_that_has_not_spoken_yet_is_asked_again():
    with pytest.raises(DeviceUnavailableError, match="has not said yet"):
        state(ChargerSeen())


@pytest.mark.parametrize("power_w", [None, 17_000.0])
def test_a_power_that_is_missing_or_cannot_be_is_a_reply_error(power_w):
    with pytest.raises(DeviceReplyError, match="car port"):
        state(ChargerSeen(connected=True, charging=True, power_w=power_w))


@pytest.mark.parametrize(("unit", "limit"), [("W", 7_000.0), ("A", 10.1)], ids=["watts", "amperes"])
def test_limits_are_rounded_down_to_what_the_protocol_carries(unit, limit):
    found = limit_of(7_000.9, unit=unit, voltage_v=230.0, phases=3)

    assert found == Limit(value=limit, unit=unit, phases=3)


@pytest.mark.parametrize(
    ("answer", "limit_w"),
    [
        ({"status": "Accepted"}, math.inf),
        ({"chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": []}}, math.inf),
        (
            {
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
                }
            },
            6_900.0,
        ),
        (
            {
                "schedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": {"startPeriod": 0, "limit": 10, "numberPhases": 1},
                }
            },
            2_300.0,
        ),
        (
            {
                "schedule": {
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 5, "limit": 10}],
                }
            },
            math.inf,
        ),
    ],
)
def test_a_composite_schedule_tells_what_is_allowed_now(answer, limit_w):
    assert decode_limit_w(answer, w_per_phase_a=230.0, phases=3) == limit_w


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("unit", ["W", "A"])
@pytest.mark.parametrize("station", [False, True])
def test_what_is_asked_follows_the_schemas_of_the_specification(version, unit, station):
    now = datetime(2026, 6, 1, 12, 0, 0, 400_000, tzinfo=UTC)
    limit = limit_of(7_000.0, unit=unit, voltage_v=230.0, phases=3)
    asked = {
        "SetChargingProfile": set_profile(
            version, limit, connector=1, station=station, now=now, valid_s=60.0
        ),
        "ClearChargingProfile": clear_profile(version),
        "GetCompositeSchedule": composite(version, connector=1, unit=unit),
        "TriggerMessage": trigger(version, "MeterValues", connector=1),
    }

    for action, payload in asked.items():
        _validate_payload(Call("1", action, payload), version)
    assert '"duration": 61' in json.dumps(asked)
    assert '"startSchedule": "2026-06-01T12:00:00Z"' in json.dumps(asked)


@pytest.mark.parametrize(
    "schedule",
    [
        5,
        {"chargingRateUnit": "W"},
        {"chargingRateUnit": "W", "chargingSchedulePeriod": [5]},
        {"chargingRateUnit": {}, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5}]},
        {"chargingRateUnit": "hp", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5}]},
        {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": None}]},
    ],
)
def test_a_composite_schedule_that_makes_no_sense_is_a_reply_error(schedule):
    with pytest.raises(DeviceReplyError, match="charger: composite schedule"):
        decode_limit_w({"schedule": schedule}, w_per_phase_a=230.0, phases=3)


@pytest.mark.parametrize("status", [None, 5, {}])
def test_a_status_that_is_none_is_a_reply_error(status):
    with pytest.raises(DeviceReplyError, match="StatusNotification with status"):
        seen_after((0, "StatusNotification", {"connectorId": 1, "status": status}))


def test_a_charger_that_failed_lets_nothing_flow_and_keeps_its_car():
    seen = seen_after(
        (0, "StatusNotification", {"connectorId": 1, "status": "Charging"}),
        (1, "StatusNotification", {"connectorId": 1, "status": "Faulted"}),
    )

    assert state(seen) == ChargerState(
        connected=True, charging=False, charger_power_w=0.0, session_wh=0.0, limit_w=None
    )


def test_a_transaction_of_2_0_1_ends_before_its_car_leaves():
    event = {"evse": {"id": 1}, "eventType": "Updated"}
    started = (0, "TransactionEvent", event | {"transactionInfo": {"chargingState": "Charging"}})
    ended = (1, "TransactionEvent", event | {"eventType": "Ended"})
    idle = (2, "TransactionEvent", event | {"transactionInfo": {"chargingState": "Idle"}})

    assert [
        (seen.connected, seen.charging)
        for seen in (seen_after(started), seen_after(started, ended), seen_after(started, idle))
    ] == [(True, True), (True, False), (False, False)]
