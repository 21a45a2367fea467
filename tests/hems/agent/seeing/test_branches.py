"""What the sun's inverter and the load's meter add to a meter that knows the balance alone."""

import pytest

from devices.battery import MeterState
from hems.agent.seeing.branches import told_apart

NET = MeterState(load_w=600.0, pv_w=0.0, grid_power_w=2_600.0, import_wh=10.0, export_wh=1.0)
SURPLUS = MeterState(load_w=0.0, pv_w=400.0, grid_power_w=0.0)
PV = MeterState(load_w=0.0, pv_w=900.0, grid_power_w=-900.0)
LOAD = MeterState(load_w=1_510.0, pv_w=0.0, grid_power_w=1_510.0)


@pytest.mark.parametrize(
    ("meter", "branches", "load_w", "pv_w"),
    [
        (NET, {}, 600.0, 0.0),
        (NET, {"pv": PV}, 1_500.0, 900.0),
        (NET, {"load": LOAD}, 1_510.0, 910.0),
        (NET, {"pv": PV, "load": LOAD}, 1_510.0, 900.0),
        (SURPLUS, {"pv": PV}, 500.0, 900.0),
        (SURPLUS, {"pv": MeterState(load_w=0, pv_w=0.0, grid_power_w=0)}, 0.0, 400.0),
        (SURPLUS, {"load": LOAD}, 1_510.0, 1_910.0),
    ],
)
def test_branches_tell_load_and_production_and_leave_the_connection_as_it_is(
    meter, branches, load_w, pv_w
):
    assert told_apart(meter, **branches) == MeterState(
        load_w=load_w,
        pv_w=pv_w,
        grid_power_w=meter.grid_power_w,
        import_wh=meter.import_wh,
        export_wh=meter.export_wh,
    )
