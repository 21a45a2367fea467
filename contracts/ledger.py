"""What a home, a fleet's operator and its accountant each ask of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.chain import Receipt
from contracts.errors import LedgerError
from contracts.promise import (
    Clearing,
    Coordination,
    Delivery,
    Member,
    Report,
    Schedule,
    Settlement,
)
from contracts.signing import Domain, SignedReport
from contracts.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """State what the settlement contract holds, and for whom.

    Notes
    -----
    ``balance = bond + funds + fees + credits + losses`` to the unit, unless somebody gave the
    contract tokens unasked. Once every member has claimed, ``credits`` is the dust of rounding.
    """

    balance_micro: int
    """Tokens of the contract. [micro]"""
    bond_micro: int
    """Part that answers for losses. [micro]"""
    funds_micro: int
    """Part that waits for intervals to be settled. [micro]"""
    fees_micro: int
    """Part that is the aggregator's and not yet fetched. [micro]"""
    credits_micro: int
    """Part that is the members' and not yet claimed. [micro]"""
    losses_micro: int
    """Part that is the market's and not yet fetched. [micro]"""
    carried_loss_micro: int
    """Loss that the bond could not cover and later revenue will. [micro]"""
    open_intervals: int
    """Posted intervals that are not settled."""


class HomeLedger(Protocol):
    """The ledger as homes see it; a gateway passes one, a simulation a whole fleet."""

    def report_all(self, reports: Sequence[Report]) -> list[Receipt | LedgerError]:
        """Report for many members, each in its own name.

        Returns
        -------
        list of Receipt or LedgerError
            An entry per report; a refused one holds the reason and does not stop the others.
        """

    def report_metered(self, report: Report, meter_signature: bytes) -> Receipt:
        """Report for a member that has a meter, in its own name, with the meter's signature.

        Raises
        ------
        ValueError
            If the signature is not in EIP-2098's compact form.
        """

    def report_signed(
        self, batch: Sequence[SignedReport], *, relay: str | None = None
    ) -> list[Receipt | LedgerError]:
        """Hand in reports that their members signed, in one transaction.

        Parameters
        ----------
        batch : sequence of SignedReport
            The reports; a member may occur more than once, in order of its nonces.
        relay : str, optional
            Address of the account that sends and pays; the fleet's owner without.

        Returns
        -------
        list of Receipt or LedgerError
            An entry per report: the one receipt, or why the report was not counted.
        """

    def nonces(self, accounts: Sequence[str]) -> list[int]:
        """Return the nonce that each of ``accounts`` signs its next report with."""

    def domain(self) -> Domain:
        """Return the domain that reports are signed for."""

    def coordinate(self, accounts: Sequence[str], interval: int) -> list[Coordination]:
        """Return the fleet's debt in ``interval`` and each member's share of it."""


class FleetLedger(HomeLedger, Protocol):
    """The ledger as the fleet's operator sees it."""

    def enrol(self, members: Sequence[Member]) -> list[Receipt]:
        """Admit ``members``; raise at the first refusal, once all were tried."""

    def retire(self, account: str) -> Receipt:
        """Dismiss a member; what it exported stays recorded and payable."""

    def lapse(self, account: str) -> Receipt:
        """Take the weight of a battery that was silent for longer than an interval."""

    def pause(self) -> Receipt:
        """Stop reports; grace time stands still meanwhile."""

    def unpause(self) -> Receipt:
        """Let reports go on."""

    def paused(self) -> bool:
        """Tell whether reports are stopped."""

    def member(self, account: str) -> Member:
        """Return a member as enrolled."""

    def publish(self, schedule: Schedule) -> Receipt:
        """Promise ``schedule``, whose first interval must not have begun."""

    def schedule(self, grid: TimeGrid) -> Schedule:
        """Return what was promised; an interval never published holds zeros and is not steered."""

    def delivery(self, interval: int) -> Delivery:
        """Return what the fleet did in ``interval`` so far."""

    def export_wh(self, account: str, interval: int) -> int:
        """Return a member's net export in ``interval`` so far. [Wh]"""

    def exports_wh(self, accounts: Sequence[str], intervals: Sequence[int]) -> list[list[int]]:
        """Return members' net exports in intervals so far, a list for each of ``accounts``. [Wh]"""

    def is_final(self, interval: int) -> bool:
        """Tell whether ``interval`` is over and no late report can change it."""


class SettlementLedger(Protocol):
    """The ledger as accountants and members owed money see it."""

    def deposit_bond(self, amount_micro: int) -> Receipt:
        """Move the owner's tokens into the bond, after a carried loss is paid. [micro]"""

    def withdraw_bond(self, amount_micro: int) -> Receipt:
        """Return bond to the owner, when no posted interval is open. [micro]"""

    def fund(self, amount_micro: int) -> Receipt:
        """Move the owner's tokens in, for revenue to be paid from. [micro]"""

    def withdraw_funds(self, amount_micro: int) -> Receipt:
        """Return funds to the owner, when no posted interval is open. [micro]"""

    def post_boundary(self, interval: int, boundary_wh: int) -> Receipt:
        """Post the reading at the fleet's boundary, before the interval's prices. [Wh]"""

    def post(self, clearings: Sequence[Clearing]) -> list[Receipt]:
        """Post the prices of intervals; raise at the first refusal, once all were tried."""

    def retract(self, interval: int) -> Receipt:
        """Take back what was posted last, of ``interval``, while it is not settled."""

    def settle(self, intervals: Sequence[int]) -> list[Settlement]:
        """Settle intervals in the order posted; raise at the first refusal, once all were tried."""

    def settlement(self, interval: int) -> Settlement | None:
        """Return how ``interval`` was settled, None before it is."""

    def clearing(self, interval: int) -> Clearing:
        """Return the prices that ``interval`` was posted at; zeros before it is posted."""

    def credit_micro(self, account: str, interval: int) -> int:
        """Return what ``account`` can still claim for ``interval``. [micro]"""

    def claim(self, account: str, first_interval: int, count: int) -> int:
        """Pay ``account`` its credits of ``count`` intervals; return what it got. [micro]"""

    def claim_losses(self) -> int:
        """Pay the market what was put aside for it; return what it got. [micro]"""

    def claim_fee(self) -> int:
        """Pay the owner the fees so far; return what it got. [micro]"""

    def books(self) -> Books:
        """Return what the contract holds, and for whom."""
