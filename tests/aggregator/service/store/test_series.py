"""Series as the database writes them, each out of a range of a key."""

import json
from dataclasses import fields

import pytest
from sqlalchemy import insert, text

from aggregator.service.store.series import read_series, series_queries
from aggregator.service.store.tables import homes, telemetry
from aggregator.service.store.telemetry import MINUTE_MS, QUARTER_MS, ROLLUPS

SOC = 2
END_MS = 10 * MINUTE_MS
THIRD = 100 / 3


def fill(store):
    """Write ten minutes of one home, of another channel and of another home."""
    with store.write() as connection:
        for number in (1, 2):
            given = {"number": number, "id": f"home-{number}", "created_ms": 0}
            connection.execute(insert(homes).values(given))
        figures = {"low": -0.5, "high": 900.25, "mean": THIRD, "last": 4.0}
        for home, channel in ((1, SOC), (1, SOC + 1), (2, SOC)):
            whose = {"home_number": home, "channel_number": channel, **figures}
            ends = [(number + 1) * MINUTE_MS for number in range(10)]
            told = [{**whose, "end_ms": end_ms, "period_ms": MINUTE_MS} for end_ms in ends]
            connection.execute(insert(telemetry), told)
            bins = [
                {**whose, "start_ms": end_ms - MINUTE_MS, "covered_ms": 59_000, "last_ms": end_ms}
                for end_ms in ends
            ]
            connection.execute(insert(ROLLUPS[MINUTE_MS]), bins)


def asked(store, home, **given):
    """Return a series with its lists read."""
    span = {"start_ms": 0, "end_ms": END_MS, "size_ms": MINUTE_MS, "most": 99} | given
    with store.look() as connection:
        found = read_series(connection, home, SOC, **span)
    read = {each.name: getattr(found, each.name) for each in fields(found)}
    return {name: json.loads(of) if isinstance(of, str) else of for name, of in read.items()}


def test_a_series_is_lists_of_its_figures(store):
    fill(store)
    starts = list(range(2 * MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS))
    expected = {
        "count": 3,
        "start_ms": starts,
        "covered_ms": [59_000] * 3,
        # SQLite writes 15 digits
        "mean": [pytest.approx(THIRD, rel=1e-14)] * 3,
        "low": [-0.5] * 3,
        "high": [900.25] * 3,
        "last": [4.0] * 3,
        "next_ms": None,
    }
    span = {"start_ms": 2 * MINUTE_MS, "end_ms": 5 * MINUTE_MS}

    assert asked(store, "home-1", **span) == expected
    told = expected | {"covered_ms": [MINUTE_MS] * 3}
    assert asked(store, "home-1", **span, size_ms=None) == told


@pytest.mark.parametrize("size_ms", [None, MINUTE_MS])
def test_where_it_goes_on_is_told_if_there_is_more(store, size_ms):
    fill(store)

    page = asked(store, "home-1", size_ms=size_ms, most=4)
    assert (page["start_ms"], page["next_ms"]) == (
        [0, MINUTE_MS, 2 * MINUTE_MS, 3 * MINUTE_MS],
        4 * MINUTE_MS,
    )
    whole = asked(store, "home-1", size_ms=size_ms, most=10)
    assert (whole["count"], whole["next_ms"]) == (10, None)


def test_where_nothing_was_measured_the_lists_are_empty(store):
    fill(store)

    for home, size_ms in (("home-1", QUARTER_MS), ("home-3", MINUTE_MS), ("home-3", None)):
        found = asked(store, home, size_ms=size_ms)
        assert (found["count"], found["start_ms"], found["mean"]) == (0, [], [])


@pytest.mark.parametrize("size_ms", [None, *ROLLUPS])
def test_a_series_is_read_out_of_a_range_of_a_key(store, size_ms):
    given = {"home": "home-1", "channel": SOC, "start_ms": 0, "end_ms": END_MS, "most": 9}
    with store.write() as connection:
        # of an empty table it would choose to read everything
        for way in ("seqscan", "bitmapscan") if store.is_postgres else ():
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        explain = "EXPLAIN " if store.is_postgres else "EXPLAIN QUERY PLAN "
        for query in series_queries(connection.dialect.name, size_ms):
            bound = query.params(given).compile(
                connection.engine, compile_kwargs={"literal_binds": True}
            )
            rows = connection.exec_driver_sql(explain + str(bound).replace("%", "%%")).all()
            plan = "\n".join(str(row[-1]) for row in rows)
            columns = ("end_ms",) if size_ms is None else ("channel_number", "start_ms")
            if store.is_postgres:
                line = next(each for each in plan.splitlines() if "Index Cond: ((home_n" in each)
                assert all(f"{name} >" in line for name in columns[-1:]), plan
                assert all(f"{name} =" in line for name in columns[:-1]), plan
                assert "Seq Scan" not in plan
            else:
                table = "telemetry" if size_ms is None else ROLLUPS[size_ms].name
                line = next(each for each in plan.splitlines() if f"SEARCH {table} " in each)
                *same, ranged = ("home_number", *columns)
                ends = f"{ranged}>? AND {ranged}<?"
                wanted = " AND ".join((*(f"{name}=?" for name in same), ends))
                assert f"PRIMARY KEY ({wanted})" in line, plan
                assert "SCAN telemetry" not in plan
                assert "TEMP B-TREE" not in plan
