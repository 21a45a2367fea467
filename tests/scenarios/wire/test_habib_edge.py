"""The edge end to end: the real agent over a pseudo-terminal, TCP and HTTP, frame by frame."""

import pytest

from devices.drivers.scom_codec import FrameReader
from scenarios.wire.habib_edge import lines, run

pytestmark = pytest.mark.xdist_group("habib-edge")


@pytest.fixture(scope="module")
def trace():
    return run()


def written(exchanges):
    return [each.meaning for each in exchanges if each.writes]


def test_the_cheap_quarter_charges_and_the_dear_one_makes_an_island(trace):
    cheap, dear, *_ = trace.moments

    assert written(cheap.exchanges)[-1] == "write 101.1127 grid feeding allowed in RAM: 0"
    assert cheap.relay_closed
    assert 1_900 < cheap.battery_power_w < 2_300  # whole amperes of the asked-for power
    assert (cheap.row["price_per_mwh"], cheap.row["relay_closed"]) == (40 * 1.19 + 180, 1)
    assert written(dear.exchanges)[-1] == "write 101.1128 transfer relay allowed in RAM: 0"
    assert (dear.relay_closed, dear.why, dear.row["relay_closed"]) == (False, "", 0)
    assert (round(dear.battery_power_w), dear.grid_power_w) == (-600, 0.0)
    assert dear.said == ("relay opened: the house is an island",)


def test_sun_and_load_are_those_of_their_own_devices(trace):
    for moment in trace.moments:
        links = {each.link for each in moment.exchanges}
        assert {"pv", "load", "xtender"} <= links
        assert (moment.row["pv_w"], moment.row["load_w"]) == (900.0, 1_500.0)


def test_a_load_beyond_the_inverter_closes_the_relay_between_two_decisions(trace):
    _, _, loaded, again = trace.moments
    why = "the load of 4600 W is more than the inverter's 4000 W"

    assert written(loaded.exchanges) == ["write 101.1128 transfer relay allowed in RAM: 1"]
    assert loaded.relay_closed
    assert loaded.row["utc"][11:16] == "12:20"
    assert loaded.said == (f"relay closed, the house is on the grid: {why}",)
    assert (again.relay_closed, again.row["utc"][11:16]) == (False, "12:30")


def test_the_agent_leaves_a_closed_relay_and_never_writes_flash(trace):
    assert written(trace.left) == ["write 101.1128 transfer relay allowed in RAM: 1"]
    assert trace.closed_after
    assert trace.flash_writes == 0


def test_every_frame_is_one_that_the_protocol_reads(trace):
    for moment in trace.moments:
        for each in moment.exchanges:
            if each.link == "xtender":
                both = bytes.fromhex(each.request) + bytes.fromhex(each.answer)
                assert len(FrameReader().feed(both)) == 2


def test_the_text_shows_readings_decision_writes_and_relay(trace):
    text = "\n".join(lines(trace))

    for part in ("readings", "decision of 12:20", "writes", "relay open", "0 to flash"):
        assert part in text
