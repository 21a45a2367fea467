"""From a configuration to the parts of its gateway; what is heavy loads here, when it is needed."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from devices.clock import Clock
from devices.errors import DeviceConfigError
from devices.feeds.settings import price_book
from devices.write_log import WriteLog
from hems.agent.config import AgentConfig
from hems.agent.dispatching import DISPATCH_CONTROLLERS, dispatch_controller
from hems.agent.health import Health
from hems.agent.parts import (
    INTERVAL_S,
    Accounts,
    CapKeeper,
    Carries,
    NoLedger,
    Parts,
    Remembers,
)
from hems.agent.seeing.cycles import CycleLog
from hems.agent.seeing.history import History
from hems.agent.seeing.price_watch import PriceWatch
from hems.agent.seeing.samples import Sieve, SieveSettings
from hems.agent.seeing.senses import Senses
from hems.agent.settings import EDGE_CONTROLLERS
from hems.agent.signs_of_life import SignsOfLife, service_manager
from hems.agent.status import STATE_FILE, StatusRow, forecast_errors
from hems.agent.steering.decide import Decider
from hems.agent.steering.equipment import Equipment
from hems.agent.steering.grip import Grip
from hems.agent.steering.order_book import OrderBook
from hems.agent.steering.reference import GridReference
from hems.agent.steering.relay import Contacts, RelayKeeper
from hems.agent.steering.steer import Steering, Tools
from hems.agent.steering.tariff import MarketTariff, Prices
from hems.agent.store import Store
from hems.controller import Controller
from hems.errors import AgentConfigError
from hems.power_reference import PowerReference
from hems.self_consumption import SelfConsumption

PRICES_FILE: Final = "prices.json"
"""Name of the kept prices in the state folder."""


_ALONE: Final = (*EDGE_CONTROLLERS, *DISPATCH_CONTROLLERS)
"""Controllers that decide for their place alone, also where nothing was promised."""


def build(config: AgentConfig, *, clock: Clock, tell: Callable[[str], None]) -> Parts:
    """Return the parts of a gateway, none of them running yet.

    Parameters
    ----------
    config : AgentConfig
        The home; its state folder is there.
    clock : Clock
        The time.
    tell : Callable[[str], None]
        Takes a line of the log.

    Raises
    ------
    StoreError
        If the state file cannot be opened: without it nobody knows what was reported.
    LedgerError
        If the file of the contracts' addresses cannot be read.
    AgentConfigError
        If the source of prices cannot be used.
    """
    with ExitStack() as undo:
        store = Store(config.home.state_folder / STATE_FILE)
        undo.callback(store.close)
        log = WriteLog(config.home.state_folder / f"{config.path.stem}.writes.sqlite")
        undo.callback(log.close)
        ground = _Ground(config=config, clock=clock, health=Health(tell), store=store)
        parts = _parts(ground, log)
        undo.pop_all()  # they are the parts' to close now
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What every part stands on."""

    config: AgentConfig
    clock: Clock
    health: Health
    store: Store


def _parts(ground: _Ground, log: WriteLog) -> Parts:
    config, clock, health = ground.config, ground.clock, ground.health
    equipment = Equipment(config.places, clock=clock, log=log)
    caps = CapKeeper(config, equipment, clock)
    relay = _relay(ground, equipment, log)
    steering = _steering(ground, equipment, caps, relay)
    prices = _prices(ground)
    history = History(ground.store, health=health, settings=config.history)
    books = _books(ground)
    return Parts(
        health=health,
        store=ground.store,
        log=log,
        equipment=equipment,
        senses=Senses(clock=clock, health=health, also=config.places.optional),
        sieve=_sieve(config),
        caps=caps,
        steering=steering,
        history=history,
        decider=_decider(ground, history, prices),
        books=books,
        status=StatusRow(ground.store, health),
        courier=_courier(ground, steering, books, history),
        prices=prices,
        relay=relay,
        cycles=_cycles(ground),
    )


def _relay(ground: _Ground, equipment: Equipment, log: WriteLog) -> RelayKeeper | None:
    settings = ground.config.relay
    if settings is None:
        return None
    contacts = Contacts(
        relay=equipment.relay,
        bank=ground.config.storage.bank(),
        log=log,
        clock=ground.clock,
        health=ground.health,
    )
    return RelayKeeper(settings, contacts)


