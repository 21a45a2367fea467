"""The figures of `gridpact bench devices`."""

import asyncio
from typing import Final

from scenarios.bench.device_bench import measure_polling, sunspec_codec_per_s, sunspec_read_requests
from scenarios.bench.device_bench_xtender import xtender_codec_per_s

DEVICES: Final = 500
"""Emulated Modbus batteries that one process polls every second."""
POLLED_S: Final = 10
"""How long they are polled. [s]"""


def device_figures(
    *, codec_s: float = 1.0, devices: int = DEVICES, polled_s: int = POLLED_S
) -> dict[str, float | int]:
    """Return how fast drivers are: codec round trips a second, requests, lateness of answers.

    Parameters
    ----------
    codec_s : float
        How long each codec is measured. [s]
    devices : int
        Batteries to poll.
    polled_s : int
        How long to poll them. [s]
    """
    figures: dict[str, float | int] = {
        "xtender_codec_per_s": round(xtender_codec_per_s(codec_s)),
        "sunspec_codec_per_s": round(sunspec_codec_per_s(codec_s)),
        "sunspec_read_requests": sunspec_read_requests(),
    }
    polled = asyncio.run(measure_polling(devices, polled_s))
    return figures | {
        "poll_devices": polled.devices,
        "poll_p99_ms": round(polled.p99_ms, 1),
        "poll_p50_ms": round(polled.p50_ms, 1),
        "poll_reads": polled.reads,
        "poll_errors": polled.errors,
        "poll_missed": polled.missed,
        "poll_busy_share": round(polled.busy, 3),
    }
