"""From a configuration to the parts of its gateway; what is heavy loads here, when it is needed."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from devices.clock import Clock
from devices.write_log import WriteLog
from hems.agent.config import AgentConfig
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
from hems.agent.seeing.history import History
from hems.agent.seeing.samples import Sieve, SieveSettings
from hems.agent.seeing.senses import Senses
from hems.agent.status import STATE_FILE, StatusRow, forecast_errors
from hems.agent.steering.decide import Decider
from hems.agent.steering.equipment import Equipment
from hems.agent.steering.grip import Grip
from hems.agent.steering.order_book import OrderBook
from hems.agent.steering.reference import GridReference
from hems.agent.steering.steer import Steering, Tools
from hems.agent.store import Store
from hems.controller import Controller
from hems.power_reference import PowerReference
from hems.self_consumption import SelfConsumption


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
    steering = _steering(ground, equipment, caps)
    history = History(ground.store, health=health, settings=config.history)
    books = _books(ground)
    return Parts(
        health=health,
        store=ground.store,
        log=log,
        equipment=equipment,
        senses=Senses(clock=clock, health=health),
        sieve=_sieve(config),
        caps=caps,
        steering=steering,
        history=history,
        decider=_decider(config, history),
        books=books,
        status=StatusRow(ground.store, health),
        courier=_courier(ground, steering, books, history),
    )


def _steering(ground: _Ground, equipment: Equipment, caps: CapKeeper) -> Steering:
    clock, health = ground.clock, ground.health
    tools = Tools(
        equipment=equipment,
        grip=Grip(equipment.battery, clock=clock, health=health),
        book=OrderBook(ground.store, clock=clock, health=health),
        reference=GridReference(PowerReference()),
        limits=caps.limits,
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


def _decider(config: AgentConfig, history: Remembers) -> Decider:
    interval_s = INTERVAL_S if config.ledger is None else config.ledger.deployment().interval_s
    return Decider(
        _controller(config.controller.kind),
        bank=config.storage.bank(),
        forecast=history.forecast,
        tariff=config.tariff,
        decide_s=config.controller.decide_s,
        interval_s=interval_s,
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

    return Courier(
        ground.config.courier,
        home=ground.config.home,
        store=ground.store,
        clock=ground.clock,
        health=ground.health,
        desk=steering,
        facts=lambda: books.standing(ground.clock.utc()),
        forecast_errors=lambda: forecast_errors(history.scores()),
    )


def _controller(kind: str) -> Controller:
    """Return what decides; the solver loads only where it is used."""
    if kind == "mpc":
        from hems.mpc import Mpc  # noqa: PLC0415 -- loads HiGHS

        return Mpc()
    if kind == "realtime-rules":
        from hems.realtime_rules import RealtimeRules  # noqa: PLC0415 -- not everybody's

        return RealtimeRules()
    return SelfConsumption()
