import numpy as np
import pytest

from aggregator.errors import PlanInputError


def test_surplus_is_production_less_demand(day):
    forecast = day(demand_wh=[3.0, 1.0], production_wh=[1.0, 5.0])

    assert forecast.surplus_wh.tolist() == [-2.0, 4.0]


@pytest.mark.parametrize("series", ["demand_wh", "production_wh", "import_price", "export_price"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_names_its_series_and_slot(day, series, value):
    with pytest.raises(PlanInputError, match=rf"forecast {series}.* in slot 1; it must be finite"):
        day(**{series: [1.0, value]})


@pytest.mark.parametrize("series", ["demand_wh", "production_wh"])
def test_negative_energy_is_refused(day, series):
    with pytest.raises(PlanInputError, match=f"forecast {series} is -5 in slot 0"):
        day(**{series: [-5.0, 0.0]})


def test_a_series_shorter_than_the_grid_is_refused(day):
    whole = day(count=3)

    with pytest.raises(PlanInputError, match=r"demand_wh has shape \(2,\), the grid has 3 slots"):
        type(whole)(
            grid=whole.grid,
            demand_wh=np.zeros(2),
            production_wh=whole.production_wh,
            import_price_per_mwh=whole.import_price_per_mwh,
            export_price_per_mwh=whole.export_price_per_mwh,
        )
