"""Every price source against a server that answers as the real one does."""

import asyncio
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from devices.emulators.faults import Fault, FaultPlan
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)
from devices.feeds.prices import PriceSeries
from devices.feeds.settings import SOURCES, PriceSettings, open_prices

HTTP = [each for each in SOURCES if each != "file"]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def price_of(begin):
    """Return a price for each slot, negative at night and missing once."""
    if begin == NOON - 3 * HOUR:
        return None
    return round(-15.5 + 4 * begin.hour + begin.minute / 100, 2)


def expected(begin, end, step):
    count = (end - begin) // step
    return tuple(price_of(begin + n * step) for n in range(count))


@pytest.mark.parametrize("source", HTTP)
def test_a_source_reads_what_its_service_publishes(served, clock, source):
    begin, end = NOON - 14 * HOUR, NOON - 2 * HOUR

    async def story():
        async with served(source, price_of=price_of) as (_, settings):
            prices = open_prices(settings, clock=clock)
            found = await prices.prices(begin, end)
            await prices.close()
            return prices.currency, found

    currency, found = asyncio.run(story())
    step = timedelta(seconds=found.step_s)
    wanted = list(expected(begin, end, step))
    if source == "entsoe":  # blocks of variable size: a price holds until the next one
        missing = wanted.index(None)
        wanted[missing] = wanted[missing - 1]

    assert (currency, found.currency, found.begin) == (found.currency, currency, begin)
    assert found.price_per_mwh == tuple(wanted)
    assert min(each for each in wanted if each is not None) < 0


@pytest.mark.parametrize("source", HTTP)
def test_tomorrow_is_there_when_it_is_published_and_not_before(served, clock, source):
    tomorrow = datetime(2026, 6, 2, tzinfo=UTC)

    async def story():
        async with served(source) as (_, settings):
            prices = open_prices(settings, clock=clock)
            clock.set(datetime(2026, 6, 1, 8, tzinfo=UTC))
            early = await prices.prices(tomorrow, tomorrow + 6 * HOUR)
            clock.set(datetime(2026, 6, 1, 16, tzinfo=UTC))
            late = await prices.prices(tomorrow, tomorrow + 6 * HOUR)
            return prices.currency, early, late

    currency, early, late = asyncio.run(story())

    assert early == PriceSeries.empty(currency)
    whole = late.holes(tomorrow, tomorrow + 6 * HOUR) == ()
    assert whole is (source != "elexon")  # which tells what was traded, never what will be


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 6, 1), 24), ((2026, 10, 25), 25)]
)
@pytest.mark.parametrize("source", ["energy-charts", "entsoe"])
def test_a_day_of_23_or_25_hours_comes_whole(served, clock, source, day, hours):
    noon = datetime(*day, 12, tzinfo=UTC)
    begin = datetime(*day, tzinfo=UTC) - HOUR * (1 if day[1] != 6 and day[1] != 10 else 2)

    async def story():
        clock.set(noon)
        async with served(source) as (_, settings):
            return await open_prices(settings, clock=clock).prices(begin, begin + hours * HOUR)

    found = asyncio.run(story())

    assert (found.begin, len(found.price_per_mwh)) == (begin, 4 * hours)
    assert None not in found.price_per_mwh


def test_pages_are_followed_to_the_last_and_long_times_are_asked_for_in_parts(served, clock):
    async def story():
        async with served("octopus", dialect={"page_size": 20}) as (paged, settings):
            rates = await open_prices(settings, clock=clock).prices(NOON - 48 * HOUR, NOON)
            pages = sum(paged.asked.values())
        async with served("elexon") as (parted, settings):
            index = await open_prices(settings, clock=clock).prices(NOON - 480 * HOUR, NOON - HOUR)
            return rates, pages, index, sum(parted.asked.values())

    rates, pages, index, parts = asyncio.run(story())

    assert (len(rates.price_per_mwh), pages) == (96, 5)
    assert (len(index.price_per_mwh), parts) == (958, 3)
    assert None not in rates.price_per_mwh + index.price_per_mwh


FAULTS = {
    Fault.REFUSED_CONNECTION: DeviceUnavailableError,
    Fault.HALF_ANSWER: DeviceReplyError,
    Fault.BUSY: DeviceUnavailableError,
    Fault.UNAUTHORISED: DeviceUnauthorisedError,
    Fault.TOO_MANY: DeviceUnavailableError,
    Fault.SERVER_ERROR: DeviceUnavailableError,
    Fault.HTML_INSTEAD_OF_JSON: DeviceReplyError,
}


