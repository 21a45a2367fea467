"""Days that are traded through: what is published, what is paid, and that nothing is lost."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from scenarios.data.generate import generate_fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.intraday.day import TradingDay
from scenarios.intraday.firming import Intraday
from scenarios.simulation.arrangement import ALONE
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_day import promise_day
from scenarios.simulation.fleet_run import FleetRun, run_fleet

pytestmark = [pytest.mark.usefixtures("needs_pyrevm"), pytest.mark.xdist_group("intraday")]

SETTINGS = Intraday(every_s=4 * 3600)
RUN = FleetRun(
    first_day=date(2021, 6, 16),
    days=2,
    homes=3,
    rules=Rules(report_s=900, decide_s=900, seed=3),
    intraday=SETTINGS,
)
DAYS = ("2021-06-16", "2021-06-17")


class Killed(Exception):  # noqa: N818 -- it is no error
    """The process ends here."""


def files(folder):
    """Return the digest of every result of a run by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "checkpoint.npz"
    }


def table(folder, kind, day):
    found = pq.read_table(folder / kind / f"{day}.parquet")
    return {name: found[name].to_numpy() for name in found.column_names}


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    out = tmp_path_factory.mktemp("traded")
    return out, run_fleet(RUN, out)


@pytest.fixture(scope="module")
def untraded(tmp_path_factory):
    out = tmp_path_factory.mktemp("untraded")
    return out, run_fleet(replace(RUN, intraday=None), out)


@pytest.fixture(scope="module")
def planned_again():
    """Return a day after its first plan of the rest, at 8 o'clock, and what it began with."""
    data = generate_fleet_data(day=date(2021, 6, 16), homes=3, seed=3, history_days=0)
    fleet = paper_fleet(3, tuple(made_up_accounts(4)))
    promise = promise_day(data, fleet, RUN.rules, stream=(date(2021, 6, 16).toordinal(),))
    day = TradingDay(
        SETTINGS, data=data, fleet=fleet, rules=RUN.rules, rule="paper", promise=promise
    )
    published = day.plan_again(8 * 60, 0.4 * fleet.bank.capacity_wh)
    return day, promise, published, data.market_grid


def test_a_run_that_does_not_trade_leaves_no_trades(untraded):
    out, figures = untraded

    assert not (out / "trades").exists()
    assert "trade_revenue" not in figures


def test_what_is_sold_in_the_end_is_the_award_and_every_deal(traded, untraded):
    # Both plan the first day from the same forecast: without trades its award is what is committed.
    awarded_wh = table(untraded[0], "intervals", DAYS[0])["commitment_wh"]
    final = table(traded[0], "intervals", DAYS[0])
    deals = table(traded[0], "trades", DAYS[0])

    moved_wh = np.zeros_like(awarded_wh)
    np.add.at(moved_wh, np.searchsorted(final["start_s"], deals["start_s"]), deals["quantity_wh"])

    assert len(deals["start_s"]) > 0
    assert (final["commitment_wh"] == awarded_wh + moved_wh).all()


def test_no_deal_is_made_within_an_hour_of_its_interval(traded):
    for day in DAYS:
        deals = table(traded[0], "trades", day)
        assert (deals["start_s"] - deals["decided_s"] >= SETTINGS.gate_closure_s).all()


