"""What a command was told of the chain: its nodes, its contracts, and who sends with which key."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from contracts.chain import Recovered
from contracts.client import Ledger, connect
from contracts.connection.chain_web3 import Web3Chain, rpc_chain
from contracts.connection.patience import Patience
from contracts.deployment import Deployment, address_file
from contracts.errors import DeploymentFileError, LedgerError
from contracts.keystore import KeystoreError, find_keystore, keystores, read_passphrase, unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Say whose transactions a command sends and where the key is."""

    account: str | None
    """Address; None takes what the node holds."""
    keys: Path
    """Folder of keystores."""
    passphrase_file: Path | None
    """What opens the keystore; None asks."""
    named: bool
    """Whether the folder or the file was given, so that the key must be there."""
    fee_cap_wei: int | None = None
    """What a unit of gas may cost at most; None takes what the node advises. [wei]"""

    def signers(self, node: Web3Chain) -> list[LocalAccount]:
        """Return the account, unlocked; nobody where the node signs for it.

        Raises
        ------
        KeystoreError
            If there is no such key, or it cannot be unlocked.
        """
        if self.account is None:
            return []
        if not self.named and self.account not in {each.address for each in keystores(self.keys)}:
            if self.account in node.unlocked():
                return []
            msg = (
                f"neither the node nor {self.keys} holds the key of {self.account}; "
                "name its folder with --keys"
            )
            raise KeystoreError(msg)
        keystore = find_keystore(self.keys, self.account)
        return [unlock(keystore, ask_passphrase(self.passphrase_file, self.account))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Say which node, which contracts and which sender a command means."""

    urls: tuple[str, ...]
    """Nodes of the chain, the first to be asked first."""
    deployments: Path
    """Folder of address files."""
    deployment_file: Path | None
    """Address file; None takes the chain's in the folder."""
    sender: Sender
    """Who sends."""

    def node(
        self,
        *,
        signers: Sequence[LocalAccount] = (),
        chain_id: int | None = None,
        journal: Path | None = None,
    ) -> Web3Chain:
        """Reach the chain, or raise `LedgerError`."""
        url = self.urls[0] if len(self.urls) == 1 else self.urls
        patience = Patience(fee_cap_wei=self.sender.fee_cap_wei)
        return rpc_chain(
            url, signers=signers, chain_id=chain_id, journal=journal, patience=patience
        )

    def path(self, chain_id: int) -> Path:
        """Return the address file of a chain."""
        return self.deployment_file or address_file(self.deployments, chain_id)

    def read(self) -> tuple[Web3Chain, Ledger]:
        """Reach the contracts to look at them, or raise `LedgerError`."""
        node, deployment = self._found()
        return node, connect(node, deployment)

    def as_owner(self) -> Ledger:
        """Reach the contracts in the owner's name, or raise `LedgerError`."""
        node, deployment = self._found()
        account, owner = self.sender.account, to_checksum_address(deployment.owner)
        if account not in {None, owner}:
            msg = f"{account} does not own the fleet, {owner} does; send from that one"
            raise click.ClickException(msg)
        ledger = connect(self._remembering(node), deployment)
        if account is None and owner not in node.unlocked():
            msg = f"the node does not hold the owner's key; sign here with --account {owner}"
            raise KeystoreError(msg)
        return ledger

    def as_member(self) -> Ledger:
        """Reach the contracts in the name of the sender's account, or raise `LedgerError`."""
        node, deployment = self._found()
        return connect(self._remembering(node), deployment)

    def _found(self) -> tuple[Web3Chain, Deployment]:
        """Return the node and the addresses; a bad file is told before a node is asked."""
        if self.deployment_file is not None:
            deployment = _load(self.deployment_file)
            return self.node(chain_id=deployment.chain_id), deployment
        node = self.node()
        path = self.path(node.chain_id)
        deployment = _load(path)
        if deployment.chain_id != node.chain_id:
            msg = f"deployment {path} is of chain {deployment.chain_id}; name it as that chain"
            raise DeploymentFileError(msg)
        return node, deployment

    def signing(self, node: Web3Chain) -> Web3Chain:
        """Return ``node`` with the sender's key, or itself where it signs for the sender."""
        signers = self.sender.signers(node)
        return self.node(signers=signers, chain_id=node.chain_id) if signers else node

    def _remembering(self, node: Web3Chain) -> Web3Chain:
        """Return `signing`'s chain with a journal, so that nothing is ever sent twice.

        Raises
        ------
        click.ClickException
            If an earlier command ended before it saw what became of its transaction: that is told
            now, and whether to send again is for whoever sits there to say.
        """
        signers = self.sender.signers(node)
        if not signers:
            return node
        folder = self.sender.keys / "journal"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        journal = folder / f"{node.chain_id}-{signers[0].address}.sqlite"
        chain = self.node(signers=signers, chain_id=node.chain_id, journal=journal)
        left = chain.recover()
        if left:
            outcomes = "; ".join(_outcome(each) for each in left)
            msg = f"an earlier command left a transaction: {outcomes}; nothing new was sent"
            raise click.ClickException(msg)
        return chain


def _outcome(left: Recovered) -> str:
    """Return what became of a transaction that an earlier command left, in a few words."""
    where = f"call 0x{left.call.data[:4].hex()} of {left.call.to}"
    if isinstance(left.outcome, LedgerError):
        return f"{where}: {left.outcome}"
    return f"{where} took effect at {left.outcome.block_timestamp}, see `chain status`"


def ask_passphrase(path: Path | None, account: str) -> str:
    """Return the passphrase of ``account`` from its file, or from whoever sits there."""
    if path is not None:
        return read_passphrase(path)
    answer: str = click.prompt(f"Passphrase of {account}", hide_input=True, err=True)
    return answer


def ask_new_passphrase(path: Path | None) -> str:
    """Return a new account's passphrase from a file, or typed twice."""
    if path is not None:
        return read_passphrase(path)
    answer: str = click.prompt(
        "New passphrase", hide_input=True, confirmation_prompt="The same again", err=True
    )
    return answer


def _load(path: Path) -> Deployment:
    """Read an address file whose addresses are such."""
    deployment = Deployment.load(path)
    for name in ("owner", "fleet", "settlement", "token"):
        if not is_address(getattr(deployment, name)):
            msg = f"deployment {path}: {name} is no address; deploy afresh"
            raise DeploymentFileError(msg)
    return deployment
