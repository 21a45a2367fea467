import re
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from aggregator.service.store.tables import alarms, commands, settlements
from scenarios.bench.service_page_fill import MEASURED, ORDER, home_id

pytestmark = pytest.mark.xdist_group("page")

SHOWN = {
    "homes": "#homes-grid .row.active",
    f"home/{home_id(MEASURED)}": "#view-home path.line >> nth=4",
    "commands": "#commands-list table",
    "settlement": "#settlement-list table",
    "alarms": "#alarms-list li >> nth=2",
    f"commands/{ORDER}": "#commands-list .facts",
    "diagnosis/": "#diagnosis table >> nth=4",
    "registry": "#registry .head >> nth=1",
    "audit": "#audit table",
    "day/2026-06-01": "#cycle .card >> nth=2 >> path.line >> nth=3",
    "day/2026-06-02": ".trouble li",
    "revenue": "#revenue tbody tr >> nth=9",
    "revenue/2026-05-31": "#revenue tbody tr >> nth=99",
    "": "#day-chart .hollow >> nth=8",
}
"""What is there once a view is."""
VIOLATIONS = """(rules) => axe
  .run(document, {
    resultTypes: ["violations"], preload: false, iframes: false,
    ...(rules.length && {runOnly: rules}),
  })
  .then(({violations}) => violations.flatMap(
    ({id, nodes}) => nodes.map(({target}) => [id, target.join(" ")])
  ))"""
EXCUSED = ["scrollable-region-focusable", ".lines"]
"""The grid of homes has the focus and scrolls its lines by arrow keys."""
LIGHT_TOO = ("", "homes", "alarms", "day/2026-06-02")
"""Views that show all colours between them: their contrast is looked at in both schemes."""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def show(page, view):
    """Go to a view and wait until its heading has the focus."""
    page.evaluate("view => { location.hash = `#/${view}`; }", view)
    name = view.partition("/")[0]
    there = name if page.locator(f"#view-{name or 'none'}").count() else "fleet"
    page.wait_for_selector(f"#title-{there}:focus")


def overflow(page):
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def rows(page):
    return page.locator("#homes-grid .lines .row:not([hidden])")


def test_a_wrong_token_is_told_and_a_right_one_signs_in_until_signing_out(opened, world):
    page = opened(None)
    page.get_by_label("Token").fill("gridpact_wrong")
    page.keyboard.press("Enter")
    told = page.get_by_role("alert").filter(has_text="The service does not know this token.")
    told.wait_for()

    page.get_by_label("Token").fill(world.secrets["operator"])
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-painted]")

    kept = page.evaluate("[location.href, document.cookie, {...localStorage}]")
    assert kept == [f"{world.url}/#/", "", {}]
    page.reload()
    page.wait_for_selector("main[data-painted]")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Token").wait_for()
    assert page.evaluate("sessionStorage.length") == 0
    assert not [each for each in page.seen.asked if "gridpact_" in each]
    refused = [each for each in page.seen.complaints if "401" in each]
    assert page.seen.complaints == refused
    page.seen.complaints.clear()


def test_a_token_that_is_revoked_signs_out_and_says_so(opened, world):
    now_ms = world.parts.clock_ms()
    token, secret = world.parts.tokens.make("gone", "viewer", who="test", at_ms=now_ms)
    page = opened(None)
    page.get_by_label("Token").fill(secret)
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-painted]")

    world.parts.tokens.revoke(token.id, who="test", at_ms=now_ms)
    told = page.get_by_text("The token is no longer good: sign in again.")
    # the service remembers a token for a second
    for _ in range(300):
        if told.count():
            break
        page.evaluate("location.hash = location.hash === '#/alarms' ? '#/settlement' : '#/alarms'")
        page.wait_for_timeout(200)

    assert told.is_visible()
    assert not page.get_by_role("banner").is_visible()
    page.seen.complaints[:] = [each for each in page.seen.complaints if "401" not in each]


