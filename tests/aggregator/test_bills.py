import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from aggregator.bills import Registers, bill_homes, matched_import_wh, registers
from aggregator.errors import PlanInputError

POWER_W = npst.arrays(np.float64, (3, 8), elements=st.floats(-9_000, 9_000))


def test_a_minute_of_export_is_netted_within_its_period_or_counted_gross():
    grid_power_w = np.array([[6_000.0, -2_000.0]])

    netted = registers(grid_power_w, step_s=900, period_s=1800)
    gross = registers(grid_power_w, step_s=900, period_s=1800, netted=False)

    assert (netted.import_wh.tolist(), netted.export_wh.tolist()) == ([[1_000.0]], [[0.0]])
    assert (gross.import_wh.tolist(), gross.export_wh.tolist()) == ([[1_500.0]], [[500.0]])


def test_homes_that_import_while_others_export_pay_48_percent_of_that_part():
    counted = Registers(
        import_wh=np.array([[3_000.0], [1_000.0], [0.0]]),
        export_wh=np.array([[0.0], [0.0], [1_500.0]]),
    )

    found = bill_homes(
        counted, load_wh=np.array([[3_000.0], [2_000.0], [500.0]]),
        retail_price_per_mwh=np.array([200.0]), plant_export_wh=np.array([500.0]),
    )  # fmt: skip

    # 2 of 4 kWh imported are matched: 1.5 and 0.5 kWh. 3 × 0.2 − 0.52 × 1.5 × 0.2 = 0.444.
    assert found.wire_wh == pytest.approx([1_500.0, 500.0, 0.0])
    assert found.bill == pytest.approx([0.444, 0.148, 0.0])
    assert found.baseline == pytest.approx([0.6, 0.4, 0.1])
    assert found.reduction == pytest.approx([0.156, 0.252, 0.1])


def test_without_a_wire_every_import_is_paid_in_full():
    counted = Registers(import_wh=np.array([[1_000.0]]), export_wh=np.array([[0.0]]))

    found = bill_homes(
        counted, load_wh=np.array([[1_000.0]]), retail_price_per_mwh=np.array([200.0]),
        plant_export_wh=np.array([5_000.0]), wire_price_share=1.0,
    )  # fmt: skip

    assert found.bill == pytest.approx([0.2])


@given(
    grid_power_w=POWER_W, plant=npst.arrays(np.float64, 4, elements=st.floats(0, 9_000)),
    netted=st.booleans(),
)  # fmt: skip
def test_the_wire_carries_no_more_than_was_exported_nor_than_a_home_imports(
    grid_power_w, plant, netted
):
    counted = registers(grid_power_w, step_s=900, period_s=1800, netted=netted)

    matched_wh = matched_import_wh(counted, plant)

    rounding_wh = 1e-6
    assert (matched_wh >= 0).all()
    assert (matched_wh <= counted.import_wh + rounding_wh).all()
    assert (matched_wh.sum(axis=0) <= counted.export_wh.sum(axis=0) + plant + rounding_wh).all()


@given(grid_power_w=POWER_W)
def test_registers_keep_the_net_energy(grid_power_w):
    net_wh = grid_power_w.sum(axis=1) * 0.25

    for netted in (True, False):
        counted = registers(grid_power_w, step_s=900, period_s=1800, netted=netted)
        kept_wh = counted.import_wh.sum(axis=1) - counted.export_wh.sum(axis=1)
        assert kept_wh == pytest.approx(net_wh, abs=1e-6)


@given(grid_power_w=POWER_W)
def test_the_wire_saves_and_gross_metering_bills_at_least_as_much_as_netting(grid_power_w):
    def bill(*, netted, share):
        counted = registers(grid_power_w, step_s=900, period_s=1800, netted=netted)
        return bill_homes(
            counted, load_wh=np.ones((3, 4)), retail_price_per_mwh=np.full(4, 200.0),
            wire_price_share=share,
        ).bill  # fmt: skip

    assert (bill(netted=True, share=0.48) <= bill(netted=True, share=1.0) + 1e-9).all()
    assert (bill(netted=True, share=1.0) <= bill(netted=False, share=1.0) + 1e-9).all()


def test_bad_series_are_named():
    counted = Registers(import_wh=np.array([[1.0, -2.0]]), export_wh=np.zeros((1, 2)))
    prices = np.full(2, 200.0)

    with pytest.raises(PlanInputError, match="import_wh of home 0 is -2 in slot 1"):
        bill_homes(counted, load_wh=np.zeros((1, 2)), retail_price_per_mwh=prices)
    counted = Registers(import_wh=np.zeros((1, 2)), export_wh=np.zeros((1, 2)))
    with pytest.raises(PlanInputError, match=r"load_wh has shape \(1, 3\)"):
        bill_homes(counted, load_wh=np.zeros((1, 3)), retail_price_per_mwh=prices)
    with pytest.raises(PlanInputError, match="whole periods"):
        registers(np.zeros((1, 3)), step_s=900, period_s=1800)
    with pytest.raises(PlanInputError, match="home 0 in step 1 is not finite"):
        registers(np.array([[0.0, np.nan]]), step_s=900, period_s=1800)
