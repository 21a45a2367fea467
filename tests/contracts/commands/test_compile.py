"""`gridpact chain compile`: artifacts follow the sources, and it is told when they do not."""

import json
import shutil
from hashlib import sha256

import pytest

from contracts.compile import LIBRARIES

SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;
contract TestToken { uint256 public supply = 7; }
"""


@pytest.fixture
def source(left_out, tmp_path, monkeypatch):
    """Return the source of a tiny contract in place of ours; its artifacts' folder is empty."""
    if shutil.which("node") is None or not (LIBRARIES / "solc").is_dir():
        left_out("Node with the packages of `npm ci` is needed to compile the contracts")
    source = tmp_path / "src" / "TestToken.sol"
    source.parent.mkdir()
    source.write_text(SOURCE, "utf-8")
    monkeypatch.setattr("contracts.compile.SOURCES", source.parent)
    monkeypatch.setattr("contracts.compile.ARTIFACTS", tmp_path / "artifacts")
    monkeypatch.setattr("contracts.compile.CONTRACTS", ("TestToken",))
    return source


def test_what_changed_is_said_and_written_and_then_no_more(gridpact, source, tmp_path):
    artifacts = tmp_path / "artifacts"
    stale = gridpact("chain", "compile", "--check", code=1)
    assert not artifacts.exists()

    written = gridpact("chain", "compile")
    again = json.loads(gridpact("chain", "compile", "--json"))
    kept = json.loads((artifacts / "TestToken.json").read_text("utf-8"))

    assert "artifacts of TestToken are stale; run `gridpact" in stale
    assert written == "compiled; changed: TestToken\n"
    assert again == {"changed": [], "written": True}
    assert [entry["name"] for entry in kept["abi"]] == ["supply"]
    assert kept["sources"] == {"TestToken.sol": sha256(SOURCE.encode()).hexdigest()}


def test_a_source_that_is_wrong_is_one_line_and_nothing_is_written(gridpact, source, tmp_path):
    source.write_text("contract TestToken { this is wrong }", "utf-8")

    said = gridpact("chain", "compile", code=1)

    assert "TestToken.sol" in said
    assert not (tmp_path / "artifacts").exists()


def test_missing_libraries_are_told(gridpact, tmp_path, monkeypatch):
    monkeypatch.setattr("contracts.compile.LIBRARIES", tmp_path)

    assert "install the libraries with `npm ci`" in gridpact("chain", "compile", code=1)
