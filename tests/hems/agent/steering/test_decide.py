"""What one home's controller sees, and what it decides alone."""

from datetime import UTC, datetime

import numpy as np
import pytest

from devices.battery import BatteryState, MeterState
from hems.agent.settings import StorageSettings
from hems.agent.standing import Standing
from hems.agent.steering.decide import Decider
from hems.agent.steering.tariff import Tariff, TariffSettings, TariffWindow
from hems.agent.steering.wish import Limits
from hems.fuzzy.habib import HabibFuzzy
from hems.mpc import Mpc
from hems.realtime_rules import RealtimeRules
from hems.self_consumption import SelfConsumption

BANK = StorageSettings(capacity_wh=10_000, power_max_w=5_000).bank()
LIMITS = Limits(charge_max_w=5e3, discharge_max_w=5e3, import_max_w=9e3, export_max_w=4e3)
METER = MeterState(load_w=700.0, pv_w=1_900.0, grid_power_w=-1_200.0)
BATTERY = BatteryState(soc=0.4, battery_power_w=0.0, following=True)
OWES = Standing(source="answer", steered=True, soc_target=0.6, commitment_wh=9_000, owed_wh=800.0)
asked = []


def forecast(utc, quarters):
    asked.append((utc, quarters))
    ahead = np.arange(quarters, dtype=np.float64)[None, :]
    return 100.0 + ahead, 1_000.0 + ahead


def decider(controller=None):
    return Decider(
        controller or Mpc(),
        bank=BANK,
        forecast=forecast,
        tariff=Tariff.plain(250.0, 50.0),
        decide_s=60,
        interval_s=1800,
    )


def seen_at(*when, standing=OWES):
    utc = datetime(*when, tzinfo=UTC)
    return decider().observe(utc, meter=METER, battery=BATTERY, standing=standing, limits=LIMITS)


def test_blocks_reach_to_the_end_of_the_interval_and_begin_with_what_is_measured():
    seen = seen_at(2026, 6, 1, 12, 5)

    assert seen.block_s.tolist() == [60.0, 540.0, 900.0]
    assert seen.load_w.tolist() == [[700.0, 100.0, 101.0]]
    assert seen.pv_w.tolist() == [[1_900.0, 1_000.0, 1_001.0]]
    assert asked[-1] == (datetime(2026, 6, 1, 12, tzinfo=UTC), 2)


def test_the_first_block_of_a_late_decision_ends_with_the_minute():
    assert seen_at(2026, 6, 1, 12, 29, 42).block_s.tolist() == [18.0]


def test_what_is_owed_allowed_and_stored_reaches_the_controller():
    seen = seen_at(2026, 6, 1, 12, 5)

    assert (seen.stored_wh.tolist(), seen.soc_target.tolist()) == ([4_000.0], [0.6])
    assert (seen.remaining_export_wh.tolist(), seen.steered.tolist()) == ([800.0], [True])
    assert (seen.import_limit_w.tolist(), seen.export_limit_w.tolist()) == ([9e3], [4e3])
    assert (seen.import_price_per_mwh, seen.export_price_per_mwh) == (250.0, 50.0)


@pytest.mark.parametrize("controller", [Mpc(), RealtimeRules(), SelfConsumption()])
def test_a_home_that_nothing_was_promised_of_keeps_its_energy(controller):
    found = decider(controller).decide(
        datetime(2026, 6, 1, 12, 5, tzinfo=UTC),
        meter=METER,
        battery=BATTERY,
        standing=Standing(source="none"),
        limits=LIMITS,
    )

    assert found.follow.tolist() == [True]


@pytest.mark.parametrize("source", ["answer", "schedule"])
def test_a_home_that_owes_an_export_gives_within_the_connection(source):
    found = decider().decide(
        datetime(2026, 6, 1, 12, 15, tzinfo=UTC),
        meter=METER,
        battery=BATTERY,
        standing=Standing(source=source, commitment_wh=9_000, owed_wh=800.0),
        limits=LIMITS,
    )

    assert found.follow.tolist() == [False]
    assert found.proved.tolist() == [True]
    assert -2_800.0 <= found.battery_power_w[0] < 1_200.0  # 1.2 kW of sun go out without it


def test_rules_for_one_place_decide_without_a_promise_and_know_the_days_prices():
    settings = TariffSettings(import_price_per_mwh=250.0, export_price_per_mwh=50.0)
    cheap = TariffWindow(begin="00:00", end="04:00", import_price_per_mwh=50.0)
    fuzzy = HabibFuzzy()
    alone = Decider(
        fuzzy,
        bank=BANK,
        forecast=forecast,
        tariff=Tariff(fixed=settings, windows=(cheap,)),
        decide_s=600,
        interval_s=1800,
        alone=fuzzy,
    )

    def at(hour):
        utc = datetime(2026, 6, 1, hour, tzinfo=UTC)
        nothing = Standing(source="none")
        seen = {"meter": METER, "battery": BATTERY, "standing": nothing, "limits": LIMITS}
        by_hand = fuzzy.knowing(np.array([50.0, 250.0])).decide(alone.observe(utc, **seen))
        decision = alone.decide(utc, **seen)
        return (
            decision.battery_power_w.tolist(),
            by_hand.battery_power_w.tolist(),
            decision.relay_closed is not None,
            alone.import_price_per_mwh(utc),
        )

    night, day = at(1), at(12)

    assert (night[0], night[2:]) == (night[1], (True, 50.0))
    assert (day[0], day[2:]) == (day[1], (True, 250.0))
