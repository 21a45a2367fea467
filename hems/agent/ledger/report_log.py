"""Which reports a home made, and what the contract has of them.

Notes
-----
How no energy is lost and none counted twice, whatever breaks:

1. The contract numbers a member's reports, and counts one for each number. Reports are signed for
   their number (EIP-712), whoever hands them in. So of all reports that were ever signed for one
   number at most one counts, however often and by whatever way they reach the chain.
2. A report is written here, with its number, before it is sent for the first time. Its signature
   follows from it, so that a process that was killed signs the same bytes again.
3. Nothing is concluded from an answer to a submission. What the contract has is asked of the
   contract: the member's number, and where it is not the one expected, its net export of every
   interval that may have changed. The sum of these is what was reported.
4. A report that did not count is planned anew under the same number, with what was metered since;
   should the earlier one count after all, then the later one does not, and 3. tells. While a
   transaction is in no block and may come into one, nothing new is signed, to save its gas.
5. A reorganisation that takes a report off the chain takes its number back. Reports from there on
   are handed in again as they were, for the node may bring them back too; only one that the
   contract will not take any more, such as one whose interval is over, is replaced as in 4. They
   are kept for this until their interval has taken no reports for `reorganisation_s`; until then
   3. is asked of it too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.promise import Report
from hems.agent.health import Health
from hems.agent.ledger.memory import LedgerMemory
from hems.agent.ledger.report_plan import Draft, Sight, Terms

_NAME: Final = "reports"


class ReportLog:
    """Reports of one account to one fleet; see the module's notes.

    Parameters
    ----------
    memory : LedgerMemory
        Where it is kept.
    health : Health
        Is told of reorganisations, and of reports that are not ours.
    account : str
        Address of the member.
    fleet : str
        Which contract on which chain; where it is another one than before, numbers start afresh.
    reorganisation_s : float
        How long reports are kept. [s]
    """

    def __init__(
        self,
        memory: LedgerMemory,
        health: Health,
        *,
        account: str,
        fleet: str,
        reorganisation_s: float,
    ) -> None:
        self._memory, self._health = memory, health
        self._account = account
        self._reorganisation_s = reorganisation_s
        self._place = f"{account} {fleet}"
        found: dict[str, Any] = memory.get(_NAME) or {}
        known = found if found.get("place") == self._place else {}
        # before: what the contract had in an interval before we knew it, and what it has of us
        self._taken: dict[int, tuple[int, int]] = {
            int(interval): (before_wh, ours_wh)
            for interval, (before_wh, ours_wh) in known.get("taken", {}).items()
        }
        self._closed_wh: int = found.get("closed_wh", 0)
        if not known:  # what another contract has stays reported
            self._closed_wh += sum(ours_wh for _, ours_wh in found.get("taken", {}).values())
        self._nonce: int | None = known.get("nonce")
        self._reached: int = known.get("reached", 0)
        self._drafts: dict[int, Draft] = {
            nonce: self._draft(nonce, *values) for nonce, *values in known.get("drafts", [])
        }

    @property
    def taken_wh(self) -> int:
        """What the contract has taken since the gateway began, as last seen. [Wh]"""
        return self._closed_wh + sum(ours_wh for _, ours_wh in self._taken.values())

    @property
    def nonce(self) -> int | None:
        """The member's number as last seen; None before it was seen for the first time."""
        return self._nonce

    @property
    def intervals(self) -> list[int]:
        """Intervals whose sums may still change, in order."""
        drafted = {each.report.interval for each in self._drafts.values()}
        return sorted(drafted | self._taken.keys())

    def live(self) -> list[Draft]:
        """Return the reports to hand in, by number from the member's on."""
        found: list[Draft] = []
        nonce = self._nonce or 0
        while (draft := self._drafts.get(nonce)) is not None:
            found.append(draft)
            nonce += 1
        return found

    def fixed(self) -> list[Draft]:
        """Return those of `live` that counted once, before a reorganisation."""
        return [each for each in self.live() if each.nonce < self._reached]

    def add(self, drafts: Sequence[Draft]) -> None:
        """Write reports down, before they are sent, in place of those that never counted."""
        kept = {nonce: each for nonce, each in self._drafts.items() if nonce < self._reached}
        self._drafts = {**kept, **{each.nonce: each for each in drafts}}
        self._write(wait=True)

    def see(self, sight: Sight, exports_wh: Mapping[int, int], terms: Terms) -> None:
        """Take up what the contract says; see note 3.

        Parameters
        ----------
        sight : Sight
            The member.
        exports_wh : Mapping[int, int]
            What it has in `intervals` and in the member's last one; empty where the member's number
            is the one that we know. [Wh]
        terms : Terms
            What it fixed.
        """
        first, before = self._nonce is None, self._nonce or 0
        if not first and sight.nonce < before:
            self._health.note(
                f"ledger: {before - sight.nonce} reports are off the chain after a "
                "reorganisation; they are handed in again"
            )
        elif not first and sight.nonce > max([before - 1, *self._drafts]) + 1:
            self._health.note(
                f"ledger: reports of {self._account} were counted that this gateway does not know; "
                "let one gateway at a time report for it"
            )
        for interval, export_wh in exports_wh.items():
            before_wh = export_wh if first else self._taken.get(interval, (0, 0))[0]
            self._taken[interval] = before_wh, export_wh - before_wh
        self._nonce, self._reached = sight.nonce, max(sight.nonce, self._reached)
        self._forget(sight, terms)
        self._write()

    def _forget(self, sight: Sight, terms: Terms) -> None:
        """Close intervals that no reorganisation will change any more."""
        kept_s = terms.grace_s + self._reorganisation_s
        oldest = int(sight.now_s - kept_s) // terms.interval_s - 1
        for interval in [each for each in self._taken if each < oldest]:
            self._closed_wh += self._taken.pop(interval)[1]
        old = [
            nonce
            for nonce, each in self._drafts.items()
            if nonce < sight.nonce and each.report.interval < oldest
        ]
        for nonce in old:
            del self._drafts[nonce]

    def _write(self, *, wait: bool = False) -> None:
        found = {
            "place": self._place,
            "closed_wh": self._closed_wh,
            "nonce": self._nonce,
            "reached": self._reached,
            "taken": {str(interval): list(pair) for interval, pair in self._taken.items()},
            "drafts": [
                [nonce, each.report.interval, each.report.net_export_wh, each.report.soc_bp]
                for nonce, each in sorted(self._drafts.items())
            ],
        }
        self._memory.put(_NAME, found, wait=wait)

    def _draft(self, nonce: int, interval: int, net_export_wh: int, soc_bp: int) -> Draft:
        report = Report(
            account=self._account, interval=interval, net_export_wh=net_export_wh, soc_bp=soc_bp
        )
        return Draft(nonce=nonce, report=report)
