"""What operators see of commands that failed, and how they change what is configured."""

import re

import pytest
from sqlalchemy import insert

from aggregator.service.registry.bodies import DeviceBody, HomeBody, TariffBody
from aggregator.service.registry.kinds import DEVICE, HOME, TARIFF
from aggregator.service.registry.writing import Edit
from aggregator.service.store.tables import answers, commands
from scenarios.bench.service_page_fill import home_id

pytestmark = pytest.mark.xdist_group("page")

HOME_ID = home_id(901)
NEW = "mill-9"
HOUR_MS = 3_600_000
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def dialog(opened):
    """Return the page of an operator, and the dialog of what is changed."""
    page = opened("operator", f"home/{HOME_ID}", viewport=PHONE)
    return page, page.locator("dialog.edit")


def edit(world, version, comment=""):
    at_ms = world.parts.clock_ms()
    return Edit(who="somebody", at_ms=at_ms, version=version, comment=comment)


def period(start, bought, sold):
    prices = {"import_price_per_mwh": bought, "export_price_per_mwh": sold}
    return {"start_minute": start} | prices


def told(place):
    """Return a table as people read it."""
    return [row.all_inner_texts() for row in [each.locator("th, td") for each in place.all()]]


def fits(page):
    return page.evaluate(
        "[...document.querySelectorAll('dialog[open], html')]"
        ".map(each => each.scrollWidth - each.clientWidth)"
    )


def test_a_home_is_changed_though_somebody_else_was_quicker_and_put_back(dialog, world):
    page, form = dialog
    registry = world.parts.registry
    page.get_by_role("button", name=f"Edit home {HOME_ID}").click()
    form.get_by_label("Group").fill("mill lane")
    form.get_by_label("Latitude, °").fill("91")
    form.get_by_role("button", name="Review…").click()

    assert [each for each in form.locator(".error").all_inner_texts() if each] == [
        "Letters, digits and . _ - only, 64 at most.",
        "Not above 90.",
    ]
    assert page.evaluate("document.activeElement.value") == "mill lane"
    form.get_by_label("Group").fill("mill-lane")
    form.get_by_label("Latitude, °").fill("51.2")
    form.get_by_label("Time zone").fill("Europe/Nowhere")
    assert fits(page) == [0, 0]
    form.get_by_role("button", name="Review…").click()
    form.get_by_label("Why, for the history").fill("moved")
    form.get_by_role("button", name="Write version 2").click()
    # what only the service knows to be wrong stands at its field too
    form.get_by_text("Value error, zone 'Europe/Nowhere' is no time zone").wait_for()
    assert page.evaluate("document.activeElement.value") == "Europe/Nowhere"
    form.get_by_label("Time zone").fill("")
    form.get_by_role("button", name="Review…").click()

    theirs = HomeBody(name="901 Quay", group_name="street-4")
    registry.put(HOME_ID, theirs, edit(world, 1, "by letter"))
    form.get_by_role("button", name="Write version 2").click()
    form.get_by_text("Somebody was quicker: version 2 by somebody").wait_for()
    assert "Name: 901 Harbour Road → 901 Quay" in form.get_by_role("alert").first.inner_text()
    assert told(form.locator("tbody tr")) == [
        ["Group", "street-4", "mill-lane"],
        ["Latitude", "–", "51.2 °"],
    ]
    assert fits(page) == [0, 0]
    form.get_by_role("button", name="Write version 3").click()
    page.get_by_text("Version 3.").wait_for()
    ours = theirs.model_copy(update={"group_name": "mill-lane", "latitude_deg": 51.2})
    assert registry.get(HOME, HOME_ID).body == ours

    page.get_by_role("link", name=f"Versions of home {HOME_ID}").click()
    page.get_by_role("button", name="Put version 2 back").click()
    form.get_by_role("button", name="Write version 4").click()
    page.get_by_role("button", name="Put version 3 back").wait_for()
    assert registry.get(HOME, HOME_ID).body == theirs
    newest = registry.history(HOME, HOME_ID, limit=1)[0]
    assert (newest.version, newest.comment) == (4, "version 2 again")
    differing = page.locator("#history section").nth(1).locator("tbody tr")
    assert told(differing) == [["Group", "mill-lane", "street-4"], ["Latitude", "51.2 °", "–"]]
    assert fits(page) == [0]
    page.seen.complaints[:] = [
        each for each in page.seen.complaints if not re.search("status of 4(12|22)", each)
    ]


