"""One exchange with the contract: look, plan, write down, send, look again, ask."""

from collections.abc import Sequence
from typing import Final, Literal

from contracts.errors import (
    FleetEnergyLimit,
    FleetEnergyOverflow,
    FleetIntervalEnergyLimit,
    FleetIntervalFuture,
    FleetIntervalOrder,
    FleetIntervalOver,
    FleetSocRange,
    LedgerError,
)
from hems.agent.health import Health
from hems.agent.ledger.account import Answered, LedgerAccount, Seen
from hems.agent.ledger.link import LedgerLink
from hems.agent.ledger.metering import Metering
from hems.agent.ledger.report_log import ReportLog
from hems.agent.ledger.report_plan import Draft, Due, Refusal, Sight, Terms, plan_reports
from hems.agent.ledger.settings import LedgerSettings

Outcome = Literal["reported", "kept", "stranger"]
"""Whether reports were counted, could not be, or cannot since the account is no member."""

_BATCH: Final = 8
"""Reports that are handed in together at most."""
_ENDS: Final = 8
"""Ends of intervals that are looked back to: those that may still take reports, pauses aside."""
_ROUNDS: Final = 3
"""Times that a report is planned anew in one exchange, after the contract refused it."""
_REPLACED: Final = (
    FleetEnergyLimit,
    FleetEnergyOverflow,
    FleetIntervalEnergyLimit,
    FleetIntervalOrder,
    FleetIntervalOver,
    FleetSocRange,
)
"""Refusals after which another report of the same number may be taken."""


