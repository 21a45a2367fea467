"""What goes wrong does what it says, and nothing else."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from contracts.client import Terms, connect, deploy
from contracts.fleet_arrays import FleetReport
from contracts.local.embedded import embedded_chain
from hems.mpc import Mpc
from hems.self_consumption import SelfConsumption
from scenarios.data.generate import generate_fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.report.clock import local_date
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_day import DAY_AHEAD_S, promise_day
from scenarios.simulation.summary import energy_balance_error_wh
from scenarios.simulation.traced_day import trace_day

pytestmark = pytest.mark.usefixtures("needs_pyrevm")

HOMES = 4
QUICK = Rules(report_s=900, decide_s=900, anticipate_plant=False)


class Overheard:
    """A ledger that remembers what passes, and can drop some of it."""

    def __init__(self, inner, clock, drops=None):
        self._inner, self._clock, self._drops = inner, clock, drops
        self.reports, self.times, self._dropped = [], [], None
        self._last = (None, None, np.zeros(HOMES), np.zeros(HOMES))

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def report_arrays(self, report):
        self.times.append(self._clock.now_s())
        self.reports.append(report)
        if self._drops is None:
            return self._inner.report_arrays(report)
        dropped = self._drops[len(self.reports) - 1]
        self._dropped = dropped
        kept = np.append(np.flatnonzero(~dropped), HOMES)
        outcomes = self._inner.report_arrays(
            FleetReport(
                accounts=[report.accounts[member] for member in kept],
                interval=report.interval,
                net_export_wh=report.net_export_wh[kept],
                soc_bp=report.soc_bp[kept],
            )
        )
        assert not outcomes.refusals
        refusals = dict.fromkeys(np.flatnonzero(dropped).tolist(), "dropped by hand")
        return replace(outcomes, refusals=refusals)

    def coordinate_arrays(self, accounts, interval):
        answers = self._inner.coordinate_arrays(accounts, interval)
        if self._drops is None:
            return answers
        if self._dropped.any():
            stale, last = self._dropped, self._last
            remaining = answers.commitment_wh if last[0] != interval else last[1]
            answers = replace(
                answers,
                remaining_export_wh=np.where(stale, remaining, answers.remaining_export_wh),
                export_weight_ppb=np.where(stale, last[2], answers.export_weight_ppb),
                import_weight_ppb=np.where(stale, last[3], answers.import_weight_ppb),
            )
        self._last = (
            interval,
            answers.remaining_export_wh,
            answers.export_weight_ppb,
            answers.import_weight_ppb,
        )
        return answers


@pytest.fixture(scope="module")
def data():
    return generate_fleet_data(day=date(2021, 6, 16), homes=HOMES, seed=1)


@pytest.fixture(scope="module")
def live(data):
    """Return a function that lives through a day and returns it with the overheard ledger."""

    def run(disturbances=None, *, rules=QUICK, controller=None, drops=None):
        asked = replace(rules, disturbances=disturbances or Disturbances())
        owner, market, *members = made_up_accounts(HOMES + 3)
        fleet, grid = paper_fleet(HOMES, tuple(members)), data.market_grid
        start_s = int(grid.start.timestamp())
        chain = embedded_chain(start_timestamp=start_s - DAY_AHEAD_S, accounts=())
        terms = Terms(interval_s=asked.interval_s)
        inner = connect(chain, deploy(chain, owner=owner, market=market, terms=terms)).fleet
        inner.enrol(fleet.members())
        promise = promise_day(data, fleet, asked)
        inner.publish(promise.schedule)
        ledger = Overheard(inner, chain, drops)
        trace, _ = trace_day(
            data=data,
            fleet=fleet,
            rules=asked,
            controller=controller or Mpc(),
            ledger=ledger,
            clock=chain,
            ledger_grid=grid,
        )
        deliveries = tuple(inner.delivery(interval) for interval in grid.intervals)
        lived = SimpleNamespace(data=data, fleet=fleet, trace=trace, deliveries=deliveries)
        return lived, ledger

    return run


@pytest.fixture(scope="module")
def calm(live):
    return live()


@pytest.fixture(scope="module")
def selfish(live):
    return live(controller=SelfConsumption())[0]


def metered_wh(lived, minute):
    """Return every member's net export up to a minute, in whole Wh."""
    homes_wh = -lived.trace.grid_power_w[:, :minute].sum(axis=1) / 60
    return np.rint(np.append(homes_wh, lived.trace.plant_w[:minute].sum() / 60))