@pytest.mark.parametrize("source", HTTP)
def test_every_failure_is_one_line_of_ours_without_the_key(served, clock, source):
    async def story():
        told = {}
        async with served(source) as (service, settings):
            for fault in FAULTS:
                service.faults = FaultPlan.always(fault)
                try:
                    await open_prices(settings, clock=clock).prices(NOON - HOUR, NOON)
                except DeviceError as error:
                    told[fault] = (type(error), "".join(traceback.format_exception(error)))
        return told

    told = asyncio.run(story())

    assert {fault: kind for fault, (kind, _) in told.items()} == FAULTS
    for _, text in told.values():
        assert "7f2c" not in text
        assert len(text.splitlines()[-1]) < 250


def test_who_asks_too_often_is_left_alone_for_as_long_as_he_was_told(served, clock):
    async def story():
        async with served("entsoe", calls_per_minute=1) as (service, settings):
            prices = open_prices(settings, clock=clock)
            await prices.prices(NOON - HOUR, NOON)
            with pytest.raises(DeviceUnavailableError, match="HTTP 429; ask again") as refused:
                await prices.prices(NOON - HOUR, NOON)
            with pytest.raises(DeviceUnavailableError, match="600 s more; not sent"):
                await prices.prices(NOON - HOUR, NOON)
            asked = sum(service.asked.values())
            await clock.advance(601.0)
            again = await prices.prices(NOON - HOUR, NOON)
            return refused.value.retry_after_s, asked, len(again.price_per_mwh)

    assert asyncio.run(story()) == (600.0, 2, 4)


@pytest.mark.parametrize(
    ("source", "change", "complaint"),
    [
        ("energy-charts", {"area": "XX"}, "HTTP 422 for XX; see that it is a bidding zone"),
        ("octopus", {"tariff": "E-1R-NO"}, "HTTP 404 for E-1R-NO .No Product matches"),
        ("entsoe", {"area": "10YNO"}, "refused for 10YNO: Input parameter does not exist: 10YNO"),
        ("entsoe", {"currency": "PLN"}, "is priced in EUR per MWH; set currency"),
    ],
)
def test_a_wrong_area_or_tariff_is_refused_with_its_name(served, clock, source, change, complaint):
    async def story():
        async with served(source) as (_, settings):
            prices = open_prices(replace(settings, **change), clock=clock)
            with pytest.raises(DeviceRefusedError, match=complaint) as refused:
                await prices.prices(NOON - HOUR, NOON)
            return str(refused.value)

    assert len(asyncio.run(story()).splitlines()) == 1


def test_a_key_that_others_can_read_is_refused_and_none_is_shown(tmp_path, clock):
    key = tmp_path / "key"
    key.write_text("7f2c-secret\n")
    key.chmod(0o644)
    settings = PriceSettings(source="entsoe", area="10Y", key_file=key)

    with pytest.raises(DeviceConfigError, match="can be read by others; run: chmod 600"):
        open_prices(settings, clock=clock)
    assert "7f2c" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"source": "nordpool"}, "source is 'nordpool'; give one of file, energy-charts"),
        ({"source": "entsoe", "area": "10Y"}, "key_file is missing for source 'entsoe'"),
        ({"source": "octopus", "product": "A"}, "tariff is missing"),
        ({"source": "energy-charts", "area": "AT", "zone": "Mars"}, "zone is 'Mars'"),
        ({"source": "elexon", "currency": "EUR"}, "prices of elexon are in GBP"),
        ({"source": "elexon", "published": "25:00"}, "published is '25:00'"),
        ({"source": "elexon", "days_back": 8}, "days_back is 8; give 0..7"),
        ({"source": "elexon", "timeout_s": 0.0}, "timeout_s is 0"),
        ({"source": "entsoe", "area": "1", "key_file": "k", "currency": "eur"}, "ISO 4217"),
    ],
)
def test_settings_that_cannot_be_used_say_which(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        PriceSettings(**given)


def test_a_question_that_is_cut_off_is_not_asked_again_unasked(clock):
    async def story():
        asked = []

        async def cut(reader, writer):
            asked.append(await reader.readline())
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = PriceSettings(source="energy-charts", area="DE-LU", url=url)
        async with server:
            with pytest.raises(DeviceUnavailableError):
                await open_prices(settings, clock=clock).prices(NOON, NOON + HOUR)
        return len(asked)

    assert asyncio.run(story()) == 1
