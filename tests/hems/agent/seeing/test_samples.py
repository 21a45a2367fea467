"""A bad sample is rejected with its reason and changes no plan; a level that stays is believed."""

import functools
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryState, MeterState
from devices.battery_bank import BatteryBank
from devices.inverter_readings import InverterState
from hems.agent.reading import Reading
from hems.agent.seeing.samples import Sieve, SieveSettings
from hems.controller import Observation
from hems.mpc import Mpc
from hems.realtime_rules import RealtimeRules
from hems.self_consumption import SelfConsumption

SETTINGS = SieveSettings(
    connection_w=11_000.0, battery_max_w=5_000.0, capacity_wh=10_000.0, pv_max_w=6_000.0
)
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
CYCLE_S = 2.0
CALM = {"load_w": 400.0, "pv_w": 0.0, "battery_power_w": 0.0, "soc": 0.5}


def read(cycle=0, *, hz=50.0, volts=(231.0,), **values):
    """Return a reading that is consistent unless ``grid_power_w`` says otherwise."""
    told = {**CALM, **values}
    load_w, pv_w, battery_w = told["load_w"], told["pv_w"], told["battery_power_w"]
    grid_w = told.get("grid_power_w", load_w + battery_w - pv_w)
    at_s = cycle * CYCLE_S
    return Reading(
        utc=START + timedelta(seconds=at_s),
        monotonic_s=at_s,
        meter=MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=grid_w),
        battery=BatteryState(soc=told["soc"], battery_power_w=battery_w, following=False),
        inverter=InverterState(frequency_hz=hz, phase_voltages_v=volts),
    )


def sieved(readings):
    """Return what a fresh sieve rejects of each reading, by part."""
    sieve = Sieve(SETTINGS)
    return [dict(sieve.pass_(each)[1]) for each in readings]


def after_calm(**values):
    """Return what is rejected of a sample after ten ordinary ones."""
    return sieved([*(read(k) for k in range(10)), read(10, **values)])[-1]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"load_w": math.nan}, {"meter": "load is nan"}),
        ({"pv_w": math.inf}, {"meter": "pv is inf"}),
        ({"grid_power_w": -math.inf}, {"meter": "grid is -inf"}),
        ({"load_w": -400.0}, {"meter": "load of -400 W is negative"}),
        ({"pv_w": -400.0}, {"meter": "pv of -400 W is negative"}),
        ({"grid_power_w": 23_000.0}, {"meter": "grid of 23000 W is beyond what the home can have"}),
        ({"pv_w": 9_001.0}, {"meter": "pv of 9001 W is beyond what the home can have"}),
        ({"load_w": 4_000.0}, {"meter": "load 4000 W, pv 0 W: a jump, once"}),
        ({"pv_w": 3_000.0}, {"meter": "load 400 W, pv 3000 W: a jump, once"}),
        (
            {"grid_power_w": 4_000.0},
            {"meter": "load + battery - pv - grid is -3600 W: a jump, once"},
        ),
        (
            {"battery_power_w": 4_000.0, "grid_power_w": 400.0},
            {"battery": "load + battery - pv - grid is 4000 W: a jump, once"},
        ),
        ({"battery_power_w": math.nan}, {"battery": "power is nan W, state of charge 0.5"}),
        ({"soc": math.nan}, {"battery": "power is 0 W, state of charge nan"}),
        (
            {"battery_power_w": 50_000.0, "grid_power_w": 400.0},
            {"battery": "power of 50000 W is beyond its rating of 5000 W"},
        ),
        ({"soc": 5.0}, {"battery": "state of charge of 5 is not in 0..1"}),
        ({"soc": -0.1}, {"battery": "state of charge of -0.1 is not in 0..1"}),
        ({"soc": 0.0}, {"battery": "state of charge 0: a jump that its power cannot make, once"}),
        ({"hz": 50.9}, {"inverter": "frequency 50.9 Hz, voltages (231.0,) V: a jump, once"}),
        ({"hz": math.nan}, {"inverter": "frequency is nan Hz, voltages (231.0,) V"}),
        (
            {"hz": -50.0},
            {"inverter": "frequency of -50.0 Hz or a voltage of (231.0,) V is negative"},
        ),
        ({"volts": (260.0,)}, {"inverter": "frequency 50.0 Hz, voltages (260.0,) V: a jump, once"}),
    ],
)
def test_bad_sample_is_rejected_with_its_reason(values, why):
    found = after_calm(**values)

    if "grid_power_w" not in values and "battery" in why and "battery_power_w" in values:
        found.pop("meter")  # its grid power was worked out from the battery's
    assert found == why


