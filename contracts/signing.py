"""What a member and its meter sign of a report (EIP-712)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eth_hash.auto import keccak
from eth_typing import Hash32

from contracts.abi import address_word
from contracts.promise import Report
from contracts.words import WORD

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

NAME = "Gridpact Fleet"
"""What wallets show as the program that asks for the signature."""
VERSION = "1"
"""Changes when what is signed does."""
SIGNATURE_BYTES = 64
"""Length of a signature in EIP-2098's compact form."""

_FIELDS = (
    ("member", "address"),
    ("interval", "uint32"),
    ("netExportWh", "int32"),
    ("socBp", "uint16"),
    ("nonce", "uint32"),
)
_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


def _type_hash(name: str, fields: tuple[tuple[str, str], ...]) -> bytes:
    return keccak(f"{name}({','.join(f'{kind} {each}' for each, kind in fields)})".encode())


_REPORT_TYPE = _type_hash("Report", _FIELDS)
_DOMAIN_TYPE = _type_hash("EIP712Domain", _DOMAIN_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Tell one fleet's signatures from another's."""

    chain_id: int
    """Number of the chain (EIP-155)."""
    fleet: str
    """Address of `Fleet`."""
    separator: bytes = field(init=False, repr=False)
    """Hash of the domain."""

    def __post_init__(self) -> None:
        words = (
            _DOMAIN_TYPE,
            keccak(NAME.encode()),
            keccak(VERSION.encode()),
            self.chain_id.to_bytes(WORD, "big"),
            address_word(self.fleet),
        )
        object.__setattr__(self, "separator", keccak(b"".join(words)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReport:
    """A report that anybody may hand in, once.

    Raises
    ------
    ValueError
        If the nonce does not fit the wire or a signature is not in the compact form.
    """

    report: Report
    """What the member did."""
    nonce: int
    """How many of its reports were counted before."""
    signature: bytes
    """The member's: r, and s with the parity of y as its first bit."""
    meter_signature: bytes | None = None
    """That of its meter, None for a member without one."""

    def __post_init__(self) -> None:
        if not 0 <= self.nonce < 1 << 32:
            msg = (
                f"signed report of {self.report.account}: nonce = {self.nonce} is outside 0..2³²-1"
            )
            raise ValueError(msg)
        for signature in (self.signature, self.meter_signature):
            if signature is not None:
                check_signature(signature, self.report.account)


def check_signature(signature: bytes, account: str) -> None:
    """Raise ``ValueError`` unless ``signature`` is as long as one in the compact form."""
    if len(signature) != SIGNATURE_BYTES:
        msg = (
            f"a signature for {account} has {len(signature)} bytes, not {SIGNATURE_BYTES}; "
            "give r and vs (EIP-2098)"
        )
        raise ValueError(msg)


def typed_data(report: Report, nonce: int, domain: Domain) -> dict[str, Any]:
    """Return what is signed as the JSON that wallets take (``eth_signTypedData_v4``)."""
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS],
            "Report": [{"name": name, "type": kind} for name, kind in _FIELDS],
        },
        "primaryType": "Report",
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": domain.fleet,
        },
        "message": {
            "member": report.account,
            "interval": report.interval,
            "netExportWh": report.net_export_wh,
            "socBp": report.soc_bp,
            "nonce": nonce,
        },
    }


def digest(report: Report, nonce: int, domain: Domain) -> bytes:
    """Return the hash that is signed: that of `typed_data`, a hundred times faster."""
    words = (
        _REPORT_TYPE,
        address_word(report.account),
        report.interval.to_bytes(WORD, "big"),
        report.net_export_wh.to_bytes(WORD, "big", signed=True),
        report.soc_bp.to_bytes(WORD, "big"),
        nonce.to_bytes(WORD, "big"),
    )
    return keccak(b"\x19\x01" + domain.separator + keccak(b"".join(words)))


def sign(report: Report, nonce: int, domain: Domain, signer: "LocalAccount") -> bytes:
    """Return the signature of ``signer``, a member or a meter, in the compact form.

    Parameters
    ----------
    report : Report
        What was done.
    nonce : int
        How many of the member's reports were counted before: `contracts.ledger.HomeLedger.nonces`.
    domain : Domain
        For which fleet it is.
    signer : LocalAccount
        Holds the key.
    """
    signed = signer.unsafe_sign_hash(Hash32(digest(report, nonce, domain)))
    parity = signed.v - 27
    return signed.r.to_bytes(WORD, "big") + (parity << 255 | signed.s).to_bytes(WORD, "big")


def sign_report(
    report: Report,
    nonce: int,
    domain: Domain,
    signer: "LocalAccount",
    *,
    meter: "LocalAccount | None" = None,
) -> SignedReport:
    """Return ``report`` signed by its member, and by its meter where it has one; see `sign`."""
    return SignedReport(
        report=report,
        nonce=nonce,
        signature=sign(report, nonce, domain, signer),
        meter_signature=None if meter is None else sign(report, nonce, domain, meter),
    )
