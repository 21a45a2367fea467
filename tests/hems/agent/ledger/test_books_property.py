"""Whatever fails when: no energy is lost and none counts twice."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FATES = st.sampled_from(["pass", "pass", "before", "after"])
STEPS = st.one_of(
    st.tuples(
        st.just("flow"),
        st.integers(20, 900),
        st.integers(-4000, 4000),
    ),
    st.tuples(st.just("report"), st.lists(FATES, max_size=3)),
    st.tuples(st.just("kill")),
    st.tuples(st.just("remember")),
    st.tuples(st.just("reorganise")),
    st.tuples(st.just("pause")),
)


def do(home, step, values, kept):
    """Do what a step says; ``kept`` holds the chain as it was."""
    if step == "flow":
        home.wait(values[0], power_w=values[1], every_s=20.0)
    elif step == "report":
        home.faulty.plan = values[0]
        home.report()
        home.faulty.plan = []
    elif step == "kill":
        home.open()
    elif step == "remember":
        kept[:] = [home.snapshot()]
    elif step == "reorganise" and kept:
        home.revert(kept[0])
    elif step == "pause" and not home.ledger.fleet.paused():
        home.ledger.fleet.pause()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=25), counters=st.booleans())
def test_what_is_counted_comes_to_what_flowed(build_home, tmp_path_factory, steps, counters):
    home = build_home(tmp_path_factory.mktemp("home") / "state.sqlite")
    home.start(counters=counters)
    kept = []
    for step, *values in steps:
        do(home, step, values, kept)
    if home.ledger.fleet.paused():
        home.ledger.fleet.unpause()
    home.wait(1, power_w=0.0)
    for _ in range(40):
        home.wait(900, every_s=30.0)
        home.report()
        if abs(home.standing().unreported_wh) < 0.5:
            break

    assert abs(home.counted_all() - home.true_wh) <= 1
    assert home.standing().reported_wh == home.counted_all()
    assert abs(home.standing().unreported_wh) <= 0.5 + 1e-6


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slots=st.lists(
        st.lists(st.tuples(st.integers(-5000, 5000), FATES, st.booleans()), min_size=2, max_size=2),
        min_size=2,
        max_size=4,
    ),
    counters=st.booleans(),
)
def test_each_interval_has_its_own_energy_where_the_ledger_is_there_in_time(
    build_home, tmp_path_factory, slots, counters
):
    home = build_home(tmp_path_factory.mktemp("home") / "state.sqlite")
    home.start(counters=counters)
    energies_wh = []
    for slot, parts in enumerate(slots):
        flowed_wh = 0.0
        for power_w, fate, killed in parts:
            home.wait(900, power_w=power_w, every_s=20.0)
            flowed_wh += power_w / 4
            home.faulty.plan = [fate]
            home.report(slot)
            home.faulty.plan = []
            if killed:
                home.open()
        home.report(slot)  # the ledger is there, at the latest in the grace time
        energies_wh.append(flowed_wh)

    found = [home.counted(slot) for slot in range(len(slots))]
    assert all(
        abs(found_wh - flowed_wh) <= 1 + 1e-6
        for found_wh, flowed_wh in zip(found, energies_wh, strict=True)
    )
