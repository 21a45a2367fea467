"""The fleet contract in our own values, over any chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from contracts.abi import Function, address_word, event_topic, refusal
from contracts.chain import BulkChain, BulkReader, Call, Chain, Receipt
from contracts.errors import FleetMemberUnknown, LedgerError, LedgerReplyError
from contracts.fleet_arrays import (
    Answers,
    FleetReport,
    Outcomes,
    coordination_answers,
    coordination_calls,
    report_calls,
)
from contracts.promise import Coordination, Delivery, Member, Report, Schedule
from contracts.signing import Domain, SignedReport, check_signature
from contracts.timegrid import TimeGrid
from contracts.words import WORD

ENROL = Function("enrol(address,uint32,uint32,address)")
RETIRE = Function("retire(address)")
LAPSE = Function("lapse(address)")
MEMBER_OF = Function(
    "memberOf(address)",
    ("(bool,uint32,uint32,uint32,uint40,int32,uint16,bool,uint32,address)",),
)
NONCE_OF = Function("nonceOf(address)", ("uint32",))
PAUSE = Function("pause()")
UNPAUSE = Function("unpause()")
PAUSED = Function("paused()", ("bool",))
PUBLISH = Function("publish(uint32,uint16[],uint32[],bool[])")
PROMISE_OF = Function("promiseOf(uint32)", ("uint16", "uint32", "bool", "bool"))
REPORT = Function("report(uint32,int32,uint16)")
REPORT_METERED = Function("reportMetered(uint32,int32,uint16,bytes32,bytes32)")
REPORT_SIGNED = Function("reportSigned((bytes32,bytes32,bytes32)[],(uint256,bytes32,bytes32)[])")
COORDINATION = Function(
    "coordination(address,uint32)", ("int64", "uint32", "uint32", "bool", "uint16", "uint32")
)
DELIVERY = Function("delivery(uint32)", ("uint32", "int40", "uint40"))
EXPORT_OF = Function("exportOf(address,uint32)", ("int32",))
IS_FINAL = Function("isFinal(uint32)", ("bool",))
INTERVAL_S = Function("intervalS()", ("uint32",))

REPORT_SKIPPED = event_topic("ReportSkipped(address,uint256,bytes)")

BATCH_GAS = 60_000
"""What a batch of signed reports may take besides its reports. [gas]"""
REPORT_GAS = 45_000
"""What one of them may take: its home's first in a word of its record, with a meter's evidence,
or one that is skipped with its reason. [gas]"""

NOBODY = "0x" + 40 * "0"
"""The zero address."""
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
                    self._call(
                        ENROL.encode(m.account, m.capacity_wh, m.grid_power_w, m.meter or NOBODY)
                    )
                    for m in members
                ]
            )
        )

    def retire(self, account: str) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        return self._send(RETIRE.encode(account))

    def member(self, account: str) -> Member:
        """See `contracts.ledger.FleetLedger`."""
        ((enrolled, capacity_wh, grid_power_w, *_, meter),) = self._ask(MEMBER_OF, account)
        if not enrolled:
            raise FleetMemberUnknown(account)
        return Member(
            account=account,
            capacity_wh=capacity_wh,
            grid_power_w=grid_power_w,
            meter=None if meter == NOBODY else to_checksum_address(meter),
        )

    def lapse(self, account: str) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        return self._send(LAPSE.encode(account))

    def pause(self) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        return self._send(PAUSE.encode())

    def unpause(self) -> Receipt:
        """See `contracts.ledger.FleetLedger`."""
        return self._send(UNPAUSE.encode())

    def paused(self) -> bool:
        """See `contracts.ledger.FleetLedger`."""
        return bool(self._ask(PAUSED)[0])

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
        asked = [PROMISE_OF.encode(interval) for interval in grid.intervals]
        promises = [PROMISE_OF.decode(each) for each in self._ask_all(asked)]
        soc_bp, commitment_wh, steered, _ = zip(*promises, strict=True)
        return Schedule(grid=grid, soc_bp=soc_bp, commitment_wh=commitment_wh, steered=steered)

    def report_all(self, reports: Sequence[Report]) -> list[Receipt | LedgerError]:
        """See `contracts.ledger.HomeLedger`."""
        to = self.address
        return self.chain.send_all(
            [Call(sender=each.account, to=to, data=_report_data(each)) for each in reports]
        )

    def report_metered(self, report: Report, meter_signature: bytes) -> Receipt:
        """See `contracts.ledger.HomeLedger`."""
        check_signature(meter_signature, report.account)
        head = REPORT_METERED.selector + _report_data(report)[len(REPORT.selector) :]
        call = Call(sender=report.account, to=self.address, data=head + meter_signature)
        return all_or_raise(self.chain.send_all([call]))[0]

    def report_signed(
        self, batch: Sequence[SignedReport], *, relay: str | None = None
    ) -> list[Receipt | LedgerError]:
        """See `contracts.ledger.HomeLedger`."""
        call = Call(
            sender=relay or self.owner,
            to=self.address,
            data=_batch_data(batch),
            gas=BATCH_GAS + REPORT_GAS * len(batch),
        )
        (outcome,) = self.chain.send_all([call])
        outcomes: list[Receipt | LedgerError] = [outcome] * len(batch)
        if isinstance(outcome, Receipt):
            for log in outcome.logs:
                if log.address == self.address and log.topics[0] == REPORT_SKIPPED:
                    place, reason = _skipped(log.data)
                    outcomes[place] = refusal(reason)
        return outcomes

    def nonces(self, accounts: Sequence[str]) -> list[int]:
        """See `contracts.ledger.HomeLedger`."""
        return [int(self._ask(NONCE_OF, account)[0]) for account in accounts]

    def domain(self) -> Domain:
        """See `contracts.ledger.HomeLedger`."""
        return Domain(chain_id=self.chain.chain_id, fleet=self.address)

    def coordinate(self, accounts: Sequence[str], interval: int) -> list[Coordination]:
        """See `contracts.ledger.HomeLedger`."""
        ask, to, sender = self.chain.call, self.address, self.owner
        tail = interval.to_bytes(WORD, "big")
        head = COORDINATION.selector
        return [
            _coordination(ask(Call(sender=sender, to=to, data=head + address_word(each) + tail)))
            for each in accounts
        ]

    def report_arrays(self, report: FleetReport) -> Outcomes:
        """See `contracts.fleet_arrays.ArrayLedger`."""
        data, to = report_calls(REPORT.selector, report), self.address
        if isinstance(self.chain, BulkChain):
            refused = self.chain.send_bulk(data, senders=report.accounts, to=to)
            refusals = {place: each for place, each in enumerate(refused) if each is not None}
            return Outcomes(refusals=refusals, gas_used=None)
        outcomes = self.chain.send_all(
            [
                Call(sender=sender, to=to, data=each)
                for sender, each in zip(report.accounts, data, strict=True)
            ]
        )
        gas = [each.gas_used for each in outcomes if isinstance(each, Receipt)]
        known = [each for each in gas if each is not None]
        return Outcomes(
            refusals={i: each for i, each in enumerate(outcomes) if isinstance(each, LedgerError)},
            gas_used=sum(known) if len(known) == len(gas) else None,
        )

    def coordinate_arrays(self, accounts: Sequence[str], interval: int) -> Answers:
        """See `contracts.fleet_arrays.ArrayLedger`."""
        asked = coordination_calls(COORDINATION.selector, accounts, interval)
        return coordination_answers(self._ask_all(asked))

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

    def exports_wh(self, accounts: Sequence[str], intervals: Sequence[int]) -> list[list[int]]:
        """See `contracts.ledger.FleetLedger`."""
        tails = [interval.to_bytes(WORD, "big") for interval in intervals]
        heads = [EXPORT_OF.selector + address_word(account) for account in accounts]
        answers = iter(self._ask_all([head + tail for head in heads for tail in tails]))
        return [[int(EXPORT_OF.decode(next(answers))[0]) for _ in tails] for _ in heads]

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

    def _ask_all(self, data: Sequence[bytes]) -> list[bytes]:
        """Return the contract's answers to many queries."""
        if isinstance(self.chain, BulkReader):
            return self.chain.call_bulk(data, sender=self.owner, to=self.address)
        return [self.chain.call(self._call(each)) for each in data]


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


