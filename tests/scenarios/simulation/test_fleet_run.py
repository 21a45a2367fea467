"""Runs of many days: resumed is uninterrupted, to the byte; one day is the day it always was."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from contracts.local.embedded import embedded_chain
from hems.forecast import quarter_means_w
from hems.mpc import Mpc
from scenarios.data.generate import generate_fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.simulation.day_source import DaySource
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_day import DAY_AHEAD_S, live_day
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.simulation.past import Measured, Past

pytestmark = [pytest.mark.usefixtures("needs_pyrevm"), pytest.mark.xdist_group("fleet-run")]

QUICK = Rules(report_s=900, decide_s=900, seed=3)
ROUGH = replace(QUICK, disturbances=Disturbances(latency_s=90, lost_share=0.1, offline_share=0.25))
RUN = FleetRun(first_day=date(2021, 3, 27), days=3, homes=3, rules=ROUGH)
"""Over the day on which the clock goes forward."""


class Killed(Exception):  # noqa: N818 -- it is no error
    """The process ends here."""


def files(folder):
    """Return the digest of every result of a run by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "checkpoint.npz"
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    return out, run_fleet(RUN, out, controller=Mpc())


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    rules = replace(QUICK, forecast_error=0.0)
    out = tmp_path_factory.mktemp("day")
    run = FleetRun(first_day=date(2021, 6, 16), days=1, homes=3, rules=rules)
    return out, run_fleet(run, out, controller=Mpc()), rules


@pytest.mark.parametrize("killed_at", [1440, 2200])
def test_run_that_is_killed_and_resumed_leaves_the_same_bytes(tmp_path, finished, killed_at):
    def progress(done, _):
        if done == killed_at:
            raise Killed

    with pytest.raises(Killed):
        run_fleet(RUN, tmp_path, controller=Mpc(), progress=progress)
    figures = run_fleet(RUN, tmp_path, controller=Mpc())

    assert figures == finished[1]
    assert files(tmp_path) == files(finished[0])


def test_run_that_is_done_is_not_lived_through_again(finished):
    out, figures = finished
    before, ticks = files(out), []

    again = run_fleet(RUN, out, controller=Mpc(), progress=lambda *at: ticks.append(at))

    assert (again, files(out), ticks) == (figures, before, [])


def test_results_are_one_file_a_day_and_a_summary(finished):
    out, figures = finished
    days = ("2021-03-27", "2021-03-28", "2021-03-29")

    assert sorted(files(out)) == sorted(
        [f"homes/{day}.parquet" for day in days]
        + [f"intervals/{day}.parquet" for day in days]
        + [f"minutes/{day}.parquet" for day in days]
        + [f"days/{day}.json" for day in days]
        + ["bills.parquet", "summary.json"]
    )
    assert json.loads((out / "summary.json").read_text()) == figures
    slots = [pq.read_table(out / "intervals" / f"{day}.parquet").num_rows for day in days]
    assert slots == [48, 46, 48]


def test_energy_closes_from_each_interval_to_the_next_over_all_days(finished):
    out, figures = finished
    tables = [pq.read_table(path) for path in sorted((out / "homes").glob("*.parquet"))]

    for home in range(RUN.homes):
        rows = {
            name: np.concatenate([t[name].to_numpy()[t["home"].to_numpy() == home] for t in tables])
            for name in tables[0].column_names
        }
        net_wh = rows["import_wh"] - rows["export_wh"]
        battery_wh = rows["charge_wh"] - rows["discharge_wh"]
        assert np.abs(rows["load_wh"] - rows["pv_wh"] + battery_wh - net_wh).max() <= 1e-6
        # cells take 0.9 of what is charged, and give 0.9 of what they lose
        stored_wh = np.concatenate([[0.5 * 10_300.0], rows["stored_wh"]])
        cells_wh = 0.9 * rows["charge_wh"] - rows["discharge_wh"] / 0.9
        assert np.abs(np.diff(stored_wh) - cells_wh).max() <= 1e-6
        assert np.diff(rows["start_s"]).tolist() == [1800] * (48 + 46 + 48 - 1)
    assert figures["energy_balance_error_wh"] <= 1e-6


