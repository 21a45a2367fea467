"""A home's books on the real contract: what is metered is reported, once, for its interval."""

from contracts.promise import Member, Report


def test_energy_is_reported_for_the_interval_that_it_flowed_in(home):
    home.wait(900, power_w=2000.0)
    home.report(0)
    home.wait(900)
    home.wait(7)
    home.report(0)
    home.wait(893, power_w=-1000.0)
    home.report(1)

    assert (home.counted(0), home.counted(1)) == (1000, -244)
    assert home.standing().reported_wh == 756
    assert home.lines == []


def test_a_lost_request_is_made_again_and_a_lost_answer_is_not_counted_twice(home):
    for fate in ("before", "after", "after", "before", "pass"):
        home.wait(300, power_w=1200.0)
        home.faulty.plan = [fate]
        home.report()

    home.report()

    assert home.counted(0) == 500
    assert home.standing().reported_wh == 500
    assert home.lines == ["ledger lost: lost on the way", "ledger back"]


def test_the_last_of_an_interval_is_still_reported_for_it_in_its_grace_time(home):
    home.wait(900, power_w=2000.0)
    home.faulty.plan = ["before", "before"]
    home.report()
    home.wait(900)
    home.report(0)
    home.wait(500, power_w=4000.0)
    home.report(1)

    assert (home.counted(0), home.counted(1)) == (1000, 200)
    home.wait(60)
    home.report()
    assert home.counted(1) == 600  # what the rest of a block's time carries
    home.wait(60)
    home.report()
    assert home.counted(1) == 689


def test_energy_that_its_interval_cannot_take_any_more_is_in_the_next_report(home):
    home.wait(1800, power_w=2000.0, every_s=30.0)
    home.faulty.plan = ["before"]
    home.report(0)
    home.wait(700, power_w=0.0)
    home.report(1)

    assert (home.counted(0), home.counted(1)) == (0, 1000)


def test_a_report_left_open_whose_interval_is_over_is_replaced_under_its_number(home):
    home.wait(1800, power_w=2000.0)
    home.faulty.plan = ["before"]
    home.report(0)
    home.wait(900, power_w=1000.0)
    home.faulty.plan = ["before"]
    home.report(1)
    home.wait(900)
    home.report(1)

    assert (home.counted(0), home.counted(1)) == (0, 1500)
    assert home.ledger.fleet.nonces([home.settings.account]) == [1]


def test_what_the_connection_cannot_carry_stays_due_and_is_told_once(home):
    home.wait(600, power_w=90_000.0)
    home.report()
    home.wait(600, power_w=0.0)
    home.report()
    assert home.counted(0) == 2200 + 2000
    assert home.standing().unreported_wh == 15_000 - 4200
    home.wait(3600 * 4, every_s=600.0)
    for _ in range(20):
        home.wait(600)
        home.report()

    assert home.counted_all() == 15_000
    told = [each for each in home.lines if each.startswith("report size")]
    assert told == [
        "report size lost: 12800 Wh are more than the connection of 12000 W carries in the time; "
        "they stay due: check the meter and the rating",
        "report size back",
    ]


def test_a_home_that_is_no_member_is_told_once_and_keeps_metering(home):
    home.ledger.fleet.retire(home.settings.account)
    for _ in range(3):
        home.wait(300, power_w=1200.0)
        home.report()
    assert home.lines == [
        f"reports lost: {home.settings.account} is not a member of the fleet; let the aggregator "
        "enrol it; the energy is metered meanwhile"
    ]
    home.ledger.fleet.enrol(
        [Member(account=home.settings.account, capacity_wh=10_000, grid_power_w=12_000)]
    )
    home.wait(300)
    home.report()

    assert home.counted(0) == 400
    assert home.lines[1:] == ["reports back"]


def test_a_pause_of_the_contract_only_delays(home):
    home.wait(600, power_w=3000.0)
    home.ledger.fleet.pause()
    home.report()
    home.wait(600)
    home.report()
    home.ledger.fleet.unpause()
    home.wait(300)
    home.report()

    assert home.counted(0) == 1250
    assert home.lines == [
        "reports lost: the aggregator has stopped reports; keep them and try again later, grace "
        "time stands still",
        "reports back",
    ]


def test_a_gateway_that_is_killed_goes_on_where_it_was(home):
    home.wait(600, power_w=3000.0)
    home.report()
    home.wait(300)
    home.faulty.plan = ["after"]
    home.report()
    home.open()
    home.wait(300)
    home.report()

    assert home.counted(0) == 1000
    assert home.standing().reported_wh == 1000


