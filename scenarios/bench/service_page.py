"""How soon the page shows a fleet, in a real browser over a real socket."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from aggregator.service.errors import ServiceConfigError
from aggregator.service.page.routes import page_router
from aggregator.service.page.settings import PageSettings
from aggregator.service.rest import order_summary_routes
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.parts import RestParts
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import METADATA
from scenarios.bench.service_page_fill import DrawnDay, fill_page
from scenarios.bench.service_rest import serve_rest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOMES: Final = 10_000
"""Homes in the store."""
RUNS: Final = 7
"""Times that the page is opened, each by a browser that knows nothing of it."""
_LATEST_MS: Final = 60_000.0
_TIMES: Final = """() => ({
  content: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  fleet: performance.getEntriesByName("fleet-painted")[0].startTime,
})"""


def page_figures(*, homes_count: int = HOMES, runs: int = RUNS) -> dict[str, object]:
    """Return how soon the page is painted.

    ``page_first_paint_ms`` counts from the navigation, by somebody who is signed in, until the
    fleet itself is on the screen: tiles and all homes with their figures. ``page_first_content_ms``
    is what browsers call the first contentful paint, and ``page_again_ms`` the fleet once more,
    when the browser has the page's files. All are medians, beside the worst.

    Parameters
    ----------
    homes_count : int
        Homes in the store.
    runs : int
        Times that the page is opened.

    Raises
    ------
    ServiceConfigError
        Where there is no browser.
    """
    seen: list[dict[str, float]] = []
    again: list[float] = []
    with _served(homes_count) as (url, secret), _browser() as browser:
        for _ in range(runs):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            for name, value in (("token", secret), ("scope", "viewer")):
                context.add_init_script(f"sessionStorage.setItem('gridpact-{name}', '{value}')")
            page = context.new_page()
            page.goto(url, timeout=_LATEST_MS)
            page.wait_for_selector("main[data-painted]", timeout=_LATEST_MS)
            seen.append(page.evaluate(_TIMES))
            page.reload(timeout=_LATEST_MS)
            page.wait_for_selector("main[data-painted]", timeout=_LATEST_MS)
            again.append(page.evaluate(_TIMES)["fleet"])
            context.close()
    fleet = [each["fleet"] for each in seen]
    return {
        "page_first_paint_ms": median(fleet),
        "page_first_paint_worst_ms": max(fleet),
        "page_first_content_ms": median(each["content"] for each in seen),
        "page_again_ms": median(again),
        "page_homes": homes_count,
    }


@contextmanager
def _served(homes_count: int) -> Iterator[tuple[str, str]]:
    """Serve a fleet of homes; yield where, and a viewer's secret."""
    folder = Path(tempfile.mkdtemp(prefix="gridpact-page-"))
    store = open_store(f"sqlite:///{folder / 'service.db'}")
    try:
        with store.write() as connection:
            METADATA.create_all(connection)
        now_ms = round(time.time() * 1000)
        fill_page(store, homes_count=homes_count, now_ms=now_ms)
        parts = RestParts(
            store=store,
            clock_ms=lambda: round(time.time() * 1000),
            hub=EventHub("bench"),
            checks={},
            day=DrawnDay(homes=homes_count, now_ms=now_ms),
            routers=(
                order_summary_routes.router,
                page_router(PageSettings(), zone="Europe/London"),
            ),
        )
        _, secret = parts.tokens.make("bench", "viewer", who="bench", at_ms=now_ms)
        with serve_rest(parts) as url:
            yield url, secret
    finally:
        store.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _browser() -> "Iterator[Browser]":
    """Yield a running browser."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- for developers only
    except ImportError as error:
        msg = "the page is measured with playwright; pip install --editable '.[dev]' in a clone"
        raise ServiceConfigError(msg) from error
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        msg = "the page is measured in Chromium; install chromium or google-chrome"
        raise ServiceConfigError(msg)
    with sync_playwright() as playwright:
        # no sandbox: it refuses root, and the page is our own
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
