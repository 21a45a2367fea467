"""The ledger as steps reach it: embedded in the store by default, or on a chain of nodes.

The embedded one is the real contracts in an EVM of this process. A step takes its state out of the
store, goes on from it, and hands the state back with its rows: one transaction keeps both or
neither. On a chain of nodes the contracts themselves say what was done before, and the journal
beside the keys keeps a transaction that was sent from being sent twice.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select, update

from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepConflictError, StepInputError
from aggregator.service.store.tables import ledger_states
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import FleetMemberUnknown
from contracts.promise import Member

if TYPE_CHECKING:
    from contracts.local.chain_revm import RevmChain

NAME: Final = "embedded"
"""Of the embedded ledger in the store."""
_BEGIN_S: Final = 3_600
"""How long before a ledger is first used it begins. [s]"""
_MINTED_MICRO: Final = 10**18
"""Play money of the embedded ledger's owner: more than any fleet earns. [micro]"""


@dataclass(slots=True, kw_only=True)
class Session:
    """The contracts as one step sees them."""

    ledger: Ledger
    """In the owner's name."""
    embedded: "Embedded | None"
    """The embedded ledger; None on a chain of nodes."""

    def reach(self, time_s: int) -> None:
        """Move the embedded ledger's clock to a time, unless it is later already. [s]"""
        if self.embedded is not None:
            self.embedded.reach(time_s)

    def keep(self, connection: Connection) -> None:
        """Write the embedded ledger's state, in the transaction of the step's rows."""
        if self.embedded is not None:
            self.embedded.keep(connection)


@dataclass(slots=True, kw_only=True)
class Embedded:
    """A ledger out of the store."""

    chain: "RevmChain"
    """The EVM."""
    deployment: Deployment
    """Where the contracts are."""
    version: int
    """What it was taken out as; 0 is new."""
    before: bytes = field(default=b"", repr=False)
    """Its state as it was taken out."""

    def reach(self, time_s: int) -> None:
        """See `Session`."""
        self.chain.set_time(max(self.chain.now_s(), time_s))

    def keep(self, connection: Connection) -> None:
        """See `Session`.

        Raises
        ------
        StepConflictError
            If another process kept another one meanwhile.
        """
        state = _packed(self.chain)
        if state == self.before:
            return
        row: dict[str, object] = {
            "version": self.version + 1,
            "now_s": self.chain.now_s(),
            "contracts": asdict(self.deployment),
            "state": state,
        }
        columns = ledger_states.c
        if self.version == 0:
            known = connection.scalar(select(columns.version).where(columns.name == NAME))
            if known is None:
                connection.execute(insert(ledger_states).values(name=NAME, **row))
                return
        same = (columns.name == NAME) & (columns.version == self.version)
        if not connection.execute(update(ledger_states).where(same).values(**row)).rowcount:
            msg = "the embedded ledger was changed by another process; run the step again"
            raise StepConflictError(msg)


@contextmanager
def session(desk: Desk) -> Iterator[Session]:
    """Yield the contracts; what was done on an embedded ledger is kept by `Session.keep` alone.

    Raises
    ------
    StepInputError
        If the embedded ledger cannot run here.
    LedgerError
        If a chain cannot be reached, or holds other contracts.
    """
    if desk.ledger.url:
        yield Session(ledger=_on_nodes(desk), embedded=None)
    else:
        embedded = _embedded(desk)
        ledger = connect(embedded.chain, embedded.deployment)
        yield Session(ledger=ledger, embedded=embedded)


def _on_nodes(desk: Desk) -> Ledger:
    """Return the contracts on a chain, in the owner's name."""
    from contracts.connection.chain_web3 import rpc_chain  # noqa: PLC0415 -- imports web3
    from contracts.keystore import find_keystore, read_passphrase, unlock  # noqa: PLC0415 -- as above

    settings = desk.ledger
    if settings.deployment_file is None:
        msg = "[ledger] deployment_file is missing; name it"
        raise StepInputError(msg)
    deployment = Deployment.load(settings.deployment_file)
    if settings.keys is None or settings.passphrase_file is None:
        return connect(rpc_chain(settings.url, chain_id=deployment.chain_id), deployment)
    keystore = find_keystore(settings.keys, deployment.owner)
    signer = unlock(keystore, read_passphrase(settings.passphrase_file))
    folder = settings.keys / "journal"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chain = rpc_chain(
        settings.url,
        signers=[signer],
        chain_id=deployment.chain_id,
        journal=folder / f"{deployment.chain_id}-{signer.address}.sqlite",
    )
    chain.recover()  # what became of it the contracts tell: each step asks them first
    return connect(chain, deployment)


