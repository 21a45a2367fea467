"""`gridpact scenario run couraud2021`: one scenario or all, as text and as JSON."""

import json

import pytest
from click.testing import CliRunner

from scenarios.scenario_command import scenario

pytestmark = pytest.mark.usefixtures("needs_pyrevm")
FEW = ("run", "couraud2021", "--homes", "2", "--days", "1", "--from", "2021-06-16")


def test_one_scenario_leaves_its_run_and_no_report(tmp_path, monkeypatch):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)

    printed = CliRunner().invoke(
        scenario, [*FEW, "--only", "0", "--only", "5", "--out", str(tmp_path), "--json"]
    )

    assert printed.exit_code == 0, printed.output
    figures = json.loads(printed.stdout)
    assert list(figures) == ["0", "5"]
    assert figures["5"] == json.loads((tmp_path / "scenario-5" / "summary.json").read_text())
    assert not (tmp_path / "report.html").exists()


def test_one_scenario_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)

    printed = CliRunner().invoke(scenario, [*FEW, "--only", "0", "--out", str(tmp_path)])

    assert printed.stdout == (
        "scenario 0: bills less by 0.00 GBP, market revenue 0.00, imbalance 0.00\n"
        f"results: {tmp_path}\n"
    )


@pytest.mark.parametrize("wrong", [("--only", "6"), ("--days", "0"), ("--from", "tomorrow")])
def test_wrong_use_writes_nothing(tmp_path, wrong):
    out = tmp_path / "out"

    assert CliRunner().invoke(scenario, [*FEW, *wrong, "--out", str(out)]).exit_code == 2
    assert not out.exists()
