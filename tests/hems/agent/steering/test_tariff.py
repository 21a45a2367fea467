"""Prices by the local day, over midnight and changes of the clock."""

from datetime import UTC, datetime

import pytest

from hems.agent.steering.tariff import Tariff, TariffSettings, TariffWindow

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
