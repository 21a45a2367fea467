"""A small fleet in process, from an hour before its first promised interval."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

# Its import raises Python's recursion limit, which hypothesis does not like to see inside a test.
import eth_account  # noqa: F401
import pytest
from eth_account.signers.local import LocalAccount

from contracts.chain import Receipt
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import LedgerError
from contracts.ledger import Books
from contracts.local.embedded import EmbeddedChain, development_accounts, embedded_chain
from contracts.promise import Clearing, Member, Report, Schedule, Settlement
from contracts.signing import SignedReport, sign_report
from contracts.timegrid import TimeGrid

# Tests cannot import each other; the contracts' twin in plain Python is no test.
sys.path.insert(0, str(Path(__file__).parent / "twin"))

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
    keys: dict[str, LocalAccount]
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

    def signed(
        self, home: str, net_export_wh: int, *, nonce: int = 0, meter: str = "", slot: int = 0
    ) -> SignedReport:
        """Return a report that ``home``, and the key ``meter`` if there is one, signed."""
        report = Report(
            account=home,
            interval=self.first + slot,
            net_export_wh=net_export_wh,
            soc_bp=5000,
        )
        domain = self.ledger.fleet.domain()
        signer = self.keys[home]
        return sign_report(report, nonce, domain, signer, meter=self.keys.get(meter))

    def clearing(self, price: int = 1, imbalance_price: int = 1, *, slot: int = 0) -> Clearing:
        """Return prices of an interval. [micro/MWh]"""
        return Clearing(
            interval=self.first + slot,
            price_micro_per_mwh=price,
            imbalance_price_micro_per_mwh=imbalance_price,
        )

    def settle(
        self, price: int = 100_000_000, imbalance_price: int = 50_000_000, *, slot: int = 0
    ) -> Settlement:
        """Post prices [micro/MWh] of an interval and settle it."""
        self.ledger.settlement.post([self.clearing(price, imbalance_price, slot=slot)])
        return self.ledger.settlement.settle([self.first + slot])[0]


def home(account: str, capacity_wh: int = 10_000) -> Member:
    """Return a home with a connection of 12 kW."""
    return Member(account=account, capacity_wh=capacity_wh, grid_power_w=12_000)


def build() -> World:
    """Return the contracts with nobody enrolled and a million of play money at the owner."""
    accounts = development_accounts(seed=1, count=6)
    owner, market, stranger, *homes = [account.address for account in accounts]
    keys = {account.address: account for account in accounts}
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
        keys=keys,
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
def exact_world(world: World, left_out: Callable[[str], None]) -> World:
    """Return a world in which a whole batch happens in the second that the clock is set to."""
    if world.chain.counts_gas_truly:
        left_out("a clock exact to the second needs pyrevm, which has no wheel here")
    return world


@pytest.fixture
def world(empty_world: World) -> World:
    """Return the contracts with three homes."""
    empty_world.ledger.fleet.enrol([home(account) for account in empty_world.homes])
    return empty_world


@pytest.fixture
def delivered(world: World) -> World:
    """Return a world whose first interval promised 1000 Wh and got 400, 500 and -100."""
    world.promise(1000, 1000)
    world.at(600)
    for account, energy_wh in zip(world.homes, (400, 500, -100), strict=True):
        world.report(account, energy_wh)
    world.at(STEP_S + TERMS.grace_s)
    return world


@pytest.fixture(scope="session")
def books() -> Callable[..., Books]:
    """Return what makes books with nothing in them but what is named."""
    nothing = {field.name: 0 for field in fields(Books)}
    return lambda **entries: Books(**{**nothing, **entries})
