"""The steps ``publish``, ``watch`` and ``settle``: the promise, what came of it, and the money."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from sqlalchemy import select

from aggregator.award import Award, micro_per_mwh
from aggregator.files import Json, award_of, schedule_of
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet import Battery, Home, batteries, homes_in_use
from aggregator.service.day.fleet_series import QUARTER_H, QUARTER_S, fleet_soc, home_quarters
from aggregator.service.day.ledger import Session, accounts_of, enrol_missing
from aggregator.service.day.made import Made, Rows, find_paper, ms, need_paper
from aggregator.service.day.prices import IMBALANCE, prices_to_go_by
from aggregator.service.store.channels import GRID, SOC
from aggregator.service.store.tables import settlements
from aggregator.settle_ledger import settle_one
from contracts.errors import LedgerError
from contracts.promise import SOC_BP_MAX, Clearing, Member, Report, Schedule, Settlement
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

TOLD_S: Final = 600
"""How long after an interval its homes' telemetry is waited for, on the embedded ledger. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishInputs:
    """What is promised, and who is to keep it."""

    schedule: Schedule
    """The promise."""
    fleet: tuple[Home, ...]
    """The homes."""
    bank: tuple[Battery, ...]
    """Their batteries."""
    home_power_w: int
    """Rating of a home's grid connection, on the embedded ledger. [W]"""
    now_s: int = field(metadata={"unhashed": True})
    """The present, which the embedded ledger's clock may be behind. [s]"""


def gather_publish(desk: Desk, day: date) -> PublishInputs:
    """Read the promise of a day."""
    with desk.store.read() as connection:
        body = need_paper(connection, "schedule", day, by="award")
        return PublishInputs(
            schedule=schedule_of(body),
            fleet=tuple(homes_in_use(connection)),
            bank=tuple(batteries(connection)),
            home_power_w=desk.ledger.home_power_w,
            now_s=desk.now_ms() // 1000,
        )


def make_publish(inputs: PublishInputs, reached: Session) -> Made:
    """Publish a promise unless it stands already; on the embedded ledger, enrol new homes first."""
    ledger, promised = reached.ledger, inputs.schedule
    enrolled = 0
    if reached.embedded is not None:
        enrolled = enrol_missing(ledger, _members(inputs))
    stands = ledger.fleet.schedule(promised.grid) == promised
    grid, total_wh = promised.grid, sum(promised.commitment_wh)
    if not stands:
        if inputs.now_s >= grid.start.timestamp():
            msg = f"the day that begins {grid.start:%Y-%m-%d %H:%M}Z has begun; promise a later one"
            raise StepInputError(msg)
        ledger.fleet.publish(promised)
    return Made(
        line=f"{'stood already' if stands else 'published'}: {total_wh} Wh in {grid.count} "
        f"intervals from {grid.start:%Y-%m-%d %H:%M}Z"
        + (f", {enrolled} homes enrolled" if enrolled else ""),
        papers={
            "published": {
                "first_interval": grid.first_interval,
                "intervals": grid.count,
                "commitment_wh": total_wh,
            }
        },
    )


def _members(inputs: PublishInputs) -> list[Member]:
    capacity_wh = dict.fromkeys((home.number for home in inputs.fleet), 0.0)
    for each in inputs.bank:
        capacity_wh[each.home_number] += each.capacity_wh
    accounts = accounts_of(_named(inputs.fleet), embedded=True)
    return [
        Member(
            account=accounts[home.number],
            capacity_wh=round(capacity_wh[home.number]),
            grid_power_w=inputs.home_power_w,
        )
        for home in inputs.fleet
    ]


def _named(fleet: Sequence[Home]) -> dict[int, tuple[str, str | None]]:
    return {home.number: (home.id, home.account) for home in fleet}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchInputs:
    """A day under way."""

    grid: TimeGrid
    """The day."""
    over: int
    """Intervals of it that are over, and told."""
    begun: int
    """Intervals of it that have begun."""
    reported: int
    """Intervals of it that were entered on the embedded ledger."""
    final: dict[int, Json]
    """What was delivered in intervals that nothing can change any more."""
    accounts: dict[int, str]
    """Homes' accounts."""
    net_export_wh: FloatArray
    """By home and interval, NaN where not told, shape (homes, slots). [Wh]"""
    soc: FloatArray
    """State of charge at each interval's end, NaN where not told, shape (homes, slots)."""
    fleet_soc: FloatArray
    """Mean of all homes that told one, shape (slots,)."""


