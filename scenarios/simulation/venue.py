"""Where a run's promises are kept: the contracts, on a chain of this process; or nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from aggregator.settle import ImbalanceRule
from contracts.chain import TimeMachine
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.local.chain_revm import RESTART_SENDS, RevmChain
from contracts.local.revm_state import ChainState
from contracts.promise import Clearing, Delivery, Member, Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.simulation.checkpoint import Checkpoint
from scenarios.simulation.exchange import LoopLedger
from scenarios.simulation.payment import Payment, pay

SETUP_S = 3600
"""The chain begins this long before the first promise is published. [s]"""
ROUNDS_KEPT = 2
"""Reports of each member that a chain remembers before it makes room: moving 100,000 members into a
new EVM takes three seconds, and as long as it reports for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be paid at the end of a run."""

    intervals: range
    """All intervals of the run."""
    clearings: tuple[Clearing, ...]
    """Prices of those that were promised."""
    rule: ImbalanceRule
    """How a deviation is priced."""
    end_s: int
    """When the last interval ends. [s since 1970]"""
    bond_micro: int
    """What the aggregator puts up against losses. [micro]"""


class Venue(Protocol):
    """What a run of many days does with promises, deliveries and money."""

    @property
    def ledger(self) -> LoopLedger | None:
        """What the loop reports to; None where nobody reports."""
        ...

    @property
    def clock(self) -> TimeMachine | None:
        """Its clock."""
        ...

    def publish(self, schedule: Schedule) -> None:
        """Publish a day's schedule."""
        ...

    def deliveries(self, grid: TimeGrid, net_export_wh: FloatArray) -> tuple[Delivery, ...]:
        """Return what the fleet did in each interval of a day.

        Parameters
        ----------
        grid : TimeGrid
            The market day.
        net_export_wh : FloatArray, shape (slots,)
            What all members' meters showed together. [Wh]
        """
        ...

    def settle(self, due: Due) -> Payment:
        """Pay for all intervals, once the last takes no more reports."""
        ...

    def contracts(self) -> dict[str, str]:
        """Return the contracts' addresses, for a checkpoint."""
        ...

    def now_s(self) -> int:
        """Return the clock's time, for a checkpoint. [s since 1970]"""
        ...

    def state(self) -> ChainState:
        """Return what the chain holds, for a checkpoint."""
        ...


