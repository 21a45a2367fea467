"""The tests of the contracts in Solidity (tests/foundry), which forge runs on the artifacts."""

import json
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.artifact import load

ROOT = Path(__file__).parents[2]
FOUNDRY_CONFIG = "tests/foundry/foundry.toml"
IN_CI = os.environ.get("GRIDPACT_CI") == "1"
PROFILE = "ci" if IN_CI else "default"
TIMEOUT_S = 400
"""In CI forge takes less than a minute on two idle cores. [s]"""

REFUSE_NOTHING = {"claim", "claimLosses"}
"""Anybody may call these at any time, and gets nothing where nothing is due."""
ALWAYS_REFUSED = {"renounceOwnership"}

pytestmark = pytest.mark.xdist_group("foundry")


@dataclass(frozen=True)
class Outcome:
    """What forge says of one test."""

    suite: str
    name: str
    result: dict[str, Any]

    @property
    def runs(self) -> int | None:
        """How many inputs were tried; None for a test without."""
        fuzz = self.result["kind"].get("Fuzz")
        return fuzz["runs"] if fuzz else None


@pytest.fixture(scope="module")
def outcomes(needs_forge) -> list[Outcome]:
    """Return what came of every test."""
    told = subprocess.run(
        [str(needs_forge), "test", "--json"],
        cwd=ROOT,
        env={**os.environ, "FOUNDRY_CONFIG": FOUNDRY_CONFIG, "FOUNDRY_PROFILE": PROFILE},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert told.stdout.startswith("{"), told.stdout + told.stderr
    return [
        Outcome(suite.rpartition(":")[2], signature.partition("(")[0], result)
        for suite, results in json.loads(told.stdout).items()
        for signature, result in results["test_results"].items()
    ]


def test_every_test_in_solidity_passes(outcomes):
    failed = {
        f"{each.suite}.{each.name}": (each.result["reason"], each.result["counterexample"])
        for each in outcomes
        if each.result["status"] != "Success"
    }

    assert failed == {}
    assert len(outcomes) > 200


def test_every_fuzz_test_tries_as_many_inputs_as_it_should(outcomes):
    profiles = tomllib.loads((ROOT / FOUNDRY_CONFIG).read_text("utf-8"))["profile"]
    tried = {each.runs for each in outcomes if each.name.startswith("test_fuzz_")}

    assert tried == {profiles[PROFILE]["fuzz"]["runs"]} == {10_000 if IN_CI else 256}


def test_the_invariants_hold_through_every_campaign(outcomes):
    profiles = tomllib.loads((ROOT / FOUNDRY_CONFIG).read_text("utf-8"))["profile"]
    kinds = [each.result["kind"] for each in outcomes]
    (campaign,) = [kind["Invariant"] for kind in kinds if "Invariant" in kind]

    runs, depth = (profiles["default"]["invariant"][key] for key in ("runs", "depth"))
    assert (campaign["runs"], campaign["calls"], campaign["reverts"]) == (runs, runs * depth, 0)


@pytest.mark.parametrize("contract", ["Fleet", "Settlement"])
def test_every_function_that_changes_something_is_tried_both_ways(outcomes, contract):
    changing = {
        entry["name"]
        for entry in load(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] != "view"
    }
    suites = [each for each in outcomes if each.suite.startswith(contract)]
    refused, succeeded = (
        {name for name in changing for each in suites if tries(each.name, name, how)}
        for how in ("reverts", "succeeds")
    )
    shared = {"transferOwnership", "acceptOwnership"} if contract == "Settlement" else set()

    assert changing - refused - shared == REFUSE_NOTHING & changing
    assert changing - succeeded - shared == ALWAYS_REFUSED


def tries(test: str, function: str, how: str) -> bool:
    return test.removeprefix("test_").removeprefix("fuzz_").startswith(f"{function}_{how}")


def test_every_attack_is_listed(outcomes):
    text = (ROOT / "docs" / "audit.md").read_text("utf-8")
    attacks = {each.name for each in outcomes if "_attack_" in each.name}

    assert {name for name in attacks if f"`{name}`" not in text} == set()
    assert len(attacks) == text.count("| `test_")