def test_rejected_part_is_none_and_the_others_are_kept():
    sieve = Sieve(SETTINGS)

    passed, why = sieve.pass_(read(0, soc=2.0))

    assert passed == replace(read(0), battery=None)
    assert why == {"battery": "state of charge of 2 is not in 0..1"}


@pytest.mark.parametrize(
    "values",
    [
        {"load_w": 2_600.0},  # a kettle
        {"load_w": 11_400.0},  # a car
        {"pv_w": 4_000.0},  # the cloud is gone
        {"soc": 0.8},  # the gauge was corrected
        {"grid_power_w": 2_500.0},  # something that the meter of the load does not see
        {"hz": 50.4},
        {"volts": (252.0,)},
    ],
)
def test_new_level_is_believed_with_its_second_sample(values):
    readings = [*(read(k) for k in range(5)), *(read(k, **values) for k in range(5, 15))]

    rejected = [bool(why) for why in sieved(readings)]

    assert rejected == [False] * 5 + [True] + [False] * 9


def test_battery_that_is_sent_elsewhere_is_no_jump():
    powers_w = [0.0, 0.0, 5_000.0, -5_000.0, 0.0, 2_500.0]

    whys = sieved([read(k, battery_power_w=power) for k, power in enumerate(powers_w)])

    assert whys == [{}] * 6


def test_hob_that_switches_with_every_sample_is_soon_believed():
    levels_w = [400.0] * 5 + [2_400.0, 400.0] * 10

    rejected = [bool(why) for why in sieved(read(k, load_w=w) for k, w in enumerate(levels_w))]

    assert rejected == [False] * 5 + [True] + [False] * 19


@given(st.lists(st.floats(0, 15_000), min_size=1, max_size=40))
def test_no_load_however_wild_is_refused_more_than_twice_in_a_row(loads_w):
    rejected = [bool(why) for why in sieved(read(k, load_w=w) for k, w in enumerate(loads_w))]

    text = "".join("x" if each else "." for each in rejected)
    assert "xxx" not in text


def test_impossible_value_is_never_believed_however_long_it_stays():
    whys = sieved(read(k, grid_power_w=30_000.0) for k in range(50))

    assert [set(why) for why in whys] == [{"meter"}] * 50


def test_meter_that_hangs_while_the_battery_moves_is_rejected_until_it_tells_something_new():
    fresh = [read(k, load_w=400.0 + k, battery_power_w=-10.0 * k) for k in range(10)]
    hung = [
        replace(read(k, battery_power_w=-10.0 * k), meter=fresh[-1].meter) for k in range(10, 60)
    ]
    again = [read(60, load_w=405.0, battery_power_w=-400.0)]

    whys = sieved([*fresh, *hung, *again])

    stuck = ["meter" in why for why in whys]
    # the last fresh sample is the first of the equal ones
    assert stuck == [False] * 38 + [True] * 22 + [False]
    assert whys[38] == {
        "meter": "the same 30 times while the battery's power changed by 290 W",
    }


def test_quiet_home_at_night_does_not_count_as_hanging():
    assert sieved(read(k) for k in range(500)) == [{}] * 500


@pytest.mark.parametrize(("soc", "hangs"), [(0.5, True), (1.0, False)])
def test_gauge_that_does_not_move_with_the_energy_hangs_unless_it_is_full(soc, hangs):
    whys = sieved(read(k, soc=soc, battery_power_w=3_600.0) for k in range(510))

    # 2 Wh a cycle: after 500 of them a tenth of the capacity has gone in
    assert [bool(why) for why in whys] == [False] * 501 + [hangs] * 9
    if hangs:
        assert whys[501] == {"battery": "state of charge hangs at 0.5 while 1002 Wh passed"}


def test_noise_below_zero_becomes_zero_and_full_is_one():
    passed, why = Sieve(SETTINGS).pass_(read(load_w=-20.0, pv_w=-8.0, soc=1.004))

    assert why == {}
    assert passed.meter is not None
    assert passed.battery is not None
    assert (passed.meter.load_w, passed.meter.pv_w, passed.battery.soc) == (0.0, 0.0, 1.0)


def test_missing_parts_are_nobodys_fault():
    silent = Reading(utc=START, monotonic_s=0.0)

    assert Sieve(SETTINGS).pass_(silent) == (silent, {})