def test_lost_reports_are_those_that_are_dropped_by_hand(live, data):
    lossy = Disturbances(lost_share=0.3)
    day = local_date(data.market_grid).toordinal()
    lost = [
        lossy.lost(seed=QUICK.seed, day=day, minute=15 * number, homes=HOMES)
        for number in range(97)
    ]
    drawn, _ = live(lossy)
    dropped, _ = live(drops=lost)

    assert drawn.trace.lost_reports == sum(int(each.sum()) for each in lost) > 80
    assert drawn.trace.reports == 97 * (HOMES + 1) - drawn.trace.lost_reports
    assert drawn.deliveries == dropped.deliveries
    assert drawn.trace.grid_power_w.tobytes() == dropped.trace.grid_power_w.tobytes()
    assert drawn.trace.stored_wh.tobytes() == dropped.trace.stored_wh.tobytes()


def test_energy_of_lost_reports_is_in_the_next_one_that_arrives(live):
    lived, ledger = live(Disturbances(lost_share=0.3))

    heard = {}
    for number, report in enumerate(ledger.reports):
        heard |= dict.fromkeys(report.accounts, 15 * number)
    metered = [
        metered_wh(lived, heard[account])[member]
        for member, account in enumerate(lived.fleet.accounts)
    ]
    assert lived.trace.refusals == ()
    assert sum(each.delivered_wh for each in lived.deliveries) == sum(metered)


def test_late_reports_say_what_meters_said_when_they_were_made(live, data):
    latency_s = 137
    lived, ledger = live(Disturbances(latency_s=latency_s))
    first, start_s = data.market_grid.first_interval, int(data.market_grid.start.timestamp())
    capacity_wh = lived.fleet.bank.capacity_wh

    assert ledger.times == [start_s + 900 * number + latency_s for number in range(97)]
    said_wh = np.zeros(HOMES + 1)
    for number, report in enumerate(ledger.reports):
        said_wh += report.net_export_wh
        stored_wh = lived.trace.stored_wh[:, 15 * number]
        assert report.interval == first + max(900 * number - 1, 0) // 1800
        assert np.abs(said_wh - metered_wh(lived, 15 * number)).max() <= 1
        assert report.soc_bp[:-1].tolist() == np.rint(stored_wh / capacity_wh * 10_000).tolist()
    assert sum(each.delivered_wh for each in lived.deliveries) == said_wh.sum()


def test_latency_changes_nothing_where_nothing_depends_on_answers(live, selfish):
    late, _ = live(Disturbances(latency_s=300), controller=SelfConsumption())

    assert late.deliveries == selfish.deliveries
    assert late.trace.grid_power_w.tobytes() == selfish.trace.grid_power_w.tobytes()


def test_answers_that_are_late_change_what_homes_do(live, calm):
    late, _ = live(Disturbances(latency_s=300))

    assert late.trace.reports == calm[0].trace.reports
    assert not np.array_equal(late.trace.grid_power_w, calm[0].trace.grid_power_w)


def test_homes_that_are_all_offline_serve_themselves_and_only_the_plant_reports(live, selfish):
    lived, ledger = live(Disturbances(offline_share=1.0))

    assert lived.trace.offline_homes == HOMES
    assert lived.trace.reports == 97
    assert all(report.accounts == [lived.fleet.accounts[-1]] for report in ledger.reports)
    assert lived.trace.grid_power_w.tobytes() == selfish.trace.grid_power_w.tobytes()
    plant_wh = np.rint(lived.trace.plant_w.sum() / 60)
    assert sum(each.delivered_wh for each in lived.deliveries) == plant_wh


