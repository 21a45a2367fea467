"""Studer's frames, against those that the vendor's document on its serial protocol prints."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.scom_codec import (
    ERRORS,
    HOST,
    Format,
    Frame,
    FrameReader,
    ObjectType,
    PropertyId,
    Service,
    checksum,
    decode,
    decode_value,
    encode,
    encode_value,
    error_of,
)
from devices.errors import (
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)

READ_VOLTAGE = bytes.fromhex("AA00010000006500 00000A006F71 0001 0100B80B00000100 C590")
VOLTAGE = bytes.fromhex("AA34650000000100 00000E00A745 0201 0100B80B0000010000C04541 0DCB")
WRITE_FLASH = bytes.fromhex("AA00010000006500 00000E007379 0002 0200720400000500 00004041 FF9B")
WRITE_RAM = bytes.fromhex("AA00010000006500 00000E007379 0002 0200720400000D00 00004041 07CB")
WRITTEN = bytes.fromhex("AA34650000000100 00000A00A33D 0202 0200720400000500 80F6")
REFUSED = bytes.fromhex("AA34650000000100 00000C00A541 0302 0200720400000D00 2B00 B478")
READ_SOC = bytes.fromhex("AA00010000005902 00000A006533 0001 01005A1B00000100 77AC")


def request(**changed):
    fields = {
        "source": HOST,
        "destination": 101,
        "service": Service.WRITE,
        "object_type": ObjectType.PARAMETER,
        "object_id": 1138,
        "property_id": PropertyId.SAVED,
    }
    return Frame(**{**fields, **changed})


read_voltage = request(
    service=Service.READ, object_type=ObjectType.INFO, object_id=3000, property_id=1
)
twelve_a = encode_value(Format.FLOAT, 12.0)

GOLDEN = {
    # the vendor's document, worked examples
    "read of the battery's voltage": (READ_VOLTAGE, read_voltage),
    "12.36 V": (VOLTAGE, read_voltage.answer(struct.pack("<f", 12.359375), frame_flags=0x34)),
    "write of 12 A to flash": (WRITE_FLASH, request(content=twelve_a)),
    "its acknowledgement": (WRITTEN, request().answer(frame_flags=0x34)),
    # worked out here with the document's checksum
    "write of 12 A to RAM": (WRITE_RAM, request(content=twelve_a, property_id=0x0D)),
    "access denied": (
        REFUSED,
        request(property_id=0x0D).answer(b"\x2b\x00", error=True, frame_flags=0x34),
    ),
    "read of the state of charge": (
        READ_SOC,
        read_voltage._replace(destination=601, object_id=7002),
    ),
}


@pytest.mark.parametrize(("raw", "frame"), GOLDEN.values(), ids=GOLDEN)
def test_frame_is_that_of_the_vendors_document(raw, frame):
    assert encode(frame) == raw
    assert decode(raw) == frame


def test_checksum_of_nothing_is_its_start():
    assert checksum(b"") == b"\xff\x00"


@given(st.binary(max_size=240))
def test_checksum_is_that_of_the_definition(content):
    a, b = 0xFF, 0
    for byte in content:
        a = (a + byte) & 0xFF
        b = (b + a) & 0xFF

    assert checksum(content) == bytes([a, b])


frames = st.builds(
    Frame,
    source=st.integers(0, 2**32 - 1),
    destination=st.integers(0, 2**32 - 1),
    service=st.integers(0, 255),
    object_type=st.integers(0, 65_535),
    object_id=st.integers(0, 2**32 - 1),
    property_id=st.integers(0, 65_535),
    content=st.binary(max_size=230),
    frame_flags=st.integers(0, 255),
    service_flags=st.integers(0, 255),
)


@given(frames)
def test_every_frame_survives_the_line(frame):
    assert decode(encode(frame)) == frame


@pytest.mark.parametrize(
    "changed", [{"content": bytes(231)}, {"object_id": 2**32}, {"destination": -1}]
)
def test_frame_that_fits_no_line_is_not_sent(changed):
    with pytest.raises(DeviceRefusedError, match="scom frame"):
        encode(request(**changed))


def test_every_damaged_byte_of_an_answer_is_noticed():
    for place in range(len(VOLTAGE)):
        damaged = bytearray(VOLTAGE)
        damaged[place] ^= 0x10
        with pytest.raises(DeviceReplyError):
            decode(bytes(damaged))


@given(st.binary(max_size=80))
def test_bytes_that_are_no_frame_raise_our_own_error(raw):
    with pytest.raises(DeviceReplyError):
        decode(raw)


@given(st.data())
def test_mutated_answers_raise_our_own_errors_only(data):
    raw = bytearray(data.draw(st.sampled_from([raw for raw, _ in GOLDEN.values()])))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[place] = data.draw(st.integers(0, 255))
    # with checksums put right, what a faulty gateway could send
    raw[12:14] = checksum(bytes(raw[1:12]))
    raw[-2:] = checksum(bytes(raw[14:-2]))
    try:
        frame = decode(bytes(raw))
        decode_value(data.draw(st.sampled_from(Format)), frame.content)
        error_of(frame, "xtender")
    except DeviceError:
        pass


@given(st.lists(st.one_of(st.just(b"\xaa"), st.binary(max_size=30)), max_size=5), st.data())
def test_reader_finds_a_frame_behind_noise_however_the_bytes_are_cut(noise, data):
    stream = b"".join(noise) + VOLTAGE + READ_SOC
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    reader, found = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])

    assert found == [decode(VOLTAGE), decode(READ_SOC)]


def test_reader_drops_a_broken_answer_and_takes_the_next():
    reader = FrameReader()

    assert reader.feed(VOLTAGE[:20]) == []
    assert reader.feed(VOLTAGE) == [decode(VOLTAGE)]


@pytest.mark.parametrize(
    ("kind", "value", "content"),
    [
        (Format.BOOL, 1.0, b"\x01"),
        (Format.ENUM, 4.0, b"\x04\x00"),
        (Format.INT32, -3.0, b"\xfd\xff\xff\xff"),
        (Format.FLOAT, 12.0, b"\x00\x00\x40\x41"),
    ],
)
def test_value_is_written_and_read_in_its_format(kind, value, content):
    assert encode_value(kind, value) == content
    assert decode_value(kind, content) == value


@pytest.mark.parametrize("content", [b"\x01", b"\x01\x00", b"\x01\x00\x00\x00"])
@pytest.mark.parametrize("kind", [Format.BOOL, Format.ENUM])
def test_flags_and_choices_are_taken_in_any_length(kind, content):
    assert decode_value(kind, content) == 1.0


def test_not_a_number_is_no_value():
    assert decode_value(Format.FLOAT, b"\x00\x00\xc0\x7f") is None


@pytest.mark.parametrize("kind", Format)
def test_value_without_bytes_is_refused(kind):
    with pytest.raises(DeviceReplyError, match=kind.name):
        decode_value(kind, b"")


def test_value_that_fits_no_format_is_not_sent():
    for kind, value in ((Format.BOOL, 300), (Format.INT32, float("nan")), (Format.FLOAT, 1e99)):
        with pytest.raises(DeviceRefusedError, match=kind.name):
            encode_value(kind, value)


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_code_says_whether_to_ask_again(code):
    error = error_of(request().answer(code.to_bytes(2, "little"), error=True), "xtender 101.1138")

    assert type(error) is ERRORS[code][1]
    assert str(error).startswith(f"xtender 101.1138: {ERRORS[code][0]} (0x{code:02X});")


def test_errors_that_pass_are_told_from_those_that_stay():
    kinds = {code: kind for code, (_, kind) in ERRORS.items()}

    assert (kinds[0x02], kinds[0x03], kinds[0x13]) == (DeviceUnavailableError,) * 3
    assert (kinds[0x22], kinds[0x28], kinds[0x29]) == (DeviceRefusedError,) * 3
    assert kinds[0x2B] is DeviceUnauthorisedError


def test_unknown_error_code_is_not_repeated():
    assert type(error_of(request().answer(b"\xff\x00", error=True), "x")) is DeviceRefusedError
    assert type(error_of(request().answer(b"", error=True), "x")) is DeviceReplyError


def test_only_the_answer_to_a_request_answers_it():
    asked = read_voltage

    assert asked.answer(b"").answers(asked)
    assert not asked.answers(asked)
    for changed in ({"destination": 102}, {"object_id": 3005}, {"property_id": 5}):
        assert not asked._replace(**changed).answer(b"").answers(asked)