def _batch_data(batch: Sequence[SignedReport]) -> bytes:
    """Encode signed reports by hand, for the same reason: two arrays of three words an entry."""
    entries = [_packed(each) + each.signature for each in batch]
    proofs = [
        place.to_bytes(WORD, "big") + each.meter_signature
        for place, each in enumerate(batch)
        if each.meter_signature is not None
    ]
    # The head holds where each array begins; an array begins with its length.
    second = 3 * WORD + 3 * WORD * len(entries)
    numbers = [2 * WORD, second, len(entries)]
    head = b"".join(number.to_bytes(WORD, "big") for number in numbers)
    tail = len(proofs).to_bytes(WORD, "big")
    return REPORT_SIGNED.selector + head + b"".join(entries) + tail + b"".join(proofs)


def _packed(signed: SignedReport) -> bytes:
    """Return a report as the contract's ``PackedReport``."""
    report = signed.report
    return (
        bytes.fromhex(report.account[2:])
        + report.interval.to_bytes(4, "big")
        + report.net_export_wh.to_bytes(4, "big", signed=True)
        + report.soc_bp.to_bytes(2, "big")
        + signed.nonce.to_bytes(4, "big")[2:]
    )


def _skipped(data: bytes) -> tuple[int, bytes]:
    """Return the place and the reason in the data of a ``ReportSkipped``."""
    number = int.from_bytes
    length = number(data[2 * WORD : 3 * WORD], "big")
    return number(data[:WORD], "big"), data[3 * WORD : 3 * WORD + length]


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
