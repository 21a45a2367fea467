"""The committed artifacts are what the sources compile to."""

import json
import shutil

import pytest

from contracts.artifact import load
from contracts.compile import (
    ARTIFACTS,
    CONTRACTS,
    LIBRARIES,
    CompilerMissingError,
    compile_contracts,
    source_hashes,
)

pytestmark = pytest.mark.xdist_group("artifacts")


def test_every_contract_has_an_artifact_and_no_other_is_left():
    assert {path.stem for path in ARTIFACTS.glob("*.json")} == set(CONTRACTS)


def test_artifacts_were_built_from_the_sources_beside_them():
    recorded = {}
    for contract in CONTRACTS:
        recorded |= load(contract).sources

    assert recorded == source_hashes()


@pytest.fixture(scope="module")
def compiled(left_out):
    """Compile afresh, where a compiler is at hand."""
    if shutil.which("node") is None or not (LIBRARIES / "solc").is_dir():
        left_out("Node with the packages of `npm ci` is needed to compile the contracts")
    return compile_contracts()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_compiling_again_gives_the_same(compiled, contract):
    committed = json.loads((ARTIFACTS / f"{contract}.json").read_text("utf-8"))

    assert compiled[contract] == committed


def test_a_missing_library_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("contracts.compile.LIBRARIES", tmp_path)

    with pytest.raises(CompilerMissingError, match="install the libraries with `npm ci`"):
        compile_contracts()


def test_constructor_arguments_follow_the_bytecode():
    fleet = load("Fleet")

    creation = fleet.creation("0x" + 40 * "1", 1800, 600, 60)

    assert creation == fleet.bytecode + bytes.fromhex("11" * 20).rjust(32, b"\0") + b"".join(
        number.to_bytes(32, "big") for number in (1800, 600, 60)
    )
