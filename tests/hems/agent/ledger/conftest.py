"""A fleet on a chain in process, whose clock the home's is, and a home that keeps books."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

# Its import raises Python's recursion limit, which hypothesis does not like to see inside a test.
import eth_account  # noqa: F401
import pytest

from contracts.client import Ledger, Terms, connect, deploy
from contracts.errors import LedgerUnavailableError
from contracts.local.embedded import development_accounts, embedded_chain
from contracts.promise import Member, Schedule
from contracts.timegrid import TimeGrid
from devices.battery import BatteryState, MeterState
from hems.agent.health import Health
from hems.agent.ledger.account import LedgerAccount
from hems.agent.ledger.books import Books
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.reading import Reading
from hems.agent.store import Store

STEP_S = 1800
START_S = int(datetime(2026, 6, 1, 10, tzinfo=UTC).timestamp())
OWNER, MARKET, HOME, PLANT = development_accounts(seed=7, count=4)


SETTINGS = LedgerSettings(
    url="http://nowhere",
    deployment_file=Path("none"),
    account=HOME.address,
    keys=Path("none"),
)


@dataclass
class Hand:
    """A clock that stands until it is moved."""

    now_s: float = START_S
    monotonic: float = 5000.0

    def utc(self):
        return datetime.fromtimestamp(self.now_s, UTC)

    def monotonic_s(self):
        return self.monotonic

    async def sleep(self, seconds):
        raise AssertionError(seconds)


class Current:
    """The chain that there is now: a reorganisation puts another one in its place."""

    def __init__(self, chain):
        self.chain = chain

    def __getattr__(self, name):
        return getattr(self.chain, name)


class Faulty:
    """A chain that loses requests before they are carried out, or answers after, as planned."""

    def __init__(self, chain):
        self.chain, self.plan = chain, []
        self.sent, self.looks = [], 0

    def send_all(self, calls):
        fate = self.plan.pop(0) if self.plan else "pass"
        self.sent.append((self.chain.now_s(), len(calls)))
        if fate == "before":
            raise LedgerUnavailableError("lost on the way")
        outcomes = self.chain.send_all(calls)
        if fate == "after":
            raise LedgerUnavailableError("answer lost")
        return outcomes

    def call(self, call):
        return self.chain.call(call)

    def now_s(self):
        self.looks += 1
        return self.chain.now_s()

    @property
    def chain_id(self):
        return self.chain.chain_id


@dataclass
class Home:
    """The home, its fleet and its memory."""

    chain: object
    deployment: object
    ledger: Ledger
    path: Path | None = None
    clock: Hand = field(default_factory=Hand)
    lines: list[str] = field(default_factory=list)
    settings: LedgerSettings = SETTINGS
    power_w: float = 0.0
    soc: float = 0.5
    export_wh: float | None = None
    import_wh: float | None = None
    true_wh: float = 0.0

    def __post_init__(self):
        self.faulty = Faulty(self.chain)
        self.store = None
        self.open()

    def open(self):
        """Begin a gateway, after a kill: nothing of the one before is closed."""
        self.store = Store(self.path)
        self.health = Health(self.lines.append)
        self.books = Books(
            self.settings,
            store=self.store,
            health=self.health,
            clock=self.clock,
            deployment=self.deployment,
            open_account=self.account,
        )

    def start(self, *, counters=False):
        """Read the devices for the first time, when the first interval begins."""
        if counters:
            self.export_wh, self.import_wh = 1e6, 2e6
        self.chain.set_time(START_S)
        self.read()

    def account(self):
        fleet = replace(self.ledger.fleet, chain=self.faulty)
        return LedgerAccount(ledger=replace(self.ledger, fleet=fleet), signer=HOME)

    def read(self, *, meter=True):
        """Let the gateway read its devices now."""
        state = MeterState(
            load_w=0.0,
            pv_w=0.0,
            grid_power_w=-self.power_w,
            import_wh=self.import_wh,
            export_wh=self.export_wh,
        )
        self.books.add(
            Reading(
                utc=self.clock.utc(),
                monotonic_s=self.clock.monotonic,
                meter=state if meter else None,
                battery=BatteryState(soc=self.soc, battery_power_w=0.0, following=True),
            )
        )

    def wait(self, seconds, *, power_w=None, every_s=10.0, reads=True):
        """Let time pass, with a power from now on and a reading now and then."""
        if power_w is not None:
            self.read()
            self.power_w = power_w
            if reads:
                self.read()
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s:
            self.step(min(every_s, end_s - self.clock.now_s), reads=reads)
        self.chain.set_time(int(self.clock.now_s))

    def step(self, seconds, *, reads=True):
        """Let time pass at the same power, unknown to the chain."""
        self.clock.now_s += seconds
        self.clock.monotonic += seconds
        energy_wh = self.power_w * seconds / 3600
        self.true_wh += energy_wh
        if self.export_wh is not None:
            self.export_wh += max(energy_wh, 0.0)
            self.import_wh += max(-energy_wh, 0.0)
        if reads:
            self.read()

    @property
    def plant(self):
        return PLANT.address

    begin_s = START_S

    @property
    def first(self):
        return START_S // STEP_S

    def move_to_another_fleet(self):
        self.deployment, self.ledger = fleet_on(self.chain)

    def snapshot(self):
        return self.chain.state()

    def revert(self, state):
        """Put a chain without what happened since in the place of ours."""
        from contracts.local.chain_revm import RevmChain  # noqa: PLC0415 -- not everywhere

        self.chain.chain = RevmChain(start_timestamp=int(self.clock.now_s), state=state)

    def run(self, until_s):
        """Let the gateway's own loop go until a time after the first interval's begin."""

        async def passing(seconds):
            await asyncio.sleep(0)
            if self.clock.now_s + seconds > START_S + until_s:
                raise asyncio.CancelledError
            self.wait(seconds)

        async def go():
            with suppress(asyncio.CancelledError):
                await self.books.run()

        self.clock.sleep = passing
        asyncio.run(go())

    def report(self, slot=None):
        """Report for the interval ``slot`` after the first, or the running one."""
        target = None if slot is None else START_S // STEP_S + slot
        asyncio.run(self.books.report(target))

    def counted(self, slot):
        return self.ledger.fleet.export_wh(HOME.address, START_S // STEP_S + slot)

    def counted_all(self, slots=200):
        return sum(self.counted(each) for each in range(-2, slots))

    def standing(self):
        return self.books.standing(self.clock.utc())

    def promise(self, *commitment_wh):
        self.promise_from(0, *commitment_wh)

    def promise_from(self, slot, *commitment_wh):
        """Publish intervals from ``slot`` on, in which batteries follow."""
        count = len(commitment_wh)
        start = datetime.fromtimestamp(START_S + slot * STEP_S, UTC)
        self.ledger.fleet.publish(
            Schedule(
                grid=TimeGrid(start=start, step_s=STEP_S, count=count),
                soc_bp=(4000,) * count,
                commitment_wh=commitment_wh,
                steered=(False,) * count,
            )
        )


def fleet_on(chain):
    """Return a new fleet of the home and a plant."""
    deployment = deploy(
        chain, owner=OWNER.address, market=MARKET.address, terms=Terms(interval_s=STEP_S)
    )
    ledger = connect(chain, deployment)
    members = [
        Member(account=HOME.address, capacity_wh=10_000, grid_power_w=12_000),
        Member(account=PLANT.address, capacity_wh=0, grid_power_w=100_000),
    ]
    ledger.fleet.enrol(members)
    return deployment, ledger


def build(path=None, **given):
    """Return a home that is enrolled, an hour before the first interval."""
    accounts = [OWNER, MARKET, HOME, PLANT]
    chain = Current(embedded_chain(start_timestamp=START_S - 3600, accounts=accounts))
    deployment, ledger = fleet_on(chain)
    return Home(chain=chain, deployment=deployment, ledger=ledger, path=path, **given)


@pytest.fixture(scope="session")
def build_home(needs_pyrevm):
    """Return what makes a home with a fleet of its own."""
    return build


@pytest.fixture
def home(build_home, tmp_path):
    """Return a home that has read its devices once, when the first interval begins."""
    it = build_home(tmp_path / "state.sqlite")
    it.promise(1000, 2000, 0, 500)
    it.chain.set_time(START_S)
    it.read()
    return it
