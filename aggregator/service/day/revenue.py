"""The step ``revenue`` (Rieki): what a day earned and cost, per home and for the fleet."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import select

from aggregator.bills import bill_homes, registers
from aggregator.service.day.desk import Desk
from aggregator.service.day.fleet import homes_of, import_prices
from aggregator.service.day.fleet_series import QUARTER_H, QUARTER_S, home_quarters
from aggregator.service.day.ledger import Session, accounts_of
from aggregator.service.day.made import FLEET, Made, Rows, span_ms
from aggregator.service.store.channels import GRID, LOAD
from aggregator.service.store.tables import revenues, settlements
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueInputs:
    """What was measured and settled on a day."""

    day: date
    """The day."""
    grid: TimeGrid
    """Its intervals."""
    numbers: tuple[int, ...]
    """The homes' numbers."""
    accounts: dict[int, str]
    """Their accounts, of those that have one."""
    settled: tuple[int, ...]
    """Intervals that were settled."""
    revenue_micro: int
    """What the market paid for them. [micro]"""
    loss_micro: int
    """What others of them lost. [micro]"""
    grid_w: FloatArray
    """Power at the grid connection, NaN where not told, shape (homes, quarters). [W]"""
    load_w: FloatArray
    """Consumption, likewise. [W]"""
    import_price_per_mwh: FloatArray
    """What import costs each home, shape (homes, slots). [currency/MWh]"""
    wire_price_share: float
    """Price of energy out of the fleet over the retail price."""


def gather_revenue(desk: Desk, day: date) -> RevenueInputs:
    """Read what was measured and settled on a day."""
    desk.require_told(day)
    settings, grid = desk.settings, desk.grid(day)
    begin_ms, end_ms = span_ms(grid)
    columns = settlements.c
    with desk.store.read() as connection:
        fleet = homes_of(connection, grid)
        numbers = tuple(home.number for home in fleet)
        named = {home.number: (home.id, home.account) for home in fleet}
        settled = connection.execute(
            select(columns.interval_number, columns.revenue_micro, columns.loss_micro)
            .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
            .order_by(columns.interval_number)
        ).all()
        return RevenueInputs(
            day=day,
            grid=grid,
            numbers=numbers,
            accounts=accounts_of(named, embedded=not desk.ledger.url),
            settled=tuple(row.interval_number for row in settled),
            revenue_micro=sum(max(row.revenue_micro, 0) for row in settled),
            loss_micro=sum(row.loss_micro for row in settled),
            grid_w=home_quarters(connection, GRID, grid, numbers).values,
            load_w=home_quarters(connection, LOAD, grid, numbers).values,
            import_price_per_mwh=import_prices(
                connection, fleet, grid, zone=settings.zone, default=settings.import_price_per_mwh
            ),
            wire_price_share=settings.wire_price_share,
        )


def make_revenue(inputs: RevenueInputs, reached: Session) -> Made:
    """Return revenue, cost and what the load alone would have cost, a row per home and the fleet's.

    A home's revenue is its share of what the market paid, its cost the retail bill, where what
    another member gave is cheaper. The fleet's cost is what the homes are owed and what was lost.
    """
    credit_micro, exported_wh = _shares(inputs, reached)
    cost, baseline = _bills(inputs)
    rows: list[dict[str, object]] = [
        {
            "day": inputs.day.isoformat(),
            "home_number": number,
            "revenue_micro": int(credit_micro[row]),
            "cost_micro": round(float(cost[row]) * 1e6),
            "baseline_micro": round(float(baseline[row]) * 1e6),
            "exported_wh": int(exported_wh[row]),
        }
        for row, number in enumerate(inputs.numbers)
    ]
    owed_micro = int(credit_micro.sum())
    rows.append(
        {
            "day": inputs.day.isoformat(),
            "home_number": FLEET,
            "revenue_micro": inputs.revenue_micro,
            "cost_micro": owed_micro + inputs.loss_micro,
            "baseline_micro": None,
            "exported_wh": int(exported_wh.sum()),
        }
    )
    profit = (inputs.revenue_micro - owed_micro - inputs.loss_micro) / 1e6
    saved = float((baseline - cost).sum())
    holes = int(np.isnan(inputs.grid_w).sum())
    return Made(
        line=f"revenue {inputs.revenue_micro / 1e6:.2f}, of which homes {owed_micro / 1e6:.2f}, "
        f"profit {profit:.2f}; homes saved {saved:.2f} at retail"
        + (f"; {holes} quarter-hours were not told" if holes else ""),
        rows=[
            Rows(
                table=revenues,
                replaces=revenues.c.day == inputs.day.isoformat(),
                rows=rows,
            )
        ],
    )


def _shares(inputs: RevenueInputs, reached: Session) -> tuple[IntArray, IntArray]:
    """Return each home's credits and its exports of the settled intervals. [micro, Wh]

    Notes
    -----
    A credit is a share of the interval's pool in proportion to the home's net export, rounded down,
    as the settlement contract has it; the contract itself says 0 once a credit was claimed.
    """
    fleet, account = reached.ledger.fleet, reached.ledger.settlement
    credit_micro = np.zeros(len(inputs.numbers), dtype=np.int64)
    exported_wh = np.zeros(len(inputs.numbers), dtype=np.int64)
    own = [row for row, number in enumerate(inputs.numbers) if number in inputs.accounts]
    accounts = [inputs.accounts[inputs.numbers[row]] for row in own]
    net_wh = np.array(fleet.exports_wh(accounts, inputs.settled), dtype=np.int64)
    positive_wh = np.maximum(net_wh.reshape(len(own), len(inputs.settled)), 0)
    exported_wh[own] = positive_wh.sum(axis=1)
    for slot, interval in enumerate(inputs.settled):
        done, total_wh = account.settlement(interval), fleet.delivery(interval).exported_wh
        if done is not None and total_wh:
            # of Python's integers, which do not end: a pool times an export passes 64 bits
            for row, own_wh in zip(own, positive_wh[:, slot].tolist(), strict=True):
                credit_micro[row] += done.pool_micro * own_wh // total_wh
    return credit_micro, exported_wh


def _bills(inputs: RevenueInputs) -> tuple[FloatArray, FloatArray]:
    """Return what homes pay, and what their load alone would cost, shape (homes,). [currency]"""
    if not inputs.numbers:
        return np.zeros(0), np.zeros(0)
    grid_w = np.nan_to_num(inputs.grid_w)  # what was not told cannot be billed
    counted = registers(grid_w, step_s=QUARTER_S, period_s=inputs.grid.step_s)
    load_w = np.maximum(np.nan_to_num(inputs.load_w), 0.0)
    load_wh = load_w.reshape(len(load_w), inputs.grid.count, -1).sum(axis=2) * QUARTER_H
    billed = bill_homes(
        counted,
        load_wh=load_wh,
        retail_price_per_mwh=inputs.import_price_per_mwh,
        wire_price_share=inputs.wire_price_share,
    )
    return billed.bill, billed.baseline
