"""A small fleet on pyrevm, from an hour before its first promised interval."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# Its import raises Python's recursion limit, which hypothesis does not like to see inside a test.
import eth_account  # noqa: F401
import pytest

from contracts.chain import Receipt
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.embedded import EmbeddedChain, development_accounts, embedded_chain
from contracts.errors import LedgerError
from contracts.promise import Clearing, Member, Report, Schedule, Settlement
from contracts.timegrid import TimeGrid

STEP_S = 1800
START = datetime(2026, 6, 1, tzinfo=UTC)
START_S = int(START.timestamp())
TERMS = Terms(interval_s=STEP_S, grace_s=600, tolerance_s=60, fee_bp=1000)


@dataclass(kw_only=True)
class World:
    """The fleet, its people and its clock."""

    chain: EmbeddedChain
    deployment: Deployment
    ledger: Ledger
    owner: str
    market: str
    stranger: str
    homes: list[str]
    first: int = START_S // STEP_S

    def at(self, seconds: int) -> None:
        """Let what is sent next happen ``seconds`` after the first interval's begin."""
        # A chain with blocks gives the next one a second more than it was set to.
        block_s = 1 if self.chain.counts_gas_truly else 0
        self.chain.set_time(START_S + seconds - block_s)

    def promise(self, *commitment_wh: int, soc_bp: int = 0, steered: bool = True) -> Schedule:
        """Publish consecutive intervals from the first one on."""
        count = len(commitment_wh)
        schedule = Schedule(
            grid=TimeGrid(start=START, step_s=STEP_S, count=count),
            soc_bp=(soc_bp,) * count,
            commitment_wh=commitment_wh,
            steered=(steered,) * count,
        )
        self.ledger.fleet.publish(schedule)
        return schedule

    def report(
        self, home: str, net_export_wh: int, soc_bp: int = 5000, *, slot: int = 0
    ) -> Receipt | LedgerError:
        """Report for the interval ``slot`` after the first one."""
        report = Report(
            account=home, interval=self.first + slot, net_export_wh=net_export_wh, soc_bp=soc_bp
        )
        return self.ledger.fleet.report_all([report])[0]

    def settle(
        self, price: int = 100_000_000, imbalance_price: int = 50_000_000, *, slot: int = 0
    ) -> Settlement:
        """Post prices [micro/MWh] of an interval and settle it."""
        clearing = Clearing(
            interval=self.first + slot,
            price_micro_per_mwh=price,
            imbalance_price_micro_per_mwh=imbalance_price,
        )
        self.ledger.settlement.post([clearing])
        return self.ledger.settlement.settle([self.first + slot])[0]


def home(account: str, capacity_wh: int = 10_000) -> Member:
    """Return a home with a connection of 12 kW."""
    return Member(account=account, capacity_wh=capacity_wh, grid_power_w=12_000)


def build() -> World:
    """Return the contracts with nobody enrolled and a million of play money at the owner."""
    accounts = development_accounts(seed=1, count=6)
    owner, market, stranger, *homes = [account.address for account in accounts]
    chain = embedded_chain(start_timestamp=START_S - 3600, accounts=accounts)
    deployment = deploy(chain, owner=owner, market=market, terms=TERMS)
    ledger = connect(chain, deployment)
    ledger.token.mint(owner, 10**12, owner=owner)
    return World(
        chain=chain,
        deployment=deployment,
        ledger=ledger,
        owner=owner,
        market=market,
        stranger=stranger,
        homes=homes,
    )


@pytest.fixture(scope="session")
def build_world() -> Callable[[], World]:
    """Return what makes a world with nobody enrolled, for tests that need many."""
    return build


@pytest.fixture
def empty_world() -> World:
    """Return a world with nobody enrolled."""
    return build()


@pytest.fixture
def world(empty_world: World) -> World:
    """Return the contracts with three homes."""
    empty_world.ledger.fleet.enrol([home(account) for account in empty_world.homes])
    return empty_world
