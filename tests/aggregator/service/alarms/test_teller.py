"""Alarms are told to people and programs: gathered, again until taken, and when they are over."""

import json
from dataclasses import replace

from aggregator.service.alarms.book import AlarmBook
from aggregator.service.alarms.channels import channels_of
from aggregator.service.alarms.gauges import Reading
from aggregator.service.alarms.teller import Teller

MINUTE_MS = 60_000


def test_an_alarm_is_a_letter_over_starttls_with_a_password(quick_fleet, post):
    quick_fleet.homes(1)
    settings = post.settings()
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    quick_fleet.begin("temperature", [1])

    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=0.0) == 1
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=1e6) == 0
    ((recipients, letter),) = post.letters
    assert recipients == ["day@example.org", "night@example.org"]
    assert letter["Subject"] == "Gridpact: temperature at home-1"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r\n", "\n") == (
        "temperature: 1\n"
        "  2026-06-01 12:01:00 UTC home-1: the battery has 60.0 °C, more than 50 °C\n"
    )
    assert quick_fleet.told_ms() == [quick_fleet.now_ms]


def test_ten_thousand_alarms_are_one_message_and_the_next_one_waits(quick_fleet, hook):
    quick_fleet.homes(10_000)
    settings = hook.settings(pause_s=60.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    quick_fleet.begin("silent", list(range(1, 10_001)))
    quick_fleet.begin("ledger", [0])
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=100.0) == 1
    quick_fleet.begin("soc", [1])
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=159.0) == 0
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=160.0) == 1

    bodies = [json.loads(body) for _, body in hook.heard]
    assert [each["count"] for each in bodies] == [10_001, 1]
    assert [(each["kind"], each["count"], len(each["alarms"])) for each in bodies[0]["kinds"]] == [
        ("ledger", 1, 1),
        ("silent", 10_000, 10),
    ]
    assert bodies[1]["kinds"][0]["alarms"] == [
        {
            "number": 10_002,
            "home": "home-1",
            "severity": "warning",
            "state": "raised",
            "line": "the state of charge is 6000.0% outside of its window",
            "raised_ms": quick_fleet.now_ms,
            "resolved_ms": None,
            "resolved_by": None,
        }
    ]
    assert None not in quick_fleet.told_ms()


def test_one_channel_that_fails_is_tried_again_and_the_other_is_told_once(quick_fleet, hook, post):
    quick_fleet.homes(2)
    lines = []
    settings = post.settings(**hook.table(), pause_s=1.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, lines.append)
    quick_fleet.begin("silent", [1])
    hook.status = 500
    turns = [teller.turn(now_ms=quick_fleet.now_ms, now_s=now_s) for now_s in (0, 1.9, 2, 5.9)]
    assert turns == [1, 0, 0, 0]
    assert (len(hook.heard), len(post.letters), quick_fleet.told_ms()) == (2, 1, [None])
    quick_fleet.begin("silent", [2])
    quick_fleet.end("silent", [1])
    hook.status = 204
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=6.0) == 2

    last = json.loads(hook.heard[-1][1])["kinds"][0]["alarms"]
    assert [(each["home"], each["state"]) for each in last] == [
        ("home-1", "resolved"),
        ("home-2", "raised"),
    ]
    assert len(post.letters) == 2
    assert None not in quick_fleet.told_ms()
    # by letter it was told while it stood, so its end is told as well
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=7.0) == 2
    assert hook.events()[-1] == [("over", "home-1", "resolved")]
    assert lines == [
        "alarms not told: webhook: HTTP 500; see to the server or [alarms] webhook_url",
        "alarms are told again: webhook",
    ]


def test_alarms_wait_a_moment_for_others_and_those_that_were_over_long_ago_are_no_news(
    quick_fleet, hook
):
    quick_fleet.homes(3)
    settings = hook.settings(gather_s=5.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    quick_fleet.begin("silent", [1, 2])
    quick_fleet.end("silent", [1])
    quick_fleet.now_ms += 25 * 60 * MINUTE_MS
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=0.0) == 1  # one goes on
    quick_fleet.begin("silent", [3])
    assert teller.turn(now_ms=quick_fleet.now_ms + 4_999, now_s=60.0) == 0
    assert teller.turn(now_ms=quick_fleet.now_ms + 5_000, now_s=60.0) == 1
    quick_fleet.begin("silent", [1])  # and then our clock is set back
    assert teller.turn(now_ms=quick_fleet.now_ms - 60 * MINUTE_MS, now_s=120.0) == 1

    assert hook.events() == [[("begun", f"home-{n}", "raised")] for n in (2, 3, 1)]


