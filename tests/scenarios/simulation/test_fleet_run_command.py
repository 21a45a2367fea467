"""The command that lives through many days."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from scenarios.simulation.checkpoint import load
from scenarios.simulation.fleet_run_command import fleet

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
    assert again.stdout.startswith("2 homes, 1 day from 2020-05-11, GENERATED series")
    assert "291 reports taken, 0 refused, 0 lost" in again.stdout
    assert f"bills less by {figures['bill_reduction']:.2f} GBP, " in again.stdout


def test_a_run_of_another_length_is_told_with_both(tmp_path):
    out = tmp_path / "run"
    CliRunner().invoke(fleet, [*FEW, "--out", str(out)])

    other = CliRunner().invoke(fleet, [*FEW, "--days", "2", "--latency", "60", "--out", str(out)])

    assert str(other.exception) == (
        f"{out} holds a run with other settings: days 1, not 2; "
        "rules.disturbances.latency_s 30, not 60; give those, or another folder with --out"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--homes", "0"), ("--days", "0"), ("--t-sc", "7"), ("--t-j", "0"), ("--seed", "-1")),
        *(("--lost", "1.1"), ("--offline", "-1"), ("--power-cap", "0"), ("--deadband", "-1")),
        *(("--forecast-step", "nan"), ("--forecast-error", "nan"), ("--latency", "300")),
    ],
)
def test_a_number_out_of_its_range_is_wrong_use_and_nothing_is_written(tmp_path, option, value):
    out = tmp_path / "run"

    assert CliRunner().invoke(fleet, [option, value, "--out", str(out)]).exit_code == 2
    assert not out.exists()


def test_stopped_by_hand_it_says_after_how_many_days(tmp_path):
    out = tmp_path / "run"
    many = ("fleet", *FEW, "--days", "400", "--out", str(out))
    # Generated days, for the real ones end; and whoever starts the tests in the background has them
    # ignore Ctrl-C, and so would the command.
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from scenarios.cli import main; main(sys.argv[1:])"
    )
    generated = {name: each for name, each in os.environ.items() if name != "GRIDPACT_DATA"}
    with subprocess.Popen(
        [sys.executable, "-c", script, *many], stderr=subprocess.PIPE, text=True, env=generated
    ) as running:
        until = time.monotonic() + 60
        while not (out / "checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)

    stood = load(out, {})
    assert stood is not None
    assert running.returncode == 1
    assert said == (
        f"gridpact: stopped after {stood.days_done} of 400 days; "
        "the same command goes on from there\n"
    )
