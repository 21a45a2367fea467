"""One market day of a fleet: plan, bid, clear, re-plan, publish, live through it, settle, pay."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aggregator.award import Award, micro_per_mwh
from aggregator.bills import Bills
from aggregator.forecast import Forecast
from aggregator.market import PriceTakerMarket, bids
from aggregator.plan import Plan, follow_day, plan_day, replan
from aggregator.publish import schedule
from aggregator.settle import ImbalanceRule, MarketSettlement, settle_market
from aggregator.virtual_battery import aggregate
from contracts.chain import Chain, TimeMachine
from contracts.client import Terms, connect, deploy
from contracts.promise import Clearing, Delivery, Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from hems.controller import Controller
from scenarios.data.fleet_data import FleetData
from scenarios.errors import ScenarioInputError
from scenarios.simulation.arrangement import FRAMEWORK, Arrangement, bills
from scenarios.simulation.day_ahead import fleet_energy_wh, slot_energy_wh, worsened_wh
from scenarios.simulation.day_record import DayRecord
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.payment import Payment, pay
from scenarios.simulation.trace import DayTrace
from scenarios.simulation.traced_day import trace_day

DAY_AHEAD_S = 43_200
"""The promise is published this long before the day begins. [s]"""
WEEK_S = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the aggregator planned, sold and published."""

    forecast: Forecast
    """What it expected."""
    plan: Plan
    """What it offered."""
    award: Award
    """What the market took."""
    replan: Plan
    """How it means to deliver that."""
    schedule: Schedule
    """What it published."""
    plan_s: float
    """Time to build and solve the day-ahead plan. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedDay:
    """A day whose payment is still to come, as a run of many days has it."""

    data: FleetData
    """Inputs; the homes may be one row, their sums."""
    fleet: Fleet
    """Who took part."""
    rules: Rules
    """How the day was run."""
    promise: Promise
    """What was planned, sold and published."""
    record: DayRecord
    """What happened, by half-hours."""
    deliveries: tuple[Delivery, ...]
    """What the contract recorded, one per market interval."""
    market: MarketSettlement
    """The market's account."""
    bills: Bills
    """The homes' retail bills, and after them that of a central site."""
    arrangement: Arrangement = FRAMEWORK
    """Where panels and batteries stand, and who sells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDay:
    """A whole day: its inputs, its promise, what happened and what it paid."""

    data: FleetData
    """Inputs."""
    fleet: Fleet
    """Who took part."""
    rules: Rules
    """How the day was run."""
    promise: Promise
    """What was planned, sold and published."""
    trace: DayTrace
    """What happened, minute by minute."""
    deliveries: tuple[Delivery, ...]
    """What the contract recorded, one per market interval."""
    market: MarketSettlement
    """The market's account."""
    bills: Bills
    """The homes' retail bills."""
    payment: Payment
    """Who was paid what."""
    arrangement: Arrangement = FRAMEWORK
    """Where panels and batteries stand, and who sells."""


def promise_day(
    data: FleetData,
    fleet: Fleet,
    rules: Rules,
    *,
    stored_wh: FloatArray | None = None,
    stream: tuple[int, ...] = (),
) -> Promise:
    """Forecast, plan, bid, be cleared and plan again: the aggregator's day before the day.

    Parameters
    ----------
    data : FleetData
        Inputs of the day; its reality is worsened into a forecast.
    fleet : Fleet
        Who takes part.
    rules : Rules
        How the day is run.
    stored_wh : FloatArray, shape (homes,), optional
        What the aggregator expects in the cells at the day's start; without, the rules say. [Wh]
    stream : tuple[int, ...]
        Picks the draw of the forecast's errors: the days of a run have one each.

    Notes
    -----
    Couraud 2021, phases 1 and 2. Prices are known day-ahead, as the paper assumes; demand and
    production are forecast with the rules' error.
    """
    forecast = _forecast(data, rules, stream)
    begins_wh = rules.soc_start * fleet.bank.capacity_wh if stored_wh is None else stored_wh
    battery = aggregate(fleet.bank, begins_wh)
    began = time.perf_counter()
    plan = plan_day(battery, forecast)
    plan_s = time.perf_counter() - began
    market = PriceTakerMarket(
        grid=data.market_grid,
        clearing_price_per_mwh=data.day_ahead_price_per_mwh,
        award_share=rules.award_share,
    )
    award = market.clear(bids(plan))
    second = replan(battery, forecast, award)
    return Promise(
        forecast=forecast,
        plan=plan,
        award=award,
        replan=second,
        schedule=schedule(second, award, soc_margin=rules.soc_margin),
        plan_s=plan_s,
    )


