"""The command line: what a user types, sees and finds on disk; and what wrong input gets."""

import json
import socket

import pytest

from contracts.connection.chain_web3 import rpc_chain
from contracts.local.anvil import anvil_node
from scenarios.cli import COMMANDS, main

SMALL = ["--homes", "2", "--t-sc", "15"]


def run(capsys, *arguments):
    """Return exit code, stdout and stderr of one command."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def _without_real_data(monkeypatch):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)


def test_overview_names_every_command(capsys):
    code, out, _ = run(capsys, "--help")

    assert code == 0
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    code, out, _ = run(capsys, command, "--help")

    assert code == 0
    assert "Usage: gridpact" in out


def test_demo_writes_its_report_and_prints_every_figure(capsys, tmp_path):
    code, out, err = run(capsys, "demo", *SMALL, "--out", tmp_path / "out", "--json")

    figures = json.loads(out)
    names = {
        *("homes", "intervals", "data", "committed_wh", "delivered_wh", "mean_export_error"),
        *("energy_balance_error_wh", "revenue_micro", "credits_micro", "fee_micro", "dust_micro"),
        *("plan_status", "plan_s", "wall_s", "reports", "gas_per_report", "bill_reduction"),
        *("self_consumption_rate", "self_supply_time_rate", "market_revenue", "imbalance_cost"),
    }
    assert (code, err) == (0, "")
    assert names <= figures.keys()
    assert figures["data"] == "generated"
    assert (
        figures["credits_micro"] + figures["fee_micro"] + figures["dust_micro"]
        == (figures["revenue_micro"])
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fleet-day.png",
        "intervals.csv",
        "plan.json",
        "report.html",
        "schedule.json",
        "summary.json",
    ]


def test_same_seed_writes_the_same_bytes_but_for_the_report_and_its_times(capsys, tmp_path):
    for name in ("one", "two"):
        run(capsys, "demo", *SMALL, "--out", tmp_path / name)

    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one.pop("report.html") != b""
    assert two.pop("report.html") != b""
    assert one == two


def test_demo_says_that_its_series_are_generated(capsys, tmp_path):
    code, out, _ = run(capsys, "demo", *SMALL, "--out", tmp_path)

    assert code == 0
    assert "GENERATED" in out
    assert out.splitlines()[-1] == f"report: {tmp_path / 'report.html'}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--t-sc", "4"], "choose 1 to 15 minutes"),
        (["--t-sc", "30"], "choose 1 to 15 minutes"),
        (["--homes", "0"], "home"),
        (["--forecast-error", "-1"], "forecast error"),
        (["--chain", "besu"], "choose pyrevm, eth-tester or the http"),
        (["--data", "no/such/folder"], "no/such/folder"),
    ],
)
def test_demo_with_wrong_input_says_so_in_one_line_and_writes_nothing(
    capsys, tmp_path, arguments, said
):
    code, out, err = run(capsys, "demo", *SMALL, "--out", tmp_path / "out", *arguments)

    assert code == 1
    assert out == ""
    assert err.startswith("gridpact: ")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_demo_without_a_node_at_the_url_names_the_url(capsys, tmp_path):
    url = f"http://127.0.0.1:{free_port()}"

    code, _, err = run(capsys, "demo", *SMALL, "--chain", url, "--out", tmp_path / "out")

    assert code == 1
    assert err.count("\n") == 1
    assert url in err
    assert not (tmp_path / "out").exists()


def test_wrong_use_is_exit_code_2(capsys):
    code, _, err = run(capsys, "demo", "--homes", "many")

    assert code == 2
    assert "--homes" in err


def test_day_outside_the_real_window_is_one_line_with_the_window(capsys, tmp_path, real_folder):
    given = ["--data", real_folder, "--date", "2019-01-01", "--out", tmp_path / "out"]

    code, _, err = run(capsys, "demo", *SMALL, *given)

    assert code == 1
    assert "2020-05-11" in err
    assert err.count("\n") == 1


def test_ten_homes_on_a_node_of_today_give_the_numbers_of_pyrevm(capsys, tmp_path, needs_anvil):
    asked = ["demo", "--homes", "10", "--t-sc", "15", "--json", "--out", tmp_path]
    own = {"chain", "gas_per_report", "data_s", "plan_s", "wall_s"}

    _, embedded, _ = run(capsys, *asked)
    with anvil_node() as url:
        code, told, _ = run(capsys, *asked, "--chain", url)
        free = rpc_chain(url)
        # the node mines by itself again: a user's next transaction does not wait for ever
        free.give(free.unlocked()[0], [free.unlocked()[1]], 1)

    ours, theirs = json.loads(embedded), json.loads(told)
    assert code == 0
    assert {key: theirs[key] for key in theirs if key not in own} == {
        key: ours[key] for key in ours if key not in own
    }
    assert 30_000 < theirs["gas_per_report"] < 60_000


def test_folder_that_cannot_be_written_is_told_before_the_run(capsys, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")

    code, out, err = run(capsys, "demo", *SMALL, "--out", tmp_path / "file" / "inside")

    assert (code, out) == (1, "")
    assert "is no folder to write in" in err


def test_day_that_no_ledger_can_date_is_one_line(capsys, tmp_path):
    code, _, err = run(capsys, "demo", *SMALL, "--date", "1800-05-20", "--out", tmp_path / "out")

    assert code == 1
    assert "cannot be dated on a ledger" in err
    assert err.count("\n") == 1


def test_bill_with_panels_alone_lies_between_nothing_and_no_panels(capsys, tmp_path):
    _, out, _ = run(capsys, "demo", *SMALL, "--json", "--out", tmp_path)

    figures = json.loads(out)
    assert 0 < figures["bill_panels_alone"] < figures["bill_baseline"]
