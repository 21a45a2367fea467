"""Small fleets that live through a generated day, on the real contracts."""

import re
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

# Its import raises Python's recursion limit, which hypothesis does not like to see inside a test.
import eth_account  # noqa: F401
import pytest

from contracts.local.embedded import development_accounts, embedded_chain
from hems.mpc import Mpc
from scenarios.data.fleet_data import FleetData
from scenarios.data.generate import generate_fleet_data
from scenarios.simulation.fleet import Fleet, Rules, paper_fleet
from scenarios.simulation.fleet_day import DAY_AHEAD_S, FleetDay, live_day

SUMMER_DAY = date(2021, 6, 16)

Live = Callable[..., FleetDay]
Shown = Callable[[str, int], str]

PROBE = """<script>addEventListener("load", () => setTimeout(() => parent.postMessage({
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  drawn: document.querySelectorAll(".chart .main-svg").length > 0
    && [...document.querySelectorAll(".chart")].every((e) => e.querySelector(".main-svg")),
}, "*"), 500))</script></body>"""
FRAME = """<body><iframe src="report.html" style="width:{width}px;height:900px"></iframe><script>
addEventListener("message", (m) => {{ document.title = JSON.stringify(m.data); }});</script>"""


@pytest.fixture(scope="session")
def live() -> Live:
    """Return a function that lives through a day on an embedded chain of its own."""

    def run(
        data: FleetData, *, rules: Rules | None = None, fleet: Fleet | None = None, prefer="pyrevm"
    ) -> FleetDay:
        keys = development_accounts(0, data.homes + 3)
        owner, market, *members = (key.address for key in keys)
        start = int(data.market_grid.start.timestamp()) - DAY_AHEAD_S - 3600
        return live_day(
            data=data,
            fleet=fleet or paper_fleet(data.homes, tuple(members)),
            rules=rules or Rules(),
            controller=Mpc(),
            chain=embedded_chain(start_timestamp=start, accounts=keys, prefer=prefer),
            owner=owner,
            market_account=market,
        )

    return run


@pytest.fixture(scope="session")
def summer_data() -> FleetData:
    """Four generated homes on a summer's day."""
    return generate_fleet_data(day=SUMMER_DAY, homes=4, seed=1)


@pytest.fixture(scope="session")
def summer_day(live: Live, summer_data: FleetData) -> FleetDay:
    """That day, lived through."""
    return live(summer_data)


@pytest.fixture
def shown(browser: str, tmp_path: Path) -> Shown:
    """Return a function that opens a report in a frame of a width and tells what is there.

    That is by how much it scrolls sideways, and whether every chart is drawn, as JSON.
    """

    def show(page: str, width: int) -> str:
        (tmp_path / "report.html").write_text(page.replace("</body>", PROBE), encoding="utf-8")
        frame = tmp_path / "frame.html"
        frame.write_text(FRAME.format(width=width), encoding="utf-8")
        options = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
            "--disable-background-networking --disable-component-update --window-size=1400,1000 "
            f"--virtual-time-budget=10000 --user-data-dir={tmp_path / 'profile'} --dump-dom"
        )
        done = subprocess.run(
            [browser, *options.split(), frame.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        title = re.search("<title>(.*?)</title>", done.stdout)
        return title[1] if title else "the page never answered"

    return show