class OnLedger:
    """The contracts on a chain in this process.

    Parameters
    ----------
    chain : RevmChain
        The chain.
    deployment : Deployment
        Where the contracts are.
    terms : Terms
        What they were deployed with.
    accounts : tuple[str, ...]
        The members', the plant's last.
    """

    def __init__(
        self, chain: RevmChain, deployment: Deployment, *, terms: Terms, accounts: tuple[str, ...]
    ) -> None:
        self._chain, self._deployment = chain, deployment
        self._terms, self._accounts = terms, accounts
        self._ledger: Ledger = connect(chain, deployment)

    @classmethod
    def begin(
        cls, *, gate_s: int, owner: str, market: str, terms: Terms, members: Sequence[Member]
    ) -> "OnLedger":
        """Put new contracts on a new chain, enrol the members, and wait for the first gate."""
        chain = RevmChain(
            start_timestamp=gate_s - SETUP_S, restart_sends=_restart_sends(len(members))
        )
        deployment = deploy(chain, owner=owner, market=market, terms=terms)
        accounts = tuple(member.account for member in members)
        venue = cls(chain, deployment, terms=terms, accounts=accounts)
        venue._ledger.fleet.enrol(members)
        chain.set_time(gate_s)
        return venue

    @classmethod
    def resume(
        cls, stood: Checkpoint, *, owner: str, terms: Terms, members: Sequence[Member]
    ) -> "OnLedger":
        """Go on where a checkpoint stands."""
        chain = RevmChain(
            start_timestamp=stood.now_s,
            state=stood.chain,
            restart_sends=_restart_sends(len(members)),
        )
        deployment = Deployment(
            chain_id=chain.chain_id, interval_s=terms.interval_s, owner=owner, **stood.contracts
        )
        accounts = tuple(member.account for member in members)
        return cls(chain, deployment, terms=terms, accounts=accounts)

    @property
    def ledger(self) -> LoopLedger:
        """See `Venue`."""
        return self._ledger.fleet

    @property
    def clock(self) -> TimeMachine:
        """See `Venue`."""
        return self._chain

    def publish(self, schedule: Schedule) -> None:
        """See `Venue`."""
        self._ledger.fleet.publish(schedule)

    def deliveries(self, grid: TimeGrid, net_export_wh: FloatArray) -> tuple[Delivery, ...]:
        """See `Venue`; the contract knows what was reported, and that is what counts."""
        del net_export_wh
        return tuple(self._ledger.fleet.delivery(interval) for interval in grid.intervals)

    def settle(self, due: Due) -> Payment:
        """See `Venue`."""
        # Reports may be slower than the contract's patience.
        self._chain.set_time(max(self._chain.now_s(), due.end_s + self._terms.grace_s))
        deliveries = tuple(self._ledger.fleet.delivery(interval) for interval in due.intervals)
        return pay(
            self._ledger,
            members=self._accounts,
            deliveries=deliveries,
            clearings=posted(due.clearings, deliveries, rule=due.rule),
            bond_micro=due.bond_micro,
        )

    def contracts(self) -> dict[str, str]:
        """See `Venue`."""
        deployment = self._deployment
        return {
            "fleet": deployment.fleet,
            "settlement": deployment.settlement,
            "token": deployment.token,
        }

    def now_s(self) -> int:
        """See `Venue`."""
        return self._chain.now_s()

    def state(self) -> ChainState:
        """See `Venue`."""
        return self._chain.state()


class Nowhere:
    """No market: nothing is promised, reported or paid.

    Parameters
    ----------
    members : int
        Homes and plant.
    """

    ledger: LoopLedger | None = None
    clock: TimeMachine | None = None

    def __init__(self, members: int) -> None:
        self._members = members

    def publish(self, schedule: Schedule) -> None:
        """Tell nobody."""

    def deliveries(self, grid: TimeGrid, net_export_wh: FloatArray) -> tuple[Delivery, ...]:
        """Return what the meters showed; nothing of it was promised."""
        return tuple(
            Delivery(
                interval=interval,
                commitment_wh=0,
                delivered_wh=delivered_wh,
                exported_wh=max(delivered_wh, 0),
            )
            for interval, delivered_wh in zip(
                grid.intervals, np.rint(net_export_wh).astype(int).tolist(), strict=True
            )
        )

    def settle(self, due: Due) -> Payment:
        """Pay nobody."""
        del due
        nothing = np.zeros(self._members, dtype=np.int64)
        return Payment(
            settlements=(), credits_micro=nothing, fee_micro=0, dust_micro=0, loss_micro=0
        )

    def contracts(self) -> dict[str, str]:
        """Return none."""
        return {}

    def now_s(self) -> int:
        """Return 0: there is no clock."""
        return 0

    def state(self) -> ChainState:
        """Return an empty chain's."""
        return {}


def _restart_sends(members: int) -> int:
    """Return after how many transactions a chain makes room: a city's are rounds of everybody."""
    return max(RESTART_SENDS, ROUNDS_KEPT * members)


def posted(
    clearings: Sequence[Clearing], deliveries: Sequence[Delivery], *, rule: ImbalanceRule
) -> tuple[Clearing, ...]:
    """Return prices such that the contract, which knows the paper's rule only, settles by ``rule``.

    Notes
    -----
    The contract takes |delivered − E_c| × price off. By the single price a surplus is paid it: then
    the price is posted with the other sign.
    """
    if rule == "paper":
        return tuple(clearings)
    over = {each.interval: each.delivered_wh > each.commitment_wh for each in deliveries}
    return tuple(
        replace(each, imbalance_price_micro_per_mwh=-each.imbalance_price_micro_per_mwh)
        if over[each.interval]
        else each
        for each in clearings
    )
