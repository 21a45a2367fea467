"""Efficiency linearised over C-rate and state of charge."""

import numpy as np
import pytest

from devices.battery_efficiency import EfficiencyTable
from devices.battery_model import BatteryModel
from devices.efficiency_plane import linearised


def test_a_plane_is_found_again():
    rates, socs = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    charge = np.array([[[0.9, 0.95], [0.8, 0.85]]])
    table = EfficiencyTable(c_rates=rates, socs=socs, charge=charge, discharge=charge - 0.02)

    plane = linearised(table, c_rate_range=(0.0, 1.0))

    assert plane.charge == pytest.approx(np.array([[0.9, -0.1, 0.05]]))
    assert plane.discharge == pytest.approx(np.array([[0.88, -0.1, 0.05]]))
    assert plane.worst_error == pytest.approx([0.0], abs=1e-12)
    assert plane.charge_at(np.array([0.5]), np.array([0.5])) == pytest.approx([0.875])
    assert plane.discharge_at(np.array([0.5]), np.array([0.5])) == pytest.approx([0.855])


def test_beyond_the_fit_the_nearer_end_counts():
    charge = np.array([[[0.9, 0.95], [0.8, 0.85]]])
    table = EfficiencyTable(
        c_rates=np.array([0.0, 1.0]), socs=np.array([0.0, 1.0]), charge=charge, discharge=charge
    )

    plane = linearised(table, c_rate_range=(0.1, 0.5))

    assert plane.charge_at(np.array([9.0]), np.array([0.0])) == pytest.approx([0.9 - 0.05 + 0.005])


def test_the_error_of_the_fit_is_told():
    model = BatteryModel.lfp(2)

    plane = linearised(model.efficiency, c_rate_range=(0.1, 0.5))

    rates, socs = np.linspace(0.1, 0.5, 9), np.linspace(0.1, 1.0, 9)
    seen = 0.0
    for rate in rates:
        for soc in socs:
            both = np.full(2, soc)
            real = np.full(2, rate) / model.efficiency.terminal_rate(np.full(2, rate), both)
            found = plane.charge_at(np.full(2, rate), both)
            seen = max(seen, float(np.abs(real - found).max()))
    assert 0.5 * plane.worst_error[0] < seen <= plane.worst_error[0] + 1e-9
    assert plane.worst_error[0] < 0.02


@pytest.mark.parametrize(
    ("ranges", "says"),
    [
        ({"c_rate_range": (0.5, 0.5)}, "C-rates to fit are"),
        ({"c_rate_range": (-1.0, 0.5)}, "C-rates is -1"),
        ({"c_rate_range": (0.1, 0.5), "soc_range": (0.5, 1.5)}, "SoC is 1.5"),
    ],
)
def test_ranges_that_cannot_be_fitted_are_refused(ranges, says):
    with pytest.raises(ValueError, match=says):
        linearised(BatteryModel.lfp(1).efficiency, **ranges)
