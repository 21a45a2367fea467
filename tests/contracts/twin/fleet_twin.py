"""The fleet contract's rules in plain Python: nothing is packed, and every sum is taken afresh.

What a call does is a method that returns the refusal, None where there is none.
"""

from dataclasses import dataclass, field

from contracts.errors import (
    FleetEnergyLimit,
    FleetIntervalBegun,
    FleetIntervalEnergyLimit,
    FleetIntervalFuture,
    FleetIntervalOrder,
    FleetIntervalOver,
    FleetMemberExists,
    FleetMemberHeard,
    FleetMemberUnknown,
    FleetMemberWeightless,
    FleetMeterEvidenceMissing,
    FleetMeterIsMember,
    FleetMeterSignatureInvalid,
    FleetMeterUnregistered,
    FleetNonce,
    FleetNotPaused,
    FleetPaused,
    FleetSignatureInvalid,
    FleetSocRange,
    LedgerError,
    OwnableUnauthorizedAccount,
)
from contracts.promise import Coordination, Delivery, Member, Report, Schedule

STEP_S, GRACE_S, TOLERANCE_S = 1800, 600, 60
NEVER = 2**40 - 1


@dataclass(kw_only=True)
class Home:
    """An enrolled member."""

    member: Member
    interval: int
    reported_at: int
    soc_bp: int | None = None
    """None where no battery is known to have a charge: none, or silent."""
    export_weight: int = 0


@dataclass(kw_only=True)
class Handed:
    """A signed report, and whether each signature is of the right key."""

    report: Report
    nonce: int
    signed: bool
    metered: bool | None


@dataclass(kw_only=True)
class Owned:
    """What has an owner, who is followed in two steps."""

    owner: str
    heir: str | None = None

    def foreign(self, caller: str) -> LedgerError | None:
        return None if caller == self.owner else OwnableUnauthorizedAccount(caller)

    def transfer(self, caller: str, heir: str) -> LedgerError | None:
        refused = self.foreign(caller)
        if not refused:
            self.heir = heir
        return refused

    def accept(self, caller: str) -> LedgerError | None:
        if caller != self.heir:
            return OwnableUnauthorizedAccount(caller)
        self.owner, self.heir = caller, None
        return None


