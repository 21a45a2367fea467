"""Put a fleet's contracts on a chain, or find those that are there."""

from dataclasses import dataclass

from contracts.artifact import load
from contracts.chain import Chain
from contracts.connection.contract_check import check_contract
from contracts.deployment import Deployment
from contracts.errors import ChainMismatchError
from contracts.fleet_client import FleetClient
from contracts.settlement_client import SettlementClient, TokenClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Describe what a fleet and its aggregator agree on for good."""

    interval_s: int = 1800
    """Length of a market interval: 900, 1800 or 3600. [s]"""
    grace_s: int = 600
    """How long after its end an interval still takes reports. [s]"""
    tolerance_s: int = 60
    """Time added when energy is checked against power, of a report and of its interval. [s]"""
    fee_bp: int = 0
    """The aggregator's part of the revenue. [bp]"""
    boundary_tolerance_bp: int = 100
    """How far the members' reports may be from the boundary reading. [bp of the reading]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Hold the clients of one deployment."""

    fleet: FleetClient
    """Who belongs, what was promised and delivered: a `contracts.ledger.FleetLedger`."""
    settlement: SettlementClient
    """Who is owed what: a `contracts.ledger.SettlementLedger`."""
    token: TokenClient
    """The money."""


def deploy(
    chain: Chain, *, owner: str, market: str, terms: Terms | None = None, token: str | None = None
) -> Deployment:
    """Create a fleet and its settlement on ``chain``.

    Parameters
    ----------
    chain : Chain
        Where to.
    owner : str
        Address of the aggregator, which pays for it and owns both.
    market : str
        Address that is owed imbalance losses.
    terms : Terms, optional
        What cannot be changed later.
    token : str, optional
        Address of the token that pays, of six decimals. Without it play money is created, which
        ``owner`` mints.

    Returns
    -------
    Deployment
        Where the contracts are, for `connect`.
    """
    terms = terms or Terms()
    token = token or chain.deploy(owner, load("TestToken").creation(owner))
    fleet = chain.deploy(
        owner,
        load("Fleet").creation(owner, terms.interval_s, terms.grace_s, terms.tolerance_s),
    )
    settlement = chain.deploy(
        owner,
        load("Settlement").creation(
            owner, fleet, token, market, terms.fee_bp, terms.boundary_tolerance_bp
        ),
    )
    return Deployment(
        chain_id=chain.chain_id,
        interval_s=terms.interval_s,
        owner=owner,
        fleet=fleet,
        settlement=settlement,
        token=token,
    )


def connect(chain: Chain, deployment: Deployment) -> Ledger:
    """Return the clients of ``deployment``, once its chain and addresses are seen to be right.

    Raises
    ------
    ChainMismatchError
        If ``chain`` is another one, or holds not our contracts where the deployment says.
    """
    if chain.chain_id != deployment.chain_id:
        msg = (
            f"deployment is on chain {deployment.chain_id}, the node serves {chain.chain_id}; "
            "connect to the other node or deploy afresh"
        )
        raise ChainMismatchError(msg)
    check_contract(chain, deployment.fleet, load("Fleet"))
    check_contract(chain, deployment.settlement, load("Settlement"))
    if not chain.code(deployment.token):  # any ERC-20 token will do, behind a proxy or not
        msg = (
            f"no contract at {deployment.token}, where the token should be, on chain "
            f"{chain.chain_id}; deploy afresh"
        )
        raise ChainMismatchError(msg)
    owner = deployment.owner
    token = TokenClient(chain=chain, address=deployment.token, reader=owner)
    return Ledger(
        fleet=FleetClient(chain=chain, address=deployment.fleet, owner=owner),
        settlement=SettlementClient(
            chain=chain, address=deployment.settlement, owner=owner, token=token
        ),
        token=token,
    )
