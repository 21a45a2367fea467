"""Where on a chain a fleet's contracts are: a value, and the file that keeps it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from contracts.errors import DeploymentFileError

FOLDER = Path("deployments")
"""Where the address files are unless said otherwise, one for each chain."""
_RECORD = {"terms", "created"}
"""What an address file holds besides the addresses, see `DeploymentRecord`."""


def address_file(folder: Path, chain_id: int) -> Path:
    """Return the file in ``folder`` that names the contracts on the chain ``chain_id``."""
    return folder / f"{chain_id}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Name a fleet's contracts and the chain that holds them."""

    chain_id: int
    """Number of the chain (EIP-155)."""
    interval_s: int
    """Length of a market interval. [s]"""
    owner: str
    """Address of the aggregator."""
    fleet: str
    """Address of `Fleet`."""
    settlement: str
    """Address of `Settlement`."""
    token: str
    """Address of the ERC-20 token that pays."""

    def save(self, path: Path) -> None:
        """Write the deployment to ``path`` as JSON, or raise `DeploymentFileError` with it."""
        _write(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a deployment from ``path``, or raise `DeploymentFileError` with one line."""
        found = _read(path)
        if "terms" in found and "fleet" not in found:
            msg = f"deployment {path} is unfinished; run `gridpact chain deploy` once more"
            raise DeploymentFileError(msg)
        own = {name: value for name, value in found.items() if name not in _RECORD}
        kinds = {each.name: each.type for each in fields(cls)}
        if {name: type(value) for name, value in own.items()} != kinds:
            msg = f"deployment {path} must hold exactly {', '.join(kinds)}; deploy afresh"
            raise DeploymentFileError(msg)
        return cls(**own)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """Tell what an address file knows of how its contracts came to be."""

    chain_id: int
    """Number of the chain (EIP-155)."""
    terms: Mapping[str, str | int]
    """What was asked for, by name; empty where the file does not say."""
    created: Mapping[str, str] = field(default_factory=dict)
    """Address of each contract that was created, by the SHA-256 of what created it."""
    deployment: Deployment | None = None
    """What the contracts are for; None until all are there."""

    def save(self, path: Path) -> None:
        """Write the record to ``path``, or raise `DeploymentFileError` with it."""
        found = {"chain_id": self.chain_id} if self.deployment is None else asdict(self.deployment)
        _write(path, {**found, "terms": dict(self.terms), "created": dict(self.created)})

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read the record in ``path``; None where there is no file."""
        if not path.exists():
            return None
        found = _read(path)
        terms, created = found.get("terms", {}), found.get("created", {})
        complete = "fleet" in found or "terms" not in found
        chain_id = found.get("chain_id")
        if not (
            isinstance(chain_id, int)
            and _is_plain(terms, (str, int))
            and _is_plain(created, (str,))
        ):
            msg = f"deployment {path} cannot be gone on from; move it away, then deploy afresh"
            raise DeploymentFileError(msg)
        return cls(
            chain_id=chain_id,
            terms=terms,
            created=created,
            deployment=Deployment.load(path) if complete else None,
        )


def _is_plain(found: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(found, dict) and all(isinstance(each, kinds) for each in found.values())


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        msg = f"no deployment at {path}; deploy the contracts or name their file"
        raise DeploymentFileError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"deployment {path} cannot be read: {error}"
        raise DeploymentFileError(msg) from error
    if not isinstance(found, dict):
        msg = f"deployment {path} holds no addresses; deploy afresh"
        raise DeploymentFileError(msg)
    return found


def _write(path: Path, found: Mapping[str, Any]) -> None:
    """Write ``found`` to ``path``, wholly or not at all; its folder is made where absent."""
    unfinished = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        os.replace(unfinished, path)  # noqa: PTH105 -- over what is there, on every system
    except OSError as error:
        msg = (
            f"deployment {path} cannot be written ({error.strerror}); "
            f"keep this in a file: {json.dumps(found)}"
        )
        raise DeploymentFileError(msg) from error
