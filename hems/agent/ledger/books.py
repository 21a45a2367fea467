"""A home's books: what it metered, what the ledger has of it, what the promise asks now."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zlib import crc32

from contracts.deployment import Deployment
from contracts.errors import LedgerError
from contracts.promise import Schedule
from contracts.timegrid import TimeGrid
from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.ledger.account import AccountOpener, LedgerAccount
from hems.agent.ledger.link import LedgerLink
from hems.agent.ledger.memory import LedgerMemory
from hems.agent.ledger.metering import Metering
from hems.agent.ledger.promise import Promise
from hems.agent.ledger.report_log import ReportLog
from hems.agent.ledger.reporting import Reporter
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.reading import Reading
from hems.agent.standing import Standing
from hems.agent.store import Store
from hems.agent.ticks import Ticks

_HOURLY_S: Final = 3600
_RETRY_S: Final = 60.0
"""How long after a report that did not get through the next one is tried. [s]"""
_CHUNK: Final = 24
"""Intervals that are asked for together."""
_EARNED: Final = "earned"
_OPEN_MOST: Final = 336
"""Unsettled intervals that are remembered: a week of half-hours."""
_LEDGER: Final = "ledger"


class Books:
    """A home's side of the ledger (see `hems.agent.reading.Listener`).

    Parameters
    ----------
    settings : LedgerSettings
        The table ``[ledger]``.
    store : Store
        The gateway's memory; the journal of transactions lies beside its file.
    health : Health
        Is told of what is lost and back.
    clock : Clock
        The time.
    deployment : Deployment, optional
        Where the contracts are; None reads the file of the settings.
    open_account : Callable[[], LedgerAccount], optional
        Reaches the contracts, in the ledger's thread; None goes by the settings.

    Raises
    ------
    DeploymentFileError
        If the file of the contracts' addresses cannot be read.
    StoreError
        If the memory cannot be read.

    Notes
    -----
    A report is made at each multiple of t_sc, a constant moment of its own later for each home. At
    the end of a market interval it is for the one that ends. A start makes one at once, so that the
    controller has an answer. One that did not get through is tried again each minute until the next
    is due. An event of a new schedule is not listened to: it would have each home
    read the logs of the whole fleet. The schedule is asked for each hour, and whenever an answer
    differs from it.
    """

    def __init__(
        self,
        settings: LedgerSettings,
        *,
        store: Store,
        health: Health,
        clock: Clock,
        deployment: Deployment | None = None,
        open_account: Callable[[], LedgerAccount] | None = None,
    ) -> None:
        found = settings.deployment() if deployment is None else deployment
        self._settings, self._health, self._clock = settings, health, clock
        self._interval_s = found.interval_s
        journal = None if store.path is None else store.path.with_name("journal.sqlite")
        self._memory = LedgerMemory(store, health)
        self.metering = Metering(
            store,
            health,
            interval_s=found.interval_s,
            hold_s=settings.hold_s,
            meter_max_w=settings.meter_max_w,
        )
        self._log = ReportLog(
            self._memory,
            health,
            account=settings.account,
            fleet=f"{found.fleet} on {found.chain_id}",
            reorganisation_s=settings.reorganisation_s,
        )
        self._promise = Promise(
            self._memory, interval_s=found.interval_s, capacity_share=settings.capacity_share
        )
        self._link: LedgerLink[LedgerAccount] = LedgerLink(
            open_account or AccountOpener(settings, found, journal=journal)
        )
        self._reporter = Reporter(
            settings, link=self._link, log=self._log, metering=self.metering, health=health
        )
        self._refresh_s: float | None = None

    def add(self, reading: Reading) -> None:
        """See `hems.agent.reading.Listener`."""
        self.metering.add(reading)

    def standing(self, utc: datetime) -> Standing:
        """Return what is known of the fleet's promise at a moment."""
        utc_s, total_wh = utc.timestamp(), self.metering.total_wh
        begun_wh = self.metering.total_at_end_wh(int(utc_s // self._interval_s) - 1)
        asked = self._promise.standing(utc_s, total_wh=total_wh, begun_wh=begun_wh)
        earned = self._memory.get(_EARNED)
        return replace(
            asked,
            earned_micro=None if earned is None else earned["micro"],
            reported_wh=self._log.taken_wh,
            unreported_wh=total_wh - self._log.taken_wh,
        )

    async def run(self) -> None:
        """Report and ask at each t_sc, until cancelled."""
        settings = self._settings
        share = crc32(settings.account.lower().encode()) / 2**32
        offset_s = settings.report_delay_s + share * settings.report_jitter_s
        begun_s = self._clock.utc().timestamp() - offset_s
        await self._insist(begun_s // settings.report_s * settings.report_s, offset_s)
        ticks = Ticks(settings.report_s, clock=self._clock, offset_s=offset_s)
        while True:
            tick = await ticks.wait()
            await self._insist(tick.due.timestamp() - offset_s, offset_s)

    async def _insist(self, ended_s: float, offset_s: float) -> None:
        """Report what flowed up to a multiple of t_sc, until it gets through or the next is due."""
        # energy up to now belongs to the interval that ends now, if one does
        target = (round(ended_s) - 1) // self._interval_s
        next_s = ended_s + self._settings.report_s + offset_s
        for _ in range(int(self._settings.report_s // _RETRY_S)):
            if await self.report(target):
                return
            if self._clock.utc().timestamp() + _RETRY_S > next_s:
                return
            await self._clock.sleep(_RETRY_S)

    async def report(self, target: int | None = None) -> bool:
        """Report, ask, and refresh what is old; what goes wrong is told and never raised.

        Parameters
        ----------
        target : int, optional
            The interval to report for, as long as the contract takes reports for it; None is the
            running one.

        Returns
        -------
        bool
            False where it is worth trying again soon: an interval takes reports for some minutes
            after its end only.
        """
        utc_s = self._clock.utc().timestamp()
        wanted = int(utc_s // self._interval_s) if target is None else target
        try:
            outcome = await self._reporter.exchange(wanted, utc_s)
            if outcome != "stranger":
                await self._ask()
            await self._refresh()
        except LedgerError as error:
            self._health.lost(_LEDGER, str(error))
            return False
        self._health.back(_LEDGER)
        return outcome != "kept"

    async def close(self) -> None:
        """Write what is not written; a request that still waits ends with the process."""
        self.metering.close()
        self._link.close()

    async def _ask(self) -> None:
        """Ask what the fleet owes; ask for the schedule too where it has changed."""
        utc_s = self._clock.utc().timestamp()
        running = int(utc_s // self._interval_s)
        answer = await self._reporter.answer(running)
        known_wh = self._reporter.known_wh(running)
        if not self._promise.answered(answer, known_wh=known_wh, utc_s=utc_s):
            self._refresh_s = None

    async def _refresh(self) -> None:
        """Fetch the schedule and what was earned, each hour."""
        now_s = self._clock.monotonic_s()
        if self._refresh_s is not None and now_s - self._refresh_s < _HOURLY_S:
            return
        await self._fetch_schedule()
        await self._fetch_earnings()
        self._refresh_s = now_s

    async def _fetch_schedule(self) -> None:
        step_s, utc_s = self._interval_s, self._clock.utc().timestamp()
        start = datetime.fromtimestamp(utc_s // step_s * step_s, UTC)
        count = self._settings.schedule_ahead_h * 3600 // step_s
        whole = TimeGrid(start=start, step_s=step_s, count=count)
        found: list[Schedule] = []
        for first in range(0, count, _CHUNK):
            grid = replace(whole.shifted(first * step_s), count=min(_CHUNK, count - first))
            question = partial(LedgerAccount.schedule, grid=grid)
            found.append(await self._link.ask(question, within_s=self._reporter.within_s))
        self._promise.published(found)

    async def _fetch_earnings(self) -> None:
        """Add what intervals brought that were settled since."""
        earned = self._memory.get(_EARNED) or {"micro": 0, "open": [], "counted": []}
        running = int(self._clock.utc().timestamp() // self._interval_s)
        reported = self._log.intervals
        counted = [each for each in earned["counted"] if each in reported]
        waiting = sorted({*earned["open"], *reported}.difference(counted))[-_OPEN_MOST:]
        over = [each for each in waiting if each < running]
        parts: dict[int, int] = {}
        for first in range(0, len(over), _CHUNK):
            question = partial(LedgerAccount.earned_micro, intervals=over[first : first + _CHUNK])
            parts |= await self._link.ask(question, within_s=self._reporter.within_s)
        found = {
            "micro": earned["micro"] + sum(parts.values()),
            "open": [each for each in waiting if each not in parts],
            "counted": [*counted, *parts],
        }
        self._memory.put(_EARNED, found)
