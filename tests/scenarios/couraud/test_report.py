"""The study's table, page and pictures, from two lived days of three homes."""

import csv
import json
import re
import struct

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from scenarios.couraud import charts
from scenarios.couraud.days import read_day, telling_day
from scenarios.couraud.results import read_result
from scenarios.couraud.run import REPORT, tell
from scenarios.report.chart_picture import WIDTH_PX, chart_picture
from scenarios.report.palette import LIGHT

pytestmark = pytest.mark.xdist_group("couraud")
FIGURES = {
    "figure-5a",
    "figure-5b",
    "figure-5c",
    "figure-6-1",
    "figure-6-2",
    "figure-6-3",
    "figure-9a",
    "figure-9b",
    "figure-10",
}


@pytest.fixture(scope="module")
def told(lived):
    study, out, folders = lived
    return out, tell(study, folders, out, sweeps=out, command="gridpact & co")


def test_the_table_holds_every_scenario_and_the_same_as_json(told):
    out, figures = told
    rows = list(csv.DictReader((out / "table.csv").read_text().splitlines()))

    assert [row["scenario"] for row in rows] == list("012345")
    assert json.loads((out / "results.json").read_text()) == figures
    totals = [row["total"] for row in figures["table"]]
    assert [float(row["total"]) for row in rows] == totals
    assert totals[0] == 0.0


def test_a_scenarios_total_is_that_of_its_run(told, lived):
    _, _, folders = lived
    for row in told[1]["table"]:
        summary = json.loads((folders[row["scenario"]] / "summary.json").read_text())
        assert row["total"] == pytest.approx(summary["total"], abs=1e-9)


def test_the_page_loads_nothing_from_anywhere_and_names_what_is_generated(told):
    page = (told[0] / REPORT).read_text()
    own = page.replace(get_plotlyjs(), "")

    assert re.findall(r'(?:src|href|action|data)\s*=\s*"(?!data:)[^"]*"', own) == []
    assert "https://" not in own
    assert "default-src 'none'" in own
    assert "Generated data: nothing was measured" in own
    assert "gridpact &amp; co" in own
    assert "$" not in re.sub(r"<style>.*?</style>|<script.*?</script>", "", own, flags=re.DOTALL)


def test_the_page_carries_all_figures_in_known_colours(told):
    page = (told[0] / REPORT).read_text()
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)
    drawn = json.loads(found[1])

    assert set(drawn) == FIGURES
    assert set(re.findall(r'"@([a-z-]+)"', found[1])) <= set(LIGHT)
    assert all(f'id="{name}"' in page for name in FIGURES)


def test_every_figure_lies_beside_the_page_as_a_picture(told):
    for name in FIGURES:
        head = (told[0] / f"{name}.png").read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", head[16:20]) == (WIDTH_PX,)


def test_the_same_chart_is_the_same_picture(lived):
    _, _, folders = lived
    day = read_day(folders[4], telling_day(folders[4]))

    assert chart_picture(charts.delivery_chart(day), "Five") == chart_picture(
        charts.delivery_chart(day), "Five"
    )


def test_figures_show_what_the_run_left(lived):
    _, _, folders = lived
    day = read_day(folders[4], telling_day(folders[4]))
    fleet = charts.fleet_chart({4: day, 5: read_day(folders[5], telling_day(folders[4]))})
    delivered, unpromised, _ = charts.delivery_chart(day).traces

    half_hours = np.array(fleet.traces[1]["y"]).reshape(-1, 30).mean(axis=1) / 2
    meters_kwh = (day.slots["homes_net_import_wh"] - day.slots["plant_wh"]) / 1000
    np.testing.assert_allclose(half_hours, meters_kwh, atol=2e-3)
    bars = [a if b is None else b for a, b in zip(delivered["y"], unpromised["y"], strict=True)]
    assert bars == [round(float(wh) / 1000, 3) for wh in day.slots["delivered_wh"]]


def test_peaks_are_of_every_home_and_at_least_one(lived):
    _, _, folders = lived
    peaks = read_result(folders[5], 5).peak_to_average

    assert peaks.shape == (3,)
    assert (peaks >= 1).all()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_every_chart_and_never_scrolls_sideways(told, shown, width):
    assert shown((told[0] / REPORT).read_text(), width) == '{"over":0,"drawn":true}'
