"""What a home says to its fleet's contract and asks of it: blocking, for a thread of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.chain import Call, Recoverer
from contracts.deployment import Deployment
from contracts.errors import ChainMismatchError, LedgerError, LedgerUnavailableError
from contracts.errors_connection import JournalError, TransactionPendingError
from contracts.promise import Coordination, Schedule
from contracts.timegrid import TimeGrid
from hems.agent.ledger.report_plan import Draft, Sight, Terms
from hems.agent.ledger.settings import LedgerSettings

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from contracts.client import Ledger

_TRIES = 3
"""How often reports may be counted while a member is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found when a member was looked at."""

    sight: Sight
    """The member."""
    exports_wh: Mapping[int, int]
    """Its net export of intervals; empty where its number is the one that was expected. [Wh]"""
    pending: str | None
    """Why a transaction of ours is in no block yet; None where none is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the contract answers a home in an interval."""

    interval: int
    """Number of the interval."""
    coordination: Coordination
    """The fleet's debt and this home's share."""
    plant_wh: int | None
    """Net export of the plant in the interval so far; None where none is named. [Wh]"""


@dataclass(slots=True, kw_only=True)
class LedgerAccount:
    """One member at its fleet's contract."""

    ledger: "Ledger"
    """The contracts."""
    signer: "LocalAccount" = field(repr=False)
    """The member, ready to sign."""
    spare: "Callable[[], Ledger] | None" = None
    """Reaches the contracts without a file of transactions, for a disk that is full: the file only
    saves gas, since the contract counts one report for each number."""
    _terms: Terms | None = None

    @property
    def account(self) -> str:
        """Address of the member."""
        return str(self.signer.address)

    def terms(self) -> Terms:
        """Return what the contract fixed for good, asked once."""
        if self._terms is None:
            fleet = self.ledger.fleet
            self._terms = Terms(
                interval_s=fleet.interval_s(),
                grace_s=self._number("graceS()"),
                tolerance_s=self._number("toleranceS()"),
            )
        return self._terms

    def look(self, expected_nonce: int | None, intervals: Sequence[int]) -> Seen:
        """Return what the contract says of the member, all of one moment.

        Parameters
        ----------
        expected_nonce : int or None
            The number that it had; where it has that one still, no interval is asked for.
        intervals : sequence of int
            Those whose sums are wanted else, besides the one of its last report and all between:
            a gateway that was killed while its disk was full knows nothing of its reports in them.

        Raises
        ------
        LedgerError
            If the contract cannot be asked.
        """
        pending = self._pending()
        for _ in range(_TRIES):
            sight = self._sight()
            if not sight.enrolled or sight.nonce == expected_nonce:
                return Seen(sight=sight, exports_wh={}, pending=pending)
            fleet = self.ledger.fleet
            between = range(min(intervals, default=sight.interval), sight.interval + 1)
            wanted = sorted({*intervals, *between})
            exports_wh = {each: fleet.export_wh(self.account, each) for each in wanted}
            after = self._sight()
            same = (after.nonce, after.interval, after.net_export_wh)
            if same == (sight.nonce, sight.interval, sight.net_export_wh):
                return Seen(sight=after, exports_wh=exports_wh, pending=pending)
        msg = f"reports of {self.account} are counted while they are looked at; look again"
        raise LedgerUnavailableError(msg)

    def send(self, drafts: Sequence[Draft]) -> list[LedgerError | None]:
        """Sign reports and hand them in, paid by the member, in one transaction.

        Returns
        -------
        list of LedgerError or None
            An entry per report: None where it counted, else why not; one error for all where the
            transaction was not carried out.
        """
        from contracts.signing import sign_report  # noqa: PLC0415 -- 0.3 s that a start can spare

        domain = self.ledger.fleet.domain()
        batch = [sign_report(each.report, each.nonce, domain, self.signer) for each in drafts]
        outcomes = self.ledger.fleet.report_signed(batch, relay=self.account)
        if isinstance(outcomes[0], JournalError) and self.spare is not None:
            self.ledger, self.spare = self.spare(), None
            outcomes = self.ledger.fleet.report_signed(batch, relay=self.account)
        return [each if isinstance(each, LedgerError) else None for each in outcomes]

    def answer(self, interval: int, plant: str | None) -> Answered:
        """Return the fleet's debt in an interval and the member's share of it."""
        fleet = self.ledger.fleet
        (coordination,) = fleet.coordinate([self.account], interval)
        return Answered(
            interval=interval,
            coordination=coordination,
            plant_wh=None if plant is None else fleet.export_wh(plant, interval),
        )

    def schedule(self, grid: TimeGrid) -> Schedule:
        """Return what was promised."""
        return self.ledger.fleet.schedule(grid)

    def earned_micro(self, intervals: Sequence[int]) -> dict[int, int]:
        """Return the member's part of those intervals that are settled, claimed or not. [micro]"""
        parts: dict[int, int] = {}
        for interval in intervals:
            settlement = self.ledger.settlement.settlement(interval)
            if settlement is not None:
                own_wh = max(self.ledger.fleet.export_wh(self.account, interval), 0)
                exported_wh = self.ledger.fleet.delivery(interval).exported_wh
                parts[interval] = settlement.pool_micro * own_wh // exported_wh if own_wh else 0
        return parts

    def _pending(self) -> str | None:
        """Return why an earlier transaction is in no block yet; settle it where it is."""
        chain = self.ledger.fleet.chain
        left = chain.recover() if isinstance(chain, Recoverer) else []
        for each in left:
            if isinstance(each.outcome, TransactionPendingError):
                return str(each.outcome)
        return None

    def _sight(self) -> Sight:
        """Return the member as the latest block has it."""
        from contracts.fleet_client import MEMBER_OF  # noqa: PLC0415 -- 0.4 s that a start can spare

        now_s = self.ledger.fleet.chain.now_s()
        (found,) = MEMBER_OF.decode(self._ask(MEMBER_OF.encode(self.account)))
        enrolled, capacity_wh, rating_w, interval, reported_s, export_wh, _, _, nonce, _ = found
        return Sight(
            enrolled=enrolled,
            capacity_wh=capacity_wh,
            rating_w=rating_w,
            interval=interval,
            reported_s=reported_s,
            net_export_wh=export_wh,
            nonce=nonce,
            now_s=now_s,
        )

    def _number(self, signature: str) -> int:
        """Return what the contract answers to a question for a number."""
        from contracts.abi import Function  # noqa: PLC0415 -- as above

        question = Function(signature, ("uint32",))
        return int(question.decode(self._ask(question.encode()))[0])

    def _ask(self, data: bytes) -> bytes:
        fleet = self.ledger.fleet
        return fleet.chain.call(Call(sender=self.account, to=fleet.address, data=data))


