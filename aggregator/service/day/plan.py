"""The step ``plan``: what the fleet is to do, as far as it is known before the market."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from aggregator.files import Json, plan_body
from aggregator.forecast import Forecast
from aggregator.plan import plan_day
from aggregator.problem import PlanOptions
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet import (
    Battery,
    batteries,
    homes_in_use,
    import_prices,
    latest_scores,
    virtual_battery,
)
from aggregator.service.day.fleet_series import soc_at
from aggregator.service.day.made import Made, ms, need_paper
from aggregator.service.day.prices import DAY_AHEAD, prices_to_go_by
from aggregator.service.store.telemetry import DAY_MS
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """What a day is planned from."""

    grid: TimeGrid
    """The day."""
    bank: tuple[Battery, ...]
    """The batteries."""
    soc: dict[int, float]
    """Each home's state of charge at the last midnight that was measured."""
    scores: dict[int, float]
    """Each home's reliability, as it was known at that midnight."""
    demand_wh: FloatArray
    """Expected consumption, shape (slots,). [Wh]"""
    production_wh: FloatArray
    """Expected production. [Wh]"""
    import_price_per_mwh: FloatArray
    """What import costs on average. [currency/MWh]"""
    export_price_per_mwh: FloatArray
    """What the market pays. [currency/MWh]"""
    stood_in: int
    """Intervals whose market price is an earlier day's."""
    options: PlanOptions
    """End target and limits."""
    time_limit_s: float
    """Time for the solver. [s]"""


def gather_plan(desk: Desk, day: date) -> PlanInputs:
    """Read what a day is planned from."""
    settings, grid = desk.settings, desk.grid(day)
    # the day before is not over when a day is planned: planned again, it must not count either
    eve = day - timedelta(days=1)
    midnight_ms = ms(desk.grid(eve).start)
    with desk.store.read() as connection:
        expected = need_paper(connection, "forecast", day, by="forecast")
        fleet = homes_in_use(connection)
        prices = prices_to_go_by(
            connection, DAY_AHEAD, grid, zone=settings.zone, days_back=settings.days_back
        )
        imports = import_prices(
            connection, fleet, grid, zone=settings.zone, default=settings.import_price_per_mwh
        )
        return PlanInputs(
            grid=grid,
            bank=tuple(batteries(connection)),
            soc=soc_at(connection, midnight_ms, within_ms=DAY_MS),
            scores=latest_scores(connection, eve),
            demand_wh=_energy(expected, "demand_wh", grid),
            production_wh=_energy(expected, "production_wh", grid),
            import_price_per_mwh=imports.mean(axis=0) if fleet else np.zeros(grid.count),
            export_price_per_mwh=_known(prices.price_per_mwh, grid),
            stood_in=prices.stood_in,
            options=PlanOptions(
                end_soc="start" if settings.end_soc is None else settings.end_soc,
                export_limit_w=settings.export_limit_w,
            ),
            time_limit_s=settings.time_limit_s,
        )


def _energy(expected: Json, quantity: str, grid: TimeGrid) -> FloatArray:
    values = np.array(expected[quantity], dtype=np.float64)
    if expected["start_ms"] != ms(grid.start) or values.shape != (grid.count,):
        msg = "the forecast is of other intervals than the day; run the step forecast again"
        raise StepInputError(msg)
    return values


def _known(price_per_mwh: FloatArray, grid: TimeGrid) -> FloatArray:
    """Return prices of which none is missing, or raise where the first one is."""
    missing = np.flatnonzero(np.isnan(price_per_mwh))
    if missing.size:
        start = grid.starts()[int(missing[0])]
        msg = (
            f"no day-ahead price of {start:%Y-%m-%d %H:%M}Z and {missing.size - 1} more, nor of "
            "the days before; run the step prices"
        )
        raise StepInputError(msg)
    return price_per_mwh


def expected_day(inputs: PlanInputs) -> Forecast:
    """Return what the planner expects of the day."""
    return Forecast(
        grid=inputs.grid,
        demand_wh=inputs.demand_wh,
        production_wh=inputs.production_wh,
        import_price_per_mwh=inputs.import_price_per_mwh,
        export_price_per_mwh=inputs.export_price_per_mwh,
    )


def make_plan(inputs: PlanInputs) -> Made:
    """Plan the day at expected prices: phase 1 of Couraud 2021."""
    battery = virtual_battery(inputs.bank, soc=inputs.soc, scores=inputs.scores)
    planned = plan_day(
        battery, expected_day(inputs), options=inputs.options, time_limit_s=inputs.time_limit_s
    )
    nominal_wh = sum(each.capacity_wh for each in inputs.bank)
    stood_in = f", {inputs.stood_in} prices of days before" if inputs.stood_in else ""
    return Made(
        line=f"{planned.status}: cost {planned.cost:.2f}, export "
        f"{planned.export_wh.sum() / 1000:.1f} kWh, counting on {battery.capacity_wh / 1000:.1f} "
        f"of {nominal_wh / 1000:.1f} kWh of {len(inputs.bank)} batteries{stood_in}",
        papers={"plan": plan_body(planned)},
    )
