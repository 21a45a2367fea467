"""The end of the day: prices posted, intervals settled, everybody paid, on the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aggregator.settle import due_micro
from contracts.client import Ledger
from contracts.promise import Clearing, Delivery, Settlement
from devices.arrays import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What the settlement contract paid; every sum is exact."""

    settlements: tuple[Settlement, ...]
    """One per interval with a commitment."""
    credits_micro: IntArray
    """What each member claimed, the plant last, shape (members,). [micro]"""
    fee_micro: int
    """What the aggregator claimed. [micro]"""
    dust_micro: int
    """What rounding left in the contract. [micro]"""
    loss_micro: int
    """What intervals with a negative revenue cost: the bond's, or carried on. [micro]"""

    @property
    def revenue_micro(self) -> int:
        """What positive revenues left to share, losses carried before repaid. [micro]

        Credits + fee + dust are this sum, to the unit.
        """
        return sum(
            max(settled.revenue_micro, 0) - settled.repaid_micro for settled in self.settlements
        )


def pay(
    ledger: Ledger,
    *,
    members: Sequence[str],
    deliveries: Sequence[Delivery],
    clearings: Sequence[Clearing],
    bond_micro: int,
) -> Payment:
    """Post prices, put up the money, settle every promised interval and let everybody claim.

    Parameters
    ----------
    ledger : Ledger
        A ledger whose day is final and whose token can be minted.
    members : Sequence[str]
        Accounts that claim.
    deliveries : Sequence[Delivery]
        What the fleet did, one per interval of the day.
    clearings : Sequence[Clearing]
        Prices of the promised intervals.
    bond_micro : int
        What the aggregator puts up against losses. [micro]
    """
    account, owner = ledger.settlement, ledger.fleet.owner
    by_interval = {delivery.interval: delivery for delivery in deliveries}
    drawn_micro = sum(due_micro(by_interval[posted.interval], posted) for posted in clearings)
    ledger.token.mint(owner, drawn_micro + bond_micro, owner=owner)
    account.deposit_bond(bond_micro)
    account.fund(drawn_micro)
    account.post(clearings)
    settlements = tuple(account.settle([posted.interval for posted in clearings]))
    first = deliveries[0].interval
    credits_micro = [account.claim(member, first, len(deliveries)) for member in members]
    return Payment(
        settlements=settlements,
        credits_micro=np.array(credits_micro, dtype=np.int64),
        fee_micro=account.claim_fee(),
        dust_micro=account.books().credits_micro,
        loss_micro=sum(settled.loss_micro for settled in settlements),
    )