def test_a_home_its_device_and_its_tariff_are_added_and_taken_out_of_use(dialog, world):
    page, form = dialog
    registry = world.parts.registry
    page.evaluate("location.hash = '#/registry'")
    page.get_by_role("button", name="Add a tariff").click()
    form.get_by_label("Id", exact=True).fill("night")
    form.get_by_label("Standing charge, a day").fill("0.53")
    form.get_by_role("button", name="Add a time").click()
    for place, words in enumerate(("00:00", "110", "60.5", "07:30", "285", "-2")):
        form.locator(".periods input").nth(place).fill(words)
    assert fits(page) == [0, 0]
    form.get_by_role("button", name="Review…").click()
    form.get_by_role("button", name="Add night").click()
    page.get_by_role("button", name="Edit tariff night").wait_for()
    periods = [period(0, 110, 60.5), period(450, 285, -2)]
    terms = {"periods": periods, "standing_charge_per_day": 0.53}
    assert registry.get(TARIFF, "night").body == TariffBody.model_validate({"terms": terms})

    page.get_by_role("button", name="Add a home").click()
    form.get_by_label("Id", exact=True).fill(HOME_ID)
    form.get_by_label("Tariff").select_option("night")
    for name, deed in ((HOME_ID, f"Add {HOME_ID}"), (NEW, f"Add {NEW}")):
        form.get_by_label("Id", exact=True).fill(name)
        form.get_by_role("button", name="Review…").click()
        form.get_by_role("button", name=deed).click()
        if name == HOME_ID:
            form.get_by_text(f"{HOME_ID} is there already.").wait_for()
    form.get_by_text(f"gridpact serve gateway {NEW}").wait_for()
    assert fits(page) == [0, 0]
    form.get_by_role("button", name=f"Show {NEW}").click()
    assert registry.get(HOME, NEW).body == HomeBody(tariff_id="night")

    page.get_by_role("button", name="Add a device").click()
    form.get_by_label("Id", exact=True).fill("storage")
    for label, words in (("capacity, Wh", "9600"), ("Least", "7"), ("Greatest", "5")):
        form.get_by_label(label).fill(words)
    form.get_by_label("Settings").fill('phases = 3\nmode = eco\nserial = "007"')
    form.get_by_role("button", name="Review…").click()
    form.get_by_text("Not below the least.").wait_for()
    form.get_by_label("Greatest").fill("29")
    form.get_by_role("button", name="Review…").click()
    form.get_by_role("button", name="Add storage").click()
    page.get_by_role("button", name=f"Edit device storage of {NEW}").wait_for()
    settings = {"phases": 3, "mode": "eco", "serial": "007"}
    assert registry.get(DEVICE, f"{NEW}/storage").body == DeviceBody(
        kind="battery", capacity_wh=9600, soc_min=0.07, soc_max=0.29, settings=settings
    )

    page.get_by_role("button", name=f"Take home {NEW} out of use").click()
    form.get_by_role("button", name="Take out of use").click()
    page.get_by_role("button", name=f"Put home {NEW} back in use").wait_for()
    assert registry.get(HOME, NEW).retired
    page.evaluate("location.hash = '#/audit'")
    page.get_by_label("Who, what or to what").fill(NEW)
    deeds = page.locator("#audit tbody tr")
    deeds.nth(2).wait_for()
    assert [row[2:4] for row in told(deeds)] == [
        ["retire", f"home {NEW}"],
        ["configure", f"device {NEW}/storage"],
        ["configure", f"home {NEW}"],
    ]
    page.seen.complaints[:] = [each for each in page.seen.complaints if "412" not in each]


def test_a_figure_of_what_failed_leads_to_its_commands_and_every_answer(opened, world):
    at_ms = world.parts.clock_ms() - 48 * HOUR_MS
    order = {"request_id": "failing", "target": "group:x", "asked_by": "test", "sends": 1}
    ends = (("done", None, 0), ("done", None, 1), ("refused", "budget-spent", 0))
    given = [
        order
        | {"correlation_id": f"failing-{home}", "home_number": home, "state": state}
        | {"code": code, "late": bool(late), "body": {"write": "stop"}, "asked_ms": at_ms}
        | {"expires_ms": at_ms + 60_000, "finished_ms": at_ms + (1 + 400 * late) * 1_000}
        for home, (state, code, late) in enumerate(ends, start=1)
    ]
    heard = [
        {"home_number": each["home_number"], "id": f"{each['correlation_id']}-{kind}"}
        | {"kind": kind, "correlation_id": each["correlation_id"], "at_ms": at_ms}
        | {"heard_ms": each["finished_ms"], "body": body | {"outcome": each["state"]}}
        for each in given
        for kind, body in (("acknowledgement", {"accepted": True}), ("outcome", {}))
    ]
    with world.store.write() as connection:
        connection.execute(insert(commands), given)
        connection.execute(insert(answers), heard)

    span = f"from={at_ms - HOUR_MS}&to={at_ms + HOUR_MS}"
    page = opened("viewer", f"diagnosis/?{span}")
    tiles = page.locator("#diagnosis .tile .value")
    tiles.first.wait_for()
    assert tiles.all_inner_texts() == ["3", "1", "0", "1", "0"]
    by_home = page.get_by_role("table", name="By home")
    assert told(by_home.locator("tbody tr")) == [[home_id(3), "1", "1", "100.0 %", "0"]]
    page.get_by_role("link", name="1 refused budget-spent").click()
    found = page.get_by_role("table", name="Commands, newest first")
    found.get_by_text("the device’s writes for now are spent").wait_for()
    assert found.locator("tbody tr").count() == 1
    found.get_by_role("link").first.click()
    said = page.get_by_role("table", name="Answers, newest first").locator("tbody tr")
    said.nth(5).wait_for()
    outcomes = [row[1:] for row in told(said)]
    assert [row for row in outcomes if row[1] == "outcome"] == [
        [home_id(3), "outcome", "refused", "1.0 s"],
        [home_id(2), "outcome", "done late", "401.0 s"],
        [home_id(1), "outcome", "done", "1.0 s"],
    ]
    page.get_by_role("button", name="1 refused").click()
    homes = page.get_by_role("table", name="Commands", exact=True)
    assert homes.locator("tbody th").all_inner_texts() == [home_id(3)]

    terms = {"periods": [period(0, 245, 150)]}
    world.parts.registry.put("flat", TariffBody.model_validate({"terms": terms}), edit(world, None))
    changing = re.compile("Edit|Add|use…|Put|Command the")
    for view, there in (
        (f"home/{HOME_ID}", "text=/^Version [0-9]+/"),
        ("registry", "#registry .head"),
        ("history/tariff/flat", "#history table >> nth=0"),
        ("audit", "text=The audit log is for operators."),
    ):
        page.evaluate("view => { location.hash = `#/${view}`; }", view)
        page.wait_for_selector(there)
        assert page.get_by_role("button", name=changing).all_inner_texts() == []
