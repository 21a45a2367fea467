"""The command that lives through many days."""

import json

from click.testing import CliRunner

from scenarios.fleet_run_command import fleet

FEW = ("--homes", "2", "--days", "1", "--t-sc", "15", "--t-j", "15", "--latency", "30")


def test_it_prints_what_it_leaves_and_goes_on_where_it_stood(tmp_path, monkeypatch):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)
    out = tmp_path / "run"

    printed = CliRunner().invoke(fleet, [*FEW, "--out", str(out), "--json"])
    again = CliRunner().invoke(fleet, [*FEW, "--out", str(out)])

    assert printed.exit_code == again.exit_code == 0
    figures = json.loads(printed.stdout)
    assert figures == json.loads((out / "summary.json").read_text())
    assert figures["asked"]["rules"]["disturbances"]["latency_s"] == 30
    assert figures["reports"] == 3 * 97
    assert "291 reports taken, 0 refused, 0 lost" in again.stdout
