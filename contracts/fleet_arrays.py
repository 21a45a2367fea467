"""Reports and answers of a whole fleet as arrays: what a simulation says to `contracts.ledger`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from contracts.abi import address_word
from contracts.errors import LedgerError, LedgerReplyError
from contracts.promise import SOC_BP_MAX, Coordination
from contracts.words import WORD

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_SELECTOR = 4
_COORDINATION_WORDS = 6
_NUMBER = 8
"""Bytes of a word that a number of ours fills."""
_INT32 = 1 << 31
"""What a report's energy stays below. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport:
    """What many members did since their last reports; arrays have shape (members,).

    Raises
    ------
    ValueError
        If shapes differ, or a number does not fit the wire.
    """

    accounts: Sequence[str]
    """Addresses of the members."""
    interval: int
    """Number of the market interval that all the energy belongs to."""
    net_export_wh: IntArray
    """Energy exported less energy imported since a member's last report. [Wh]"""
    soc_bp: IntArray
    """State of charge now. [bp]"""

    def __post_init__(self) -> None:
        shape = (len(self.accounts),)
        if self.net_export_wh.shape != shape or self.soc_bp.shape != shape:
            msg = (
                f"fleet report: {shape[0]} accounts, energies of shape {self.net_export_wh.shape}, "
                f"states of charge of shape {self.soc_bp.shape}; give one of each per account"
            )
            raise ValueError(msg)
        if not 0 <= self.interval < 2 * _INT32:
            msg = f"fleet report: interval = {self.interval} is outside 0..{2 * _INT32 - 1}"
            raise ValueError(msg)
        wrong = (np.abs(self.net_export_wh) >= _INT32) | (self.soc_bp < 0)
        wrong |= self.soc_bp > SOC_BP_MAX
        if wrong.any():
            place = int(np.argmax(wrong))
            msg = (
                f"report of {self.accounts[place]}: {self.net_export_wh[place]} Wh at "
                f"{self.soc_bp[place]} bp does not fit the wire; reject the sample before"
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What became of a fleet's reports."""

    refusals: dict[int, LedgerError]
    """Why a report was refused, by its place; the others took effect."""
    gas_used: int | None
    """What all that took effect paid; None where the chain does not count truly. [gas]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the contract answers many members: a `Coordination` of each, as arrays."""

    remaining_export_wh: IntArray
    """RE^{t,A}, shape (members,). [Wh]"""
    export_weight_ppb: IntArray
    """w_e^k, shape (members,). [1e-9]"""
    import_weight_ppb: IntArray
    """w_i^k, shape (members,). [1e-9]"""
    steered: BoolArray
    """S^t, shape (members,)."""
    soc_bp: IntArray
    """SoC^{t,A}, shape (members,). [bp]"""
    commitment_wh: IntArray
    """E_c^t, shape (members,). [Wh]"""

    @classmethod
    def of(cls, answers: Sequence[Coordination]) -> "Answers":
        """Return the same answers as arrays."""

        def column(name: str) -> IntArray:
            return np.array([getattr(each, name) for each in answers], dtype=np.int64)

        return cls(
            remaining_export_wh=column("remaining_export_wh"),
            export_weight_ppb=column("export_weight_ppb"),
            import_weight_ppb=column("import_weight_ppb"),
            steered=column("steered") == 1,
            soc_bp=column("soc_bp"),
            commitment_wh=column("commitment_wh"),
        )


class ArrayLedger(Protocol):
    """The ledger as a simulation of thousands of homes sees it."""

    def report_arrays(self, report: FleetReport) -> Outcomes:
        """Report for many members, each in its own name; see `HomeLedger.report_all`."""

    def coordinate_arrays(self, accounts: Sequence[str], interval: int) -> Answers:
        """Return the fleet's debt and shares as arrays; see `HomeLedger.coordinate`."""


def report_calls(selector: bytes, report: FleetReport) -> list[bytes]:
    """Return the bytes of each member's call of ``report(uint32,int32,uint16)``."""
    members = len(report.accounts)
    size = _SELECTOR + 3 * WORD
    calls = np.zeros((members, size), dtype=np.uint8)
    calls[:, :_SELECTOR] = np.frombuffer(selector, dtype=np.uint8)
    words = calls[:, _SELECTOR:].reshape(members, 3, WORD)
    words[:, 0, -_NUMBER:] = _big_endian(np.full(members, report.interval))
    words[:, 1, :-_NUMBER] = np.where(report.net_export_wh < 0, 255, 0)[:, None]
    words[:, 1, -_NUMBER:] = _big_endian(report.net_export_wh)
    words[:, 2, -_NUMBER:] = _big_endian(report.soc_bp)
    return _rows(calls.tobytes(), size)


def coordination_calls(selector: bytes, accounts: Sequence[str], interval: int) -> list[bytes]:
    """Return the bytes of a query of ``coordination(address,uint32)`` for each account."""
    tail = interval.to_bytes(WORD, "big")
    return [selector + address_word(account) + tail for account in accounts]


def coordination_answers(answers: Sequence[bytes]) -> Answers:
    """Return what ``coordination`` answered.

    Raises
    ------
    LedgerReplyError
        If an answer is of another length.
    """
    joined, size = b"".join(answers), _COORDINATION_WORDS * WORD
    if len(joined) != len(answers) * size:
        found = next(len(each) for each in answers if len(each) != size)
        msg = f"coordination answered {found} bytes, not {size}; is another version deployed?"
        raise LedgerReplyError(msg)
    words = np.frombuffer(joined, dtype=">i8").reshape(
        len(answers), _COORDINATION_WORDS, WORD // _NUMBER
    )
    # Each number fits the last eight bytes of its word, two's complement where it is signed.
    numbers = words[:, :, -1].astype(np.int64).T
    return Answers(
        remaining_export_wh=numbers[0],
        export_weight_ppb=numbers[1],
        import_weight_ppb=numbers[2],
        steered=numbers[3] == 1,
        soc_bp=numbers[4],
        commitment_wh=numbers[5],
    )


def _big_endian(values: IntArray) -> npt.NDArray[np.uint8]:
    return values.astype(">i8").view(np.uint8).reshape(-1, _NUMBER)


def _rows(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]
