"""Habib et al. 2023, §3.2: the write of 12 A to an Xtender, as frames."""

import pytest

from scenarios.wire.habib_write import Field, fields, lines, run


@pytest.fixture(scope="module")
def trace():
    return run()


def test_papers_write_changes_the_charge_current_and_the_battery(trace):
    assert (trace.before_a, trace.after_a) == (60.0, 12.0)
    assert abs(trace.battery_before_a - 60) < 0.1
    assert abs(trace.battery_after_a - 12) < 0.1
    assert trace.flash_writes == 1


def test_frames_are_those_of_the_vendors_document(trace):
    written = trace.exchanges[2]
    in_ram = trace.exchanges[5]

    # the vendor's document prints the first and its answer; the second differs in its property
    assert written.request.hex(" ").upper() == (
        "AA 00 01 00 00 00 65 00 00 00 0E 00 73 79 00 02 02 00 72 04 00 00 05 00 00 00 40 41 FF 9B"
    )
    assert written.answer.hex(" ").upper() == (
        "AA 34 65 00 00 00 01 00 00 00 0A 00 A3 3D 02 02 02 00 72 04 00 00 05 00 80 F6"
    )
    assert in_ram.request[22:24] == b"\x0d\x00"


def test_header_has_the_fourteen_bytes_that_the_paper_says(trace):
    found = fields(trace.exchanges[2].request)

    assert sum(len(each.raw) for each in found[:6]) == 14
    assert b"".join(each.raw for each in found) == trace.exchanges[2].request
    assert found[9] == Field(name="object id", raw=b"\x72\x04\x00\x00", meaning="1138")
    assert found[11] == Field(name="value", raw=b"\x00\x00\x40\x41", meaning="12 A")


def test_text_shows_the_command_and_what_came_of_it(trace):
    text = lines(trace)

    assert text[0].endswith("object_id=1138 property_id=5 format=FLOAT value=12.0")
    assert text[-3:] == [
        "1138 was 60 A and is 12 A",
        "the battery took 60.0 A and takes 12.0 A",
        "flash was written 1 time of the 1000 that it bears; RAM does not wear",
    ]


def test_runs_are_the_same(trace):
    assert run() == trace
