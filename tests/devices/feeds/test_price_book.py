"""Prices that are kept: over restarts, through failures, and by the rule for those missing."""

import asyncio
import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from devices.emulators.faults import Fault, FaultPlan
from devices.errors import DeviceConfigError, DeviceReplyError
from devices.feeds.price_book import ASK_AGAIN_S, KnownPrice, PriceBook
from devices.feeds.price_cache import PriceCache
from devices.feeds.price_file import PriceFile
from devices.feeds.settings import price_book

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 6, 1, 8, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_book_knows_yesterday_today_and_after_publication_tomorrow(served, clock, tmp_path):
    async def story():
        async with served("energy-charts") as (_, settings):
            book = price_book(settings, clock=clock, cache=tmp_path / "prices.json")
            clock.set(MORNING)
            early = await book.refresh()
            known = book.series.begin, book.series.end
            clock.set(NOON)
            missing = book.missing()
            late = await book.refresh()
            return early, known, missing, late, book.series.end, book.missing()

    early, known, missing, late, end, left = asyncio.run(story())
    midnight = datetime(2026, 6, 1, 22, tzinfo=UTC)  # in Berlin

    assert known == (midnight - 48 * HOUR, midnight)
    assert (early.error, late.error) == (None, None)
    # next at 13:00 in Berlin, spread over some minutes so that a fleet does not come at once
    assert 3 * 3600 <= early.again_s < 3 * 3600 + 300
    assert 23 * 3600 <= late.again_s < 23 * 3600 + 300
    assert missing == ((midnight, midnight + 24 * HOUR),)
    assert (end, left) == (midnight + 24 * HOUR, ())


def test_prices_that_come_late_are_asked_for_again_each_quarter_of_an_hour(served, clock):
    async def story():
        async with served("energy-charts") as (service, settings):
            service.prices = type(service.prices)(
                price_of=service.prices.price_of, step=service.prices.step, published=time(18)
            )
            book = price_book(settings, clock=clock, cache=None)
            clock.set(NOON)
            late = await book.refresh()
            clock.set(datetime(2026, 6, 1, 16, 1, tzinfo=UTC))
            there = await book.refresh()
            return late.again_s, there.again_s > ASK_AGAIN_S, book.missing()

    assert asyncio.run(story()) == (ASK_AGAIN_S, True, ())


def test_failures_are_tried_again_after_growing_pauses_and_what_is_known_stays(served, clock):
    async def story():
        async with served("energy-charts") as (service, settings):
            book = price_book(settings, clock=clock, cache=None)
            await book.refresh()
            before = book.series
            service.faults = FaultPlan.always(Fault.SERVER_ERROR)
            pauses = [(await book.refresh()).again_s for _ in range(8)]
            error = (await book.refresh()).error
            service.faults = FaultPlan.none()
            mended = await book.refresh()
            return pauses, error, book.series == before, mended.error

    pauses, error, same, mended = asyncio.run(story())

    assert pauses == [60.0, 120.0, 240.0, 480.0, 960.0, 1_920.0, 3_600.0, 3_600.0]
    assert error == "energy-charts GET /price: HTTP 500; ask again later"
    assert (same, mended) == (True, None)


def test_a_restart_without_the_network_goes_on_from_the_file(served, clock, tmp_path):
    kept = tmp_path / "state" / "prices.json"

    async def story():
        async with served("energy-charts") as (_, settings):
            first = price_book(settings, clock=clock, cache=kept)
            await first.refresh()
        again = price_book(settings, clock=clock, cache=kept)
        told = await again.refresh()
        return first.series == again.series, again.due_s() > 0, told.error

    same, quiet, error = asyncio.run(story())

    assert (same, quiet) == (True, True)
    assert error.startswith("energy-charts GET /price: no connection")
    assert [each.name for each in kept.parent.iterdir()] == ["prices.json"]


def test_a_missing_price_is_that_of_the_day_before_then_of_two_then_none(served, clock):
    async def story():
        async with served("energy-charts") as (_, settings):
            book = price_book(settings, clock=clock, cache=None)
            await book.refresh()  # on 1 June, until the end of the 2nd
            return [book.at(NOON + days * 24 * HOUR) for days in range(5)]

    found = asyncio.run(story())
    last = NOON + 24 * HOUR

    assert found == [
        KnownPrice(price_per_mwh=62.0, origin="market", of=NOON),
        KnownPrice(price_per_mwh=62.0, origin="market", of=last),
        KnownPrice(price_per_mwh=62.0, origin="day before", of=last),
        KnownPrice(price_per_mwh=62.0, origin="day before", of=last),
        None,
    ]