def test_ten_thousand_homes_are_shown_sorted_filtered_and_walked_by_keyboard(many, opened):
    page = opened("viewer", of=many)

    tiles = {
        tile.get_attribute("aria-label"): tile.locator(".value").inner_text()
        for tile in page.locator("#tiles .tile").all()
    }
    now_ms = many.parts.clock_ms()
    fleet = many.parts.fleet.read(now_ms)
    heard = [each is not None and now_ms - each <= 300_000 for each in fleet.heard_ms]
    charge = [soc for soc, there in zip(fleet.soc, heard, strict=True) if there]
    assert tiles["Homes heard"] == f"{sum(heard):,}"
    assert tiles["State of charge"] == f"{100 * sum(charge) / len(charge):.1f} %"
    assert tiles["Price"] == "£157.00"
    assert tiles["Promise under way"] == "8.97 MWh"
    label = page.locator("#day-chart svg").get_attribute("aria-label")
    assert label.startswith("Monday, 1 June 2026: 47.54 MWh promised; 17.16 MWh delivered of 18.72")
    assert page.locator("#day-chart .hollow").count() == 9
    assert page.locator("#mosaic-canvas").get_attribute("aria-label").startswith("10,000 homes: ")
    assert {each.split("/")[2] for each in page.seen.asked} == {many.url.split("/")[2]}
    # what later views are made of is not waited for
    assert not [each for each in page.seen.asked if each.endswith(("/cycle.js", "/revenue.js"))]
    assert (
        page.get_by_role("link", name="Fleet", exact=True).get_attribute("aria-current") == "page"
    )

    show(page, "homes")
    grid = page.get_by_role("grid", name="Homes")
    assert grid.get_attribute("aria-rowcount") == "10001"
    assert rows(page).count() < 60

    page.get_by_role("button", name="Charge").click()
    page.wait_for_selector("#homes-grid [aria-sort='ascending'].c-soc")
    least = [f"{100 * soc:.0f} %" for soc in sorted(each for each in fleet.soc if each is not None)]
    rows(page).first.locator(".c-soc").get_by_text(least[0]).wait_for()
    assert [rows(page).nth(at).locator(".c-soc").inner_text() for at in range(5)] == least[:5]

    page.get_by_label("Group", exact=True).select_option("street-3")
    page.get_by_label("Id, name or group").fill("home-0070")
    page.get_by_text("10 of 10,000 homes").wait_for()
    page.get_by_label("Id, name or group").fill("")
    page.get_by_role("button", name="Home", exact=True).click()
    page.get_by_text("250 of 10,000 homes").wait_for()
    grid.focus()
    page.keyboard.press("End")
    active = page.locator("#homes-grid .row.active")
    active.get_by_text(home_id(750)).wait_for()
    assert active.get_attribute("id") == grid.get_attribute("aria-activedescendant")
    assert active.get_attribute("aria-rowindex") == "251"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="750 Harbour Road").wait_for()
    assert page.url.endswith(f"#/home/{home_id(750)}")


def test_the_day_is_read_by_arrow_keys_and_as_a_table(opened):
    page = opened("viewer")
    page.locator("#day-chart svg").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")

    assert page.locator("#day-readout b").first.inner_text() == "00:30–01:00"
    page.get_by_text("The same as a table").click()
    page.locator("#day-table tbody tr").nth(47).wait_for()
    assert page.locator("#day-table tbody tr").count() == 48
    page.get_by_label("The day before").click()
    page.get_by_role("heading", name="Sunday, 31 May 2026").wait_for()


def test_what_a_home_tells_is_on_the_screen_without_asking(opened, world):
    page = opened("viewer", "homes")
    page.get_by_text("Live", exact=True).wait_for()
    page.get_by_label("Id, name or group").fill(world.last)

    world.tell(world.last, soc=0.1234)

    rows(page).first.locator(".c-soc").get_by_text("12 %").wait_for()


