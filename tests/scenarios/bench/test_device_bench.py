"""The bench of the Modbus devices returns numbers that mean what they say."""

import asyncio

from scenarios.bench.device_bench import (
    measure_polling,
    sunspec_codec_per_s,
    sunspec_read_requests,
)


def test_a_full_battery_read_takes_at_most_three_requests():
    assert sunspec_read_requests() == 2


def test_codec_rates_are_counted():
    assert sunspec_codec_per_s(0.05) > 1_000


def test_emulated_batteries_of_another_process_are_polled():
    figures = asyncio.run(measure_polling(4, 1))

    assert (figures.devices, figures.reads, figures.errors, figures.missed) == (4, 4, 0, 0)
    assert 0 < figures.p50_ms <= figures.p99_ms
    assert figures.busy > 0