def kept_as(begin="2026-06-01T00:00:00+00:00", step_s=3600, price="5"):
    """Return a file of the source's own."""
    source = "energy-charts DE-LU APXMIDP"
    return (
        f'{{"format": 1, "source": "{source}", "currency": "EUR", "begin": "{begin}", '
        f'"step_s": {step_s}, "price_per_mwh": [{price}, 6]}}'
    ).encode()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}",
        b"[1]",
        kept_as(price="NaN"),
        kept_as(step_s=1),
        kept_as(step_s=10**12),
        kept_as(begin="9999-12-31T23:30:00+00:00"),
        kept_as(begin="2026-06-01T00:00:00"),
        b'{"format": 1, "source": "x", "currency": "EUR", "begin": "2026-06-01", "step_s": 9, '
        b'"price_per_mwh": ["a"]}',
    ],
)
def test_a_damaged_file_is_told_once_and_replaced(served, clock, tmp_path, damage):
    kept = tmp_path / "prices.json"
    kept.write_bytes(damage)

    async def story():
        async with served("energy-charts") as (_, settings):
            book = price_book(settings, clock=clock, cache=kept)
            return [(await book.refresh()).cache_error for _ in range(2)]

    first, second = asyncio.run(story())

    if b'"source": "x"' in damage:  # another source's is not taken, and no damage
        assert first is None
    else:
        assert "they are fetched again" in first
    assert second is None
    assert json.loads(kept.read_bytes())["source"] == "energy-charts DE-LU APXMIDP"


def test_a_file_that_cannot_be_written_is_told_and_prices_are_there_all_the_same(
    served, clock, tmp_path
):
    (tmp_path / "state").write_text("a file where the folder should be")

    async def story():
        async with served("energy-charts") as (_, settings):
            book = price_book(settings, clock=clock, cache=tmp_path / "state" / "prices.json")
            return await book.refresh(), book.at(NOON)

    told, known = asyncio.run(story())

    assert "prices.json cannot be" in told.cache_error
    assert (told.error, known.origin) == (None, "market")


def csv_file(tmp_path, text):
    path = tmp_path / "prices.csv"
    path.write_text(text, "utf-8")
    return PriceFile(path, zone=BERLIN, currency="EUR")


def test_a_file_of_local_times_has_the_hour_that_the_clock_shows_twice(tmp_path):
    lines = [f"2026-10-25 0{hour}:00,{n}" for n, hour in enumerate((0, 1, 2, 2, 3))]
    series = csv_file(tmp_path, "\n".join(["begin,price_per_mwh", *lines])).read()

    assert series.begin == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert series.price_per_mwh == (0.0, 1.0, 2.0, 3.0, 4.0)


def test_a_file_may_tell_ends_and_holes_and_is_read_anew_each_time(tmp_path, clock):
    text = "begin,end,price_per_mwh\n2026-06-01T12:00Z,2026-06-01T12:30Z,-5\n"
    source = csv_file(tmp_path, text + "2026-06-01T12:30Z,2026-06-01T13:30Z,\n")

    async def story():
        book = PriceBook(
            source, cache=PriceCache(None, source="f"), clock=clock, zone=BERLIN, published=time(0)
        )
        await book.refresh()
        first = book.series
        csv_file(tmp_path, text + "2026-06-01T12:30Z,2026-06-01T13:30Z,7\n")
        await book.refresh()
        return first, book.series

    first, second = asyncio.run(story())

    assert (first.price_per_mwh, second.price_per_mwh) == ((-5.0,), (-5.0, 7.0, 7.0))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column begin, price_per_mwh"),
        ("begin,price_per_mwh\nx,1", "line 2: 'x' is no time"),
        ("begin,price_per_mwh\n2026-06-01T12:00Z,x", "line 2: price 'x' is no number"),
        ("begin,price_per_mwh\n2026-06-01T12:00Z,nan", "which cannot be"),
        ("begin,price_per_mwh\n2026-06-01T12:00Z,1\n2026-06-01T12:00Z,1", "stands there twice"),
        ("begin,price_per_mwh\n2026-03-29 02:30,1", "the clock of Europe/Berlin skips"),
        ("begin,price_per_mwh\n0001-01-01T00:00,1", "a time is beyond the calendar"),
        ("begin,price_per_mwh\n9999-12-31T23:30Z,1", "a time is beyond the calendar"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_with_its_place(tmp_path, text, complaint):
    with pytest.raises(DeviceConfigError, match=complaint) as refused:
        csv_file(tmp_path, text).read()

    assert str(refused.value).startswith("price file prices.csv")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_told(tmp_path):
    source = PriceFile(tmp_path / "none.csv", zone=BERLIN, currency="EUR")

    with pytest.raises(DeviceConfigError, match=r"none\.csv cannot be read"):
        source.read()


def test_currencies_do_not_mix(tmp_path):
    kept = PriceCache(tmp_path / "kept.json", source="f")
    pounds = csv_file(tmp_path, "begin,price_per_mwh\n2026-06-01T12:00Z,1\n").read()
    kept.save(pounds)

    with pytest.raises(DeviceReplyError, match="EUR do not go on from GBP"):
        type(pounds).empty("GBP").joined(pounds)
    assert kept.load() == pounds
    assert PriceCache(tmp_path / "kept.json", source="other").load() is None