def test_without_a_stream_it_asks_and_without_an_answer_it_says_that_it_is_stale(opened):
    def without_stream(page):
        page.clock.install()
        page.route("**/api/events", lambda route: route.abort())

    page = opened("viewer", before=without_stream)
    page.get_by_text("Asking each 10 s").wait_for()
    with page.expect_response("**/api/fleet"):
        page.clock.fast_forward(10_000)

    page.route("**/api/**", lambda route: route.abort())
    page.clock.fast_forward(40_000)
    page.get_by_role("status").filter(has_text="may be out of date").wait_for()
    page.get_by_text("No connection").wait_for()
    page.seen.complaints[:] = [each for each in page.seen.complaints if "ERR_FAILED" not in each]

    page.unroute("**/api/**")
    page.unroute("**/api/events")
    page.clock.fast_forward(40_000)
    page.get_by_text("Live", exact=True).wait_for()
    assert not page.locator("#stale").is_visible()
    page.seen.complaints[:] = [each for each in page.seen.complaints if "ERR_FAILED" not in each]


def test_a_command_says_what_and_to_how_many_before_it_is_sent(opened, world):
    with world.store.read() as connection:
        before = set(connection.scalars(select(commands.c.request_id)))
    page = opened("operator", "homes")
    page.get_by_label("Group", exact=True).select_option("street-2")
    page.get_by_role("button", name="Command group street-2…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What").select_option("power reference")
    dialog.get_by_label("Power of each home, W").fill("800")
    dialog.get_by_label("For how long, minutes").fill("45")
    dialog.get_by_role("button", name="Review…").click()

    said = dialog.locator("#order-says").inner_text()
    assert said == (
        "250 homes (group street-2): hold 800 W of export for 45 min. "
        "It may be begun within 5 minutes."
    )
    assert page.evaluate("document.activeElement.textContent") == "Back"
    with world.store.read() as connection:
        assert set(connection.scalars(select(commands.c.request_id))) == before

    dialog.get_by_role("button", name="Send to 250 homes").click()
    page.get_by_role("link", name=re.compile("1 Jun")).first.wait_for()
    with world.store.read() as connection:
        given = connection.execute(select(commands).where(commands.c.request_id.not_in(before)))
        sent = [(row.target, row.body, row.state) for row in given]
    body = {"write": "power reference", "power_w": -800.0, "interval": 45.0}
    assert sent == [("group:street-2", body, "waiting")] * 250
    page.get_by_text("250 waiting").wait_for()
    page.get_by_text("27 refused, 223 done").wait_for()
    show(page, f"commands/{ORDER}")
    page.get_by_text("the device’s writes for now are spent").first.wait_for()


def test_a_viewer_has_nothing_to_command_with(opened):
    page = opened("viewer", "commands")
    page.get_by_text("27 refused, 223 done").wait_for()

    assert page.get_by_role("button", name=re.compile("Command")).count() == 0
    show(page, "alarms")
    page.locator("#alarms-list").get_by_text("battery at 52 °C").wait_for()
    assert page.get_by_role("button", name=re.compile("Acknowledge")).count() == 0


def test_a_new_alarm_is_spoken_counted_and_acknowledged(opened, world):
    page = opened("operator")
    page.get_by_text("Live", exact=True).wait_for()
    page.locator("#open-alarms li").nth(1).wait_for()
    line = "silent for an hour"
    with world.store.write() as connection:
        row = {"kind": "silent", "home_number": 5, "state": "raised", "severity": "warning"}
        at = {"line": line, "raised_ms": world.parts.clock_ms()}
        connection.execute(insert(alarms).values(**row, **at))
    page.get_by_role("alert").filter(has_text=f"Alarm: {line}").wait_for()
    assert page.locator("#alarm-count").inner_text() == "3"
    page.get_by_role("button", name=f"Acknowledge: {line}").click()
    page.locator("#alarm-count").get_by_text("2", exact=True).wait_for()
    with world.store.read() as connection:
        states = connection.scalars(select(alarms.c.state).where(alarms.c.line == line)).all()
    assert states == ["acknowledged"]