def test_a_new_gateway_counts_from_its_own_begin(home):
    home.wait(600, power_w=3000.0)
    home.report()
    home.path.unlink()
    home.open()
    home.read()
    home.wait(300)
    home.report()

    assert home.counted(0) == 750
    assert home.standing().reported_wh == 250


def test_reports_that_are_not_ours_are_told_and_make_the_sum_right(home):
    home.wait(600, power_w=3000.0)
    home.report()
    stranger = Report(
        account=home.settings.account,
        interval=home.first,
        net_export_wh=100,
        soc_bp=5000,
    )
    home.ledger.fleet.report_all([stranger])
    home.wait(300)
    home.report()

    assert home.counted(0) == 750
    assert home.lines == [
        f"ledger: reports of {home.settings.account} were counted that this gateway does not "
        "know; let one gateway at a time report for it"
    ]


def test_a_reorganisation_takes_reports_back_and_they_are_handed_in_as_they_were(home):
    home.wait(600, power_w=3000.0)
    home.report()
    before = home.snapshot()
    home.wait(600)
    home.report()
    home.wait(300)
    home.report()
    assert home.counted(0) == 1250
    home.revert(before)
    assert home.counted(0) == 500
    for _ in range(4):  # reports of one block share the time since the last one
        home.wait(60)
        home.report()

    assert home.counted(0) == 1450
    assert home.lines == [
        "ledger: 2 reports are off the chain after a reorganisation; they are handed in again"
    ]


def test_a_reorganisation_across_the_end_of_an_interval_leaves_each_its_own(home):
    home.wait(900, power_w=2000.0)
    home.report()
    before = home.snapshot()
    home.wait(900)
    home.report(0)
    home.wait(300, power_w=-2000.0)
    home.report()
    home.open()
    home.revert(before)
    home.wait(200)
    home.report()
    home.wait(100)
    home.report()

    assert (home.counted(0), home.counted(1)) == (1000, -333)


def test_a_reorganisation_too_late_for_its_interval_moves_the_energy_and_loses_none(home):
    home.wait(900, power_w=2000.0)
    home.report()
    before = home.snapshot()
    home.wait(900)
    home.report(0)
    home.revert(before)
    home.wait(900, power_w=0.0)
    home.report()
    home.wait(300)
    home.report()

    assert (home.counted(0), home.counted(1)) == (500, 500)


def test_another_fleet_s_contract_starts_at_what_is_not_reported(home):
    home.wait(600, power_w=3000.0)
    home.report()
    home.move_to_another_fleet()
    home.open()
    home.wait(300)
    home.report()

    assert home.counted(0) == 250
    assert home.standing().reported_wh == 750


def test_a_memory_that_cannot_be_written_is_told_once_and_reports_go_on(home):
    home.wait(600, power_w=3000.0)
    home.report()
    home.store.rows("PRAGMA query_only = ON")
    home.wait(600)
    home.report()
    assert home.counted(0) == 1000
    home.store.rows("PRAGMA query_only = OFF")
    home.wait(300)
    home.report()
    home.open()
    home.wait(300)
    home.report()

    assert home.counted(0) == 1500
    assert [each.split(": ")[0] for each in home.lines] == [
        "energy record lost",
        "ledger record lost",
        "energy record back",
        "ledger record back",
    ]


def test_the_battery_s_charge_is_awaited_before_the_first_report(home):
    home.path.unlink()
    home.open()
    home.report()
    assert home.lines == ["reports lost: meter and battery have not been read yet; see to them"]
    home.read()
    home.report()
    assert home.lines[1:] == ["reports back"]


def test_a_clock_that_is_ahead_costs_one_refusal_and_loses_nothing(home):
    home.wait(900, power_w=1000.0)
    home.report()
    home.clock.now_s += 3600
    for _ in range(4):
        for _ in range(3):
            home.step(20)
        home.report()
    assert len(home.faulty.sent) == 2
    assert home.counted(0) == 250
    home.clock.now_s -= 3600
    home.wait(60)
    home.report()

    assert home.counted(0) == 333
    assert home.lines == [
        f"reports lost: interval {home.first + 2} is in the future, {home.first} is running; "
        "check the clock",
        "reports back",
    ]


def test_reports_of_a_full_disk_s_time_are_found_again_after_a_kill(build_home, tmp_path):
    home = build_home(tmp_path / "state.sqlite")
    home.start(counters=True)
    home.wait(900, power_w=3000.0)
    home.report()
    home.store.rows("PRAGMA query_only = ON")
    for _ in range(4):
        home.wait(1800)
        home.report()
    before_wh = home.counted_all()
    home.open()
    home.read()
    home.report()
    home.report()

    assert before_wh == round(home.true_wh) == 6_750
    assert home.counted_all() == 6_750
