"""The command that runs a fleet again and again."""

import json

import pytest
from click.testing import CliRunner

from scenarios.sweep import sweeps
from scenarios.sweep.command import sweep

FEW = ("volatility", "--homes", "2", "--days", "1", "--jobs", "1", "--seeds", "1")


def test_it_leaves_json_a_table_and_a_picture_and_goes_on_where_it_stood(
    tmp_path, monkeypatch, needs_pyrevm
):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)
    few = sweeps.SWEEPS["volatility"].axes[0]
    monkeypatch.setitem(
        sweeps.SWEEPS,
        "volatility",
        sweeps.replace(sweeps.SWEEPS["volatility"], axes=(sweeps.replace(few, values=(0.0, 2.0)),)),
    )
    out = tmp_path / "swept"

    printed = CliRunner().invoke(sweep, [*FEW, "--out", str(out), "--json"])
    again = CliRunner().invoke(sweep, [*FEW, "--out", str(out)])

    assert (printed.exit_code, again.exit_code) == (0, 0)
    read = json.loads((out / "results.json").read_text())
    assert json.loads(printed.stdout) == read
    assert [point["volatility"] for point in read["points"]] == [0.0, 2.0]
    assert {path.name for path in out.iterdir()} == {
        *("points", "results.json", "results.csv", "volatility.png")
    }
    lines = again.stdout.splitlines()
    assert lines[0].split()[:2] == ["volatility", "total"]
    assert lines[-1] == f"results: {out}"


@pytest.mark.parametrize(
    "wrong",
    [("nothing",), ("t-sc", "--days", "0"), ("t-sc", "--jobs", "0"), ("t-sc", "--seeds", "0")],
)
def test_a_number_out_of_its_range_is_wrong_use_and_nothing_is_written(tmp_path, wrong):
    out = tmp_path / "swept"

    assert CliRunner().invoke(sweep, [*wrong, "--out", str(out)]).exit_code == 2
    assert not out.exists()