class Reporter:
    """Reports a home's energy; `hems.agent.ledger.report_log` says why each Wh counts once.

    Parameters
    ----------
    settings : LedgerSettings
        Account and times.
    link : LedgerLink
        The account, in its thread.
    log : ReportLog
        What was reported.
    metering : Metering
        What is to be.
    health : Health
        Is told what keeps reports back.
    """

    def __init__(
        self,
        settings: LedgerSettings,
        *,
        link: LedgerLink[LedgerAccount],
        log: ReportLog,
        metering: Metering,
        health: Health,
    ) -> None:
        self._settings, self._link, self._log = settings, link, log
        self._metering, self._health = metering, health
        self._sight: Sight | None = None
        self._terms: Terms | None = None
        self._ahead: tuple[int, str] | None = None

    @property
    def within_s(self) -> float:
        """How long a question of several answers may take, a block's time included. [s]"""
        return 3 * self._settings.answer_timeout_s + self._settings.block_timeout_s

    async def exchange(self, target: int, now_s: float) -> Outcome:
        """Report for an interval, and for earlier ones that lack energy.

        Parameters
        ----------
        target : int
            The interval; the running one where the contract takes no more for it.
        now_s : float
            The time of day. [s since 1970]

        Returns
        -------
        Outcome
            What came of it; Health knows why.

        Raises
        ------
        LedgerError
            If the contract cannot be asked.
        """
        seen = await self._look()
        if not seen.sight.enrolled:
            self._health.lost(
                "reports",
                f"{self._settings.account} is not a member of the fleet; let the aggregator enrol "
                "it; the energy is metered meanwhile",
            )
            return "stranger"
        if seen.pending is not None:  # nothing new is signed until its fate is known
            self._health.lost("reports", seen.pending)
            return "kept"
        return "reported" if await self._report(target, now_s) else "kept"

    def known_wh(self, running: int) -> float:
        """Return the running total up to what an answer of an interval knows of. [Wh]

        Energy of the interval before that is still to be reported for that one is not the
        running one's: nothing of it was exported in it.
        """
        metering, log = self._metering, self._log
        if self._sight is not None and self._sight.interval < running:
            return metering.total_at_end_wh(running - 1)
        return float(log.taken_wh)

    async def _look(self) -> Seen:
        nonce, intervals = self._log.nonce, self._log.intervals
        if nonce is None:
            intervals = sorted({*intervals, *self._metering.ended()[-_ENDS:]})

        def look(account: LedgerAccount) -> tuple[Terms, Seen]:
            return account.terms(), account.look(nonce, intervals)

        self._terms, seen = await self._link.ask(look, within_s=self.within_s)
        self._take(seen)
        return seen

    def _take(self, seen: Seen) -> None:
        assert self._terms is not None  # noqa: S101 -- asked for before
        self._sight = seen.sight
        if seen.sight.enrolled:
            self._log.see(seen.sight, seen.exports_wh, self._terms)

    async def _report(self, target: int, now_s: float) -> bool:
        """Plan, write down and hand in, anew where the contract refuses what can be mended.

        Returns whether reports were counted.
        """
        refusal: Refusal | None = None
        why = ""
        for _ in range(_ROUNDS):
            if not self._plan(target, now_s, refusal):
                return False
            batch = self._log.live()[:_BATCH]
            if self._is_ahead(batch[0]):
                return False
            error = await self._send(batch)
            if error is None:
                self._health.back("reports")
                return True
            if isinstance(error, FleetIntervalFuture):
                self._ahead = error.interval, str(error)
            why, refusal = _in_words(error, self._settings.account), _refusal(batch[0], error)
            if refusal is None:
                break
        self._health.lost("reports", why)
        return False

    def _is_ahead(self, draft: Draft) -> bool:
        """Return whether the chain has not reached an interval yet that it refused as too early.

        A clock that is wrong would have the home pay for a refusal each minute.
        """
        assert self._sight is not None and self._terms is not None  # noqa: S101, PT018 -- looked at
        if self._ahead is None or draft.report.interval < self._ahead[0]:
            return False
        if self._sight.now_s >= self._ahead[0] * self._terms.interval_s:
            self._ahead = None
            return False
        self._health.lost("reports", self._ahead[1])
        return True

    def _plan(self, target: int, now_s: float, refusal: Refusal | None) -> bool:
        """Write down what to report; return whether there is anything to send."""
        metering, sight, terms = self._metering, self._sight, self._terms
        assert sight is not None and terms is not None  # noqa: S101, PT018 -- looked at before
        soc_bp = metering.soc_bp if sight.capacity_wh else metering.soc_bp or 0
        if metering.interval is None or soc_bp is None:
            self._health.lost("reports", "meter and battery have not been read yet; see to them")
            return False
        metered = [*metering.ended()[-_ENDS:], metering.interval]
        due = Due(
            account=self._settings.account,
            ends=[(each, metering.total_at_end_wh(each)) for each in metered],
            target=target,
            total_wh=metering.total_wh,
            soc_bp=soc_bp,
            now_s=now_s,
        )
        plan = plan_reports(
            due,
            sight=sight,
            terms=terms,
            taken_wh=self._log.taken_wh,
            fixed=self._log.fixed(),
            refusal=refusal,
        )
        metering.save()  # goes to the disk with what follows: no report of more than is known
        self._log.add(plan.drafts)
        self._tell_size(plan.kept_back_wh, sight.rating_w)
        return True

    def _tell_size(self, kept_back_wh: int | None, rating_w: int) -> None:
        """Tell once that a meter and a rating do not go together."""
        if kept_back_wh is not None and abs(kept_back_wh) > 1:
            self._health.lost(
                "report size",
                f"{kept_back_wh} Wh are more than the connection of {rating_w} W carries in the "
                "time; they stay due: check the meter and the rating",
            )
        elif kept_back_wh is not None:
            self._health.back("report size")

    async def _send(self, batch: Sequence[Draft]) -> LedgerError | None:
        """Hand reports in; return why the first did not count, None where its number is passed."""
        nonce, intervals = self._log.nonce, self._log.intervals

        def send(account: LedgerAccount) -> tuple[LedgerError | None, Seen]:
            errors = account.send(batch)
            return errors[0], account.look(nonce, intervals)

        error, seen = await self._link.ask(send, within_s=2 * self.within_s)
        self._take(seen)
        return error if seen.sight.nonce <= batch[0].nonce else None

    async def answer(self, running: int) -> Answered:
        """Return what the fleet owes in an interval and the home's share of it."""
        plant = self._settings.plant_account
        return await self._link.ask(
            lambda account: account.answer(running, plant), within_s=self.within_s
        )


def _refusal(draft: Draft, error: LedgerError) -> Refusal | None:
    """Return what a refusal says of the next try; None where another report would not help."""
    if not isinstance(error, _REPLACED):
        return None
    if isinstance(error, FleetEnergyLimit):
        return Refusal(most_wh=error.limit_wh)
    if isinstance(error, FleetIntervalEnergyLimit):
        beyond_wh = abs(error.net_export_wh) - error.limit_wh
        return Refusal(most_wh=max(abs(draft.report.net_export_wh) - beyond_wh, 0))
    return Refusal()


def _in_words(error: LedgerError, account: str) -> str:
    """Return why nothing was reported, with the remedy for an empty purse."""
    if "insufficient funds" in str(error).lower():
        return f"{account} cannot pay for its reports; send it some of the chain's coin ({error})"
    return str(error)
