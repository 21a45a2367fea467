"""The loop of reports: at each t_sc, and again soon where one did not get through."""

from dataclasses import replace


def test_reports_come_at_each_multiple_of_t_sc_a_constant_moment_later(home):
    home.wait(100, power_w=1000.0)
    home.run(2 * 3600)

    times_s = [at_s - home.begin_s for at_s, _ in home.faulty.sent]
    offset_s = times_s[1] - 900
    assert 5 <= offset_s <= 35
    assert times_s == [100, *[900 * each + offset_s for each in range(1, 8)]]
    assert [home.counted(slot) for slot in range(3)] == [500, 500, 500]
    assert home.lines == []


def test_a_report_that_did_not_get_through_is_tried_again_in_the_grace_time(home):
    home.settings = replace(home.settings, report_jitter_s=0.0)
    home.open()
    home.wait(1700, power_w=1000.0)
    home.faulty.plan = ["pass", *["before"] * 5]
    home.run(3700)

    assert (home.counted(0), home.counted(1)) == (500, 500)
    assert home.lines == ["ledger lost: lost on the way", "ledger back"]


def test_a_home_that_is_no_member_asks_at_each_t_sc_only(home):
    home.ledger.fleet.retire(home.settings.account)
    home.wait(100, power_w=1000.0)
    home.run(3600)

    assert len(home.lines) == 1
    assert home.faulty.looks == 4