def _prices(ground: _Ground) -> PriceWatch | None:
    settings, clock = ground.config.prices, ground.clock
    if settings is None:
        return None
    try:
        book = price_book(
            settings, clock=clock, cache=ground.config.home.state_folder / PRICES_FILE
        )
    except DeviceConfigError as error:
        msg = f"{ground.config.path.name} [prices]: {error}"
        raise AgentConfigError(msg) from error
    return PriceWatch(book, clock=clock, health=ground.health)


def _cycles(ground: _Ground) -> CycleLog | None:
    if ground.config.controller.kind not in EDGE_CONTROLLERS:
        return None
    keep_days = ground.config.history.keep_days
    return CycleLog(ground.store, health=ground.health, keep_days=keep_days)


def _steering(
    ground: _Ground, equipment: Equipment, caps: CapKeeper, relay: RelayKeeper | None
) -> Steering:
    clock, health = ground.clock, ground.health
    tools = Tools(
        equipment=equipment,
        grip=Grip(equipment.battery, clock=clock, health=health),
        book=OrderBook(ground.store, clock=clock, health=health),
        reference=GridReference(PowerReference()),
        limits=caps.limits,
        relay=relay,
        alive=SignsOfLife(service_manager()).give,
    )
    return Steering(tools, hold_s=ground.config.controller.hold_s, clock=clock)


def _sieve(config: AgentConfig) -> Sieve:
    bank = config.storage.bank()
    settings = SieveSettings(
        connection_w=max(config.grid.import_max_w, config.grid.export_max_w, 1.0),
        battery_max_w=float(bank.terminal_power_w(bank.power_max_w)[0]),
        capacity_wh=config.storage.capacity_wh,
        pv_max_w=config.grid.pv_max_w,
    )
    return Sieve(settings)


def _decider(ground: _Ground, history: Remembers, prices: PriceWatch | None) -> Decider:
    config, clock = ground.config, ground.clock
    interval_s = INTERVAL_S if config.ledger is None else config.ledger.deployment().interval_s
    controller = _controller(config, clock)
    tariff: Prices = config.tariff
    if prices is not None:
        tariff = MarketTariff(tariff=config.tariff, market=prices.market_per_mwh)
    return Decider(
        controller,
        bank=config.storage.bank(),
        forecast=history.forecast,
        tariff=tariff,
        decide_s=config.controller.decide_s,
        interval_s=interval_s,
        alone=controller if config.controller.kind in _ALONE else None,
    )


def _books(ground: _Ground) -> Accounts:
    if ground.config.ledger is None:
        return NoLedger()
    from hems.agent.ledger.books import Books  # noqa: PLC0415 -- only where there is a ledger

    return Books(ground.config.ledger, store=ground.store, health=ground.health, clock=ground.clock)


def _courier(
    ground: _Ground, steering: Steering, books: Accounts, history: Remembers
) -> Carries | None:
    if ground.config.courier is None:
        return None
    from hems.agent.mqtt.courier import Courier  # noqa: PLC0415 -- only where there is a broker

    courier = Courier(
        ground.config.courier,
        home=ground.config.home,
        store=ground.store,
        clock=ground.clock,
        health=ground.health,
        desk=steering,
        facts=lambda: books.standing(ground.clock.utc()),
        forecast_errors=lambda: forecast_errors(history.scores()),
    )
    steering.tell(courier.aborted)
    return courier


def _controller(config: AgentConfig, clock: Clock) -> Controller:
    """Return what decides; the solver loads only where it is used."""
    kind = config.controller.kind
    if config.dispatch is not None:
        where = f"{config.path.name} [dispatch]"
        return dispatch_controller(kind, config.dispatch, utc=clock.utc, where=where)
    if kind == "mpc":
        from hems.mpc import Mpc  # noqa: PLC0415 -- loads HiGHS

        return Mpc()
    if kind == "realtime-rules":
        from hems.realtime_rules import RealtimeRules  # noqa: PLC0415 -- not everybody's

        return RealtimeRules()
    if kind == "fuzzy":
        from hems.fuzzy.habib import HabibFuzzy  # noqa: PLC0415 -- not everybody's

        return HabibFuzzy()
    if kind == "soc-rules":
        from hems.fuzzy.soc_rules import SocRules  # noqa: PLC0415 -- not everybody's

        return SocRules()
    return SelfConsumption()
