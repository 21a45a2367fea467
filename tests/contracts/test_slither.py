"""What Slither finds in the contracts, each finding with its explanation in docs/audit.md."""

import json
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.compile import SETTINGS

ROOT = Path(__file__).parents[2]
CONFIG = "tests/contracts/slither.config.json"
CONTRACTS = (
    "contracts/src/Fleet.sol",
    "contracts/src/Settlement.sol",
    "contracts/src/TestToken.sol",
)
TIMEOUT_S = 300
"""It takes 8 s on an idle core. [s]"""

IMPORT = re.compile(r'^import [^"]*"([^"]+)";', re.MULTILINE)
EXPLAINED = re.compile(r"^\| `([a-z-]+)` \| `([\w.]+)` \| \S", re.MULTILINE)


@pytest.fixture(scope="module")
def slither(left_out) -> Path:
    """Return where Slither is: in an environment of its own, since it wants another web3."""
    here = Path(sys.prefix) / "slither" / "bin" / "slither"
    found = here if here.is_file() else shutil.which("slither")
    if found is None or not shutil.which("node") or not (ROOT / "node_modules" / "solc").is_dir():
        left_out("Slither is needed: install Node and run `make slither`")
    return Path(str(found))


@pytest.fixture(scope="module")
def findings(slither, tmp_path_factory) -> set[tuple[str, str]]:
    """Return what Slither finds above informational: the check, and the contract's function."""
    folder = tmp_path_factory.mktemp("slither")
    (folder / "input.json").write_text(json.dumps(standard_input()), "utf-8")
    files = [str(folder / "input.json"), "--json", str(folder / "found.json")]
    told = subprocess.run(
        [str(slither), *files, "--config-file", CONFIG],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (folder / "found.json").is_file(), told.stdout + told.stderr
    answer = json.loads((folder / "found.json").read_text("utf-8"))
    assert answer["success"], answer["error"]
    detected = answer["results"].get("detectors", [])
    return {(each["check"], place(each["elements"][0])) for each in detected}


def standard_input() -> dict[str, object]:
    """Return the compiler's task: every source by its path from the repository's root."""
    texts: dict[str, dict[str, str]] = {}
    waiting = list(CONTRACTS)
    while waiting:
        name = waiting.pop()
        if name not in texts:
            text = (ROOT / name).read_text("utf-8")
            texts[name] = {"content": text}
            waiting += [resolved(name, path) for path in IMPORT.findall(text)]
    settings = {
        **SETTINGS,
        "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
        # Slither reads the syntax tree; see `slither_solc.cjs`.
        "outputSelection": {"*": {"*": ["abi", "devdoc", "userdoc"], "": ["ast"]}},
    }
    return {"language": "Solidity", "sources": texts, "settings": settings}


def resolved(name: str, path: str) -> str:
    if path.startswith("@"):
        return f"node_modules/{path}"
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def place(element: dict) -> str:
    """Return where a finding is, as Contract.function."""
    parent = element.get("type_specific_fields", {}).get("parent", {}).get("name")
    return f"{parent}.{element['name']}" if parent else element["name"]


def test_every_finding_above_informational_is_explained(findings):
    explained = set(EXPLAINED.findall((ROOT / "docs" / "audit.md").read_text("utf-8")))

    assert findings - explained == set()
    # What is found no more needs no explanation.
    assert explained - findings == set()