def test_money_of_all_days_is_shared_to_the_unit(finished):
    out, figures = finished
    shared = figures["credits_micro"] + figures["fee_micro"] + figures["dust_micro"]
    intervals = [pq.read_table(path) for path in sorted((out / "intervals").glob("*.parquet"))]
    committed_wh = sum(int(t["commitment_wh"].to_numpy().sum()) for t in intervals)

    assert shared == figures["revenue_micro"] > 0
    assert figures["committed_wh"] == committed_wh > 0
    bills = pq.read_table(out / "bills.parquet")
    assert bills["bill"].to_numpy().sum() == pytest.approx(figures["bill"], rel=1e-12)


def test_days_have_forecast_errors_and_draws_of_their_own(finished):
    rows = [json.loads(path.read_text()) for path in sorted((finished[0] / "days").glob("*"))]

    assert len({row["lost_reports"] for row in rows} | {row["bill"] for row in rows}) > 3
    assert [row["plan_status"] for row in rows] == ["proved"] * 3
    assert finished[1]["lost_reports"] == sum(row["lost_reports"] for row in rows) > 0


def test_run_of_one_day_is_the_day_that_is_lived_alone(one_day):
    out, figures, rules = one_day
    data = generate_fleet_data(day=date(2021, 6, 16), homes=3, seed=rules.seed)
    owner, market, *members = made_up_accounts(6)
    start_s = int(data.market_grid.start.timestamp())

    alone = live_day(
        data=data,
        fleet=paper_fleet(3, tuple(members)),
        rules=rules,
        controller=Mpc(),
        chain=embedded_chain(start_timestamp=start_s - DAY_AHEAD_S - 3600, accounts=()),
        owner=owner,
        market_account=market,
    )

    table = pq.read_table(out / "intervals" / "2021-06-16.parquet")
    assert table["delivered_wh"].to_pylist() == [d.delivered_wh for d in alone.deliveries]
    homes = pq.read_table(out / "homes" / "2021-06-16.parquet")
    assert homes["stored_wh"].to_numpy().tobytes() == alone.trace.stored_wh[:, 30::30].tobytes()
    credits_micro = pq.read_table(out / "bills.parquet")["credit_micro"].to_pylist()
    assert credits_micro == alone.payment.credits_micro.tolist()[:-1]
    assert figures["revenue_micro"] == alone.payment.revenue_micro


def test_homes_remember_a_day_as_if_it_had_been_history():
    source, day, after = DaySource(homes=2, seed=5), date(2021, 6, 16), date(2021, 6, 17)
    (begun,) = source.minutes(day, range(2), history_days=2)
    (history,) = source.minutes(after, range(2), history_days=2)

    past = Past.before(begun.load_w, begun.pv_w, minute=2880)
    load = Measured.of(quarter_means_w(begun.load_w[:, 2880:]), past.load_w, begun.load_w[:, -1])
    pv = Measured.of(quarter_means_w(begun.pv_w[:, 2880:]), past.pv_w, begun.pv_w[:, -1])
    then, known = Past.after(load, pv), Past.before(history.load_w, history.pv_w, minute=2880)

    assert then.load_w.tobytes() == known.load_w.tobytes()
    assert then.last_load_w.tobytes() == known.last_load_w.tobytes()
    # the sun of a day is computed on the span's clock: equal but for rounding
    np.testing.assert_allclose(then.pv_w, known.pv_w, rtol=1e-9)


def test_folder_of_another_run_is_not_touched(finished):
    out, _ = finished
    before = files(out)

    with pytest.raises(ScenarioInputError, match="other settings: homes 3, not 4"):
        run_fleet(replace(RUN, homes=4), out, controller=Mpc())
    with pytest.raises(ScenarioInputError, match=r"other settings: rules\."):
        run_fleet(replace(RUN, rules=QUICK), out, controller=Mpc())

    assert files(out) == before


def test_checkpoint_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\3\4 half of it")

    with pytest.raises(ScenarioInputError, match="no checkpoint that can be read"):
        run_fleet(RUN, tmp_path, controller=Mpc())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"days": 0}, "at least one"),
        ({"homes": 0}, "at least one"),
        ({"gate_s": 30}, "whole minutes"),
        ({"gate_s": 23 * 3600}, "whole minutes"),
        ({"controller": "luck"}, "controller 'luck': choose one of mpc, self-consumption"),
        ({"imbalance": "none"}, "imbalance 'none': choose one of paper, single_price"),
        ({"price_volatility": -1.0}, "price volatility of -1.0"),
        ({"watch": (0, -1)}, "numbered from 0"),
    ],
)
def test_runs_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ScenarioInputError, match=message):
        replace(RUN, **wrong)
