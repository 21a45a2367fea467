"""The compiled contracts, as committed: what a deployment needs instead of a compiler."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from contracts.abi import encode_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Describe a compiled contract."""

    contract: str
    """Its name."""
    abi: list[dict[str, Any]]
    """What it offers, in Solidity's JSON form."""
    bytecode: bytes
    """What creates it, without arguments."""
    sources: dict[str, str]
    """SHA-256 of the sources of our own that it was built from, by path below ``contracts/src``."""

    def creation(self, *arguments: object) -> bytes:
        """Return what creates the contract with the constructor's ``arguments``."""
        inputs = next(entry["inputs"] for entry in self.abi if entry["type"] == "constructor")
        return self.bytecode + encode_arguments([entry["type"] for entry in inputs], arguments)


@cache
def load(contract: str) -> Artifact:
    """Return the committed artifact of ``contract``."""
    text = (files("contracts") / "artifacts" / f"{contract}.json").read_text("utf-8")
    built = json.loads(text)
    return Artifact(
        contract=built["contract"],
        abi=built["abi"],
        bytecode=bytes.fromhex(built["bytecode"][2:]),
        sources=built["sources"],
    )