def test_health_of_cells_that_is_no_number_is_left_out():
    told = BatteryState(
        soc=0.5, battery_power_w=0.0, following=True, soh=math.nan, temperature_c=math.inf
    )

    passed, why = Sieve(SETTINGS).pass_(replace(read(), battery=told))

    assert (passed.battery, why) == (replace(told, soh=None, temperature_c=None), {})


BANK = BatteryBank.uniform(1, capacity_wh=10_000.0, power_max_w=4_500.0)
GARBAGE = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e9, 65_535.0, -32_768.0]),
    st.floats(-1e6, 1e6),
)
FIELDS = ("load_w", "pv_w", "grid_power_w", "battery_power_w", "soc")


CYCLES = 12


def lived(controller, *, bad_cycle=-1, field="load_w", make_bad=None, owed_wh=0.0):
    """Decide at each reading of a home whose load and sun wander; return the decisions."""
    rng = np.random.default_rng(5)
    sieve, known, decided = Sieve(SETTINGS), None, []
    loads_w = 600.0 + 80.0 * rng.standard_normal(CYCLES)
    suns_w = 3_000.0 + 150.0 * rng.standard_normal(CYCLES)
    for cycle in range(CYCLES):
        told = {"load_w": loads_w[cycle], "pv_w": suns_w[cycle], "battery_power_w": 1_500.0}
        told["grid_power_w"] = told["load_w"] + 1_500.0 - told["pv_w"]
        told["soc"] = 0.5 + cycle * 1e-4
        if cycle == bad_cycle:
            told[field] = make_bad(told[field])
        passed, _ = sieve.pass_(read(cycle, **told))
        meter, battery = passed.meter, passed.battery
        if known is not None:
            meter, battery = meter or known.meter, battery or known.battery
        known = replace(passed, meter=meter, battery=battery)
        decided.append(decision_of(controller, known, owed_wh))
    return decided


@functools.cache
def undisturbed(controller, owed_wh):
    return lived(controller, owed_wh=owed_wh)


def decision_of(controller, known, owed_wh):
    """Return what a controller decides on what is known, as (follows, power)."""
    one = np.ones(1)
    decision = controller.decide(
        Observation(
            bank=BANK,
            stored_wh=known.battery.soc * BANK.capacity_wh,
            block_s=np.array([120.0, 1_680.0]),
            load_w=np.array([[known.meter.load_w, 600.0]]),
            pv_w=np.array([[known.meter.pv_w, 3_000.0]]),
            import_price_per_mwh=150.0,
            export_price_per_mwh=50.0,
            import_limit_w=11_000.0 * one,
            export_limit_w=11_000.0 * one,
            remaining_export_wh=owed_wh * one,
            steered=one > 0,
            soc_target=0.6 * one,
        )
    )
    return bool(decision.follow[0]), float(decision.battery_power_w[0])


@pytest.mark.parametrize(
    ("controller", "owed_wh"),
    [(SelfConsumption(), 0.0), (RealtimeRules(), 0.0), (RealtimeRules(), 300.0), (Mpc(), 300.0)],
    ids=["self-consumption", "rules, nothing owed", "rules, owing", "mpc, owing"],
)
@given(
    bad_cycle=st.integers(1, CYCLES - 1),
    field=st.sampled_from(FIELDS),
    garbage=st.one_of(
        GARBAGE.map(lambda value: lambda _: value),
        st.sampled_from([-10.0, -1.0, 0.1, 10.0]).map(lambda factor: lambda was: factor * was),
    ),
)
def test_any_single_bad_sample_leaves_the_plan_in_kind(
    controller, owed_wh, bad_cycle, field, garbage
):
    plain = undisturbed(controller, owed_wh)
    disturbed = lived(
        controller, bad_cycle=bad_cycle, field=field, make_bad=garbage, owed_wh=owed_wh
    )

    for cycle, (with_it, without) in enumerate(zip(disturbed, plain, strict=True)):
        if cycle in {bad_cycle, bad_cycle + 1, bad_cycle + 2}:
            assert with_it[0] == without[0]
            assert np.sign(with_it[1]) == np.sign(without[1])
            # a believed sample is near what was read before, a refused one leaves the last
            assert abs(with_it[1] - without[1]) <= 2 * SETTINGS.jump_w
        else:
            assert with_it == without


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"connection_w": 0.0}, "connection_w is 0; give a number > 0"),
        ({"capacity_wh": math.nan}, "capacity_wh is nan"),
        ({"beyond": 0.5}, r"beyond is 0\.5"),
        ({"stuck_cycles": 1}, "stuck_cycles 1"),
    ],
)
def test_settings_out_of_range_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, **fields)
