import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from aggregator.service.store.tables import revenues, runs
from scenarios.bench.service_page_fill import MEASURED, home_id

pytestmark = pytest.mark.xdist_group("page")

TODAY, TOMORROW, YESTERDAY = date(2026, 6, 1), date(2026, 6, 2), date(2026, 5, 31)


def runs_of(world, day):
    with world.store.read() as connection:
        query = select(runs.c.step, runs.c.state, runs.c.asked_by, runs.c.line)
        query = query.where(runs.c.day == str(day)).order_by(runs.c.number)
        return [tuple(row) for row in connection.execute(query)]


def told(page, step):
    """Return what the timeline says of a step."""
    return page.locator(f".steps [data-step='{step}']")


def money_of(world, day, number):
    with world.store.read() as connection:
        of_day = select(revenues).where(revenues.c.day == str(day))
        return connection.execute(of_day.where(revenues.c.home_number == number)).one()


def saved(page):
    """Press the button and return the file's name and lines."""
    with page.expect_download() as kept:
        page.get_by_role("button", name="Save as CSV").click()
    lines = Path(kept.value.path()).read_bytes().decode().split("\r\n")
    return kept.value.suggested_filename, lines


def test_a_step_that_failed_is_seen_first_and_run_again_once_that_is_confirmed(opened, world):
    failed = ("prices", "failed", "schedule", "energy-charts does not answer: 503")
    page = opened("operator", f"day/{TOMORROW}")
    first = page.locator(".trouble li").first
    first.wait_for()
    assert first.inner_text().startswith("prices failed: energy-charts does not answer: 503")
    page.get_by_role("status").filter(
        has_text="prices failed; forecast overdue; plan, offer, award, publish waits; "
        "0 of 13 steps done"
    ).wait_for()
    assert told(page, "prices").locator(".due").inner_text() == "due\n13:30"
    assert "by the schedule" in told(page, "prices").inner_text()
    assert told(page, "settle").locator(".badge").inner_text() == "due"
    assert told(page, "weather").locator(".badge").inner_text() == "no source"

    told(page, "prices").get_by_role("button", name="Run again prices").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("prices of Tuesday, 2 June 2026: day-ahead prices.").wait_for()
    # Enter twice runs nothing
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    assert runs_of(world, TOMORROW) == [failed]

    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Run prices").click()
    told(page, "prices").get_by_text("48 prices of price file prices.csv").wait_for()
    assert told(page, "prices").locator(".badge").inner_text() == "done"
    assert page.locator(".trouble li").all_inner_texts()[0].startswith("forecast overdue")
    [before, after] = runs_of(world, TOMORROW)
    assert before == failed
    assert after[:2] == ("prices", "done")
    assert after[2] != "schedule"
    assert page.evaluate("document.activeElement.ariaLabel") == "Run again prices"
    told(page, "prices").get_by_text("1 earlier run").click()
    told(page, "prices").get_by_text("energy-charts does not answer: 503").wait_for()


