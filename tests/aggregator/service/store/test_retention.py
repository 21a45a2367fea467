"""What is over goes after its time, in small steps; what is open stays, however old."""

import pytest
from sqlalchemy import func, insert, select

from aggregator.service.store.retention import RetentionSettings, forget_old
from aggregator.service.store.tables import (
    alarms,
    answers,
    audit,
    commands,
    homes,
    homes_now,
    papers,
    refusals,
    runs,
    settlements,
)
from aggregator.service.store.telemetry import DAY_MS

NOW_MS = 1_780_272_000_000  # 2026-06-01
OLD_MS, NEW_MS = NOW_MS - 40 * DAY_MS, NOW_MS - 20 * DAY_MS
OLD_DAY, NEW_DAY = "2026-04-22", "2026-05-12"
SETTINGS = RetentionSettings(history_days=30, audit_days=60)


def order(name, at_ms, state):
    return {
        "correlation_id": name, "request_id": "r", "home_number": 1, "target": "fleet", "body": {},
        "asked_by": "me", "state": state, "asked_ms": at_ms, "expires_ms": at_ms,
    }  # fmt: skip


def answer(name, at_ms, order_id):
    return {"home_number": 1, "id": name, "kind": "outcome", "correlation_id": order_id,
            "at_ms": at_ms, "heard_ms": at_ms, "body": {}}  # fmt: skip


def alarm(name, state, raised_ms, resolved_ms):
    return {"kind": name, "state": state, "severity": "minor", "line": "", "raised_ms": raised_ms,
            "resolved_ms": resolved_ms}  # fmt: skip


def run(number, day, state, ended_ms):
    return {"number": number, "step": "plan", "day": day, "state": state, "began_ms": OLD_MS,
            "ended_ms": ended_ms, "asked_by": "me"}  # fmt: skip


def paper(day, number):
    return {"kind": "plan", "day": day, "run_number": number, "body": {}}


def logged(name, at_ms):
    return {"at_ms": at_ms, "who": "me", "action": name, "target": "", "outcome": "done"}


GIVEN = {
    homes: [{"number": 1, "id": "home-1", "created_ms": 0}],
    commands: [
        *(order(f"old-{state}", OLD_MS, state) for state in ("waiting", "sent", "accepted")),
        *(order(f"old-{n}", OLD_MS, "done") for n in range(1_200)),
        order("old-unanswered", OLD_MS, "unanswered"),
        order("new", NEW_MS, "done"),
    ],
    answers: [
        answer("to-open", OLD_MS, "old-sent"),
        *(answer(f"to-{n}", OLD_MS, f"old-{n}") for n in range(1_200)),
        answer("to-nothing", OLD_MS, None),
        answer("to-new", NEW_MS, "new"),
    ],
    alarms: [
        alarm("over", "resolved", OLD_MS, OLD_MS),
        alarm("long", "resolved", OLD_MS, NEW_MS),
        alarm("raised", "raised", OLD_MS, None),
        alarm("seen", "acknowledged", OLD_MS, None),
    ],
    runs: [
        run(1, OLD_DAY, "done", OLD_MS),
        run(2, OLD_DAY, "running", None),
        run(3, OLD_DAY, "done", NEW_MS),
        run(4, NEW_DAY, "failed", NEW_MS),
    ],
    papers: [*(paper(OLD_DAY, number) for number in (1, 2, 3)), paper(NEW_DAY, 4)],
    refusals: [
        {"reason": "malformed", "sender": name, "count": 1, "last_ms": at_ms, "example": ""}
        for name, at_ms in (("old", OLD_MS), ("new", NEW_MS))
    ],
    audit: [logged("old", NOW_MS - 61 * DAY_MS), logged("kept", NOW_MS - 59 * DAY_MS)],
}


def test_what_is_over_goes_in_small_steps_and_what_is_open_or_younger_stays(store):
    books = {each.name: 1 for each in settlements.columns if not each.nullable}
    with store.write() as connection:
        for table, rows in GIVEN.items():
            connection.execute(insert(table), rows)
        connection.execute(insert(settlements).values(books))

    steps = list(forget_old(store, SETTINGS, now_ms=NOW_MS))

    assert max(steps) == 1_000
    assert sum(steps) == 1_201 + 1_201 + 1 + 1 + 1 + 1 + 1
    left = {
        commands.c.correlation_id: ["new", "old-accepted", "old-sent", "old-waiting"],
        answers.c.id: ["to-new", "to-open"],
        alarms.c.kind: ["long", "raised", "seen"],
        runs.c.number: [2, 3, 4],
        papers.c.run_number: [2, 3, 4],
        refusals.c.sender: ["new"],
        audit.c.action: ["kept"],
    }
    with store.read() as connection:
        for column, expected in left.items():
            found = connection.execute(select(column).order_by(column)).scalars().all()
            assert found == expected
        assert connection.scalar(select(func.count()).select_from(settlements)) == 1
    assert sum(forget_old(store, SETTINGS, now_ms=NOW_MS)) == 0


def test_a_clock_that_runs_ahead_throws_nothing_away(sqlite_store):
    with sqlite_store.write() as connection:
        for table, rows in GIVEN.items():
            connection.execute(insert(table), rows)
        connection.execute(insert(homes_now).values(home_number=1, end_ms=OLD_MS))

    assert sum(forget_old(sqlite_store, SETTINGS, now_ms=NOW_MS + 400 * DAY_MS)) == 0


@pytest.mark.parametrize("days", [(29, 60), (90, 60), (90, 40_000)])
def test_what_was_done_is_kept_at_least_as_long_as_what_it_was_done_about(days):
    history, log = days
    with pytest.raises(ValueError, match=f"are {history}, {log}; give 30 or more"):
        RetentionSettings(history_days=history, audit_days=log)
