"""What people do to the fleet in a random day: time, members, promises and reports."""

from dataclasses import replace
from datetime import UTC, datetime

from chronicle import Chronicle
from fleet_twin import GRACE_S, STEP_S, FleetTwin, Handed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from money_twin import MoneyTwin
from stage import (
    AT_TARGET,
    CALLERS,
    EDGES_S,
    FIRST,
    HEIR,
    KEYS,
    MARKET,
    METERS,
    OWNER,
    PAUSES_S,
    PURSE,
    REPORTS,
    SELDOM,
    SIGNED,
    SLOTS,
    STRANGER,
    TERMS,
    WHO,
    Listening,
    person,
    refused,
    same,
    told,
)

from contracts.client import connect, deploy
from contracts.local.embedded import embedded_chain
from contracts.promise import Member, Report, Schedule
from contracts.signing import SignedReport, sign
from contracts.timegrid import TimeGrid


class FleetDay(RuleBasedStateMachine):
    """Drive a fleet and its twin, and compare each outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = FIRST * STEP_S - 1
        chain = embedded_chain(start_timestamp=self.now_s - STEP_S, accounts=())
        deployment = deploy(chain, owner=OWNER, market=MARKET, terms=TERMS)
        self.chain = Listening(chain=chain, chronicle=Chronicle(step_s=STEP_S))
        self.ledger = connect(self.chain, deployment)
        for purse in (OWNER, HEIR):
            self.ledger.token.mint(purse, PURSE, owner=OWNER)
        purses = dict.fromkeys(KEYS, 0) | {OWNER: PURSE, HEIR: PURSE}
        self.fleet = FleetTwin(owner=OWNER)
        self.money = MoneyTwin(owner=OWNER, fleet=self.fleet, market=MARKET, purses=purses)
        self.domain = self.ledger.fleet.domain()
        self.final: set[int] = set()
        chain.set_time(self.now_s)

    def fleet_of(self, caller: str | None):
        """Return the fleet as ``caller`` drives it, and who that is."""
        caller = caller or self.fleet.owner
        return replace(self.ledger.fleet, owner=caller), caller

    # TIME

    @rule(offset_s=EDGES_S, drawn=st.lists(REPORTS, max_size=6))
    def wait_for_an_edge(self, offset_s: int, drawn: list[tuple[int, int, int, int]]) -> None:
        """Go on to the end of the interval or of its grace, or just before; and report there."""
        edge_s = (self.now_s // STEP_S + 1) * STEP_S + offset_s
        if offset_s == GRACE_S - 1:
            drawn = [(who, 1, energy_wh, soc_bp) for who, _, energy_wh, soc_bp in drawn]
        self.report(edge_s - self.now_s or STEP_S, drawn)

    def wait(self, seconds: int) -> None:
        self.now_s += seconds
        self.chain.set_time(self.now_s)

    @rule(caller=CALLERS, seconds=PAUSES_S, wrongly=SELDOM, leave=SELDOM)
    def pause(self, caller: str | None, seconds: int, wrongly: bool, leave: bool) -> None:
        """Pause, mostly for a while; where reports stand still already, let them go on."""
        client, caller = self.fleet_of(caller)
        if self.fleet.paused is wrongly:
            same(told(client.pause), self.fleet.pause(caller, self.now_s))
        if leave and not wrongly:
            return
        self.wait(seconds)
        same(told(client.unpause), self.fleet.unpause(caller, self.now_s))

    # MEMBERS AND PROMISES

    @rule(
        caller=CALLERS,
        who=WHO,
        has_battery=st.booleans(),
        metered=st.booleans(),
        weak=SELDOM,
    )
    def enrol(
        self, caller: str | None, who: int, has_battery: bool, metered: bool, weak: bool
    ) -> None:
        client, caller = self.fleet_of(caller)
        member = Member(
            account=person(who),
            capacity_wh=10_000 if has_battery else 0,
            grid_power_w=4_000 if weak else 12_000,
            meter=METERS[who % 2] if metered else None,
        )
        same(told(lambda: client.enrol([member])), self.fleet.enrol(caller, member, self.now_s))

    @rule(caller=CALLERS, who=WHO, just=st.sampled_from([None, 0, 1]), wrongly=SELDOM)
    def leave(self, caller: str | None, who: int, just: int | None, wrongly: bool) -> None:
        """Have a member lapse, perhaps as soon as it may, and perhaps retire it."""
        client, caller = self.fleet_of(caller)
        home = self.fleet.homes.get(person(who))
        if home and just is not None and not self.fleet.paused:
            silent_s = max(home.reported_at, self.fleet.resumed_at) + STEP_S + just - self.now_s
            self.wait(max(0, silent_s))
        outcome = told(lambda: client.lapse(person(who)))
        same(outcome, self.fleet.lapse(person(who), self.now_s))
        if who == 3 or wrongly:
            outcome = told(lambda: client.retire(person(who)))
            same(outcome, self.fleet.retire(caller, person(who)))

    @rule(
        caller=CALLERS,
        ahead=st.sampled_from([1, 1, 1, 2, 3, 0]),
        promised=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 4000)), min_size=1),
    )
    def publish(self, caller: str | None, ahead: int, promised: list[tuple[int, int]]) -> None:
        client, caller = self.fleet_of(caller)
        first = self.now_s // STEP_S + ahead
        promised = promised[: FIRST + SLOTS - first]
        if not promised:
            return
        schedule = Schedule(
            grid=TimeGrid(
                start=datetime.fromtimestamp(first * STEP_S, UTC),
                step_s=STEP_S,
                count=len(promised),
            ),
            soc_bp=tuple(soc_bp for soc_bp, _ in promised),
            commitment_wh=tuple(energy_wh for _, energy_wh in promised),
            steered=tuple(energy_wh % 2 == 0 for _, energy_wh in promised),
        )
        outcome = told(lambda: client.publish(schedule))
        same(outcome, self.fleet.publish(caller, schedule, self.now_s))

    # REPORTS

    @rule(seconds=PAUSES_S, drawn=st.lists(REPORTS, min_size=3, max_size=6))
    def report(self, seconds: int, drawn: list[tuple[int, int, int, int]]) -> None:
        self.wait(seconds)
        reports = [self.report_of(each) for each in drawn]
        for report, outcome in zip(reports, self.ledger.fleet.report_all(reports), strict=True):
            same(refused(outcome), self.fleet.report(report, self.now_s))

    @rule(seconds=PAUSES_S, drawn=st.lists(REPORTS, min_size=3, max_size=6))
    def report_once_more(self, seconds: int, drawn: list[tuple[int, int, int, int]]) -> None:
        """Do as `report`: rules are equally likely, and most of a day is reports."""
        self.report(seconds, drawn)

    @rule(seconds=PAUSES_S, drawn=REPORTS, wrongly=SELDOM)
    def report_metered(self, seconds: int, drawn: tuple[int, int, int, int], wrongly: bool) -> None:
        self.wait(seconds)
        report = self.report_of(drawn if drawn[0] in {3, 4} else (1, *drawn[1:]))
        nonce = self.fleet.nonces.get(report.account, 0)
        meter = HEIR if wrongly else self.meter_of(report.account) or STRANGER
        proof = sign(report, nonce, self.domain, KEYS[meter])
        outcome = told(lambda: self.ledger.fleet.report_metered(report, proof))
        same(outcome, self.fleet.report_metered(report, not wrongly, self.now_s))

    @rule(seconds=PAUSES_S, drawn=st.lists(SIGNED, min_size=1, max_size=3))
    def report_signed(self, seconds: int, drawn: list) -> None:
        self.wait(seconds)
        ahead: dict[str, int] = {}
        pairs = []
        for each, off, own, proved in drawn:
            report = self.report_of(each)
            account = report.account
            nonce = max(0, self.fleet.nonces.get(account, 0) + ahead.get(account, 0) + off)
            ahead[account] = ahead.get(account, 0) + 1
            pairs.append(self.signed(report, nonce, own=own, proved=proved))
        batch, handed = zip(*pairs, strict=True)
        outcomes = self.ledger.fleet.report_signed(batch, relay=STRANGER)
        expected = self.fleet.report_signed(list(handed), self.now_s)
        for outcome, wrong in zip(outcomes, expected, strict=True):
            same(refused(outcome), wrong)

    def signed(
        self, report: Report, nonce: int, *, own: bool, proved: bool | str | None
    ) -> tuple[SignedReport, Handed]:
        """Return a report as signed, and as the twin is told of it."""
        meter = self.meter_of(report.account)
        if proved == "as enrolled":
            proved = None if meter is None else True
        signer = report.account if own else HEIR
        keys = {None: None, True: meter or STRANGER, False: HEIR}
        proof = None if proved is None else sign(report, nonce, self.domain, KEYS[keys[proved]])
        batched = SignedReport(
            report=report,
            nonce=nonce,
            signature=sign(report, nonce, self.domain, KEYS[signer]),
            meter_signature=proof,
        )
        return batched, Handed(report=report, nonce=nonce, signed=own, metered=proved)

    def report_of(self, drawn: tuple[int, int, int, int]) -> Report:
        who, back, energy_wh, soc_bp = drawn
        if soc_bp == AT_TARGET:
            soc_bp = self.fleet.promise(self.now_s // STEP_S)[0]
        return Report(
            account=person(who),
            interval=self.now_s // STEP_S - back,
            net_export_wh=energy_wh,
            soc_bp=soc_bp,
        )

    def meter_of(self, account: str) -> str | None:
        home = self.fleet.homes.get(account)
        return home.member.meter if home else None
