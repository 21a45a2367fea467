"""What every controller does, whatever it wants: new controllers join `CONTROLLERS`."""

import importlib
import inspect
import pkgutil
from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
import pytest

import hems
from devices.battery_bank import BatteryBank
from hems.controller import Controller, Decision, Observation
from hems.dispatch.by_clock import ByClock
from hems.dispatch.controllers import HoldGrid, HoldPower, InPeriod
from hems.dispatch.paper import grid_target
from hems.dispatch.policies import Period
from hems.errors import ControlInputError
from hems.fuzzy.habib import HabibFuzzy
from hems.fuzzy.soc_rules import SocRules
from hems.mpc import Mpc
from hems.mpc_compiled import CompiledEngine
from hems.realtime_rules import RealtimeRules
from hems.self_consumption import SelfConsumption

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

CONTROLLERS = [SelfConsumption(), RealtimeRules(), Mpc(), Mpc(engine=CompiledEngine())]
CONTROLLERS += [
    HoldGrid(target_w=np.array([3_000.0]), charge_from_grid=True),
    HoldPower(power_w=np.array([-2_000.0])),
    InPeriod(period=Period(charge_from_pv=True, discharge=True, discharge_percent_per_h=50.0)),
]
CONTROLLERS += [HabibFuzzy(), SocRules()]
CONTROLLERS += [ByClock(policy=grid_target(), local_time=lambda: NOON)]
EVERY = pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda one: type(one).__name__)
HOMES = pytest.mark.parametrize("homes", [1, 70])


def seen_by_homes(homes, seed=0):
    """Return homes of all kinds at an ordinary price."""
    rng = np.random.default_rng(seed)
    bank = BatteryBank(
        capacity_wh=rng.uniform(2_000, 15_000, homes),
        power_max_w=rng.uniform(500, 6_000, homes),
        charge_efficiency=rng.uniform(0.8, 1.0, homes),
        discharge_efficiency=rng.uniform(0.8, 1.0, homes),
        soc_min=rng.uniform(0, 0.2, homes),
        soc_max=rng.uniform(0.8, 1, homes),
    )
    return Observation(
        bank=bank,
        stored_wh=rng.choice([0.0, 0.1, 0.5, 0.95, 1.0], homes) * bank.capacity_wh,
        block_s=np.array([60.0, 780.0, 900.0]),
        load_w=rng.uniform(0, 8_000, (homes, 3)),
        pv_w=rng.uniform(0, 8_000, (homes, 3)) * rng.integers(0, 2, (homes, 1)),
        import_price_per_mwh=150.0,
        export_price_per_mwh=50.0,
        import_limit_w=rng.choice([0.0, 3_680.0, 10_000.0], homes),
        export_limit_w=rng.choice([0.0, 3_680.0, 10_000.0], homes),
        remaining_export_wh=rng.choice([0.0, 1.0, 100.0], homes) * rng.uniform(-500, 500, homes),
        steered=rng.random(homes) < 0.5,
        soc_target=rng.uniform(0, 1, homes),
    )


