"""What a home reports now, of what it metered and what the contract has."""

from dataclasses import replace

from contracts.promise import Report
from hems.agent.ledger.report_plan import Draft, Due, Plan, Refusal, Sight, Terms, plan_reports

HOME = "0x" + 39 * "0" + "1"
TERMS = Terms(interval_s=1800, grace_s=600, tolerance_s=60)
SIGHT = Sight(
    enrolled=True,
    capacity_wh=10_000,
    rating_w=12_000,
    interval=100,
    reported_s=100 * 1800,
    net_export_wh=0,
    nonce=7,
    now_s=100 * 1800 + 900,
)
DUE = Due(
    account=HOME,
    ends=[(100, 400.4)],
    target=100,
    total_wh=400.4,
    soc_bp=5000,
    now_s=100 * 1800 + 900,
)


def draft(nonce, interval, net_export_wh):
    report = Report(account=HOME, interval=interval, net_export_wh=net_export_wh, soc_bp=5000)
    return Draft(nonce=nonce, report=report)


def planned(due=DUE, *, sight=SIGHT, taken_wh=0, fixed=(), refusal=None):
    return plan_reports(
        due, sight=sight, terms=TERMS, taken_wh=taken_wh, fixed=fixed, refusal=refusal
    )


def test_the_total_less_what_is_taken_is_due_rounded_once():
    assert planned(taken_wh=150) == Plan(drafts=(draft(7, 100, 250),), kept_back_wh=0)
    assert planned(replace(DUE, total_wh=400.6, ends=[(100, 400.6)]), taken_wh=401) == Plan(
        drafts=(draft(7, 100, 0),), kept_back_wh=0
    )


def test_an_interval_that_still_takes_reports_gets_its_own_first():
    late = replace(DUE, ends=[(100, 400.4), (101, 450.0)], total_wh=450, target=101)
    now_s = 101 * 1800 + 500
    found = planned(replace(late, now_s=now_s), sight=replace(SIGHT, now_s=now_s))
    assert found.drafts == (draft(7, 100, 400), draft(8, 101, 50))

    over_s = 101 * 1800 + 600
    found = planned(replace(late, now_s=over_s), sight=replace(SIGHT, now_s=over_s))
    assert found.drafts == (draft(7, 101, 450),)


def test_a_member_that_reported_for_an_interval_does_not_go_back():
    now_s = 101 * 1800 + 500
    late = replace(DUE, ends=[(100, 400.4), (101, 450.0)], total_wh=450, target=100, now_s=now_s)
    found = planned(late, sight=replace(SIGHT, interval=101, now_s=now_s))
    assert found.drafts == (draft(7, 101, 450),)


def test_what_is_beyond_the_rating_stays():
    much = replace(DUE, ends=[(100, 9000.0)], total_wh=9000.0)
    assert planned(much) == Plan(drafts=(draft(7, 100, 3200),), kept_back_wh=5800)
    half = replace(SIGHT, reported_s=100 * 1800 + 600, net_export_wh=3000)
    assert planned(much, sight=half).drafts == (draft(7, 100, 200),)
    assert planned(much, refusal=Refusal(most_wh=120)).drafts == (draft(7, 100, 120),)


def test_what_counted_before_a_reorganisation_goes_again_as_it_was():
    fixed = [draft(7, 100, 120), draft(8, 100, 80)]
    assert planned(fixed=fixed).drafts == (draft(9, 100, 200),)


def test_one_of_these_that_is_refused_is_replaced_under_its_number():
    fixed = [draft(7, 99, 120), draft(8, 100, 80)]
    assert planned(fixed=fixed).drafts == (draft(7, 100, 320),)
    fixed = [draft(7, 100, 120), draft(8, 100, 80)]
    assert planned(fixed=fixed, refusal=Refusal()).drafts == (draft(7, 100, 320),)


def test_a_computer_behind_the_chain_reports_for_the_chain_s_interval():
    ahead = replace(SIGHT, now_s=102 * 1800 + 700)
    assert planned(sight=ahead).drafts == (draft(7, 102, 400),)
