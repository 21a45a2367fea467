"""What gateways may say: the signs of it, and everything else refused with a reason."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.service.ingest.schema import (
    FUTURE_MS,
    PAYLOAD_MOST,
    Reason,
    Refused,
    read_answer,
    read_status,
    read_telemetry,
)
from aggregator.service.store.channels import CHANNELS

END_S = 1_780_315_260.0
NOW_MS = round(END_S * 1000) + 1_000
FROM_MS = NOW_MS - 86_400_000
NUMBER = {each.name: each.number for each in CHANNELS}


def row(**changes):
    given_row = {
        "timestamp": END_S, "device": "storage", "details": "", "quantity": "Active power",
        "direction": "delivered", "unit": "W", "min": 540.0, "max": 600.0, "avg": 571.25,
        "last": 600.0,
    }  # fmt: skip
    return given_row | changes


def message(*rows, **changes):
    body = {
        "id": "9f0c31ab5e77-4711", "timestamp": END_S, "device": "home-7", "period_s": 60.0,
        "dropped": 2, "expires": END_S + 604_800, "rows": list(rows),
        "forecast_errors": {"load": {"4": {"relative": 0.31}}},
    }  # fmt: skip
    return json.dumps(body | changes).encode()


def taken(payload):
    return read_telemetry("home-7", payload, from_ms=FROM_MS, now_ms=NOW_MS)


def refusal(payload):
    with pytest.raises(Refused) as refused:
        taken(payload)
    return refused.value


def test_figures_come_in_our_signs_with_the_times_of_their_own():
    soc = row(quantity="State of charge", unit="%", direction=None, min=50, max=52, avg=51, last=52)
    pv = row(device="meter", details="production", min=0, max=900, avg=450, last=900)
    grid = row(device="meter", details="grid", min=-40, max=90, avg=10, last=90)

    told = taken(message(row(), soc, pv, grid))

    end_ms = round(END_S * 1000)
    assert told.rows == [
        (end_ms, NUMBER["storage.Active power"], 60_000, -600.0, -540.0, -571.25, -600.0),
        (end_ms, NUMBER["storage.State of charge"], 60_000, 50.0, 52.0, 51.0, 52.0),
        (end_ms, NUMBER["meter.production.Active power"], 60_000, 0.0, 900.0, 450.0, 900.0),
        (end_ms, NUMBER["meter.grid.Active power"], 60_000, -90.0, 40.0, -10.0, -90.0),
    ]
    assert (told.id, told.dropped, told.wants_receipt) == ("9f0c31ab5e77-4711", 2, False)
    assert told.now() == (0.52, -600.0, None, 900.0, -90.0)


def test_a_mean_that_rounding_put_outside_of_its_extremes_is_taken_and_put_between_them():
    told = taken(message(row(min=0.1, max=0.1, avg=0.1 + 1e-17 + 1e-12, last=0.1)))
    assert told.rows[0][3:] == (-0.1, -0.1, -0.1, -0.1)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"[" * 100_000, Reason.MALFORMED),
        (b" " * (PAYLOAD_MOST + 1), Reason.TOO_LARGE),
        (message(row()).replace(b"571.25", b"NaN"), Reason.MALFORMED),
        (message(row()).replace(b"571.25", b"1e999"), Reason.MALFORMED),
        (message(row()).replace(b"571.25", b'"571"'), Reason.MALFORMED),
        (message(row(), id=""), Reason.MALFORMED),
        (message(row(), id="a\n"), Reason.MALFORMED),
        (message(row(), period_s=0), Reason.MALFORMED),
        (message(row(), dropped=-1), Reason.MALFORMED),
        (message(row(), device="home-8"), Reason.WRONG_DEVICE),
        (message(row(quantity="Moisture")), Reason.UNKNOWN_QUANTITY),
        (message(row(unit="kW")), Reason.UNKNOWN_QUANTITY),
        (message(row(direction=None)), Reason.BAD_DIRECTION),
        (message(row(direction="sideways")), Reason.BAD_DIRECTION),
        (message(row(avg=539.0)), Reason.INCONSISTENT),
        (message(row(last=601.0)), Reason.INCONSISTENT),
        (message(row(min=601.0)), Reason.INCONSISTENT),
        (message(row(max=1e10)), Reason.OUT_OF_RANGE),
        (message(row(timestamp=FROM_MS / 1000 - 1)), Reason.TOO_OLD),
        (message(row(timestamp=(NOW_MS + FUTURE_MS) / 1000 + 1)), Reason.IN_FUTURE),
        (message(row(), row(unit="kW")), Reason.UNKNOWN_QUANTITY),
    ],
)
def test_what_breaks_the_schema_is_refused_as_a_whole_with_its_reason(payload, reason):
    assert refusal(payload).reason is reason


def test_a_refusal_names_the_message_where_it_can_be_read():
    assert refusal(message(row(unit="kW"))).message_id == "9f0c31ab5e77-4711"
    assert refusal(b"{}").message_id is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=200)
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda change, inner: message(row() | inner, **change),
        st.dictionaries(st.sampled_from(["id", "rows", "period_s", "dropped", "receipt"]), JSON),
        st.dictionaries(st.sampled_from(["min", "avg", "last", "unit", "timestamp"]), JSON),
    )
)
def test_whatever_comes_is_taken_with_rows_within_the_schema_or_refused(payload):
    refused = None
    try:
        told = taken(payload)
    except Refused as error:
        refused = error
    if refused is not None:
        assert refused.detail.isprintable()
        return
    by_number = {each.number: each for each in CHANNELS}
    for end_ms, number, period_ms, low, high, mean, last in told.rows:
        channel = by_number[number]
        assert FROM_MS <= end_ms <= NOW_MS + FUTURE_MS
        assert 0 < period_ms <= 86_400_000
        assert channel.least <= low <= mean <= high <= channel.most
        assert low <= last <= high


def test_an_answer_is_kept_whole():
    body = {"id": "a-1", "timestamp": END_S, "device": "home-7", "outcome": "done",
            "correlation_id": "c-1", "rows": [{"last": 1.5}]}  # fmt: skip
    answer = read_answer("home-7", json.dumps(body).encode())
    assert (answer.id, answer.correlation_id, answer.at_ms) == ("a-1", "c-1", round(END_S * 1000))
    assert answer.body == body


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a-1", "timestamp": END_S, "device": "home-8"},
        {"id": "a-1", "timestamp": END_S, "device": "home-7", "correlation_id": "ü"},
        {"id": "a-1", "timestamp": END_S, "device": "home-7", "reason": "\0"},
        {"id": "a-1", "device": "home-7"},
    ],
)
def test_an_answer_that_the_store_cannot_keep_is_refused(body):
    with pytest.raises(Refused):
        read_answer("home-7", json.dumps(body).encode())


def test_a_status_is_one_of_two_words():
    assert (read_status(b"online"), read_status(b"offline")) == (True, False)
    with pytest.raises(Refused):
        read_status(b"perhaps")
