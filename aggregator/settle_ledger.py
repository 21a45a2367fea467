"""One interval settled on the ledger, however far an earlier attempt had come."""

from contextlib import suppress

from contracts.client import Ledger
from contracts.errors import (
    SettlementAlreadyPosted,
    SettlementBoundaryPosted,
    SettlementUnfunded,
)
from contracts.promise import Clearing, Settlement


def settle_one(ledger: Ledger, clearing: Clearing, reading_wh: int | None) -> Settlement | None:
    """Post, fund and settle one promised interval; None where it is not over.

    Parameters
    ----------
    ledger : Ledger
        The contracts, in the owner's name.
    clearing : Clearing
        Its prices.
    reading_wh : int, optional
        Reading of the meter at the fleet's boundary. [Wh]

    Raises
    ------
    LedgerError
        If the ledger refuses; what was posted stands, and is gone on from the next time.
    """
    account, interval = ledger.settlement, clearing.interval
    if not ledger.fleet.is_final(interval):
        return None
    # what an earlier run posted before it was cut short stands
    if reading_wh is not None:
        with suppress(SettlementBoundaryPosted, SettlementAlreadyPosted):
            account.post_boundary(interval, reading_wh)
    with suppress(SettlementAlreadyPosted):
        account.post([clearing])
    try:
        return account.settle([interval])[0]
    except SettlementUnfunded as short:
        account.fund(short.revenue_micro - short.funds_micro)
    return account.settle([interval])[0]
