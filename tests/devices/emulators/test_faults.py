"""When a fault is injected, and that it is the same each time."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.emulators.faults import Fault, FaultPlan

READ = frozenset({Fault.TIMEOUT, Fault.BUSY, Fault.HALF_ANSWER})
WRITE = READ | {Fault.WRITE_IGNORED}


def test_device_in_good_health_shows_nothing():
    plan = FaultPlan.none()
    plan.require(frozenset())

    assert [plan.next_fault(WRITE) for _ in range(3)] == [None, None, None]
    assert plan.seen == Counter()


def test_fault_that_is_always_there_strikes_every_request_that_can_show_it():
    plan = FaultPlan.always(Fault.WRITE_IGNORED)

    struck = [plan.next_fault(offered) for offered in (READ, WRITE, READ, WRITE)]

    assert struck == [None, Fault.WRITE_IGNORED, None, Fault.WRITE_IGNORED]
    assert plan.seen == Counter({Fault.WRITE_IGNORED: 2})


@pytest.mark.parametrize("after", [0, 1, 3])
def test_fault_that_comes_once_lets_so_many_requests_pass(after):
    plan = FaultPlan.once(Fault.TIMEOUT, after=after)

    struck = [plan.next_fault(READ) for _ in range(6)]

    assert struck == [Fault.TIMEOUT if index == after else None for index in range(6)]
    assert plan.seen == Counter({Fault.TIMEOUT: 1})


def test_fault_that_comes_once_waits_for_a_request_that_can_show_it():
    plan = FaultPlan.once(Fault.WRITE_IGNORED, after=1)

    struck = [plan.next_fault(offered) for offered in (READ, WRITE, READ, WRITE, WRITE)]

    assert struck == [None, None, None, Fault.WRITE_IGNORED, None]


def test_plan_of_another_protocol_is_refused_at_the_start():
    plan = FaultPlan.always(Fault.WORDS_SWAPPED)

    with pytest.raises(
        ValueError, match=r"^fault plan: words-swapped .* it can: busy, half-answer"
    ):
        plan.require(READ)


def test_plan_that_the_protocol_can_show_is_taken():
    FaultPlan.random({Fault.TIMEOUT: 0.1, Fault.REBOOT: 0.0}, seed=1).require(READ)


def test_draws_of_a_seed_are_known_in_any_order_of_the_rates():
    rates = {Fault.TIMEOUT: 0.2, Fault.BUSY: 0.3}
    turned = {Fault.BUSY: 0.3, Fault.TIMEOUT: 0.2}

    one, other = FaultPlan.random(rates, seed=7), FaultPlan.random(turned, seed=7)
    struck = [one.next_fault(READ) for _ in range(1_000)]

    assert struck == [other.next_fault(READ) for _ in range(1_000)]
    assert one.seen == Counter(fault for fault in struck if fault)
    # four standard deviations of 1000 draws
    assert abs(one.seen[Fault.TIMEOUT] - 200) < 51
    assert abs(one.seen[Fault.BUSY] - 300) < 58


def test_requests_that_cannot_show_a_fault_do_not_shift_the_draws():
    rates = {Fault.TIMEOUT: 0.2, Fault.WRITE_IGNORED: 0.3}
    wide, narrow = FaultPlan.random(rates, seed=7), FaultPlan.random(rates, seed=7)

    struck = [(wide.next_fault(WRITE), narrow.next_fault(READ)) for _ in range(100)]

    assert all(less == (None if full is Fault.WRITE_IGNORED else full) for full, less in struck)
    assert narrow.seen == Counter({Fault.TIMEOUT: wide.seen[Fault.TIMEOUT]})


def test_another_seed_draws_another_row():
    rows = [
        [plan.next_fault(READ) for _ in range(100)]
        for plan in (FaultPlan.random({Fault.BUSY: 0.5}, seed=seed) for seed in (1, 2))
    ]

    assert rows[0] != rows[1]


def test_fault_at_rate_one_is_always_there():
    plan = FaultPlan.random({Fault.BUSY: 1.0}, seed=3)

    assert [plan.next_fault(READ) for _ in range(20)] == [Fault.BUSY] * 20


@given(st.sets(st.sampled_from(Fault)), st.integers(0, 99))
def test_only_what_is_offered_is_injected(offered, seed):
    plan = FaultPlan.random(dict.fromkeys(Fault, 1 / len(Fault)), seed=seed)

    struck = {plan.next_fault(frozenset(offered)) for _ in range(50)}

    assert struck <= offered | {None}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FaultPlan.once(Fault.BUSY, after=-1), "busy after -1 requests"),
        (lambda: FaultPlan.random({Fault.BUSY: 1.5}, 1), r"rate 1\.5 of busy is not in 0\.\.1"),
        (lambda: FaultPlan.random({Fault.BUSY: float("nan")}, 1), "rate nan of busy"),
        (lambda: FaultPlan.random({Fault.BUSY: 0.6, Fault.REBOOT: 0.6}, 1), "rates sum to 1.2"),
    ],
)
def test_plan_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_fault_has_a_name_for_a_command_line():
    assert [Fault(fault.value) for fault in Fault] == [*Fault]
    assert all(fault.value == fault.name.lower().replace("_", "-") for fault in Fault)
