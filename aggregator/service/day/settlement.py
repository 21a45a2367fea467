"""The step ``settle``: the money of a day that is over."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from sqlalchemy import select

from aggregator.award import Award, micro_per_mwh
from aggregator.files import Json, award_of
from aggregator.service.day.desk import TOLD_S, Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.ledger import Session
from aggregator.service.day.made import Made, Rows, need_paper
from aggregator.service.day.prices import IMBALANCE, prices_to_go_by
from aggregator.service.day.promise import WatchInputs, gather_watch, make_watch
from aggregator.service.store.tables import settlements
from aggregator.settle_ledger import settle_one
from contracts.promise import Clearing, Settlement
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleInputs:
    """A day that is over, and its prices."""

    watch: WatchInputs
    """What is still to be entered on the embedded ledger."""
    award: Award
    """What was sold, at what price."""
    imbalance_price_per_mwh: FloatArray
    """Price of a deviation, shape (slots,). [currency/MWh]"""
    guessed: int
    """Intervals whose price of a deviation is a multiple of the day-ahead price."""
    transactions: dict[int, str] = field(metadata={"unhashed": True})
    """Transactions that settled intervals before, in hexadecimal; those of nodes alone."""
    grace_s: int
    """How long the embedded ledger takes reports after an interval. [s]"""


def gather_settle(desk: Desk, day: date) -> SettleInputs:
    """Read the prices of a day that is over."""
    settings, grid = desk.settings, desk.grid(day)
    if desk.clock.utc() < grid.end + timedelta(seconds=TOLD_S):
        msg = f"{day} is not over, or its homes have not told all; settle it later"
        raise StepInputError(msg)
    watch = gather_watch(desk, day)
    if watch.over < grid.count:
        desk.require_told(day)
    with desk.store.read() as connection:
        award = award_of(need_paper(connection, "award", day, by="award"))
        found = prices_to_go_by(connection, IMBALANCE, grid, zone=settings.zone, days_back=0)
        columns = settlements.c
        query = select(columns.interval_number, columns.transaction)
        before = connection.execute(query.where(columns.interval_number.in_(grid.intervals))).all()
    guess = np.abs(np.array(award.price_per_mwh)) * settings.imbalance_multiple
    missing = np.isnan(found.price_per_mwh)
    if desk.imbalance is not None:
        _require_published(grid, missing & (np.array(award.quantity_wh) > 0))
    return SettleInputs(
        watch=watch,
        award=award,
        imbalance_price_per_mwh=np.where(missing, guess, found.price_per_mwh),
        guessed=int(missing.sum()),
        transactions={number: sent for number, sent in before if sent},
        grace_s=desk.ledger.grace_s,
    )


def _require_published(grid: TimeGrid, missing: BoolArray) -> None:
    """Raise where a price of a deviation is still to come: what is settled cannot be mended."""
    if missing.any():
        start = grid.starts()[int(np.argmax(missing))]
        msg = (
            f"no price of deviations of {start:%Y-%m-%d %H:%M}Z and {int(missing.sum()) - 1} more "
            "yet; run the step imbalance, or take [imbalance] out to settle at imbalance_multiple"
        )
        raise StepInputError(msg)


def make_settle(inputs: SettleInputs, reached: Session) -> Made:
    """Settle every promised interval that is final, and go on where an earlier run stopped.

    What was promised, and at what prices an interval was posted before, the ledger says: an award
    may have been taken again since.
    """
    watched = make_watch(inputs.watch, reached)
    grid, ledger = inputs.watch.grid, reached.ledger
    reached.reach(int(grid.end.timestamp()) + inputs.grace_s)
    rows: list[dict[str, object]] = []
    not_over = 0
    for each in watched.papers["deliveries"]["deliveries"]:
        if not each["commitment_wh"]:
            continue
        interval = each["interval"]
        stood = ledger.settlement.settlement(interval)
        done = settle_one(ledger, _clearing(inputs, interval), None) if stood is None else stood
        if done is None:
            not_over += 1
        else:
            row = _row(done, reached, step_s=grid.step_s)
            rows.append({"transaction": inputs.transactions.get(interval)} | row)
    revenue = sum(int(str(row["revenue_micro"])) for row in rows) / 1e6
    columns = settlements.c
    intervals = grid.intervals
    return Made(
        line=f"{len(rows)} intervals settled, revenue {revenue:.2f}"
        + (f", {not_over} not final yet" if not_over else "")
        + (f", {inputs.guessed} prices of deviations guessed" if inputs.guessed and rows else ""),
        finished=not not_over,
        papers=_refreshed(watched, reached),
        rows=[
            Rows(
                table=settlements,
                replaces=(columns.interval_number >= intervals[0])
                & (columns.interval_number <= intervals[-1]),
                rows=rows,
            )
        ],
    )


def _clearing(inputs: SettleInputs, interval: int) -> Clearing:
    """Return the prices of an interval."""
    slot = interval - inputs.watch.grid.first_interval
    return Clearing(
        interval=interval,
        price_micro_per_mwh=micro_per_mwh(inputs.award.price_per_mwh[slot]),
        imbalance_price_micro_per_mwh=micro_per_mwh(float(inputs.imbalance_price_per_mwh[slot])),
    )


def _refreshed(watched: Made, reached: Session) -> dict[str, Json]:
    """Return the paper of deliveries with what has become final."""
    body, fleet = watched.papers["deliveries"], reached.ledger.fleet
    deliveries = [
        {**each, "final": each["final"] or fleet.is_final(each["interval"])}
        for each in body["deliveries"]
    ]
    return {"deliveries": {**body, "deliveries": deliveries}}


def _row(done: Settlement, reached: Session, *, step_s: int) -> dict[str, object]:
    """Return what the ledger says of a settled interval."""
    interval, sent = done.interval, done.transaction_hash
    found = reached.ledger.fleet.delivery(interval)
    posted = reached.ledger.settlement.clearing(interval)
    return ({} if sent is None else {"transaction": f"0x{sent.hex()}"}) | {
        "interval_number": interval,
        "start_ms": interval * step_s * 1000,
        "commitment_wh": found.commitment_wh,
        "delivered_wh": done.boundary_wh if done.scaled else found.delivered_wh,
        "price_micro_per_mwh": posted.price_micro_per_mwh,
        "imbalance_price_micro_per_mwh": posted.imbalance_price_micro_per_mwh,
        "revenue_micro": done.revenue_micro,
        "fee_micro": done.fee_micro,
        "loss_micro": done.loss_micro,
    }
