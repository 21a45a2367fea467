"""Where on a chain a fleet's contracts are: a value, and the file that keeps it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from contracts.errors import DeploymentFileError


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
        try:
            path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")
        except OSError as error:
            msg = (
                f"deployment {path} cannot be written ({error.strerror}); "
                f"keep this in a file: {json.dumps(asdict(self))}"
            )
            raise DeploymentFileError(msg) from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a deployment from ``path``, or raise `DeploymentFileError` with one line."""
        try:
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            msg = f"no deployment at {path}; deploy the contracts or name their file"
            raise DeploymentFileError(msg) from error
        except (OSError, ValueError) as error:
            msg = f"deployment {path} cannot be read: {error}"
            raise DeploymentFileError(msg) from error
        kinds = {field.name: field.type for field in fields(cls)}
        if (
            not isinstance(found, dict)
            or {name: type(value) for name, value in found.items()} != kinds
        ):
            msg = f"deployment {path} must hold exactly {', '.join(kinds)}; deploy afresh"
            raise DeploymentFileError(msg)
        return cls(**found)
