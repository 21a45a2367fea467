"""A fleet's day in numbers: the keys that `gridpact demo --json` prints."""

import numpy as np

from devices.arrays import FloatArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.report.clock import local_date
from scenarios.simulation.day_ahead import slot_energy_wh
from scenarios.simulation.fleet_day import FleetDay
from scenarios.simulation.half_hours import SELF_SUPPLIED_W


def summary(day: FleetDay, *, without_error: FleetDay | None = None) -> dict[str, object]:
    """Return the day's figures; the same inputs and seed give the same values.

    Parameters
    ----------
    day : FleetDay
        A day that was lived through.
    without_error : FleetDay, optional
        The same day planned with a perfect forecast.

    Returns
    -------
    dict
        Energies in Wh, money of the contract in micro-units, other money in the data's currency,
        rates as fractions. Times and the chain's gas are not among them: see `scenarios.demo`.
    """
    trace, payment = day.trace, day.payment
    promised = [delivery for delivery in day.deliveries if delivery.commitment_wh]
    return {
        "homes": day.fleet.homes,
        "intervals": day.data.market_grid.count,
        "data": day.data.source,
        "day": str(local_date(day.data.market_grid)),
        "currency": day.data.currency,
        "committed_wh": sum(delivery.commitment_wh for delivery in promised),
        "delivered_wh": sum(delivery.delivered_wh for delivery in promised),
        "mean_export_error": mean_export_error(day),
        "mean_export_error_perfect_forecast": (
            None if without_error is None else mean_export_error(without_error)
        ),
        "energy_balance_error_wh": energy_balance_error_wh(day),
        "stored_change_wh": round(float((trace.stored_wh[:, -1] - trace.stored_wh[:, 0]).sum())),
        "uncommitted_export_wh": round(float(day.market.unpaid_export_wh.sum())),
        "revenue_micro": payment.revenue_micro,
        "credits_micro": int(payment.credits_micro.sum()),
        "fee_micro": payment.fee_micro,
        "dust_micro": payment.dust_micro,
        "loss_micro": payment.loss_micro,
        "plan_status": str(day.promise.replan.status),
        "plan_broken": len(day.promise.replan.broken),
        "reports": trace.reports,
        "refused_reports": len(trace.refusals),
        "decisions": trace.decisions,
        "proved_decisions": trace.proved_decisions,
        "cap_excess_wh": trace.cap_excess_wh,
        "self_consumption_rate": self_consumption_rate(day),
        "self_supply_time_rate": self_supply_time_rate(day),
        "bill_baseline": float(day.bills.baseline.sum()),
        "bill_panels_alone": bill_panels_alone(day),
        "bill": float(day.bills.bill.sum()),
        "bill_reduction": float(day.bills.reduction.sum()),
        "market_revenue": float(day.market.revenue.sum()),
        "imbalance_cost": float(day.market.imbalance_cost.sum()),
    }


def mean_export_error(day: FleetDay) -> float | None:
    """Return Σ|delivered − E_c| / ΣE_c over the intervals with a commitment, None without any."""
    promised = [delivery for delivery in day.deliveries if delivery.commitment_wh]
    committed_wh = sum(delivery.commitment_wh for delivery in promised)
    missed_wh = sum(abs(delivery.delivered_wh - delivery.commitment_wh) for delivery in promised)
    return missed_wh / committed_wh if committed_wh else None


def energy_balance_error_wh(day: FleetDay) -> float:
    """Return the largest gap in any home's energy balance over a minute. [Wh]

    Notes
    -----
    Two balances, computed from the recorded series alone: at the meter, load + battery − production
    − grid; in the cells, the change of stored energy less what efficiency lets through.
    """
    trace, bank = day.trace, day.fleet.bank
    now = slice(day.data.day_start_minute, None)
    step_h = MINUTE_S / 3600
    battery_w = trace.battery_power_w
    house_w = day.data.load_w[:, now] + battery_w - day.data.pv_w[:, now]
    meter_wh = np.abs(house_w - trace.grid_power_w) * step_h
    charge_w = np.maximum(battery_w, 0.0)
    discharge_w = np.maximum(-battery_w, 0.0)
    cells_w = (
        charge_w * bank.charge_efficiency[:, None]
        - discharge_w / bank.discharge_efficiency[:, None]
    )
    cells_wh = np.abs(np.diff(trace.stored_wh, axis=1) - cells_w * step_h)
    return float(max(meter_wh.max(), cells_wh.max()))


def bill_panels_alone(day: FleetDay) -> float:
    """Return what the homes would pay with their panels, but no battery and no fleet. [currency]

    Notes
    -----
    Couraud 2021's scenario 5, netted per settlement period as all bills here are. The paper's own
    baseline, scenario 0, has no panels either; this one shows what battery and fleet add. Homes
    whose assets stand elsewhere have no panels: theirs is the baseline.
    """
    if day.arrangement.central:
        return float(day.bills.baseline.sum())
    grid, now = day.data.market_grid, slice(day.data.day_start_minute, None)
    own_wh = slot_energy_wh(day.data.load_w[:, now] - day.data.pv_w[:, now], grid)
    import_wh = np.maximum(own_wh, 0.0).sum(axis=0)
    return float(import_wh @ day.data.import_price_per_mwh / 1e6)


def self_consumption_rate(day: FleetDay) -> float:
    """Return the part of the homes' consumption that did not come from the grid at that minute.

    Notes
    -----
    Couraud 2021, §IV.B: energy self-consumed over energy consumed. A battery that charges from the
    grid takes that energy on its own account: a home's own supply is never below 0.
    """
    load_w = day.data.load_w[:, day.data.day_start_minute :]
    own_w = np.maximum(load_w - _import_w(day), 0.0)
    return float(own_w.sum() / load_w.sum())


def self_supply_time_rate(day: FleetDay) -> float:
    """Return the share of all home-minutes without import."""
    return float((_import_w(day) <= SELF_SUPPLIED_W).mean())


def _import_w(day: FleetDay) -> FloatArray:
    return np.maximum(day.trace.grid_power_w, 0.0)