def promise_nothing(
    data: FleetData,
    fleet: Fleet,
    rules: Rules,
    *,
    stored_wh: FloatArray | None = None,
    stream: tuple[int, ...] = (),
) -> Promise:
    """Return the day of a fleet that sells nothing; the parameters are those of `promise_day`."""
    forecast = _forecast(data, rules, stream)
    begins_wh = rules.soc_start * fleet.bank.capacity_wh if stored_wh is None else stored_wh
    plan = follow_day(aggregate(fleet.bank, begins_wh), forecast)
    grid = data.market_grid
    award = Award(
        grid=grid,
        quantity_wh=(0,) * grid.count,
        price_per_mwh=tuple(data.day_ahead_price_per_mwh.tolist()),
    )
    return Promise(
        forecast=forecast,
        plan=plan,
        award=award,
        replan=plan,
        schedule=schedule(plan, award),
        plan_s=0.0,
    )


def _forecast(data: FleetData, rules: Rules, stream: tuple[int, ...]) -> Forecast:
    """Return the day-ahead forecast: reality, worsened as the rules say."""
    grid = data.market_grid
    demand_wh, production_wh = fleet_energy_wh(data)
    demand_rng, production_rng = (
        np.random.default_rng(seed)
        for seed in np.random.SeedSequence(rules.seed, spawn_key=stream).spawn(2)
    )
    points = max(1, rules.forecast_step_s // grid.step_s)

    def worsened(actual_wh: FloatArray, rng: np.random.Generator) -> FloatArray:
        return worsened_wh(actual_wh, error=rules.forecast_error, slots_per_point=points, rng=rng)

    return Forecast(
        grid=grid,
        demand_wh=worsened(demand_wh, demand_rng),
        production_wh=worsened(production_wh, production_rng),
        import_price_per_mwh=data.import_price_per_mwh,
        export_price_per_mwh=data.day_ahead_price_per_mwh,
    )


def live_day(
    *,
    data: FleetData,
    fleet: Fleet,
    rules: Rules,
    controller: Controller,
    chain: Chain,
    owner: str,
    market_account: str,
    tick: Callable[[int], None] = lambda _: None,
) -> FleetDay:
    """Run a day on a chain whose clock can be set, from the plan to the payment.

    Parameters
    ----------
    data : FleetData
        Inputs of the day.
    fleet : Fleet
        Who takes part; its accounts can send on ``chain``.
    rules : Rules
        How the day is run.
    controller : Controller
        Decides for all homes.
    chain : Chain
        Carries the contracts.
    owner, market_account : str
        The aggregator's account, and the one that is owed losses.
    tick : Callable[[int], None]
        Called after each simulated minute.

    Raises
    ------
    ScenarioInputError
        If the chain's clock cannot be set.
    """
    if not isinstance(chain, TimeMachine):
        msg = "the chain's clock cannot be set; use an embedded chain, Anvil or Ganache"
        raise ScenarioInputError(msg)
    promise = promise_day(data, fleet, rules)
    grid = data.market_grid.shifted(_shift_s(data.market_grid, chain))
    chain.set_time(int(grid.start.timestamp()) - DAY_AHEAD_S)
    terms = Terms(interval_s=rules.interval_s, fee_bp=rules.fee_bp)
    ledger = connect(chain, deploy(chain, owner=owner, market=market_account, terms=terms))
    ledger.fleet.enrol(fleet.members())
    ledger.fleet.publish(dated(promise.schedule, grid))
    trace, record = trace_day(
        data=data,
        fleet=fleet,
        rules=rules,
        controller=controller,
        ledger=ledger.fleet,
        clock=chain,
        ledger_grid=grid,
        tick=tick,
    )
    chain.set_time(int(grid.end.timestamp()) + terms.grace_s)
    deliveries = tuple(ledger.fleet.delivery(interval) for interval in grid.intervals)
    lived = account_for(data, fleet, rules, promise=promise, record=record, deliveries=deliveries)
    return FleetDay(
        data=data,
        fleet=fleet,
        rules=rules,
        promise=promise,
        trace=trace,
        deliveries=deliveries,
        market=lived.market,
        bills=lived.bills,
        payment=pay(
            ledger,
            members=fleet.accounts,
            deliveries=deliveries,
            clearings=clearings(data, deliveries),
            bond_micro=rules.bond_micro,
        ),
    )


def account_for(
    data: FleetData,
    fleet: Fleet,
    rules: Rules,
    *,
    promise: Promise,
    record: DayRecord,
    deliveries: tuple[Delivery, ...],
    arrangement: Arrangement = FRAMEWORK,
    rule: ImbalanceRule = "paper",
) -> LivedDay:
    """Return a day with the market's account of it and the homes' bills."""
    return LivedDay(
        data=data,
        fleet=fleet,
        rules=rules,
        promise=promise,
        record=record,
        deliveries=deliveries,
        market=_market(data, deliveries, rule),
        bills=bills(
            arrangement,
            data,
            record.registers,
            load_wh=record.column("billed_wh"),
            wire_share=rules.wire_share,
        ),
        arrangement=arrangement,
    )


def net_export_wh(record: DayRecord, grid: TimeGrid) -> FloatArray:
    """Return what all members' meters showed together, shape (slots,), > 0 exports. [Wh]"""
    return slot_energy_wh(record.outcome.plant_w, grid) - record.by_slot("net_wh")


def _shift_s(grid: TimeGrid, chain: Chain) -> int:
    """Return by how many whole weeks the day must move for the chain's clock to reach it. [s]"""
    late_s = chain.now_s() - (int(grid.start.timestamp()) - DAY_AHEAD_S)
    return max(0, -(-late_s // WEEK_S)) * WEEK_S


def dated(promised: Schedule, grid: TimeGrid) -> Schedule:
    """Return the same promise on the ledger's dates."""
    return Schedule(
        grid=grid,
        soc_bp=promised.soc_bp,
        commitment_wh=promised.commitment_wh,
        steered=promised.steered,
    )


def _market(
    data: FleetData, deliveries: tuple[Delivery, ...], rule: ImbalanceRule
) -> MarketSettlement:
    return settle_market(
        committed_wh=np.array([d.commitment_wh for d in deliveries], dtype=np.float64),
        delivered_wh=np.array([d.delivered_wh for d in deliveries], dtype=np.float64),
        price_per_mwh=data.day_ahead_price_per_mwh,
        imbalance_price_per_mwh=data.imbalance_price_per_mwh,
        rule=rule,
    )


def clearings(data: FleetData, deliveries: tuple[Delivery, ...]) -> list[Clearing]:
    """Return the prices of the promised intervals, as the settlement contract takes them."""
    prices = zip(
        deliveries, data.day_ahead_price_per_mwh, data.imbalance_price_per_mwh, strict=True
    )
    return [
        Clearing(
            interval=delivery.interval,
            price_micro_per_mwh=micro_per_mwh(float(price)),
            imbalance_price_micro_per_mwh=micro_per_mwh(float(imbalance)),
        )
        for delivery, price, imbalance in prices
        if delivery.commitment_wh
    ]
