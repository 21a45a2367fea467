"""Many rows at once come out as one by one."""

import math

import pytest
from sqlalchemy import insert, select

from aggregator.service.store.bulk import copy_rows, insert_rows
from aggregator.service.store.tables import homes_now, refusals, telemetry

LEAST, MOST = -(2**31), 2**31 - 1
FIGURES = (0.1, -0.0, 1e300, math.pi)
ROWS = [(n, 2**62 - n, n % 2**15, MOST - n, *FIGURES) for n in range(1, 600)]
NOW = [
    (1, True, 2**62, None, None, 0.5, -1e-300, 1 / 3, None, 0.0, 7),
    (2, None, None, 5, 6, None, None, None, None, 2.0**-1074, None),
    *((number, number % 2 == 0, *[None] * 9) for number in range(3, 200)),
]
REFUSED = [
    (reason, sender, 1, 2, sender)
    for reason in ("a", 'quote " and {brace}, NULL')
    for sender in ("null", "back\\slash", "line\nbreak", "Ünïcode 🔋", "'; DROP TABLE homes")
]


@pytest.mark.parametrize(
    ("table", "rows"), [(telemetry, ROWS), (homes_now, NOW), (refusals, REFUSED)]
)
def test_rows_at_once_are_the_rows_one_by_one(store, table, rows):
    order = table.primary_key.columns
    with store.write() as connection:
        connection.execute(
            insert(table), [dict(zip(table.c.keys(), of, strict=True)) for of in rows]
        )
        singly = connection.execute(select(table).order_by(*order)).all()
        connection.execute(table.delete())
        assert insert_rows(connection, table, rows[::2], "ON CONFLICT DO NOTHING") == len(rows[::2])
        left = len(rows) - len(rows[::2])
        if table is telemetry:
            assert copy_rows(connection, table, rows) == left
        else:
            assert insert_rows(connection, table, rows, "ON CONFLICT DO NOTHING") == left
        at_once = connection.execute(select(table).order_by(*order)).all()

    assert at_once == singly
    assert sorted(map(tuple, at_once), key=repr) == sorted(rows, key=repr)
