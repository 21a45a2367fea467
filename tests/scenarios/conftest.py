"""Small fleets that live through a generated day, on the real contracts."""

from collections.abc import Callable
from datetime import date

# Its import raises Python's recursion limit, which hypothesis does not like to see inside a test.
import eth_account  # noqa: F401
import pytest

from contracts.local.embedded import development_accounts, embedded_chain
from hems.mpc import Mpc
from scenarios.data.fleet_data import FleetData
from scenarios.data.generate import generate_fleet_data
from scenarios.fleet import Fleet, Rules, paper_fleet
from scenarios.fleet_day import DAY_AHEAD_S, FleetDay, live_day

SUMMER_DAY = date(2021, 6, 16)

Live = Callable[..., FleetDay]


@pytest.fixture(scope="session")
def live() -> Live:
    """Return a function that lives through a day on an embedded chain of its own."""

    def run(
        data: FleetData, *, rules: Rules | None = None, fleet: Fleet | None = None, prefer="pyrevm"
    ) -> FleetDay:
        keys = development_accounts(0, data.homes + 3)
        owner, market, *members = (key.address for key in keys)
        start = int(data.market_grid.start.timestamp()) - DAY_AHEAD_S - 3600
        return live_day(
            data=data,
            fleet=fleet or paper_fleet(data.homes, tuple(members)),
            rules=rules or Rules(),
            controller=Mpc(),
            chain=embedded_chain(start_timestamp=start, accounts=keys, prefer=prefer),
            owner=owner,
            market_account=market,
        )

    return run


@pytest.fixture(scope="session")
def summer_data() -> FleetData:
    """Four generated homes on a summer's day."""
    return generate_fleet_data(day=SUMMER_DAY, homes=4, seed=1)


@pytest.fixture(scope="session")
def summer_day(live: Live, summer_data: FleetData) -> FleetDay:
    """That day, lived through."""
    return live(summer_data)