def test_homes_offline_serve_themselves_while_the_others_keep_the_promise(live, data, selfish):
    half = Disturbances(offline_share=0.5)
    day = local_date(data.market_grid).toordinal()
    offline = half.offline(seed=QUICK.seed, day=day, homes=HOMES)
    assert 0 < offline.sum() < HOMES

    lived, ledger = live(half)

    online = [
        account for account, off in zip(lived.fleet.accounts, offline, strict=False) if not off
    ]
    assert all(
        list(report.accounts) == [*online, lived.fleet.accounts[-1]] for report in ledger.reports
    )
    there, alone = lived.trace.grid_power_w, selfish.trace.grid_power_w
    assert there[offline].tobytes() == alone[offline].tobytes()
    assert not np.array_equal(there[~offline], alone[~offline])


def test_draws_are_the_seeds_and_of_the_share_asked_for():
    lossy = Disturbances(lost_share=0.2, offline_share=0.1)

    lost = [lossy.lost(seed=4, day=9, minute=m, homes=1000) for m in range(50)]
    offline = [lossy.offline(seed=4, day=day, homes=1000) for day in range(50)]

    assert np.mean(lost) == pytest.approx(0.2, abs=0.01)
    assert np.mean(offline) == pytest.approx(0.1, abs=0.01)
    assert np.array_equal(lost[7], lossy.lost(seed=4, day=9, minute=7, homes=1000))
    assert not np.array_equal(lost[7], lossy.lost(seed=5, day=9, minute=7, homes=1000))


@pytest.mark.parametrize(
    ("limits", "asked_w", "done_w"),
    [
        ({}, [-3.0, 49.0, 7000.0], [-3.0, 49.0, 7000.0]),
        ({"deadband_w": 50.0}, [-49.9, 50.0, -50.0], [0.0, 50.0, -50.0]),
        ({"quantum_w": 100.0}, [-149.0, 151.0, 49.0], [-100.0, 200.0, 0.0]),
        ({"power_cap_w": 2500.0}, [-9000.0, 2600.0, 2400.0], [-2500.0, 2500.0, 2400.0]),
        (
            {"quantum_w": 1000.0, "power_cap_w": 2500.0, "deadband_w": 1500.0},
            [-2600.0, 1400.0, 1600.0],
            [-2500.0, 0.0, 2000.0],
        ),
    ],
)
def test_batteries_limits_change_set_points_as_told(limits, asked_w, done_w):
    assert Disturbances(**limits).limited_w(np.array(asked_w)).tolist() == done_w


def test_energy_balance_closes_whatever_goes_wrong(live):
    wrong = Disturbances(
        latency_s=200,
        lost_share=0.2,
        offline_share=0.3,
        power_cap_w=2000.0,
        deadband_w=30.0,
        quantum_w=25.0,
    )

    lived, _ = live(wrong)

    assert energy_balance_error_wh(lived) <= 1e-6
    assert np.abs(lived.trace.battery_power_w).max() <= 2000.0 + 1e-9
    assert lived.trace.proved_decisions == lived.trace.decisions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latency_s": -1}, "latency"),
        ({"lost_share": 1.1}, "lost_share"),
        ({"offline_share": float("nan")}, "offline_share"),
        ({"power_cap_w": 0.0}, "power cap"),
        ({"deadband_w": -1.0}, "deadband_w"),
        ({"quantum_w": float("inf")}, "quantum_w"),
    ],
)
def test_what_cannot_go_wrong_like_that_is_refused(wrong, message):
    with pytest.raises(ScenarioInputError, match=message):
        Disturbances(**wrong)


def test_report_that_would_overtake_the_next_one_is_refused():
    with pytest.raises(ScenarioInputError, match="choose less than t_sc"):
        Rules(report_s=300, disturbances=Disturbances(latency_s=300))