def test_a_settled_interval_leads_to_its_transaction(opened, world):
    page = opened("viewer", "settlement")
    link = page.locator("#settlement-list a.hash").first
    link.wait_for()
    with world.store.read() as connection:
        newest = connection.execute(
            select(settlements.c.transaction).order_by(settlements.c.interval_number.desc())
        ).scalars()
        hash_ = next(iter(newest))

    assert link.get_attribute("href") == f"https://explorer.example.org/tx/{hash_}"
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_an_address_that_was_cut_short_says_so_or_shows_what_is_near(opened):
    page = opened("viewer", f"commands/{ORDER}")
    page.locator("#commands-list .facts").wait_for()
    for view, told in (
        ("history/%E0%A4%A/", "This address names nothing."),
        (f"history/device/{home_id(1)}", "This address names nothing."),
        ("home/%E0%A4%A", "This address names no home."),
        ("commands/none", "order 'none' is unknown"),
    ):
        show(page, view)
        page.get_by_text(told).wait_for()
    assert page.locator("#commands-list .facts").count() == 0
    show(page, "toString")
    assert page.locator("#view-fleet").is_visible()
    page.seen.complaints[:] = [each for each in page.seen.complaints if "404" not in each]


def test_a_home_sees_itself_alone_and_its_name_is_no_markup(opened):
    page = opened("home")
    page.get_by_role("heading", name="<img src=x onerror=alert(1)>").wait_for()
    page.locator("#view-home .line").nth(4).wait_for(state="attached")
    page.get_by_text("Live", exact=True).wait_for()

    drawn = page.locator("#view-home path.line").evaluate_all(
        "all => all.map(e => e.getAttribute('d').length > 500)"
    )
    assert drawn == [True] * 5
    page.get_by_role("region", name="Revenue and bills").get_by_text("30 days: earned").wait_for()
    asked = {each.partition("/api/")[2] for each in page.seen.asked if "/api/" in each}
    assert {each for each in asked if not each.startswith(f"homes/{home_id(MEASURED)}")} == {"page"}
    assert page.get_by_role("navigation").get_by_role("link").count() == 0


def test_the_bar_can_be_skipped_and_the_colours_chosen_stay(opened):
    page = opened("viewer", "commands", color_scheme="light")
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Skip to content").press("Enter")

    assert page.evaluate("[document.activeElement.id, location.hash]") == ["main", "#/commands"]
    page.get_by_role("button", name="Colours: as the system").click()
    page.get_by_role("button", name="Colours: light").click()
    back = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(back) == "rgb(14, 19, 24)"
    page.reload()
    page.get_by_role("button", name="Colours: dark").wait_for()
    assert page.evaluate(back) == "rgb(14, 19, 24)"


def violations(page, *rules):
    """Return what axe-core finds, of all its rules or of some: each rule with the place."""
    return [each for each in page.evaluate(VIOLATIONS, rules) if each != EXCUSED]


@pytest.fixture(scope="module")
def axe(left_out) -> str:
    """Return axe-core, which knows what makes a page usable for everybody."""
    path = Path(__file__).parents[4] / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        left_out("axe-core is needed: install Node and run `npm ci`")
    return path.read_text("utf-8")


def test_nothing_scrolls_sideways_and_everybody_can_use_it(opened, axe):
    phone = {"width": 360, "height": 740}
    page = opened("operator", color_scheme="dark", viewport=phone, has_touch=True)
    page.evaluate(axe)
    wrong = []
    for view, there in SHOWN.items():
        show(page, view)
        page.wait_for_selector(there, state="attached")
        wrong += [(view, "wide", over)] if (over := overflow(page)) > 0 else []
        wrong += [(view, "dark", *each) for each in violations(page)]
        if view in LIGHT_TOO:
            page.emulate_media(color_scheme="light")
            wrong += [(view, "light", *each) for each in violations(page, "color-contrast")]
            page.emulate_media(color_scheme="dark")
    for width in (320, 901, 1241):
        page.set_viewport_size({"width": width, "height": 740})
        # charts are drawn anew with the next frame
        page.wait_for_function(FITS)

    assert wrong == []
    assert page.get_by_role("banner").count() == 1
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