class AccountOpener:
    """Unlocks the home's key once and reaches its contracts; takes a second or two.

    Parameters
    ----------
    settings : LedgerSettings
        Where they are.
    deployment : Deployment
        What the settings' file names.
    journal : Path, optional
        File of transactions that are in no block yet; None keeps them in memory.
    """

    def __init__(
        self, settings: LedgerSettings, deployment: Deployment, *, journal: Path | None
    ) -> None:
        self._settings, self._deployment, self._journal = settings, deployment, journal
        self._signer: LocalAccount | None = None

    def __call__(self) -> LedgerAccount:
        """Return the account.

        Raises
        ------
        LedgerError
            If the key cannot be had, or the contracts cannot be reached or are others.
        """
        if self._signer is None:
            self._signer = self._unlocked()
        try:
            ledger = self._ledger(self._journal)
        except JournalError:
            ledger = self._ledger(None)
        spare = partial(self._ledger, None)
        account = LedgerAccount(ledger=ledger, signer=self._signer, spare=spare)
        found_s, said_s = account.terms().interval_s, self._deployment.interval_s
        if found_s != said_s:
            msg = f"the fleet's intervals are of {found_s} s, {self._settings.deployment_file} says"
            msg += f" {said_s} s; get the file from the aggregator again"
            raise ChainMismatchError(msg)
        return account

    def _ledger(self, journal: Path | None) -> "Ledger":
        """Reach the contracts."""
        from contracts.client import connect  # noqa: PLC0415 -- web3 takes a second to import
        from contracts.connection.chain_web3 import rpc_chain  # noqa: PLC0415 -- as above
        from contracts.connection.patience import Patience  # noqa: PLC0415 -- as above

        settings = self._settings
        chain = rpc_chain(
            settings.urls,
            signers=[] if self._signer is None else [self._signer],
            chain_id=self._deployment.chain_id,
            timeout_s=settings.answer_timeout_s,
            journal=journal,
            patience=Patience(
                receipt_timeout_s=settings.block_timeout_s,
                raise_after_s=settings.block_timeout_s / 4,
                fee_cap_wei=settings.fee_cap_wei,
            ),
        )
        return connect(chain, self._deployment)

    def _unlocked(self) -> "LocalAccount":
        from eth_utils.address import is_address, to_checksum_address  # noqa: PLC0415 -- as above

        from contracts.keystore import KeystoreError, find_keystore, unlock  # noqa: PLC0415 -- a.a.

        account = self._settings.account
        if not is_address(account):
            msg = f"account {account} is no address; give the member's"
            raise KeystoreError(msg)
        keystore = find_keystore(self._settings.keys, to_checksum_address(account))
        return unlock(keystore, self._settings.passphrase())
