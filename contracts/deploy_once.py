"""Deploy a fleet's contracts so that running it again finds them, finished or not."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from contracts.chain import Call, Chain, Receipt
from contracts.client import Terms, connect, deploy
from contracts.deployment import Deployment, DeploymentRecord
from contracts.errors import ChainMismatchError, DeploymentFileError, LedgerError

PLAY_MONEY = "play money"
"""What the terms call a token that is created with the fleet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Tell where the contracts are and whether this run put them there."""

    deployment: Deployment
    """Their addresses."""
    created: int
    """How many of them this run created; 0 where all were there before."""


def deploy_once(
    chain: Chain,
    path: Path,
    *,
    owner: str,
    market: str,
    terms: Terms,
    token: str | None = None,
) -> Deployed:
    """Create what ``path`` does not name yet, and write it there after each contract.

    Parameters
    ----------
    chain, owner, market, terms, token
        See `contracts.client.deploy`.
    path : Path
        The address file.

    Raises
    ------
    DeploymentFileError
        If the file cannot be kept, or was written for other terms.
    ChainMismatchError
        If it is of another chain, or names contracts that are not on this one.
    """
    asked = {"owner": owner, "market": market, "token": token or PLAY_MONEY, **asdict(terms)}
    begun = DeploymentRecord(chain_id=chain.chain_id, terms=asked)
    record = DeploymentRecord.load(path) or begun
    _require_chain(path, record, chain)
    _require_terms(path, record.terms, asked)
    _require_code(path, record, chain)
    if record.deployment is not None:
        connect(chain, record.deployment)
        return Deployed(deployment=record.deployment, created=0)
    require_writable(path)
    once = ChainOnce(chain, path, record)
    found = deploy(once, owner=owner, market=market, terms=terms, token=token)
    replace(once.record, deployment=found).save(path)
    return Deployed(deployment=found, created=len(once.record.created) - len(record.created))


class ChainOnce:
    """See `contracts.chain.Chain`: one on which the same contract is created but once."""

    def __init__(self, chain: Chain, path: Path, record: DeploymentRecord) -> None:
        """Create on ``chain`` what ``record`` lacks, and keep it in ``path``."""
        self._chain = chain
        self._path = path
        self.record = record

    @property
    def chain_id(self) -> int:
        """See `contracts.chain.Chain`."""
        return self._chain.chain_id

    @property
    def counts_gas_truly(self) -> bool:
        """See `contracts.chain.Chain`."""
        return self._chain.counts_gas_truly

    def deploy(self, sender: str, code: bytes) -> str:
        """See `contracts.chain.Chain`; what exists is returned as it is."""
        name = sha256(code).hexdigest()
        known = self.record.created.get(name)
        if known is not None:
            return known
        address = self._chain.deploy(sender, code)
        self.record = replace(self.record, created={**self.record.created, name: address})
        self.record.save(self._path)
        return address

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """See `contracts.chain.Chain`."""
        return self._chain.send_all(calls)

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        return self._chain.call(call)

    def code(self, address: str) -> bytes:
        """See `contracts.chain.Chain`."""
        return self._chain.code(address)

    def now_s(self) -> int:
        """See `contracts.chain.Chain`."""
        return self._chain.now_s()


def _require_chain(path: Path, record: DeploymentRecord, chain: Chain) -> None:
    if record.chain_id != chain.chain_id:
        msg = (
            f"deployment {path} is of chain {record.chain_id}, the node serves {chain.chain_id}; "
            "connect to the other node or name another file with --deployment"
        )
        raise ChainMismatchError(msg)


def _require_terms(
    path: Path, agreed: Mapping[str, str | int], asked: Mapping[str, str | int]
) -> None:
    """Raise unless the contracts of ``path`` were created on the terms that are asked for now."""
    if not agreed:
        msg = f"deployment {path} does not state its terms; name another file with --deployment"
        raise DeploymentFileError(msg)
    differing = [
        f"{name} {agreed.get(name, 'unstated')} and not {asked.get(name, 'unstated')}"
        for name in {**agreed, **asked}
        if agreed.get(name) != asked.get(name)
    ]
    if differing:
        owner = agreed.get("owner")
        only_owner = owner and {**agreed, "owner": ""} == {**asked, "owner": ""}
        remedy = f"it belongs to {owner}: add --account {owner}" if only_owner else "give its terms"
        msg = (
            f"deployment {path} has {', '.join(differing)}; "
            f"{remedy}, or name another file with --deployment for another fleet"
        )
        raise DeploymentFileError(msg)


def _require_code(path: Path, record: DeploymentRecord, chain: Chain) -> None:
    """Raise unless every contract that was created is on the chain."""
    for address in record.created.values():
        if not chain.code(address):
            msg = (
                f"deployment {path} names {address}, where chain {chain.chain_id} has no contract; "
                "was the chain begun afresh? then remove the file and deploy again"
            )
            raise ChainMismatchError(msg)


def require_writable(path: Path) -> None:
    """Raise unless ``path`` can be written: what is deployed must not be lost."""
    folder = next(each for each in path.absolute().parents if each.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}); name another with --deployment"
        raise DeploymentFileError(msg) from error
