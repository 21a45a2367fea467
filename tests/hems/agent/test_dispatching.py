"""A gateway under a dispatch policy: its table, and what it decides by the place's clock."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from devices.errors import DeviceError
from hems.agent.config import read_config
from hems.agent.dispatching import DispatchSettings, dispatch_controller
from hems.controller import Observation
from hems.errors import AgentConfigError, ControlError

HOME = """
[home]
name = "Hall"
device_id = "hall"
state_folder = "state"
[battery]
driver = "sonnen-v2"
host = "192.168.1.20"
[storage]
capacity_wh = 10000
power_max_w = 5000
[grid]
import_max_w = 13800
export_max_w = 5000
[tariff]
import_price_per_mwh = 250
export_price_per_mwh = 50
"""
MANUAL = f"""
weekday = {[1] * 7 + [2] * 17}
[[period]]
discharge = true
[[period]]
charge_from_pv = true
"""
SEEN = Observation(
    bank=BatteryBank(
        capacity_wh=np.array([10_000.0]),
        power_max_w=np.array([5_000.0]),
        charge_efficiency=np.array([1.0]),
        discharge_efficiency=np.array([1.0]),
        soc_min=np.array([0.0]),
        soc_max=np.array([1.0]),
    ),
    stored_wh=np.array([5_000.0]),
    block_s=np.array([60.0]),
    load_w=np.array([[3_000.0]]),
    pv_w=np.array([[0.0]]),
    import_price_per_mwh=250.0,
    export_price_per_mwh=50.0,
    import_limit_w=np.array([13_800.0]),
    export_limit_w=np.array([5_000.0]),
    remaining_export_wh=np.zeros(1),
    steered=np.array([False]),
    soc_target=np.array([0.5]),
)


@pytest.fixture
def read(tmp_path):
    """Return what reads a home with more tables."""

    def reads(more):
        (tmp_path / "home.toml").write_text(HOME + more, "utf-8")
        return read_config(tmp_path / "home.toml")

    return reads


def power_w(kind, settings, moment):
    controller = dispatch_controller(kind, settings, utc=lambda: moment, where="x [dispatch]")
    decision = controller.decide(SEEN)
    return float(np.where(decision.follow, -3_000.0, decision.battery_power_w)[0])


def test_a_target_is_held_by_the_month_of_the_place(read):
    config = read(
        '[controller]\nkind = "grid-target"\n[dispatch]\nzone = "Pacific/Auckland"\n'
        f"target_w = {[1000] * 6 + [2500] * 6}\n"
    )
    in_june_there_july = datetime(2026, 6, 30, 14, tzinfo=UTC)

    assert config.dispatch == DispatchSettings(
        zone="Pacific/Auckland", target_w=(1_000.0,) * 6 + (2_500.0,) * 6
    )
    assert power_w("grid-target", config.dispatch, in_june_there_july) == pytest.approx(-500.0)
    in_utc = replace(config.dispatch, zone="UTC")
    assert power_w("grid-target", in_utc, in_june_there_july) == pytest.approx(-2_000.0)


def test_periods_go_by_the_hour_of_the_place(read, tmp_path):
    (tmp_path / "periods.toml").write_text(MANUAL, "utf-8")
    config = read(
        '[controller]\nkind = "manual"\n'
        '[dispatch]\nzone = "Europe/Rome"\nmanual_file = "periods.toml"\n'
    )
    before_seven_there = datetime(2026, 6, 30, 4, 59, tzinfo=UTC)
    at_seven_there = datetime(2026, 6, 30, 5, 0, tzinfo=UTC)

    assert config.dispatch == DispatchSettings(
        zone="Europe/Rome", manual_file=tmp_path / "periods.toml"
    )
    assert power_w("manual", config.dispatch, before_seven_there) == -3_000.0
    assert power_w("manual", config.dispatch, at_seven_there) == 0.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[controller]\nkind = "manual"\n', r"\[dispatch\] goes with \[controller\] kind"),
        ("[dispatch]\ntarget_w = 1\n", r"\[dispatch\] goes with \[controller\] kind"),
        (
            '[controller]\nkind = "grid-target"\n[dispatch]\ntarget_w = [1, 2]\n',
            r"target_w is \[1, 2\]; give a number of W, 0 or more, or twelve",
        ),
        (
            '[controller]\nkind = "grid-target"\n[dispatch]\ntarget_w = -1\n',
            "target_w is -1; give a number of W",
        ),
        (
            '[controller]\nkind = "grid-target"\n[dispatch]\nzone = "Mars"\n',
            "zone is 'Mars'; give one such as",
        ),
        (
            '[controller]\nkind = "grid-target"\n[dispatch]\ntarget = 1\n',
            "target is no setting here; it takes zone",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(read, more, said):
    with pytest.raises((AgentConfigError, DeviceError), match=said) as told:
        read(more)

    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("grid-target", DispatchSettings(), r"x \[dispatch\] has no target_w"),
        ("manual", DispatchSettings(), r"x \[dispatch\] has no manual_file"),
        ("manual", DispatchSettings(manual_file=Path("/no/such.toml")), "no such file"),
    ],
)
def test_what_a_policy_needs_and_has_not_is_told(kind, settings, said):
    with pytest.raises(ControlError, match=said):
        power_w(kind, settings, datetime(2026, 6, 30, tzinfo=UTC))
