"""What answers say of a command, whatever their number and order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.service.commands.verdict import Answer, Verdict, judge


def taken(heard_ms=1, *, accepted=True, code=None):
    body = {"accepted": accepted, "code": code, "reason": code and f"for {code}"}
    return Answer(kind="acknowledgement", heard_ms=heard_ms, body=body)


def ended(word, heard_ms=2, *, code=None):
    body = {"outcome": word, "code": code, "reason": code and f"for {code}"}
    return Answer(kind="outcome", heard_ms=heard_ms, body=body)


def verdict(state, *, finished_ms=2, code=None, **more):
    values = {
        "state": state,
        "acknowledged_ms": 1,
        "finished_ms": finished_ms,
        "outcome": state,
        "code": code,
        "reason": code and f"for {code}",
    }
    return Verdict(**values | more)


DOUBLED = taken(3, accepted=False, code="repeated")
CASES = {
    "it has it": ([taken()], Verdict(state="accepted", acknowledged_ms=1)),
    "it has it already": ([DOUBLED], Verdict(state="accepted", acknowledged_ms=3)),
    "it did it": ([taken(), ended("done")], verdict("done")),
    "it did it, the acknowledgement is lost": (
        [ended("done")],
        verdict("done", acknowledged_ms=None),
    ),
    "it did it, and was asked twice": (
        [taken(), ended("done"), DOUBLED, ended("done", 4, code="repeated")],
        verdict("done"),
    ),
    "it did it, and only the second answer came": (
        [DOUBLED, ended("done", 4, code="repeated")],
        verdict("done", acknowledged_ms=3, finished_ms=4),
    ),
    "it had no room the first time": (
        [
            taken(accepted=False, code="busy"),
            ended("refused", code="busy"),
            taken(3),
            ended("done", 4),
        ],
        verdict("done", finished_ms=4),
    ),
    "it does not take it": (
        [taken(accepted=False, code="malformed")],
        verdict("refused", finished_ms=1, code="malformed"),
    ),
    "it does not take it any more": (
        [taken(accepted=False, code="expired"), ended("expired", code="expired")],
        verdict("expired", code="expired"),
    ),
    "the device refused, and it was asked twice": (
        [
            taken(),
            DOUBLED,
            ended("refused", 4, code="repeated"),
            ended("refused", 5, code="ignored"),
        ],
        verdict("refused", finished_ms=5, code="ignored"),
    ),
    "it did it, and not to its end": (
        [taken(), ended("done"), ended("aborted", 9, code="unavailable")],
        verdict("aborted", finished_ms=9, code="unavailable"),
    ),
    "it did it, not to its end, and that was heard first": (
        [taken(), ended("aborted", code="ignored"), ended("done", 3)],
        verdict("aborted", code="ignored"),
    ),
    "it did it, not to its end, and was asked again": (
        [taken(), ended("aborted", 3, code="repeated"), ended("aborted", 4, code="budget-spent")],
        verdict("aborted", finished_ms=4, code="budget-spent"),
    ),
    "a word that nobody knows": (
        [taken(), ended("maybe", code="odd")],
        verdict("refused", code="odd"),
    ),
    "no words at all": (
        [taken(), Answer(kind="outcome", heard_ms=2, body={"outcome": 7, "code": []})],
        verdict("refused"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_what_the_battery_did(name):
    answers, expected = CASES[name]

    assert judge(answers, until_ms=100) == expected


def test_an_outcome_after_its_time_is_late():
    answers = [taken(), ended("done")]

    assert [judge(answers, until_ms=until).late for until in (1, 2)] == [True, False]


def test_what_was_done_in_time_and_aborted_after_an_hour_is_not_late():
    answers = [taken(), ended("done"), ended("aborted", 3_600_000, code="unavailable")]

    assert [judge(answers, until_ms=until).late for until in (1, 2)] == [True, False]


@given(st.permutations([*CASES["it had no room the first time"][0], DOUBLED, DOUBLED]))
def test_what_was_done_was_done_in_whatever_order_it_is_told(answers):
    assert judge(answers, until_ms=100).state == "done"