def gather_watch(desk: Desk, day: date) -> WatchInputs:
    """Read what homes told of a day so far; of homes that report themselves, nothing is read."""
    grid, now_ms = desk.grid(day), desk.now_ms()
    embedded = not desk.ledger.url
    with desk.store.read() as connection:
        need_paper(connection, "published", day, by="publish")
        before = find_paper(connection, "deliveries", day)
        named = _named(homes_in_use(connection))
        accounts = accounts_of(named, embedded=embedded)
        numbers = tuple(accounts) if embedded else ()
        grid_w = home_quarters(connection, GRID, grid, numbers).values
        soc = home_quarters(connection, SOC, grid, numbers).values
        mean_soc = fleet_soc(connection, grid)
    told = [] if before is None else before["deliveries"]
    quarters = grid.step_s // QUARTER_S
    shape = (len(numbers), grid.count, quarters)
    return WatchInputs(
        grid=grid,
        over=_passed(grid, now_ms - 1000 * TOLD_S),
        begun=min(_passed(grid, now_ms) + 1, grid.count) if now_ms >= ms(grid.start) else 0,
        reported=0 if before is None else int(before["reported"]),
        final={each["interval"]: each for each in told if each["final"]},
        accounts={number: accounts[number] for number in numbers},
        net_export_wh=-grid_w.reshape(shape).sum(axis=2) * QUARTER_H,
        soc=soc.reshape(shape)[:, :, -1] / 100,
        fleet_soc=mean_soc,
    )