def test_what_a_day_made_is_drawn_and_told_as_tables(opened):
    page = opened("viewer", f"day/{TODAY}")
    offer = page.get_by_role("region", name="Offer")
    offer.get_by_text("6 bids of 2.91 MWh; 2.88 MWh awarded").wait_for()
    assert page.get_by_role("button", name=re.compile("^Run")).count() == 0
    assert told(page, "watch").locator(".badge").inner_text() == "under way"
    offer.get_by_text("The same as a table").click()
    offer.locator("tbody tr").nth(47).wait_for()
    cells = offer.locator("tbody tr").nth(34).locator("th, td").all_inner_texts()
    assert cells == [
        *("17:00–17:30", "485.0 kWh", "£20.00", "480.0 kWh", "£20.42"),
        *("1.80 MW", "£95.50", "2.40 MW", "£41.25"),
    ]
    offer.get_by_role("img").press("End")
    assert offer.locator(".readout b").first.inner_text() == "23:30–00:00"

    plan = page.get_by_role("region", name="Plan")
    plan.get_by_text("good, not proved (within 0.40 %). Expected cost −£110.20").first.wait_for()
    plan.get_by_role("button", name="Before the market").click()
    plan.get_by_text("proved: no plan costs less. Expected cost −£112.40").first.wait_for()

    forecast = page.get_by_role("region", name="Forecast, and what came")
    forecast.locator("tbody tr").nth(3).wait_for()
    scores = forecast.locator("tbody tr").all_inner_texts()
    assert scores[0].split("\t") == [
        *("Demand by neighbours planned with", "12.2 %", "8.42 kWh", "+1.20 kWh", "34")
    ]
    forecast.locator("path.line").nth(3).wait_for(state="attached")

    reliable = page.get_by_role("region", name="Reliability of the batteries")
    reliable.get_by_text("1,000 batteries").wait_for()
    assert reliable.locator("tbody tr").count() == 12
    reliable.get_by_role("button", name="988 more of 1,000").click()
    assert reliable.locator("tbody tr").count() == 1000
    page.get_by_role("button", name="The day after").click()
    page.wait_for_url(f"**/#/day/{TOMORROW}")
    offer.get_by_text("Nothing is offered yet").wait_for()


def test_revenue_is_summed_over_days_and_homes_sorted_and_saved(opened, world):
    # an address that was cut short shows what is near
    page = opened("viewer", "revenue/2026-13-")
    days = page.locator("#revenue tbody tr")
    days.nth(29).wait_for()
    newest = money_of(world, YESTERDAY, 0)
    fleet = [money_of(world, date.fromordinal(YESTERDAY.toordinal() - b), 0) for b in range(30)]
    profit = sum(row.revenue_micro - row.cost_micro for row in fleet)
    tile = page.get_by_role("group", name="Profit").locator(".value")
    assert tile.inner_text() == f"£{profit / 1e6:,.2f}"
    assert page.locator("#revenue tfoot td").nth(2).inner_text() == f"£{profit / 1e6:,.2f}"
    assert days.count() == 30
    name, lines = saved(page)
    assert name == "revenue-2026-05-02-2026-05-31.csv"
    assert lines[0] == "day,revenue_gbp,cost_gbp,profit_gbp,exported_wh"
    values = [newest.revenue_micro, newest.cost_micro, newest.revenue_micro - newest.cost_micro]
    assert lines[30].split(",")[0] == "2026-05-31"
    assert [float(each) for each in lines[30].split(",")[1:]] == [
        *(each / 1e6 for each in values),
        newest.exported_wh,
    ]
    assert lines[31:] == [""]

    page.get_by_role("link", name="2026-05-31").click()
    page.get_by_role("heading", name="Revenue of Sunday, 31 May 2026").wait_for()
    homes = page.locator("#revenue tbody tr")
    page.get_by_role("button", name="Saving").click()
    page.wait_for_selector("#revenue [aria-sort='descending'] >> text=Saving")
    with world.store.read() as connection:
        saving = revenues.c.baseline_micro - revenues.c.cost_micro
        most = select(saving).where(revenues.c.day == str(YESTERDAY), revenues.c.home_number > 0)
        best = max(connection.scalars(most))
    assert homes.first.locator("td").nth(3).inner_text() == f"£{best / 1e6:,.2f}"
    assert homes.count() == 100
    page.get_by_label("Home", exact=True).fill(home_id(MEASURED))
    page.get_by_text("Sum of 1").wait_for()
    _, lines = saved(page)
    assert len(lines) == 1002
    homes.get_by_role("link").click()
    page.get_by_role("region", name="Revenue and bills").get_by_text("30 days: earned").wait_for()

    page.evaluate("location.hash = '#/day/%E0%A4%A'")
    page.get_by_role("heading", name="Monday, 1 June 2026").last.wait_for()