def test_every_controller_of_hems_is_in_this_suite():
    found = set()
    for module in pkgutil.walk_packages(hems.__path__, "hems."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            decide = getattr(kind, "decide", None)
            if decide is None or kind is Controller:
                continue
            if inspect.signature(decide).parameters.keys() == {"self", "seen"}:
                found.add(kind)

    assert found == {type(controller) for controller in CONTROLLERS}


@EVERY
@HOMES
def test_decision_has_one_finite_value_per_home(controller, homes):
    decision = controller.decide(seen_by_homes(homes))

    assert type(decision) is Decision
    kinds = {
        f.name: (getattr(decision, f.name).shape, getattr(decision, f.name).dtype.kind)
        for f in fields(Decision)
        if getattr(decision, f.name) is not None
    }
    # a controller without a say in the relay leaves it alone
    steers_relay = decision.relay_closed is not None
    assert kinds == {
        **({"relay_closed": ((homes,), "b")} if steers_relay else {}),
        "follow": ((homes,), "b"),
        "battery_power_w": ((homes,), "f"),
        "proved": ((homes,), "b"),
        "cap_excess_wh": ((homes,), "f"),
    }
    assert np.isfinite(decision.battery_power_w).all()
    assert np.isfinite(decision.cap_excess_wh).all()
    assert (decision.cap_excess_wh >= 0).all()


@EVERY
@HOMES
@pytest.mark.parametrize("seed", range(5))
def test_set_point_never_asks_for_more_than_the_cells_take(controller, homes, seed):
    seen = seen_by_homes(homes, seed)

    decision = controller.decide(seen)

    cells_w = np.abs(seen.bank.cell_power_w(decision.battery_power_w))
    assert np.all(cells_w <= seen.bank.power_max_w + 1e-6)


@EVERY
@pytest.mark.parametrize("seed", range(5))
def test_set_point_that_is_held_never_leaves_the_window_of_the_battery(controller, seed):
    seen = seen_by_homes(70, seed)
    decision = controller.decide(seen)

    wanted_w = decision.battery_power_w
    _, got_w = seen.bank.advance(seen.stored_wh, wanted_w, float(seen.block_s[0]))

    held = ~decision.follow
    np.testing.assert_allclose(got_w[held], wanted_w[held], rtol=0, atol=1e-6)


@EVERY
def test_observation_is_left_as_it_was_and_the_same_decision_comes_twice(controller):
    seen, twin = seen_by_homes(70), seen_by_homes(70)

    first, second = controller.decide(seen), controller.decide(seen)

    for field in fields(Decision):
        one, other = (getattr(each, field.name) for each in (first, second))
        assert one is other is None or one.tobytes() == other.tobytes()
    for field in fields(Observation):
        if field.name != "bank":
            assert np.array_equal(getattr(seen, field.name), getattr(twin, field.name))


def spoilt(name, value, place):
    """Return a way to replace a field by itself with one bad value."""

    def spoil(seen):
        values = getattr(seen, name).copy()
        values[place] = value
        return replace(seen, **{name: values})

    return spoil


def shortened(name):
    return lambda seen: replace(seen, **{name: getattr(seen, name)[..., :-1]})


REFUSED = [
    (spoilt("load_w", np.nan, (1, 2)), r"load_w\[1, 2\] is nan"),
    (spoilt("load_w", -1.0, (0, 1)), r"load_w\[0, 1\] is -1"),
    (spoilt("pv_w", np.inf, (2, 0)), r"pv_w\[2, 0\] is inf"),
    (spoilt("pv_w", -0.5, (2, 2)), r"pv_w\[2, 2\] is -0\.5"),
    (spoilt("stored_wh", -1.0, 1), r"stored_wh\[1\] is -1"),
    (spoilt("stored_wh", np.nan, 2), r"stored_wh\[2\] is nan"),
    (spoilt("stored_wh", 99_999.0, 1), r"home 1 stores 99999 Wh, more than its capacity of"),
    (spoilt("import_limit_w", -1.0, 0), r"import_limit_w\[0\] is -1"),
    (spoilt("export_limit_w", np.inf, 2), r"export_limit_w\[2\] is inf"),
    (spoilt("remaining_export_wh", np.nan, 1), r"remaining_export_wh\[1\] is nan"),
    (spoilt("soc_target", np.nan, 0), r"soc_target\[0\] is nan"),
    (spoilt("soc_target", 1.01, 2), r"soc_target\[2\] is 1\.01"),
    (spoilt("soc_target", -0.01, 2), r"soc_target\[2\] is -0\.01"),
    (spoilt("block_s", 0.0, 0), r"block_s\[0\] is 0"),
    (spoilt("block_s", np.nan, 1), r"block_s\[1\] is nan"),
    (shortened("load_w"), r"load_w has shape \(3, 2\), expected \(3, 3\)"),
    (shortened("pv_w"), r"pv_w has shape \(3, 2\), expected \(3, 3\)"),
    (shortened("block_s"), r"load_w has shape \(3, 3\), expected \(3, 2\)"),
    (shortened("stored_wh"), r"stored_wh has shape \(2,\), expected \(3,\)"),
    (shortened("import_limit_w"), r"import_limit_w has shape \(2,\), expected \(3,\)"),
    (shortened("export_limit_w"), r"export_limit_w has shape \(2,\), expected \(3,\)"),
    (shortened("remaining_export_wh"), r"remaining_export_wh has shape \(2,\), expected \(3,\)"),
    (shortened("steered"), r"steered has shape \(2,\), expected \(3,\)"),
    (shortened("soc_target"), r"soc_target has shape \(2,\), expected \(3,\)"),
    (lambda seen: replace(seen, import_price_per_mwh=np.nan), r"price\[0\] is nan"),
    (lambda seen: replace(seen, export_price_per_mwh=np.inf), r"price\[1\] is inf"),
    (lambda seen: replace(seen, block_s=np.array([])), r"no block ahead"),
]


@EVERY
@pytest.mark.parametrize(("spoil", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_observation_that_cannot_be_used_is_refused_with_its_field_and_place(
    controller, spoil, message
):
    seen = seen_by_homes(3)

    with pytest.raises(ControlInputError, match=message):
        controller.decide(spoil(seen))
