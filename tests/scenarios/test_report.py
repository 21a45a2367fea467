import json
import re
import struct
from dataclasses import replace
from datetime import date
from html import escape

import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from aggregator.errors import FileError
from contracts.local.embedded import development_accounts, embedded_chain
from contracts.timegrid import TimeGrid
from hems.mpc import Mpc
from scenarios.data.source import fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.report import clock, quantity
from scenarios.report.markup import embedded_json
from scenarios.report.page import report, write_report
from scenarios.report.palette import DARK, LIGHT
from scenarios.report.picture import SIZE_PX, write_picture
from scenarios.report.series import energy_balance, promised_runs, telling_homes
from scenarios.simulation.fleet import Rules, paper_fleet
from scenarios.simulation.fleet_day import FleetDay, live_day
from scenarios.simulation.summary import summary

pytestmark = pytest.mark.xdist_group("report")

HOMES = 4
TIMINGS = {"plan_s": 0.25, "wall_s": 12.5}
CHAIN = 'pyrevm <in "process">'


@pytest.fixture(scope="module")
def day() -> FleetDay:
    """Run a generated day through the real contract, with few reports so that it takes seconds."""
    data = fleet_data(None, day=date(2020, 5, 20), homes=HOMES)
    keys = development_accounts(0, HOMES + 3)
    owner, market, *members = (key.address for key in keys)
    start = int(data.market_grid.start.timestamp()) - 86_400
    return live_day(
        data=data,
        fleet=paper_fleet(HOMES, tuple(members)),
        rules=Rules(report_s=900, decide_s=900),
        controller=Mpc(),
        chain=embedded_chain(start_timestamp=start, accounts=keys),
        owner=owner,
        market_account=market,
    )


@pytest.fixture(scope="module")
def page(day) -> str:
    return report(day, summary(day) | {"gas_per_report": None}, TIMINGS, CHAIN)


def without_plotly(page: str) -> str:
    return page.replace(get_plotlyjs(), "")