def _embedded(desk: Desk) -> Embedded:
    if find_spec("pyrevm") is None:
        msg = "the embedded ledger needs pyrevm, which is not for this computer; set [ledger] url"
        raise StepInputError(msg)
    from contracts.local.chain_revm import RevmChain  # noqa: PLC0415 -- an optional dependency
    from contracts.local.revm_state import Account  # noqa: PLC0415 -- as above

    with desk.store.read() as connection:
        row = connection.execute(
            select(ledger_states).where(ledger_states.c.name == NAME)
        ).one_or_none()
    if row is None:
        return _begun(desk)
    accounts: dict[str, Any] = json.loads(zlib.decompress(row.state))
    state = {
        address: Account(
            nonce=each["nonce"],
            code=bytes.fromhex(each["code"]),
            storage={int(slot, 16): int(value, 16) for slot, value in each["storage"].items()},
        )
        for address, each in accounts.items()
    }
    return Embedded(
        chain=RevmChain(start_timestamp=row.now_s, state=state),
        deployment=Deployment(**row.contracts),
        version=row.version,
        before=row.state,
    )


def _begun(desk: Desk) -> Embedded:
    """Return a new ledger with its contracts, money and bond."""
    from contracts.local.chain_revm import RevmChain  # noqa: PLC0415 -- an optional dependency

    settings = desk.ledger
    chain = RevmChain(start_timestamp=desk.now_ms() // 1000 - _BEGIN_S)
    owner, market = member_address("owner"), member_address("market")
    terms = Terms(interval_s=desk.settings.step_s, grace_s=settings.grace_s, fee_bp=settings.fee_bp)
    deployment = deploy(chain, owner=owner, market=market, terms=terms)
    ledger = connect(chain, deployment)
    ledger.token.mint(owner, _MINTED_MICRO, owner=owner)
    bond_micro = round(settings.bond * 1e6)
    if bond_micro:
        ledger.settlement.deposit_bond(bond_micro)
    return Embedded(chain=chain, deployment=deployment, version=0)


def _packed(chain: "RevmChain") -> bytes:
    accounts = {
        address: {
            "nonce": each.nonce,
            "code": each.code.hex(),
            "storage": {f"{slot:x}": f"{value:x}" for slot, value in sorted(each.storage.items())},
        }
        for address, each in sorted(chain.state().items())
    }
    return zlib.compress(json.dumps(accounts, separators=(",", ":")).encode(), 6)


def member_address(name: str) -> str:
    """Return the embedded ledger's address of a home without an account of its own.

    Anybody may send from any address there, so nobody needs its key.
    """
    from eth_utils.address import to_checksum_address  # noqa: PLC0415 -- loads its hashes

    return to_checksum_address("0x" + sha256(f"gridpact embedded {name}".encode()).hexdigest()[:40])


def enrol_missing(ledger: Ledger, members: Sequence[Member]) -> int:
    """Enrol on an embedded ledger who is not a member yet; return how many were not."""
    missing = [each for each in members if not _is_member(ledger, each.account)]
    if missing:
        ledger.fleet.enrol(missing)
    return len(missing)


def _is_member(ledger: Ledger, account: str) -> bool:
    try:
        ledger.fleet.member(account)
    except FleetMemberUnknown:
        return False
    return True


def accounts_of(fleet: Mapping[int, tuple[str, str | None]], *, embedded: bool) -> dict[int, str]:
    """Return homes' accounts by number, of those that have one.

    An account that is configured of two homes is the first one's: else both would be told that
    they are owed what the ledger pays once.

    Parameters
    ----------
    fleet : mapping of int to tuple of str
        Id and configured account by the home's number.
    embedded : bool
        Whether a home without an account gets one of the embedded ledger's.
    """
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number, (name, account) in sorted(fleet.items()):
        own = account or (member_address(name) if embedded else None)
        if own is not None and own.lower() not in taken:
            taken.add(own.lower())
            found[number] = own
    return found
