"""The fleet's sums as somebody finds them who has nothing but the contract's events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address

from contracts.abi import event_topic
from contracts.chain import Log

TYPES = {
    "MemberEnrolled(address,uint32,uint32,address)": ("uint32", "uint32", "address"),
    "MemberRetired(address)": (),
    "MemberLapsed(address,uint256)": ("uint256",),
    "Reported(address,uint32,int32,uint16)": ("int32", "uint16"),
    "ReportsRelayed(address,bytes32[])": ("bytes32[]",),
    "SchedulePublished(uint32,uint16[],uint32[],bool[])": ("uint16[]", "uint32[]", "bool[]"),
    "IntervalClosed(uint32,int40,uint40)": ("int40", "uint40"),
}
NAMES = {event_topic(signature): signature.partition("(")[0] for signature in TYPES}
DATA = {event_topic(signature): types for signature, types in TYPES.items()}
ZERO = bytes(32)


@dataclass(kw_only=True)
class Chronicle:
    """Read the events in order, each with the time of its block."""

    step_s: int
    capacity_wh: dict[str, int] = field(default_factory=dict)
    weights: dict[str, tuple[int, int]] = field(default_factory=dict)
    """ΣW's parts: (W_e, state of charge) of each battery that has a weight. [bp]"""
    exports: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    targets: dict[int, int] = field(default_factory=dict)
    commitments: dict[int, int] = field(default_factory=dict)
    closed: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Sums as they were when a later interval began."""

    def read(self, logs: Sequence[Log], now_s: int) -> None:
        for log in logs:
            name = NAMES.get(log.topics[0])
            if name:
                values = decode(DATA[log.topics[0]], log.data)
                getattr(self, f"_{name}")(log.topics, values, now_s)

    def sums(self, interval: int) -> tuple[int, int]:
        """Return what was delivered and what of it exported. [Wh]"""
        exported = [wh for (_, at), wh in self.exports.items() if at == interval]
        return sum(exported), sum(wh for wh in exported if wh > 0)

    def shares_ppb(self, account: str) -> tuple[int, int]:
        """Return a member's part of ΣW_e and ΣW_i; of the charges where ΣW_e is 0. [1e-9]"""
        if account not in self.weights:
            return 0, 0
        weight, soc_bp = self.weights[account]
        weight_sum = sum(each for each, _ in self.weights.values())
        soc_sum = sum(each for _, each in self.weights.values())
        room = len(self.weights) * 10_000 - soc_sum
        own, among = (weight, weight_sum) if weight_sum else (soc_bp, soc_sum)
        return own * 10**9 // (among or 1), (10_000 - soc_bp) * 10**9 // (room or 1)

    def _MemberEnrolled(self, topics, values, now_s) -> None:  # noqa: N802
        self.capacity_wh[_account(topics[1])] = values[0]

    def _MemberRetired(self, topics, values, now_s) -> None:  # noqa: N802
        self.weights.pop(_account(topics[1]), None)

    _MemberLapsed = _MemberRetired

    def _Reported(self, topics, values, now_s) -> None:  # noqa: N802
        self._count(_account(topics[1]), int.from_bytes(topics[2], "big"), *values, now_s)

    def _ReportsRelayed(self, topics, values, now_s) -> None:  # noqa: N802
        for word in values[0]:
            if word != ZERO:
                energy_wh = int.from_bytes(word[24:28], "big", signed=True)
                interval, soc_bp = (
                    int.from_bytes(word[a:b], "big") for a, b in ((20, 24), (28, 30))
                )
                self._count(to_checksum_address(word[:20]), interval, energy_wh, soc_bp, now_s)

    def _SchedulePublished(self, topics, values, now_s) -> None:  # noqa: N802
        first = int.from_bytes(topics[1], "big")
        self.targets |= dict(enumerate(values[0], start=first))
        self.commitments |= dict(enumerate(values[1], start=first))

    def _IntervalClosed(self, topics, values, now_s) -> None:  # noqa: N802
        self.closed[int.from_bytes(topics[1], "big")] = values

    def _count(self, account: str, interval: int, energy_wh: int, soc_bp: int, now_s: int) -> None:
        self.exports[account, interval] += energy_wh
        if self.capacity_wh[account]:
            fit = energy_wh >= 0 and soc_bp >= self.targets.get(now_s // self.step_s, 0)
            self.weights[account] = (soc_bp if fit else 0, soc_bp)


def _account(topic: bytes) -> str:
    return to_checksum_address(topic[12:])