@dataclass(kw_only=True)
class FleetTwin(Owned):
    """See `IFleet`."""

    homes: dict[str, Home] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    exports: dict[tuple[str, int], int] = field(default_factory=dict)
    promises: dict[int, tuple[int, int, bool]] = field(default_factory=dict)
    paused: bool = False
    paused_at: int = 0
    resumed_at: int = 0

    def enrol(self, caller: str, member: Member, now_s: int) -> LedgerError | None:
        account = member.account
        wrong = self.foreign(caller)
        if not wrong and member.meter == account:
            wrong = FleetMeterIsMember(account)
        if not wrong and account in self.homes:
            wrong = FleetMemberExists(account)
        if not wrong:
            self.homes[account] = Home(member=member, interval=now_s // STEP_S, reported_at=now_s)
        return wrong

    def retire(self, caller: str, account: str) -> LedgerError | None:
        wrong = self.foreign(caller)
        if not wrong and self.homes.pop(account, None) is None:
            wrong = FleetMemberUnknown(account)
        return wrong

    def lapse(self, account: str, now_s: int) -> LedgerError | None:
        home = self.homes.get(account)
        if home is None:
            return FleetMemberUnknown(account)
        if self.paused:
            return FleetPaused()
        if home.soc_bp is None:
            return FleetMemberWeightless(account)
        heard_at = max(home.reported_at, self.resumed_at)
        if now_s <= heard_at + STEP_S:
            return FleetMemberHeard(account, heard_at)
        home.soc_bp = None
        return None

    def pause(self, caller: str, now_s: int) -> LedgerError | None:
        wrong = self.foreign(caller) or (FleetPaused() if self.paused else None)
        if not wrong:
            if now_s >= self.resumed_at + GRACE_S:
                self.paused_at = now_s
            self.paused, self.resumed_at = True, NEVER
        return wrong

    def unpause(self, caller: str, now_s: int) -> LedgerError | None:
        wrong = self.foreign(caller) or (None if self.paused else FleetNotPaused())
        if not wrong:
            self.paused, self.resumed_at = False, now_s
        return wrong

    def publish(self, caller: str, schedule: Schedule, now_s: int) -> LedgerError | None:
        first = schedule.grid.first_interval
        wrong = self.foreign(caller)
        if not wrong and first * STEP_S <= now_s:
            wrong = FleetIntervalBegun(first, now_s)
        if not wrong:
            slots = zip(schedule.soc_bp, schedule.commitment_wh, schedule.steered, strict=True)
            self.promises |= dict(enumerate(slots, start=first))
        return wrong

    def report(self, report: Report, now_s: int) -> LedgerError | None:
        """Report alone, without a meter's signature."""
        if self.paused:
            return FleetPaused()
        home = self.homes.get(report.account)
        if home and home.member.meter:
            return FleetMeterEvidenceMissing(report.account)
        return self._count(report, now_s)

    def report_metered(self, report: Report, metered: bool, now_s: int) -> LedgerError | None:
        """Report alone; ``metered`` tells whether the signature is the meter's."""
        if self.paused:
            return FleetPaused()
        return self._unproved(report.account, metered=metered) or self._count(report, now_s)

    def report_signed(self, batch: list[Handed], now_s: int) -> list[LedgerError | None]:
        if self.paused:
            return [FleetPaused()] * len(batch)
        return [self._hand_in(handed, now_s) for handed in batch]

    def _hand_in(self, handed: Handed, now_s: int) -> LedgerError | None:
        account = handed.report.account
        expected = self.nonces.get(account, 0)
        if account not in self.homes:
            return FleetMemberUnknown(account)
        if handed.nonce != expected:
            return FleetNonce(account, handed.nonce, expected)
        if not handed.signed:
            return FleetSignatureInvalid(account)
        if handed.metered is not None:
            wrong = self._unproved(account, metered=handed.metered)
        else:
            metered = self.homes[account].member.meter
            wrong = FleetMeterEvidenceMissing(account) if metered else None
        return wrong or self._count(handed.report, now_s)

    def _unproved(self, account: str, *, metered: bool) -> LedgerError | None:
        home = self.homes.get(account)
        if home is None:
            return FleetMemberUnknown(account)
        if not home.member.meter:
            return FleetMeterUnregistered(account)
        return None if metered else FleetMeterSignatureInvalid(account)

    def _refusal(self, report: Report, now_s: int) -> LedgerError | None:
        account, interval, energy_wh = report.account, report.interval, report.net_export_wh
        home = self.homes.get(account)
        if home is None:
            return FleetMemberUnknown(account)
        running = interval == now_s // STEP_S
        rating_w = home.member.grid_power_w
        limit_ws = rating_w * (now_s - home.reported_at + TOLERANCE_S)
        elapsed_s = now_s - interval * STEP_S if running else STEP_S
        sum_limit_ws = rating_w * (elapsed_s + TOLERANCE_S)
        sum_wh = self.export_wh(account, interval) + energy_wh
        wrong = {
            FleetSocRange(report.soc_bp): report.soc_bp > 10_000,
            FleetIntervalFuture(interval, now_s // STEP_S): interval > now_s // STEP_S,
            FleetIntervalOver(interval, self.deadline_s(interval)): not running
            and self.is_final(interval, now_s),
            FleetIntervalOrder(account, interval, home.interval): interval < home.interval,
            FleetEnergyLimit(account, energy_wh, limit_ws // 3600): abs(energy_wh) * 3600
            > limit_ws,
            FleetIntervalEnergyLimit(account, interval, sum_wh, sum_limit_ws // 3600): abs(sum_wh)
            * 3600
            > sum_limit_ws,
        }
        return next((error for error, applies in wrong.items() if applies), None)

    def _count(self, report: Report, now_s: int) -> LedgerError | None:
        refused = self._refusal(report, now_s)
        if refused:
            return refused
        account, interval = report.account, report.interval
        home = self.homes[account]
        self.exports[account, interval] = self.export_wh(account, interval) + report.net_export_wh
        self.nonces[account] = self.nonces.get(account, 0) + 1
        home.interval, home.reported_at = interval, now_s
        home.soc_bp = report.soc_bp if home.member.capacity_wh else None
        target = self.promise(now_s // STEP_S)[0]
        fit = report.net_export_wh >= 0 and report.soc_bp >= target
        home.export_weight = report.soc_bp if fit else 0
        return None

    def deadline_s(self, interval: int) -> int:
        end_s = (interval + 1) * STEP_S + GRACE_S
        return end_s if end_s <= self.paused_at else max(end_s, self.resumed_at + GRACE_S)

    def is_final(self, interval: int, now_s: int) -> bool:
        return now_s >= self.deadline_s(interval)

    def promise(self, interval: int) -> tuple[int, int, bool]:
        return self.promises.get(interval, (0, 0, False))

    def export_wh(self, account: str, interval: int) -> int:
        return self.exports.get((account, interval), 0)

    def delivery(self, interval: int) -> Delivery:
        exported = [wh for (_, at), wh in self.exports.items() if at == interval]
        return Delivery(
            interval=interval,
            commitment_wh=self.promise(interval)[1],
            delivered_wh=sum(exported),
            exported_wh=sum(wh for wh in exported if wh > 0),
        )

    def coordination(self, account: str, interval: int) -> Coordination:
        soc_bp, commitment_wh, steered = self.promise(interval)
        batteries = [
            (home.export_weight, home.soc_bp, 10_000 - home.soc_bp)
            for home in self.homes.values()
            if home.soc_bp is not None
        ]
        weight, charge, room = (sum(column) for column in zip((0, 0, 0), *batteries, strict=True))
        home = self.homes[account]
        export_ppb = import_ppb = 0
        if home.soc_bp is not None:
            own, among = (home.export_weight, weight) if weight else (home.soc_bp, charge)
            export_ppb = own * 10**9 // among if among else 0
            import_ppb = (10_000 - home.soc_bp) * 10**9 // room if room else 0
        return Coordination(
            remaining_export_wh=commitment_wh - self.delivery(interval).delivered_wh,
            export_weight_ppb=export_ppb,
            import_weight_ppb=import_ppb,
            steered=steered,
            soc_bp=soc_bp,
            commitment_wh=commitment_wh,
        )
