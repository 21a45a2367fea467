"""The measuring function of Xtender frames; its figure is the machine's, not a test's."""

from scenarios.bench.device_bench_xtender import xtender_codec_per_s


def test_rate_is_measured_and_is_of_the_order_that_it_should_be():
    assert xtender_codec_per_s(0.05) > 1_000
