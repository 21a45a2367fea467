"""JSON of real devices: read leniently, refused with the place."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.json_values import number_of, parse_json, power_of, table_of, text_of
from devices.errors import DeviceReplyError


def test_utf_8_latin_1_and_a_byte_order_mark_are_read():
    for body in ("Büro".encode(), "Büro".encode("latin-1"), "\ufeffBüro".encode()):
        assert parse_json(body.replace(b"B", b'"B').replace(b"ro", b'ro"'), "it") == "Büro"


def test_not_a_number_is_nothing():
    assert parse_json(b'{"a": NaN, "b": -Infinity}', "it") == {"a": None, "b": None}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"[['])
def test_what_is_no_json_is_named_with_its_place(body):
    with pytest.raises(DeviceReplyError, match=r"it answered .* which is no JSON"):
        parse_json(body, "it")


def test_an_answer_nested_beyond_reason_is_refused_before_it_is_parsed():
    deep = b"[" * 60 + b"]" * 60

    with pytest.raises(DeviceReplyError, match="nested too deep"):
        parse_json(deep, "it")
    assert parse_json(b'"%s"' % deep, "it") == deep.decode()


def test_a_page_for_people_is_named_as_one():
    with pytest.raises(DeviceReplyError, match="it answered a page for people"):
        parse_json(b"\n <!DOCTYPE html>", "it")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (1.5, 1.5),
        ("1.5", 1.5),
        (" 2 ", 2.0),
        (None, None),
        (True, None),
        ("", None),
        ("nan", None),
        ([1], None),
        (10**400, None),
    ],
)
def test_numbers_are_read_however_they_are_written(value, number):
    assert number_of({"a": value}, "a") == number


@pytest.mark.parametrize("value", [None, "x", 1e7, 2**31])
def test_a_power_that_no_home_has_is_refused(value):
    with pytest.raises(DeviceReplyError, match=r"it: P is .*, must be -1e\+06..1e\+06"):
        power_of({"P": value}, "P", where="it")


def test_texts_may_be_whole_numbers():
    assert [text_of({"a": value}, "a") for value in (" 2 ", 2, 2.5, True, None)] == [
        "2",
        "2",
        None,
        None,
        None,
    ]


@given(st.binary(max_size=60))
def test_random_bytes_raise_nothing_but_our_error(body):
    with contextlib.suppress(DeviceReplyError):
        table_of(parse_json(body, "it"), "it")
