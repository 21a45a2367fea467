"""The fleet contract in our own values, over any chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.abi import WORD, Function, address_word
from contracts.chain import Call, Chain, Receipt
from contracts.errors import FleetMemberUnknown, LedgerError, LedgerReplyError
from contracts.promise import Coordination, Delivery, Member, Report, Schedule
from contracts.timegrid import TimeGrid

ENROL = Function("enrol(address,uint32,uint32)")
RETIRE = Function("retire(address)")
MEMBER_OF = Function("memberOf(address)", ("(bool,uint32,uint32,uint32,uint40,int32,uint16)",))
PUBLISH = Function("publish(uint32,uint16[],uint32[],bool[])")
PROMISE_OF = Function("promiseOf(uint32)", ("uint16", "uint32", "bool", "bool"))
REPORT = Function("report(uint32,int32,uint16)")
COORDINATION = Function(
    "coordination(address,uint32)", ("int64", "uint32", "uint32", "bool", "uint16", "uint32")
)
DELIVERY = Function("delivery(uint32)", ("uint32", "int40", "uint40"))
EXPORT_OF = Function("exportOf(address,uint32)", ("int32",))
IS_FINAL = Function("isFinal(uint32)", ("bool",))
INTERVAL_S = Function("intervalS()", ("uint32",))

_COORDINATION_BYTES = WORD * len(COORDINATION.returns)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetClient:
    """See `contracts.ledger.FleetLedger`."""

    chain: Chain
    """What carries the calls."""
    address: str
    """Address of `Fleet`."""
    owner: str
    """Address of the aggregator, in whose name the fleet is run and read."""

    def enrol(self, members: Sequence[Member]) -> list[Receipt]:
        """See `contracts.ledger.FleetLedger`."""
        return all_or_raise(
            self.chain.send_all(
                [
                    self._call(ENROL.encode(m.account, m.capacity_wh, m.grid_power_w))
                    for m in members
                ]
            )
        )

    def retire(self, account: str) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        return self._send(RETIRE.encode(account))

    def member(self, account: str) -> Member:
        """See `contracts.ledger.FleetLedger`."""
        ((enrolled, capacity_wh, grid_power_w, *_),) = self._ask(MEMBER_OF, account)
        if not enrolled:
            raise FleetMemberUnknown(account)
        return Member(account=account, capacity_wh=capacity_wh, grid_power_w=grid_power_w)

    def publish(self, schedule: Schedule) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        self._check_grid(schedule.grid)
        return self._send(
            PUBLISH.encode(
                schedule.grid.first_interval,
                schedule.soc_bp,
                schedule.commitment_wh,
                schedule.steered,
            )
        )

    def schedule(self, grid: TimeGrid) -> Schedule:
        """See `contracts.ledger.FleetLedger`."""
        self._check_grid(grid)
        promises = [self._ask(PROMISE_OF, interval) for interval in grid.intervals]
        soc_bp, commitment_wh, steered, _ = zip(*promises, strict=True)
        return Schedule(grid=grid, soc_bp=soc_bp, commitment_wh=commitment_wh, steered=steered)

    def report_all(self, reports: Sequence[Report]) -> list[Receipt | LedgerError]:
        """See `contracts.ledger.HomeLedger`."""
        to = self.address
        return self.chain.send_all(
            [Call(sender=each.account, to=to, data=_report_data(each)) for each in reports]
        )

    def coordinate(self, accounts: Sequence[str], interval: int) -> list[Coordination]:
        """See `contracts.ledger.HomeLedger`."""
        ask, to, sender = self.chain.call, self.address, self.owner
        tail = interval.to_bytes(WORD, "big")
        head = COORDINATION.selector
        return [
            _coordination(ask(Call(sender=sender, to=to, data=head + address_word(each) + tail)))
            for each in accounts
        ]

    def delivery(self, interval: int) -> Delivery:
        """See `contracts.ledger.FleetLedger`."""
        commitment_wh, delivered_wh, exported_wh = self._ask(DELIVERY, interval)
        return Delivery(
            interval=interval,
            commitment_wh=commitment_wh,
            delivered_wh=delivered_wh,
            exported_wh=exported_wh,
        )

    def export_wh(self, account: str, interval: int) -> int:
        """See `contracts.ledger.FleetLedger`."""
        return int(self._ask(EXPORT_OF, account, interval)[0])

    def is_final(self, interval: int) -> bool:
        """See `contracts.ledger.FleetLedger`."""
        return bool(self._ask(IS_FINAL, interval)[0])

    def interval_s(self) -> int:
        """Return the length of a market interval. [s]"""
        return int(self._ask(INTERVAL_S)[0])

    def _check_grid(self, grid: TimeGrid) -> None:
        """Raise ``ValueError`` unless a slot of ``grid`` is an interval of the fleet."""
        interval_s = self.interval_s()
        if grid.step_s != interval_s:
            msg = f"grid has slots of {grid.step_s} s, the fleet {interval_s} s; split or merge it"
            raise ValueError(msg)

    def _call(self, data: bytes) -> Call:
        return Call(sender=self.owner, to=self.address, data=data)

    def _send(self, data: bytes) -> Receipt:
        return all_or_raise(self.chain.send_all([self._call(data)]))[0]

    def _ask(self, function: Function, *arguments: object) -> tuple[Any, ...]:
        return function.decode(self.chain.call(self._call(function.encode(*arguments))))


def all_or_raise(outcomes: Sequence[Receipt | LedgerError]) -> list[Receipt]:
    """Return the receipts, or raise the first refusal among ``outcomes``."""
    receipts = []
    for outcome in outcomes:
        if isinstance(outcome, LedgerError):
            raise outcome
        receipts.append(outcome)
    return receipts


def _report_data(report: Report) -> bytes:
    """Encode a report by hand: a fleet of 71 sends 20,000 a day."""
    return (
        REPORT.selector
        + report.interval.to_bytes(WORD, "big")
        + report.net_export_wh.to_bytes(WORD, "big", signed=True)
        + report.soc_bp.to_bytes(WORD, "big")
    )


def _coordination(answer: bytes) -> Coordination:
    """Decode a coordination by hand, for the same reason."""
    if len(answer) != _COORDINATION_BYTES:
        msg = f"{COORDINATION.signature} answered {len(answer)} bytes, not {_COORDINATION_BYTES}"
        raise LedgerReplyError(msg)
    number = int.from_bytes
    return Coordination(
        remaining_export_wh=number(answer[:32], "big", signed=True),
        export_weight_ppb=number(answer[32:64], "big"),
        import_weight_ppb=number(answer[64:96], "big"),
        steered=answer[127] == 1,
        soc_bp=number(answer[128:160], "big"),
        commitment_wh=number(answer[160:], "big"),
    )
