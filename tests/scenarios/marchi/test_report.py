"""The study's page and pictures."""

import json
import re
import struct

import pytest
from plotly.offline import get_plotlyjs

from scenarios.marchi import cases
from scenarios.marchi.tell import REPORT
from scenarios.report.chart_picture import WIDTH_PX

FIGURES = {
    "figure-1",
    "figure-2",
    "figure-3",
    "figure-5",
    "figure-6a",
    "figure-6b",
    "figure-7",
    "figure-8",
    "figure-9",
    "figure-10",
    "saving",
    "ageing",
}


@pytest.fixture(scope="module")
def page(told):
    return (told.out / REPORT).read_text()


def test_the_page_loads_nothing_and_says_that_nothing_was_measured(page):
    own = page.replace(get_plotlyjs(), "")

    assert not re.findall(r'(?:src|href)="(?!data:)[^"]+"', own)
    assert "Drawn data: nothing was measured" in own
    assert "the paper's series is not public" in own.replace("&#x27;", "'")
    assert "$" not in re.sub(r"<(script|style).*?</\1>", "", own, flags=re.DOTALL)


def test_every_claim_is_on_the_page_with_its_verdict(told, page):
    claims = told.results["claims"]

    assert page.count('<div class="claim">') == len(claims) == 19
    assert {claim["verdict"] for claim in claims} <= {"holds", "holds in part", "does not hold"}
    held = sum(claim["verdict"] == "holds" for claim in claims)
    assert f"Of 19 claims {held} hold" in page


def test_every_figure_is_drawn_on_the_page_and_as_a_picture(told, page):
    charts = json.loads(
        re.search(r'<script type="application/json" id="charts">(.*?)</script>', page)[1]
    )

    assert set(charts) == FIGURES
    for name in FIGURES:
        assert f'id="{name}"' in page
        picture = (told.out / f"{name}.png").read_bytes()
        assert struct.unpack(">I", picture[16:20]) == (WIDTH_PX,)


def test_the_tables_show_the_paper_s_figures_beside_ours(told, page):
    ours = next(
        row
        for row in told.results["policies"]
        if (row["generation"], row["configuration"], row["policy"]) == ("2020", 3, 1)
    )

    shown = re.search(r"3: 20–90 %, SAM of 2020</th><td>([\d.]+)</td>", page)
    assert float(shown[1]) == pytest.approx(ours["peak_kw"], abs=0.05)
    assert "<td>52.3</td><td>59.2</td><td>57.8</td><td>59.2</td><td>59.2</td>" in page


def test_the_page_tells_how_to_make_it_again(page):
    assert "gridpact scenario run marchi2022 --cars curve --seed 0 --quick" in page
    assert f"the tables show ({cases.SHOWN_WISH})" in page


def test_a_telephone_s_browser_draws_every_chart_and_needs_no_sideways_scrolling(page, shown):
    assert json.loads(shown(page, 360)) == {"over": 0, "drawn": True}