def test_what_was_told_is_told_once_when_it_is_over_also_by_the_next_process(
    quick_fleet, hook, post
):
    quick_fleet.homes(5)
    settings = post.settings(**hook.table(),
        pause_s=0.0,
    )  # fmt: skip

    def started():
        return Teller(quick_fleet.store, channels_of(settings), settings, print)

    def turns(teller):
        quick_fleet.now_ms += 1_000
        return [teller.turn(now_ms=quick_fleet.now_ms, now_s=now_s) for now_s in (0.0, 1.0)]

    teller = started()
    quick_fleet.begin("temperature", [1, 2, 3, 4, 5])
    assert turns(teller) == [2, 0]
    quick_fleet.end("temperature", [1])
    AlarmBook(quick_fleet.store).resolve(2, who="token-3", at_ms=quick_fleet.now_ms)
    assert turns(teller) == [2, 0]
    quick_fleet.end("temperature", [3])
    assert turns(started()) == [2, 0]
    quick_fleet.now_ms -= 60 * MINUTE_MS  # our clock is set back
    quick_fleet.end("temperature", [4])
    assert turns(started()) == [2, 0]
    silent = replace(settings, tell_over=False)
    quick_fleet.end("temperature", [5])
    assert turns(Teller(quick_fleet.store, channels_of(settings), silent, print)) == [0, 0]

    assert hook.events()[1:] == [
        [("over", "home-1", "resolved"), ("over", "home-2", "resolved")],
        [("over", "home-3", "resolved")],
        [("over", "home-4", "resolved")],
    ]
    assert len({json.loads(body)["id"] for _, body in hook.heard}) == 4
    assert [letter["Subject"] for _, letter in post.letters] == [
        "Gridpact: 5 alarms (5 temperature)",
        "Gridpact: 2 alarms (2 over: temperature)",
        "Gridpact: over: temperature at home-3",
        "Gridpact: over: temperature at home-4",
    ]
    line = "2026-06-01 12:01:00 UTC home-{}: the battery has 60.0 °C, more than 50 °C"
    until = " (until 2026-06-01 12:01:01 UTC{})"
    assert post.letters[1][1].get_content().replace("\r\n", "\n") == (
        "over: temperature: 2\n"
        f"  {line.format(1)}{until.format('')}\n"
        f"  {line.format(2)}{until.format(', resolved by token-3')}\n"
    )


def test_what_nobody_acknowledges_is_told_again_together_with_what_soon_would_be(quick_fleet, hook):
    quick_fleet.homes(4)
    settings = hook.settings(pause_s=0.0, repeat_h=4.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    hours = []
    for hour in range(9):
        if hour < 4:
            quick_fleet.begin("silent", [hour + 1])
        if hour == 1:
            AlarmBook(quick_fleet.store).acknowledge(2, who="token-1", at_ms=quick_fleet.now_ms)
        hours.append(teller.turn(now_ms=quick_fleet.now_ms, now_s=float(hour)))
        quick_fleet.now_ms += 60 * MINUTE_MS

    assert hours == [1, 1, 1, 1, 1, 0, 0, 1, 0]
    assert hook.events()[4:] == [
        [("again", "home-1", "raised"), ("again", "home-3", "raised")],
        [("again", f"home-{n}", "raised") for n in (1, 3, 4)],
    ]
    assert len({json.loads(body)["id"] for _, body in hook.heard}) == 6


def test_a_channel_that_is_down_for_long_holds_up_no_other_and_is_told_what_it_missed(
    quick_fleet, hook, post
):
    quick_fleet.homes(2)
    settings = post.settings(**hook.table(),
        pause_s=0.0, channel_lost_s=300.0,
    )  # fmt: skip
    teller = Teller(quick_fleet.store, channels_of(settings), settings, [].append)

    def turn(now_s):
        quick_fleet.now_ms += 1_000
        return teller.turn(now_ms=quick_fleet.now_ms, now_s=now_s), teller.untaken(now_s)

    assert teller.untaken(0.0) is None
    quick_fleet.begin("silent", [1])
    hook.status = 503
    why = " (webhook: HTTP 503; see to the server or [alarms] webhook_url)"
    assert turn(0.0) == (1, Reading(0.0, why))
    assert (turn(299.0), quick_fleet.told_ms()) == ((0, Reading(299.0, why)), [None])
    assert (turn(300.0), None in quick_fleet.told_ms()) == ((0, Reading(300.0, why)), False)
    quick_fleet.end("silent", [1])
    quick_fleet.begin("soc", [2], value=0.05)
    assert turn(400.0) == (1, Reading(400.0, why))
    hook.status = 204
    assert turn(2_000.0) == (1, Reading(0.0))
    assert turn(3_000.0) == (0, Reading(0.0))

    assert sorted(hook.events()[-1]) == [
        ("begun", "home-1", "raised"),
        ("begun", "home-2", "raised"),
        ("over", "home-1", "resolved"),
    ]
    assert [letter["Subject"] for _, letter in post.letters] == [
        "Gridpact: silent at home-1",
        "Gridpact: 2 alarms (1 soc, 1 over: silent)",
    ]
