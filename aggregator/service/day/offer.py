"""The step ``offer`` (Merchant): bids of the planned export, and flexibility of every interval."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from aggregator.files import plan_of
from aggregator.market import bids
from aggregator.plan import Plan
from aggregator.service.day.desk import Desk
from aggregator.service.day.fleet import virtual_battery
from aggregator.service.day.made import Made, need_paper
from aggregator.service.day.plan import PlanInputs, gather_plan
from aggregator.virtual_battery import VirtualBattery
from devices.arrays import FloatArray

_LEAST_W: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferInputs:
    """What was planned, and on what terms it is offered."""

    of: PlanInputs
    """What the plan was made from."""
    plan: Plan
    """The plan."""
    limit_price_per_mwh: float
    """Least price of a bid. [currency/MWh]"""
    lot_wh: int
    """Smallest quantity. [Wh]"""
    margin_per_mwh: float
    """What flexibility earns beyond the worth of its energy. [currency/MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flexibility:
    """How far the fleet can leave its plan in each interval; arrays of shape (slots,).

    One interval's offer stands for itself: what one of them takes, a new plan has to give back.
    """

    up_w: FloatArray
    """More to the grid than planned, >= 0. [W]"""
    down_w: FloatArray
    """Less to the grid than planned, or more from it, >= 0. [W]"""
    up_price_per_mwh: FloatArray
    """Least price for giving more. [currency/MWh]"""
    down_price_per_mwh: FloatArray
    """Greatest price paid for taking more; below zero it is to be paid for. [currency/MWh]"""


def gather_offer(desk: Desk, day: date) -> OfferInputs:
    """Read the plan of a day."""
    with desk.store.read() as connection:
        body = need_paper(connection, "plan", day, by="plan")
    settings = desk.settings
    return OfferInputs(
        of=gather_plan(desk, day),
        plan=plan_of(body),
        limit_price_per_mwh=settings.limit_price_per_mwh,
        lot_wh=settings.lot_wh,
        margin_per_mwh=settings.flexibility_margin_per_mwh,
    )


def make_offer(inputs: OfferInputs) -> Made:
    """Offer the planned export, and what the battery could do besides."""
    battery = virtual_battery(inputs.of.bank, soc=inputs.of.soc, scores=inputs.of.scores)
    made = bids(inputs.plan, limit_price_per_mwh=inputs.limit_price_per_mwh, lot_wh=inputs.lot_wh)
    free = flexibility(
        inputs.plan,
        battery,
        import_price_per_mwh=inputs.of.import_price_per_mwh,
        export_price_per_mwh=inputs.of.export_price_per_mwh,
        margin_per_mwh=inputs.margin_per_mwh,
    )
    columns = zip(
        inputs.plan.grid.intervals,
        np.floor(free.up_w).tolist(),
        np.floor(free.down_w).tolist(),
        np.round(free.up_price_per_mwh, 2).tolist(),
        np.round(free.down_price_per_mwh, 2).tolist(),
        strict=True,
    )
    names = ("interval", "up_w", "down_w", "up_price_per_mwh", "down_price_per_mwh")
    body = {
        "bids": [
            {
                "interval": bid.interval,
                "quantity_wh": bid.quantity_wh,
                "limit_price_per_mwh": bid.limit_price_per_mwh,
            }
            for bid in made
        ],
        "flexibility": [dict(zip(names, row, strict=True)) for row in columns],
    }
    sold_kwh = sum(bid.quantity_wh for bid in made) / 1000
    return Made(
        line=f"{len(made)} bids of {sold_kwh:.1f} kWh; up to {free.up_w.max() / 1000:.1f} kW up, "
        f"{free.down_w.max() / 1000:.1f} kW down",
        papers={"offer": body},
    )


def flexibility(
    plan: Plan,
    battery: VirtualBattery,
    *,
    import_price_per_mwh: FloatArray,
    export_price_per_mwh: FloatArray,
    margin_per_mwh: float,
) -> Flexibility:
    """Return how far a plan can be left in each interval, and at what price.

    Parameters
    ----------
    plan : Plan
        The plan.
    battery : VirtualBattery
        The battery that it was made for.
    import_price_per_mwh, export_price_per_mwh : FloatArray, shape (slots,)
        What import costs and export earns. [currency/MWh]
    margin_per_mwh : float
        What is earned beyond the worth of the energy. [currency/MWh]

    Notes
    -----
    Energy that is given now is missing in every later interval, so no more is offered than the
    battery holds above its window's lower end from here to the day's end, at most what power
    leaves; likewise for taking. Energy in the cells is worth what its best later use in the plan
    is: export sold, or import saved, at η_d. Giving takes 1/η_d out of the cells, taking puts η_c
    in. Before a later refill stored energy is worth no more than that costs, and at the day's end
    what it costs to fill the cells again.
    """
    step_h = plan.grid.step_h
    cell_wh = plan.charge_wh - plan.discharge_wh
    stored_wh = plan.soc * battery.capacity_wh
    spare_wh = np.minimum.accumulate((stored_wh - battery.stored_min_wh)[::-1])[::-1]
    room_wh = np.minimum.accumulate((battery.stored_max_wh - stored_wh)[::-1])[::-1]
    most_wh = battery.cell_max_wh(plan.grid.step_s)
    up_cell_wh = np.minimum(np.maximum(spare_wh, 0.0), most_wh + cell_wh)
    down_cell_wh = np.minimum(np.maximum(room_wh, 0.0), most_wh - cell_wh)
    planned_wh = battery.terminal_wh(cell_wh)
    up_w = (planned_wh - battery.terminal_wh(cell_wh - up_cell_wh)) / step_h
    down_w = (battery.terminal_wh(cell_wh + down_cell_wh) - planned_wh) / step_h
    worth = _worth_per_mwh(plan, battery, import_price_per_mwh, export_price_per_mwh)
    return Flexibility(
        up_w=np.where(up_w < _LEAST_W, 0.0, up_w),
        down_w=np.where(down_w < _LEAST_W, 0.0, down_w),
        up_price_per_mwh=worth / battery.discharge_efficiency + margin_per_mwh,
        down_price_per_mwh=worth * battery.charge_efficiency - margin_per_mwh,
    )


def _worth_per_mwh(
    plan: Plan, battery: VirtualBattery, import_price: FloatArray, export_price: FloatArray
) -> FloatArray:
    """Return what energy in the cells is worth after each interval. [currency/MWh]"""
    eta_d, eta_c = battery.discharge_efficiency, battery.charge_efficiency
    # a use of the plan's: it exports or discharges to save import
    use = np.where(plan.export_wh > 0, export_price, import_price) * eta_d
    best = np.where(plan.discharge_wh > 0, use, 0.0)
    # tomorrow it is filled again at what the cheapest export of today would have earned
    last = max(float(export_price.min()), 0.0) / eta_c
    after = np.append(np.maximum.accumulate(best[::-1])[::-1][1:], last)
    refill = np.where(plan.import_wh > 0, import_price, export_price) / eta_c
    cheapest = np.append(np.minimum.accumulate(refill[::-1])[::-1][1:], np.inf)
    worth: FloatArray = np.minimum(np.maximum(after, last), np.maximum(cheapest, 0.0))
    return worth
