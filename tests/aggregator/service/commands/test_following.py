"""Answers find their commands, whoever took them in and however late; others are given up."""

import pytest

from aggregator.service.commands.following import Following
from aggregator.service.commands.settings import CommandSettings

SECOND_MS = 1_000


@pytest.fixture
def following(desk):
    return Following(desk.store, CommandSettings(answer_s=30.0))


def accept(desk, name, number, **more):
    desk.answer(name, number, kind="acknowledgement", accepted=True, code=None, **more)


def test_answers_go_to_their_own_commands_and_to_no_others(desk, following):
    desk.homes(3)
    desk.order()
    for number in (1, 2, 3):
        desk.set(f"o1-{number}", state="sent")
    accept(desk, "o1-1", 1)
    desk.answer("o1-1", 2, outcome="done", code=None)
    accept(desk, "o1-2", 3, home=2)
    desk.answer("o1-3", 4, home=2, outcome="done", code=None)  # another home's word
    desk.answer("unheard-of", 5, outcome="done", code=None)

    assert following.take_answers() == 2
    assert following.take_answers() == 0
    assert desk.rows("correlation_id", "state", "acknowledged_ms", "finished_ms") == [
        ("o1-1", "done", desk.now_ms, desk.now_ms),
        ("o1-2", "accepted", desk.now_ms, None),
        ("o1-3", "sent", None, None),
    ]
    desk.answer("o1-2", 6, home=2, outcome="refused", code="budget-spent", reason="no more today")
    assert following.take_answers() == 1
    assert desk.rows("state", "code", "reason")[1] == ("refused", "budget-spent", "no more today")


def test_what_nobody_answers_is_given_up_when_its_time_is_over_and_says_at_which_step(
    desk, following
):
    desk.homes(5)
    desk.order()
    desk.set("o1-2", state="sent")
    desk.set("o1-3", state="accepted")
    desk.set("o1-5", state="sent")
    desk.change_home("home-4", retired=True)  # what waits for it is not sent any more
    desk.change_home("home-5", retired=True)
    expires_ms = desk.now_ms + 60 * SECOND_MS

    assert following.give_up(desk.now_ms) == 1
    assert following.give_up(expires_ms - 1) == 0
    assert following.give_up(expires_ms) == 1
    assert following.give_up(expires_ms + 30 * SECOND_MS - 1) == 0
    assert following.give_up(expires_ms + 30 * SECOND_MS) == 3
    assert desk.rows() == [
        ("o1-1", "expired", "not-sent"),
        ("o1-2", "unanswered", "no-acknowledgement"),
        ("o1-3", "unanswered", "no-outcome"),
        ("o1-4", "refused", "out-of-use"),
        ("o1-5", "unanswered", "no-acknowledgement"),
    ]


def test_a_late_answer_is_kept_and_marked_and_the_row_says_what_is_true(desk, following):
    desk.homes(2)
    desk.order()
    desk.set("o1-1", state="sent")
    desk.set("o1-2", state="sent")
    over_ms = desk.now_ms + 90 * SECOND_MS
    following.take_late(over_ms)
    following.give_up(over_ms)

    desk.answer("o1-1", 1, heard_ms=over_ms + 1, outcome="done", code=None)
    accept(desk, "o1-2", 2, home=2, heard_ms=over_ms + 1)
    assert following.take_answers() == 0
    assert following.take_late(over_ms + 2) == 2
    assert following.give_up(over_ms + 2) == 1
    assert following.take_late(over_ms + 3) in (0, 1)
    following.give_up(over_ms + 3)

    assert desk.rows("state", "code", "finished_ms", "late") == [
        ("done", None, over_ms + 1, True),
        ("unanswered", "no-outcome", None, False),
    ]


def test_a_second_answer_that_changes_the_verdict_is_taken_after_the_end(desk, following):
    desk.homes(1)
    desk.order()
    desk.set("o1-1", state="sent")
    following.take_late(desk.now_ms)
    desk.answer("o1-1", 1, outcome="refused", code="busy", reason="too many")
    following.take_answers()
    assert desk.rows() == [("o1-1", "refused", "busy")]

    desk.answer("o1-1", 2, heard_ms=desk.now_ms + 5, outcome="done", code=None)
    following.take_late(desk.now_ms + 5)
    assert desk.rows() == [("o1-1", "done", None)]


def test_after_a_start_answers_are_found_that_came_while_nobody_looked(desk):
    desk.homes(2)
    desk.order()
    desk.set("o1-2", state="unanswered")
    # killed between sending and marking: the row still says that it waits
    desk.answer("o1-1", 1, outcome="done", code=None)
    desk.answer("o1-2", 2, home=2, outcome="done", code=None)
    later_ms = desk.now_ms + 3_600 * SECOND_MS

    following = Following(desk.store, CommandSettings())
    assert following.take_late(later_ms) == 2
    following.give_up(later_ms)
    assert desk.rows() == [("o1-1", "done", None), ("o1-2", "done", None)]


def test_what_was_done_and_then_aborted_is_told_by_whoever_follows_then_and_after_a_start(
    desk, following
):
    desk.homes(3)
    desk.order()
    following.take_late(desk.now_ms)
    for number in (1, 2, 3):
        desk.set(f"o1-{number}", state="sent")
        desk.answer(f"o1-{number}", number, home=number, outcome="done", code=None)
    assert following.take_answers() == 3
    end = {"outcome": "aborted", "code": "unavailable", "reason": "no meter answers"}
    desk.answer("o1-1", 11, heard_ms=desk.now_ms + 5, **end)
    assert (following.take_answers(), following.take_late(desk.now_ms + 5)) == (0, 1)
    desk.answer("o1-2", 12, home=2, heard_ms=desk.now_ms + 9, **end)

    assert Following(desk.store, CommandSettings()).take_late(desk.now_ms + 3_600 * SECOND_MS) == 1
    assert desk.rows("state", "code", "reason", "finished_ms", "late") == [
        ("aborted", "unavailable", "no meter answers", desk.now_ms + 5, False),
        ("aborted", "unavailable", "no meter answers", desk.now_ms + 9, False),
        ("done", None, None, desk.now_ms, False),
    ]
