"""`gridpact bench dispatch`: what it measures."""

from scenarios.bench.command import BENCHES
from scenarios.marchi.bench import year_figures
from scenarios.marchi.bench_command import dispatch

POLICIES = {"look-ahead", "look-behind", "grid-target", "input", "manual"}


def test_every_policy_is_timed_for_a_year_of_hours_and_of_five_minutes_and_for_a_life():
    told = []

    figures = year_figures(tries=1, tell=told.append)

    assert set(figures) == {"year_hourly_ms", "year_5min_ms", "lifetime_25y_s"}
    assert set(figures["year_hourly_ms"]) == set(figures["year_5min_ms"]) == POLICIES
    assert min(*figures["year_hourly_ms"].values(), figures["lifetime_25y_s"]) > 0
    assert len(told) == 3 * len(POLICIES)


def test_the_bench_is_listed():
    assert BENCHES["dispatch"].load() is dispatch
