"""`gridpact chain compile`: artifacts follow the sources, and it is told when they do not."""

import json
import shutil

import pytest

from contracts.compile import ARTIFACTS, LIBRARIES, SOURCES


@pytest.fixture
def artifacts(left_out, tmp_path, monkeypatch):
    """Return an empty folder in place of the committed artifacts, for the smallest contract."""
    if shutil.which("node") is None or not (LIBRARIES / "solc").is_dir():
        left_out("Node with the packages of `npm ci` is needed to compile the contracts")
    monkeypatch.setattr("contracts.compile.ARTIFACTS", tmp_path / "artifacts")
    monkeypatch.setattr("contracts.compile.CONTRACTS", ("TestToken",))
    return tmp_path / "artifacts"


def test_what_changed_is_said_and_written_and_then_no_more(gridpact, artifacts):
    committed = json.loads((ARTIFACTS / "TestToken.json").read_text("utf-8"))
    stale = gridpact("chain", "compile", "--check", code=1)
    assert not artifacts.exists()

    written = gridpact("chain", "compile")
    again = json.loads(gridpact("chain", "compile", "--json"))

    assert "artifacts of TestToken are stale; run `gridpact" in stale
    assert written == "compiled; changed: TestToken\n"
    assert json.loads((artifacts / "TestToken.json").read_text("utf-8")) == committed
    assert again == {"changed": [], "written": True}


def test_a_source_that_is_wrong_is_one_line_and_nothing_is_written(
    gridpact, artifacts, tmp_path, monkeypatch
):
    sources = tmp_path / "src"
    shutil.copytree(SOURCES, sources)
    (sources / "TestToken.sol").write_text("contract TestToken { this is wrong }", "utf-8")
    monkeypatch.setattr("contracts.compile.SOURCES", sources)

    said = gridpact("chain", "compile", code=1)

    assert "TestToken.sol" in said
    assert not artifacts.exists()


def test_missing_libraries_are_told(gridpact, tmp_path, monkeypatch):
    monkeypatch.setattr("contracts.compile.LIBRARIES", tmp_path)

    assert "install the libraries with `npm ci`" in gridpact("chain", "compile", code=1)