def _passed(grid: TimeGrid, at_ms: int) -> int:
    """Return how many intervals are over at a time."""
    return min(max((at_ms - ms(grid.start)) // (1000 * grid.step_s), 0), grid.count)


def make_watch(inputs: WatchInputs, reached: Session) -> Made:
    """Return what was delivered so far; on the embedded ledger, report in the homes' names first.

    Gateways cannot reach a ledger inside the service. There their meters' telemetry is entered
    interval by interval, each at its end by the ledger's clock, through the contract as any report.
    """
    grid, refused = inputs.grid, 0
    if reached.embedded is not None:
        for slot in range(inputs.reported, inputs.over):
            reached.reach(int(grid.start.timestamp()) + (slot + 1) * grid.step_s)
            outcomes = reached.ledger.fleet.report_all(_reports(inputs, slot))
            refused += sum(isinstance(each, LedgerError) for each in outcomes)
    deliveries = _deliveries(inputs, reached)
    delivered_wh = sum(int(each["delivered_wh"]) for each in deliveries)
    silent = int(np.isnan(inputs.net_export_wh[:, : inputs.over]).sum())
    whole = inputs.over == grid.count
    return Made(
        line=f"{inputs.over} of {grid.count} intervals over, delivered {delivered_wh} Wh"
        + (f", {silent} without telemetry" if silent else "")
        + (f", {refused} reports refused" if refused else ""),
        finished=whole,
        papers={
            "deliveries": {
                "reported": max(inputs.over, inputs.reported),
                "deliveries": deliveries,
            }
        },
    )


def _deliveries(inputs: WatchInputs, reached: Session) -> list[Json]:
    """Return what was delivered in each interval that has begun; what is final is not asked for."""
    fleet, found = reached.ledger.fleet, []
    begun = inputs.grid.intervals[: inputs.begun]
    for interval, soc in zip(begun, inputs.fleet_soc.tolist(), strict=False):
        shown: Json = {"soc": None if np.isnan(soc) else round(soc, 4)}
        if interval in inputs.final:
            found.append({**inputs.final[interval], **shown})
            continue
        delivery = fleet.delivery(interval)
        shown |= {
            "interval": interval,
            "commitment_wh": delivery.commitment_wh,
            "delivered_wh": delivery.delivered_wh,
            "exported_wh": delivery.exported_wh,
            "final": fleet.is_final(interval),
        }
        found.append(shown)
    return found


def _reports(inputs: WatchInputs, slot: int) -> list[Report]:
    reports = []
    for row, account in enumerate(inputs.accounts.values()):
        energy_wh, soc = inputs.net_export_wh[row, slot], inputs.soc[row, slot]
        if not np.isnan(energy_wh):
            share = 0.0 if np.isnan(soc) else min(max(float(soc), 0.0), 1.0)
            reports.append(
                Report(
                    account=account,
                    interval=inputs.grid.intervals[slot],
                    net_export_wh=round(float(energy_wh)),
                    soc_bp=round(share * SOC_BP_MAX),
                )
            )
    return reports


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
    kept: dict[int, tuple[int, int]]
    """Price and price of deviation of the intervals that were settled before. [micro/MWh]"""
    transactions: dict[int, str]
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
    with desk.store.read() as connection:
        award = award_of(need_paper(connection, "award", day, by="award"))
        found = prices_to_go_by(connection, IMBALANCE, grid, zone=settings.zone, days_back=0)
        columns = settlements.c
        query = select(
            columns.interval_number,
            columns.price_micro_per_mwh,
            columns.imbalance_price_micro_per_mwh,
            columns.transaction,
        ).where(columns.interval_number.in_(grid.intervals))
        before = connection.execute(query).all()
    guess = np.abs(np.array(award.price_per_mwh)) * settings.imbalance_multiple
    missing = np.isnan(found.price_per_mwh)
    return SettleInputs(
        watch=watch,
        award=award,
        imbalance_price_per_mwh=np.where(missing, guess, found.price_per_mwh),
        guessed=int(missing.sum()),
        kept={number: (price, imbalance) for number, price, imbalance, _ in before},
        transactions={number: sent for number, _, _, sent in before if sent},
        grace_s=desk.ledger.grace_s,
    )


def make_settle(inputs: SettleInputs, reached: Session) -> Made:
    """Settle every promised interval that is final, and go on where an earlier run stopped."""
    watched = make_watch(inputs.watch, reached)
    grid, ledger = inputs.watch.grid, reached.ledger
    reached.reach(int(grid.end.timestamp()) + inputs.grace_s)
    rows: list[dict[str, object]] = []
    not_over = 0
    for slot, committed_wh in enumerate(inputs.award.quantity_wh):
        if not committed_wh:
            continue
        clearing = _clearing(inputs, slot)
        stood = ledger.settlement.settlement(clearing.interval)
        done = settle_one(ledger, clearing, None) if stood is None else stood
        if done is None:
            not_over += 1
        else:
            row = _row(grid, clearing, done, reached)
            rows.append({"transaction": inputs.transactions.get(clearing.interval)} | row)
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


def _clearing(inputs: SettleInputs, slot: int) -> Clearing:
    """Return the prices of an interval; those that it was settled at stand."""
    interval = inputs.watch.grid.intervals[slot]
    now = (
        micro_per_mwh(inputs.award.price_per_mwh[slot]),
        micro_per_mwh(float(inputs.imbalance_price_per_mwh[slot])),
    )
    price, imbalance_price = inputs.kept.get(interval, now)
    return Clearing(
        interval=interval,
        price_micro_per_mwh=price,
        imbalance_price_micro_per_mwh=imbalance_price,
    )


def _refreshed(watched: Made, reached: Session) -> dict[str, Json]:
    """Return the paper of deliveries with what has become final."""
    body, fleet = watched.papers["deliveries"], reached.ledger.fleet
    deliveries = [
        {**each, "final": each["final"] or fleet.is_final(each["interval"])}
        for each in body["deliveries"]
    ]
    return {"deliveries": {**body, "deliveries": deliveries}}


def _row(
    grid: TimeGrid, clearing: Clearing, done: Settlement, reached: Session
) -> dict[str, object]:
    found = reached.ledger.fleet.delivery(clearing.interval)
    sent = done.transaction_hash
    return ({} if sent is None else {"transaction": f"0x{sent.hex()}"}) | {
        "interval_number": clearing.interval,
        "start_ms": clearing.interval * grid.step_s * 1000,
        "commitment_wh": found.commitment_wh,
        "delivered_wh": found.delivered_wh if done.boundary_wh is None else done.boundary_wh,
        "price_micro_per_mwh": clearing.price_micro_per_mwh,
        "imbalance_price_micro_per_mwh": clearing.imbalance_price_micro_per_mwh,
        "revenue_micro": done.revenue_micro,
        "fee_micro": done.fee_micro,
        "loss_micro": done.loss_micro,
    }