def charts(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def test_the_page_loads_nothing_from_anywhere(page):
    own = without_plotly(page)

    assert re.findall(r'(?:src|href|action|data)\s*=\s*"(?!data:)[^"]*"', own) == []
    assert "@import" not in own
    assert "url(" not in own
    assert "http://" not in own
    assert "https://" not in own
    assert "default-src 'none'" in own


def test_the_page_is_smaller_than_6_mb(page):
    assert len(page.encode()) < 6_000_000


def test_the_figures_shown_are_those_of_the_summary(day, page):
    figures = summary(day)

    for shown in (
        quantity.percent(figures["mean_export_error"]),
        quantity.kwh(figures["committed_wh"]),
        quantity.kwh(figures["delivered_wh"]),
        quantity.money_micro(figures["revenue_micro"], "GBP", 6),
        quantity.money_micro(figures["credits_micro"], "GBP", 6),
        quantity.money_micro(figures["fee_micro"], "GBP", 6),
        quantity.money_micro(figures["dust_micro"], "GBP", 6),
        quantity.money_micro(figures["loss_micro"], "GBP", 6),
        quantity.money(figures["bill_reduction"], "GBP"),
        quantity.percent(figures["self_consumption_rate"]),
        quantity.percent(figures["self_supply_time_rate"]),
        quantity.count(figures["reports"]),
        quantity.count(figures["decisions"]),
    ):
        assert f">{escape(shown)}<" in page, shown


def test_revenue_is_accounted_for_to_the_micro_unit(page):
    row = re.search(r"Revenue not accounted for</th><td>([^<]*)</td>", page)
    assert row[1] == "£0.000000"


def test_generated_data_are_called_generated_and_their_provenance_is_shown(day, page):
    assert '<p class="badge generated">GENERATED DATA, nothing measured</p>' in page
    for line in day.data.provenance:
        assert escape(line) in page


def test_real_data_are_called_real(day):
    real = replace(day, data=replace(day.data, source="real", provenance=("a meter",)))
    page = report(real, summary(real), TIMINGS, CHAIN)

    assert '<p class="badge real">REAL DATA</p>' in page
    assert "GENERATED" not in page
    assert "--data FOLDER" in page


def test_every_text_from_outside_is_escaped(day):
    hostile = '<script>alert("x")</script>&'
    data = replace(day.data, provenance=(hostile, hostile), currency="<b>&")
    trace = replace(day.trace, refusals=(hostile,))
    nasty = replace(day, data=data, trace=trace)
    page = report(nasty, summary(nasty) | {"plan_status": hostile}, TIMINGS, hostile)

    assert "<script>alert" not in page
    assert page.count(escape(hostile)) == 5
    assert "<b>&" not in without_plotly(page)


def test_json_in_the_page_cannot_close_its_script():
    assert embedded_json({"a": "</script>"}) == '{"a":"\\u003c/script>"}'


def test_every_chart_is_a_figure_that_plotly_accepts_once_its_colours_are_in(page):
    drawn = charts(page)

    assert list(drawn) == ["prices", "fleet", *[n for n in drawn if n[:5] == "home-"], "earnings"]
    for name, chart in drawn.items():
        light = json.loads(re.sub(r'"@([a-z-]+)"', lambda m: f'"{LIGHT[m[1]]}"', json.dumps(chart)))
        figure = go.Figure(light["traces"], light["layout"])
        assert len(figure.data) == len(chart["traces"])
        assert f'id="{name}" role="img" aria-label="' in page


def test_every_legend_entry_names_traces_that_exist(page):
    drawn = charts(page)
    entries = re.findall(r'data-chart="([^"]+)" data-traces="([^"]+)"', page)

    assert {name for name, _ in entries} == set(drawn)
    for name, traces in entries:
        assert all(place < len(drawn[name]["traces"]) for place in json.loads(traces))


def test_the_bars_are_what_was_promised_and_delivered(day, page):
    delivered, idle, promised, *_ = charts(page)["fleet"]["traces"]

    for slot, done in enumerate(day.deliveries):
        kept = done.commitment_wh > 0
        shown = done.delivered_wh / 1000
        assert promised["y"][slot] == (done.commitment_wh / 1000 if kept else None)
        assert (delivered if kept else idle)["y"][slot] == pytest.approx(shown, abs=5e-4)
        assert (idle if kept else delivered)["y"][slot] is None


def test_light_and_dark_have_the_same_roles():
    assert list(LIGHT) == list(DARK)


def test_the_page_says_when_the_chain_counts_no_gas_and_what_it_counts_otherwise(day, page):
    assert "not counted on this chain" in page
    counted = report(day, summary(day) | {"gas_per_report": 61234.4}, TIMINGS, CHAIN)
    assert "<td>61,234</td>" in counted


def test_the_error_with_a_perfect_forecast_is_shown_where_it_is_known(day, page):
    assert "with a perfect forecast" not in page
    figures = summary(day) | {"mean_export_error_perfect_forecast": 0.031}
    shown = report(day, figures, TIMINGS, CHAIN)
    assert f"{quantity.percent(0.031)} with a perfect forecast" in shown


def test_a_day_without_a_promise_has_a_report_and_a_picture(day, tmp_path):
    idle = replace(
        day,
        deliveries=tuple(replace(done, commitment_wh=0) for done in day.deliveries),
        promise=replace(
            day.promise,
            schedule=replace(
                day.promise.schedule,
                commitment_wh=(0,) * day.data.market_grid.count,
                steered=(False,) * day.data.market_grid.count,
            ),
        ),
    )
    assert "promised the market nothing this day" in report(idle, summary(idle), TIMINGS, CHAIN)
    write_picture(tmp_path / "idle.png", idle)


def test_a_missing_figure_is_named(day):
    figures = summary(day)
    del figures["bill_reduction"]

    with pytest.raises(ScenarioInputError, match="bill_reduction"):
        report(day, figures, TIMINGS, CHAIN)


def test_three_homes_are_shown_by_their_production_over_load(day):
    homes = telling_homes(day)

    assert [home.why for home in homes] == ["highest", "median", "lowest"]
    assert homes[0].ratio >= homes[1].ratio >= homes[2].ratio


def test_the_energy_balance_closes(day):
    sums = energy_balance(day)

    assert sums.pv_wh + sums.imported_wh == pytest.approx(
        sums.load_wh + sums.exported_wh + sums.lost_wh + sums.stored_wh
    )
    counted_wh = sum(delivery.delivered_wh for delivery in day.deliveries)
    assert abs(sums.net_export_wh - counted_wh) <= HOMES + 1


def test_promised_runs_are_whole_stretches(day):
    promised = day.market.deviation_wh != 1e99
    assert promised_runs(promised) == [(0, day.data.market_grid.count)]
    assert promised_runs(~promised) == []


@pytest.mark.parametrize(
    ("local_day", "minutes", "second_hour"),
    [
        (date(2020, 3, 29), 1380, "02:00 BST"),
        (date(2020, 10, 25), 1500, "01:00 BST"),
        (date(2020, 12, 1), 1440, "01:00"),
    ],
)
def test_times_are_local_on_days_when_the_clock_changes(local_day, minutes, second_hour):
    grid = TimeGrid.local_day(local_day)
    names = clock.minute_names(grid)

    assert clock.local_date(grid) == local_day
    assert (names[60], names[minutes]) == (second_hour, "24:00")
    assert len(set(clock.slot_names(grid).values())) == grid.count


def test_numbers_are_written_as_a_reader_wants_them():
    assert quantity.kwh(-1_234_567) == "−1,234.6\N{NO-BREAK SPACE}kWh"
    assert quantity.kwh(-1) == "0.00\N{NO-BREAK SPACE}kWh"
    assert quantity.money(-0.004, "GBP") == "£0.00"
    assert quantity.money(-2.5, "CHF") == "−2.50 CHF"
    assert quantity.money_micro(-12_345_678_901, "EUR", 6) == "−€12,345.678901"
    assert quantity.percent(None) == "–"


def test_the_picture_has_its_size_and_the_same_bytes_twice(day, tmp_path):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    write_picture(first, day)
    write_picture(second, day)
    content = first.read_bytes()

    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == SIZE_PX
    assert b"tEXt" not in content
    assert content == second.read_bytes()


def test_nothing_is_left_behind_when_writing_fails(day, tmp_path):
    # A folder stands where the file should be, so that the last step, the renaming, fails.
    taken = tmp_path / "taken"
    (taken / "inside").mkdir(parents=True)

    with pytest.raises(FileError, match="cannot be written"):
        write_report(taken, day, summary(day), TIMINGS, CHAIN)
    with pytest.raises(FileError, match="cannot be written"):
        write_picture(taken, day)
    with pytest.raises(FileError, match="cannot be written"):
        write_picture(tmp_path / "missing" / "day.png", day)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_the_report_is_written_whole(day, page, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, day, summary(day) | {"gas_per_report": None}, TIMINGS, CHAIN)

    assert path.read_text(encoding="utf-8") == page
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_every_chart_and_never_scrolls_sideways(page, shown, width):
    assert shown(page, width) == '{"over":0,"drawn":true}'
