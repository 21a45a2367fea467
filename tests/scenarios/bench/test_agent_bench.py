"""A gateway's bench: its keys, figures that can be; and a short soak, whose sums must be right."""

import itertools
import json
from collections import Counter

import pytest

from scenarios.bench.agent_bench import decision_ms, import_s, steady, write_ms
from scenarios.bench.command import BENCHES
from scenarios.cli import main
from scenarios.soak.clock import ScaledClock
from scenarios.soak.faults import KINDS, REORGANISES, REPORTED_S, counted, drawn
from scenarios.soak.soak import soak


def test_the_bench_is_one_of_those_that_are_named(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "agent", "--help"])

    assert "agent" in BENCHES
    assert "--hours" in capsys.readouterr().out


def test_speeds_are_measured():
    assert import_s(tries=1) > 0
    median_ms, first_ms = decision_ms(tries=20)
    assert 0 < median_ms <= max(first_ms, median_ms)
    median_ms, worst_ms = write_ms(tries=4)
    assert 0 < median_ms <= worst_ms


def test_a_gateway_s_memory_and_processor_are_measured_with_all_that_it_speaks_to(needs_anvil):
    del needs_anvil
    found = steady(1.0, lambda _: None, settled_s=0.0)

    assert 20 < found.rss_mb < 400
    assert 0 <= found.cpu_share < 20
    assert 0 < found.dead_man_mb < found.rss_mb


def test_a_soak_s_faults_are_the_seed_s_and_each_comes_before_any_comes_again():
    breaks = drawn(7, hours=24, every_s=900.0)
    often = Counter(counted(breaks).values())

    assert breaks == drawn(7, hours=24, every_s=900.0) != drawn(8, hours=24, every_s=900.0)
    assert {each.kind for each in breaks} == set(KINDS)
    assert max(often) - min(often) <= 1
    assert all(a.end_s < b.begin_s for a, b in itertools.pairwise(breaks))
    assert all(b.end_s - b.begin_s > REPORTED_S for b in breaks if b.kind == REORGANISES)


def test_a_scaled_clock_is_the_same_to_everybody_who_has_it(tmp_path):
    clock = ScaledClock(rate=100.0, begun_s=0.0, utc_s=1e9, ahead=tmp_path / "clock")
    other = ScaledClock.from_arguments(*clock.arguments())
    before_s = clock.monotonic_s()
    apart_s = other.monotonic_s() - before_s
    clock.set_ahead(3600.0)

    assert apart_s >= 0
    assert other.utc().timestamp() - other.true_utc_s() == pytest.approx(3600.0, abs=600.0)


def test_a_short_soak_reports_what_its_meter_counted_through_everything_that_breaks(needs_anvil):
    del needs_anvil
    found = soak(2, hours=1.0, every_s=100.0)

    # a computer that is too slow for some of them has those that there was time for
    assert 0 < found.faults <= len(drawn(2, hours=1.0, every_s=100.0))
    assert found.reported_wh == found.metered_wh, found.lines
    assert abs(found.reported_wh - found.true_wh) <= 1, found.lines
    assert (found.double_reports, found.limit_violations) == (0, 0), found.doubts
    assert found.reports > 0
    assert json.loads(json.dumps(found.figures()))["hours"] == 1.0
