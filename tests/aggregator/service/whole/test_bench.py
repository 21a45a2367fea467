"""The measurement itself, with a load that any machine carries."""

import pytest

from scenarios.bench.service_bench import IngestLoad, ingest_figures


@pytest.mark.usefixtures("needs_mosquitto")
def test_the_bench_counts_what_came_against_what_was_sent():
    told = []
    load = IngestLoad(gateways=20, rows_per_s=1_000.0, seconds=1.0)

    figures = ingest_figures(load, told.append, ("sqlite",))

    assert told == ["20 gateways into sqlite"]
    assert (figures["lost_rows"], figures["gateways"]) == (0, 20)
    for key in ("ingest_rows_per_s", "publish_to_row_p50_ms", "publish_to_row_p99_ms"):
        assert list(figures[key]) == ["sqlite"]
        assert min(figures[key].values()) > 0
    # no more comes in than is offered
    assert max(figures["ingest_rows_per_s"].values()) <= 1_000.0 * 1.01
    assert figures["offered_rows_per_s"] == pytest.approx({"sqlite": 1e3})
