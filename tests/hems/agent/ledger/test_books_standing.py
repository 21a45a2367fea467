"""What a home owes now: by the contract's answer, by the schedule, or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.promise import Clearing, Member, Report
from hems.agent.standing import Standing


def plant_reports(home, net_export_wh, slot=0):
    report = Report(
        account=home.plant, interval=home.first + slot, net_export_wh=net_export_wh, soc_bp=0
    )
    home.ledger.fleet.report_all([report])


def test_without_a_ledger_nothing_is_known(build_home):
    home = build_home()
    home.read()
    assert home.standing() == Standing(source="none")


def test_an_answer_is_what_the_fleet_owes_less_what_was_exported_since(home):
    home.wait(300, power_w=1200.0)
    home.report()
    home.wait(300)

    assert home.standing() == Standing(
        source="answer",
        soc_target=0.4,
        commitment_wh=1000,
        owed_wh=pytest.approx(1000 - 100 - 100),
        earned_micro=0,
        reported_wh=100,
        unreported_wh=pytest.approx(100),
    )


def test_a_refused_report_is_not_in_the_answer_and_stays_exported_since(home):
    home.wait(300, power_w=1200.0)
    home.report()
    home.ledger.fleet.pause()
    home.wait(300)
    home.report()

    assert home.standing().owed_wh == pytest.approx(1000 - 200)


def test_at_an_interval_s_begin_the_schedule_holds_and_the_old_one_s_energy_is_not_its(home):
    home.wait(1700, power_w=1200.0)
    home.report()
    home.wait(160)

    # 2000 Wh are promised and 20 Wh were exported since the interval began
    found = home.standing()
    assert (found.source, found.commitment_wh) == ("schedule", 2000)
    assert found.owed_wh == pytest.approx(2000 - 20)
    home.report(0)
    found = home.standing()
    assert (found.source, home.counted(0)) == ("answer", 600)
    assert found.owed_wh == pytest.approx(2000 - 20)


def test_the_share_survives_a_ledger_that_is_away_and_a_restart(home):
    twin = "0x" + 39 * "0" + "7"
    home.ledger.fleet.enrol([Member(account=twin, capacity_wh=10_000, grid_power_w=12_000)])
    same = Report(account=twin, interval=home.first, net_export_wh=0, soc_bp=5000)
    home.ledger.fleet.report_all([same])
    home.wait(300, power_w=0.0)
    home.report()
    assert home.standing().owed_wh == pytest.approx(500)
    home.wait(1800)
    home.open()

    found = home.standing()
    assert (found.source, found.commitment_wh) == ("schedule", 2000)
    assert found.owed_wh == pytest.approx(1000)
    assert home.books.standing(home.clock.utc() + timedelta(hours=40)).source == "none"


def test_without_a_weight_the_share_of_capacity_is_a_setting(build_home):
    home = build_home()
    home.promise(1000)
    home.start()
    home.ledger.fleet.pause()
    home.wait(60, power_w=0.0)
    for share, owed_wh in ((None, 0.0), (0.25, 250.0)):
        home.settings = replace(home.settings, capacity_share=share)
        home.open()
        home.read()
        asyncio.run(home.books._refresh())
        found = home.standing()
        assert (found.source, found.owed_wh) == ("schedule", owed_wh)


def test_the_plant_s_further_export_is_expected_to_pay_its_part(build_home):
    home = build_home()
    home.settings = replace(home.settings, plant_account=home.plant)
    home.open()
    home.promise(1000)
    home.start()
    home.wait(300, power_w=0.0)
    plant_reports(home, 50)
    home.report()
    home.wait(300)
    plant_reports(home, 100)
    home.report()

    # 850 Wh are owed; the plant gave 100 Wh in 300 s and has 1200 s to go
    assert home.standing().owed_wh == pytest.approx(850 - 400)


def test_a_schedule_that_changed_is_fetched_at_once(home):
    home.wait(60, power_w=0.0)
    home.report()
    home.wait(1800)
    home.promise_from(2, 700, 900)
    home.report()
    assert home.books.standing(home.clock.utc() + timedelta(seconds=1800)).commitment_wh == 0
    home.wait(1800)
    home.report()
    assert home.standing().commitment_wh == 700
    assert home.books.standing(home.clock.utc() + timedelta(seconds=1800)).commitment_wh == 900


def test_what_was_earned_is_told_claimed_or_not(home):
    owner = home.ledger.fleet.owner
    home.ledger.token.mint(owner, 10**12, owner=owner)
    home.ledger.settlement.fund(10**9)
    home.wait(1800, power_w=1000.0)
    home.report(0)
    assert home.standing().earned_micro == 0
    home.wait(600)
    home.ledger.settlement.post(
        [
            Clearing(
                interval=home.first,
                price_micro_per_mwh=100_000_000,
                imbalance_price_micro_per_mwh=50_000_000,
            )
        ]
    )
    (settled,) = home.ledger.settlement.settle([home.first])
    credit_micro = home.ledger.settlement.credit_micro(home.settings.account, home.first)
    assert credit_micro == settled.pool_micro > 0
    home.ledger.settlement.claim(home.settings.account, home.first, 1)
    home.wait(3600)
    for _ in range(3):
        home.wait(1800)
        home.report()
    home.open()

    assert home.standing().earned_micro == credit_micro
