"""Prices by the local day, over midnight and changes of the clock."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hems.agent.steering.tariff import MarketTariff, Tariff, TariffSettings, TariffWindow

FIXED = TariffSettings(import_price_per_mwh=250.0, export_price_per_mwh=50.0, zone="Europe/London")


def at(*when):
    return datetime(*when, tzinfo=UTC)


def test_a_plain_tariff_never_changes():
    assert Tariff.plain(250.0, 50.0).prices_per_mwh(at(2026, 6, 1)) == (250.0, 50.0)


@pytest.mark.parametrize(
    ("utc", "prices"),
    [
        (at(2026, 1, 9, 22, 59), (250.0, 50.0)),
        (at(2026, 1, 9, 23, 0), (90.0, 50.0)),  # a Friday, in winter: local time is UTC
        (at(2026, 1, 10, 4, 59), (90.0, 50.0)),  # it began on Friday
        (at(2026, 1, 10, 5, 0), (250.0, 50.0)),
        (at(2026, 1, 10, 23, 30), (250.0, 50.0)),  # it does not begin on a Saturday
        (at(2026, 6, 5, 22, 0), (90.0, 50.0)),  # in summer local time is an hour ahead
        (at(2026, 6, 6, 4, 0), (250.0, 50.0)),
        (at(2026, 6, 6, 11, 0), (250.0, 120.0)),
    ],
)
def test_a_window_holds_by_local_time_and_over_midnight(utc, prices):
    night = TariffWindow(
        begin="23:00", end="05:00", days="mon tue wed thu fri", import_price_per_mwh=90.0
    )
    noon = TariffWindow(begin="12:00", end="13:00", days="sat", export_price_per_mwh=120.0)

    assert Tariff(fixed=FIXED, windows=(night, noon)).prices_per_mwh(utc) == prices


def test_a_window_of_the_hour_that_comes_twice_holds_twice():
    window = TariffWindow(begin="01:00", end="02:00", import_price_per_mwh=1.0)
    tariff = Tariff(fixed=FIXED, windows=(window,))
    # on 25 October 2026 01:00..02:00 British time is 00:00..01:00 and 01:00..02:00 UTC
    prices = [tariff.prices_per_mwh(at(2026, 10, 25, hour, 30))[0] for hour in range(3)]

    assert prices == [1.0, 1.0, 250.0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"begin": "25:00"}, "begin is '25:00'; give a local time of day such as \"06:30\""),
        ({"end": "7"}, "end is '7'; give a local time"),
        ({"end": "07:00+01:00"}, "end is '07:00.01:00'; give a local time"),
        ({"days": "mon freitag"}, "days is 'mon freitag'; give some of mon tue"),
        ({"days": ""}, "days is ''; give some of"),
        ({"import_price_per_mwh": None}, "a window has no price"),
    ],
)
def test_a_window_that_cannot_be_is_refused(change, complaint):
    fields = {"begin": "06:00", "end": "07:00", "import_price_per_mwh": 1.0, **change}
    with pytest.raises(ValueError, match=complaint):
        TariffWindow(**fields)


def test_an_unknown_zone_and_a_price_that_is_none_are_refused():
    with pytest.raises(ValueError, match="zone is 'Europe/Atlantis'; give an IANA name"):
        TariffSettings(import_price_per_mwh=1, export_price_per_mwh=1, zone="Europe/Atlantis")
    with pytest.raises(ValueError, match="export_price_per_mwh is nan; give a price"):
        TariffSettings(import_price_per_mwh=1, export_price_per_mwh=float("nan"))


def test_the_markets_price_becomes_the_homes_by_factor_and_addition():
    fixed = TariffSettings(
        import_price_per_mwh=300.0,
        export_price_per_mwh=80.0,
        zone="Europe/Berlin",
        import_factor=1.19,
        import_add_per_mwh=180.0,
    )
    both = replace(fixed, export_factor=0.9, export_add_per_mwh=-5.0)
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def prices(settings, market_per_mwh):
        own = Tariff(fixed=settings)
        return MarketTariff(tariff=own, market=lambda _: market_per_mwh).prices_per_mwh(noon)

    assert prices(fixed, 100.0) == pytest.approx((299.0, 80.0), abs=1e-9)
    assert prices(both, -50.0) == pytest.approx((120.5, -50.0), abs=1e-9)
    assert prices(both, None) == (300.0, 80.0)


@pytest.mark.parametrize(
    ("noon", "quarters"),
    [
        (datetime(2026, 3, 29, 10, tzinfo=UTC), 92),
        (datetime(2026, 6, 1, 10, tzinfo=UTC), 96),
        (datetime(2026, 10, 25, 10, tzinfo=UTC), 100),
    ],
)
def test_a_days_prices_are_as_many_as_its_clock_has_quarters(noon, quarters):
    tariff = Tariff(
        fixed=TariffSettings(
            import_price_per_mwh=300.0, export_price_per_mwh=80.0, zone="Europe/Berlin"
        ),
        windows=(TariffWindow(begin="04:00", end="05:00", import_price_per_mwh=90.0),),
    )
    by_market = MarketTariff(tariff=tariff, market=lambda utc: float(utc.hour))

    partly = MarketTariff(tariff=tariff, market=lambda utc: 7.0 if utc.hour == 10 else None)
    never = MarketTariff(tariff=tariff, market=lambda _: None)

    assert partly.of_day(noon).tolist() == [7.0] * 4
    assert never.of_day(noon).tolist() == tariff.of_day(noon).tolist()
    assert tariff.of_day(noon).tolist().count(90.0) == 4
    assert (len(tariff.of_day(noon)), len(by_market.of_day(noon))) == (quarters, quarters)
    assert by_market.of_day(noon)[0] == (22.0 if quarters > 92 else 23.0)  # local midnight


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"import_factor": -1.0}, "import_factor is -1; give a number >= 0"),
        ({"export_factor": float("inf")}, "export_factor is inf"),
        ({"export_add_per_mwh": float("nan")}, "export_add_per_mwh is nan"),
    ],
)
def test_what_is_added_to_the_market_is_bounded(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        TariffSettings(import_price_per_mwh=1.0, export_price_per_mwh=1.0, **given)
