"""Whatever comes, nothing breaks, and nothing is in the store that no home can have."""

import pytest
from sqlalchemy import insert

from aggregator.service.store.tables import telemetry
from scenarios.bench.service_ingest_fuzz import NOW_MS, broken_rows, fuzz_ingest

REASONS = {
    *("malformed", "too-large", "wrong-device", "unknown-home", "unknown-quantity"),
    *("bad-direction", "inconsistent", "out-of-range", "too-old", "in-future"),
}


def test_messages_that_no_gateway_sends_are_refused_with_a_reason_and_the_others_taken(store):
    found = fuzz_ingest(store, messages=3_000, seed=5)

    assert set(found.refused) == REASONS
    assert found.taken == 3_000 - sum(found.refused.values())
    assert found.taken > 300
    assert found.rows > 1_000
    assert found.broken_rows == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": 3.5},
        {"last": 0.5},
        {"high": 1e10},
        {"channel_number": 99},
        {"period_ms": 0},
        {"end_ms": NOW_MS + 700_000},
        {"home_number": 7},
    ],
)
def test_a_row_that_breaks_a_rule_would_be_found(sqlite_store, wrong):
    given = {"home_number": 1, "end_ms": NOW_MS, "channel_number": 1, "period_ms": 60_000}
    figures = {"low": 1.0, "high": 3.0, "mean": 2.0, "last": 3.0}
    with sqlite_store.write() as connection:
        connection.execute(insert(telemetry).values(given | figures | wrong))
    with sqlite_store.read() as connection:
        assert broken_rows(connection, refusals_most=0) == 1
