"""`gridpact bench ledger`: its figures, and gas as a reviewed number."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from scenarios.bench.ledger_bench import fleet_gas, reports_per_s
from scenarios.bench.ledger_bench_command import TARGETS
from scenarios.cli import main

pytestmark = pytest.mark.xdist_group("ledger-bench")

SNAPSHOT = Path(__file__).parents[2] / "contracts" / "gas_snapshot.json"
SMALL = (10, 100)
KEYS = [
    *("report_gas", "import_report_gas", "day_report_gas", "publish_48_gas", "settle_gas"),
    *("claim_48_gas", "batch_gas_per_home"),
]
AGAIN = "gas changed: review it, then run `gridpact bench ledger --snapshot {}`"


@pytest.fixture(scope="module")
def committed():
    return json.loads(SNAPSHOT.read_text("utf-8"))


@pytest.fixture(scope="module")
def measured(needs_anvil, tmp_path_factory):
    """Return what the command leaves, says, and writes of small fleets."""
    path = tmp_path_factory.mktemp("gas") / "gas.json"
    sizes = [word for homes in SMALL for word in ("--homes", str(homes))]
    with redirect_stdout(StringIO()) as said, pytest.raises(SystemExit) as left:
        main(["bench", "ledger", *sizes, "--snapshot", str(path), "--json"])
    return left.value.code, json.loads(said.getvalue()), json.loads(path.read_text("utf-8"))


def test_gas_is_what_the_committed_snapshot_says(measured, committed):
    of_small = [each for each in committed["by_fleet_size"] if each["homes"] in SMALL]
    _, _, written = measured

    assert written == committed | {"by_fleet_size": of_small}, AGAIN.format(SNAPSHOT)


def test_a_snapshot_holds_gas_only_and_is_written_where_it_is_asked_for(measured):
    code, said, written = measured

    assert (code, said) == (0, written)
    assert list(written) == [*KEYS, "by_fleet_size"]
    assert [each["homes"] for each in written["by_fleet_size"]] == [*SMALL]


def test_costs_do_not_grow_with_the_number_of_homes(committed):
    sizes = committed["by_fleet_size"]

    assert [each["homes"] for each in sizes] == [10, 100, 1_000, 10_000]
    assert len({(each["report_gas"], each["settle_gas"]) for each in sizes}) == 1


@pytest.mark.parametrize(
    ("figure", "most"),
    [
        ("report_gas", 36_000),
        ("import_report_gas", 36_000),
        ("day_report_gas", 38_500),
        ("batch_gas_per_home", 12_000),
        ("publish_48_gas", 550_000),
        ("settle_gas", 110_000),
        ("claim_48_gas", 350_000),
    ],
)
def test_gas_stays_below_its_target(committed, figure, most):
    assert committed[figure] <= most


def test_a_report_costs_the_same_alone_as_in_a_day(needs_anvil, committed):
    assert fleet_gas(1)["report_gas"] == committed["report_gas"]


def test_reports_are_counted_by_the_second(needs_pyrevm):
    assert max(reports_per_s(0.3) for _ in range(3)) >= 30_000


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["bench", "ledger", *arguments])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


def test_a_snapshot_without_a_folder_is_told_before_anything_is_measured(capsys, tmp_path):
    path = tmp_path / "none" / "gas.json"

    code, _, err = run(capsys, "--snapshot", str(path))

    assert code == 1
    assert err == f"gridpact: no folder {path.parent} for the snapshot; create it or name another\n"


@pytest.mark.usefixtures("needs_anvil", "needs_pyrevm")
def test_figures_are_shown_beside_their_targets(capsys, committed):
    _, out, _ = run(capsys, "--homes", "1")

    assert f"{committed['report_gas']:,}" in out
    assert all(f" {target:,}" in out for _, target, _ in TARGETS.values())