def test_money_is_conserved_between_contract_market_and_deals(traded):
    out, figures = traded
    paid_micro, intervals, revenue, deal_revenue = 0, 0, 0.0, 0.0
    for day in DAYS:
        slots, deals = table(out, "intervals", day), table(out, "trades", day)
        sold = slots["commitment_wh"] > 0
        price = slots["day_ahead_price_per_mwh"]
        # What the contract settles, from the wire's integers: the position at the day-ahead price.
        deviation_wh = np.abs(slots["delivered_wh"] - slots["commitment_wh"])[sold]
        earned = slots["commitment_wh"][sold] * price[sold]
        lost = deviation_wh * slots["imbalance_price_per_mwh"][sold]
        paid_micro += float((earned - lost).sum())
        intervals += int(sold.sum())
        # What the market pays: the award at its price and each deal at its own.
        awarded_wh = slots["commitment_wh"].astype(np.int64)
        np.subtract.at(
            awarded_wh, np.searchsorted(slots["start_s"], deals["start_s"]), deals["quantity_wh"]
        )
        assert awarded_wh.min() >= 0
        revenue += float((awarded_wh * price).sum()) / 1e6
        deal_revenue += float((deals["quantity_wh"] * deals["price_per_mwh"]).sum()) / 1e6

    # The contract rounds each interval down, and its prices to a millionth per MWh.
    contract_micro = figures["revenue_micro"] - figures["loss_micro"]
    assert -2 * intervals <= contract_micro - paid_micro <= intervals
    shared = figures["credits_micro"] + figures["fee_micro"] + figures["dust_micro"]
    assert shared == figures["revenue_micro"]
    inside = figures["market_revenue"] - figures["imbalance_cost"]
    assert inside == pytest.approx(paid_micro / 1e6, abs=1e-9)
    assert figures["day_ahead_revenue"] == pytest.approx(revenue, abs=1e-9)
    assert figures["trade_revenue"] == pytest.approx(deal_revenue, abs=1e-9)
    # Inside and outside of the contract together: neither more nor less than the market pays.
    outside = figures["trade_margin"]
    assert figures["market_revenue"] + outside == pytest.approx(revenue + deal_revenue, abs=1e-9)
    assert figures["total"] == pytest.approx(
        figures["bill_reduction"] + revenue + deal_revenue - figures["imbalance_cost"], abs=1e-9
    )


def test_figures_of_trading_are_the_sums_of_its_days(traded):
    out, figures = traded
    days = [json.loads((out / "trades" / f"{day}.json").read_text()) for day in DAYS]

    assert [day["day"] for day in days] == list(DAYS)
    assert [day["replans"] for day in days] == [5, 5]
    assert figures["replans"] == figures["proved_replans"] == 10
    assert figures["trades"] == sum(len(table(out, "trades", day)["start_s"]) for day in DAYS)
    assert figures["sold_wh"] == sum(day["sold_wh"] for day in days) > 0


def test_a_run_that_is_killed_while_it_trades_leaves_the_same_bytes(tmp_path, traded):
    def progress(done, _):
        if done == 1440 + 800:
            raise Killed

    with pytest.raises(Killed):
        run_fleet(RUN, tmp_path, progress=progress)

    assert run_fleet(RUN, tmp_path) == traded[1]
    assert files(tmp_path) == files(traded[0])


def test_what_has_begun_is_not_published_again_and_stays_as_it_was(planned_again):
    day, promise, published, grid = planned_again

    assert published.grid.start == grid.starts()[17]
    assert published.grid.end == grid.end
    whole = day.promise.schedule
    assert whole.commitment_wh[:17] == promise.schedule.commitment_wh[:17]
    assert whole.soc_bp[:17] == promise.schedule.soc_bp[:17]
    assert (whole.soc_bp[17:], whole.steered[17:]) == (published.soc_bp, published.steered)
    assert day.promise.replan.soc[:16].tolist() == promise.replan.soc[:16].tolist()
    assert day.promise.replan.soc[16:].tolist() == day.plans[0].soc.tolist()


def test_intervals_past_their_gate_keep_what_was_sold_but_get_a_new_target(planned_again):
    day, promise, published, _ = planned_again
    # At 8 o'clock with an hour's gate the interval from 8:30 is closed, the one from 9:00 open.
    assert day.promise.schedule.commitment_wh[17] == promise.schedule.commitment_wh[17]
    assert {deal.trade.interval for deal in day.deals} <= set(published.grid.intervals[1:])
    assert published.soc_bp != promise.schedule.soc_bp[17:]


def test_a_day_is_planned_again_at_the_given_hours_and_not_at_its_end(planned_again):
    day = planned_again[0]

    assert [m for m in range(1441) if day.is_due(m)] == [240, 480, 720, 960, 1200]


def test_trading_without_a_market_is_refused():
    with pytest.raises(ScenarioInputError, match="without a market"):
        replace(RUN, arrangement=ALONE, controller="self-consumption")
