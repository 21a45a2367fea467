"""The steps ``publish`` and ``watch``: the promise, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from aggregator.files import Json, schedule_of
from aggregator.service.day.desk import TOLD_S, Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet import Battery, Home, batteries, homes_in_use, homes_of
from aggregator.service.day.fleet_series import QUARTER_H, QUARTER_S, fleet_soc, home_quarters
from aggregator.service.day.ledger import Session, accounts_of, enrol_missing
from aggregator.service.day.made import Made, find_paper, ms, need_paper
from aggregator.service.store.channels import GRID, SOC
from contracts.errors import LedgerError
from contracts.promise import SOC_BP_MAX, Member, Report, Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray


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
        if home.number in accounts
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
    reported: int = field(metadata={"unhashed": True})
    """Intervals of it that were entered on the embedded ledger."""
    final: dict[int, Json] = field(metadata={"unhashed": True})
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
        accounts = accounts_of(_named(homes_of(connection, grid)), embedded=embedded)
        numbers = tuple(accounts) if embedded else ()
        grid_w = home_quarters(connection, GRID, grid, numbers).values
        soc = home_quarters(connection, SOC, grid, numbers).values
        mean_soc = fleet_soc(connection, grid)
    told = [] if before is None else before["deliveries"]
    reported = 0 if before is None else int(before["reported"])
    # what is entered cannot be mended: an interval waits until its telemetry is here
    told_ms = desk.told_until_ms() if embedded else now_ms - 1000 * TOLD_S
    quarters = grid.step_s // QUARTER_S
    shape = (len(numbers), grid.count, quarters)
    return WatchInputs(
        grid=grid,
        over=max(_passed(grid, told_ms), reported),
        begun=min(_passed(grid, now_ms) + 1, grid.count) if now_ms >= ms(grid.start) else 0,
        reported=reported,
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
