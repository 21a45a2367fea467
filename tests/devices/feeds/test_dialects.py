"""What services answer, byte by byte: documents as they are printed, and any damage."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.http_link import retry_after_s
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.elexon import Elexon
from devices.feeds.energy_charts import EnergyCharts
from devices.feeds.entsoe import Entsoe
from devices.feeds.feed_link import LONGEST_PAUSE_S, FeedReply
from devices.feeds.octopus import Octopus
from devices.feeds.prices import series_of

DIALECTS = [
    EnergyCharts(area="DE-LU"),
    Octopus(product="AGILE-24-10-01", tariff="E-1R-AGILE-24-10-01-C"),
    Elexon(),
    Entsoe(area="10Y1001A1001A82H"),
]
BEGIN, END = datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 1, 22, tzinfo=UTC)


def read(dialect, body, *, status=200):
    page = dialect.page(FeedReply(status=status, body=body.encode()), end=END)
    return series_of(page.slots, currency=dialect.currency), page.next_url


def test_requests_are_as_the_services_document_them():
    asked = [each.request(BEGIN, END) for each in DIALECTS]

    assert [each.path for each in asked] == [
        "/price",
        "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C"
        "/standard-unit-rates/",
        "/balancing/pricing/market-index",
        "/api",
    ]
    assert [dict(each.query) for each in asked] == [
        {"bzn": "DE-LU", "start": "2026-05-31T22:00:00Z", "end": "2026-06-01T21:59:59Z"},
        {
            "period_from": "2026-05-31T22:00:00Z",
            "period_to": "2026-06-01T22:00:00Z",
            "page_size": "1500",
        },
        {
            "from": "2026-05-31T22:00Z",
            "to": "2026-06-01T21:30Z",
            "dataProviders": "APXMIDP",
            "format": "json",
        },
        {
            "documentType": "A44",
            "contract_MarketAgreement.type": "A01",
            "in_Domain": "10Y1001A1001A82H",
            "out_Domain": "10Y1001A1001A82H",
            "periodStart": "202605312200",
            "periodEnd": "202606012200",
        },
    ]


def test_octopus_takes_direct_debit_turns_pence_and_ends_an_open_rate_with_the_question():
    rates = """{"count": 3, "next": "https://api.octopus.energy/x?page=2", "previous": null,
     "results": [
     {"value_exc_vat": 11.0, "value_inc_vat": 11.55, "valid_from": "2026-06-01T21:00:00Z",
      "valid_to": null, "payment_method": "DIRECT_DEBIT"},
     {"value_exc_vat": 12.0, "value_inc_vat": 12.6, "valid_from": "2026-06-01T21:00:00Z",
      "valid_to": null, "payment_method": "NON_DIRECT_DEBIT"},
     {"value_exc_vat": -2.8571, "value_inc_vat": -3.0, "valid_from": "2026-06-01T21:30:00+01:00",
      "valid_to": "2026-06-01T21:00:00Z", "payment_method": null}]}"""
    series, following = read(DIALECTS[1], rates)

    assert (series.step_s, series.price_per_mwh) == (1800, (-30.0, 115.5, 115.5))
    assert following == "https://api.octopus.energy/x?page=2"


def test_elexon_takes_its_provider_and_no_price_without_a_trade():
    rows = """{"metadata": {"datasets": ["MID"]}, "data": [
     {"startTime": "2026-06-01T00:30:00Z", "dataProvider": "N2EXMIDP", "price": 0, "volume": 0},
     {"startTime": "2026-06-01T00:30:00Z", "dataProvider": "APXMIDP", "price": 0.0, "volume": 12.5},
     {"startTime": "2026-06-01T00:00:00Z", "dataProvider": "APXMIDP", "price": 0, "volume": 0.0},
     {"startTime": "2026-05-31T23:30:00Z", "dataProvider": "APXMIDP", "price": -3.5, "volume": 9}]}
    """

    assert read(DIALECTS[2], rows)[0].price_per_mwh == (-3.5, None, 0.0)


def series_xml(points, *, resolution="PT60M", curve="A03", auction="1", start="22:00", hours=4):
    told = "".join(
        f"<Point><position>{n}</position><price.amount>{price}</price.amount></Point>"
        for n, price in points
    )
    begin = datetime.fromisoformat(f"2026-05-31T{start}Z")
    return (
        "<TimeSeries><currency_Unit.name>EUR</currency_Unit.name>"
        "<price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
        f"<classificationSequence_AttributeInstanceComponent.position>{auction}"
        f"</classificationSequence_AttributeInstanceComponent.position><curveType>{curve}</curveType>"
        f"<Period><timeInterval><start>{begin:%Y-%m-%dT%H:%MZ}</start>"
        f"<end>{begin + timedelta(hours=hours):%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{told}</Period></TimeSeries>"
    )


def publication(*series, version="7:3"):
    name = f"urn:iec62325.351:tc57wg16:451-3:publicationdocument:{version}"
    return (
        f'<Publication_MarketDocument xmlns="{name}">{"".join(series)}</Publication_MarketDocument>'
    )


@pytest.mark.parametrize("version", ["7:0", "7:3"])
def test_entsoe_blocks_of_variable_size_go_on_and_fixed_ones_do_not(version):
    points = ((1, 10.0), (3, -7.5))
    variable = publication(series_xml(points), version=version)
    fixed = publication(series_xml(points, curve="A01"), version=version)

    assert read(DIALECTS[3], variable)[0].price_per_mwh == (10.0, 10.0, -7.5, -7.5)
    assert read(DIALECTS[3], fixed)[0].price_per_mwh == (10.0, None, -7.5)


def test_entsoe_takes_the_first_auction_wherever_it_stands_and_the_finest_of_its_series():
    both = publication(
        series_xml(((1, 9.0),), auction="2"),
        series_xml(((1, 10.0),), hours=1),
        series_xml(((1, 20.0), (2, 21.0), (3, 22.0), (4, 23.0)), resolution="PT15M", hours=1),
        series_xml(((1, 30.0),), start="23:00", hours=1),
    )
    series, _ = read(DIALECTS[3], both)

    assert (series.step_s, series.price_per_mwh) == (900, (20.0, 21.0, 22.0, 23.0, *(30.0,) * 4))


@pytest.mark.parametrize("status", [200, 400])
def test_entsoe_without_data_is_no_error_whatever_the_status(status):
    reason = "No matching data found for Data item ENERGY_PRICES"
    name = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
    body = (
        f'<Acknowledgement_MarketDocument xmlns="{name}"><Reason><code>999</code>'
        f"<text>{reason}</text></Reason></Acknowledgement_MarketDocument>"
    )

    assert read(DIALECTS[3], body, status=status)[0].price_per_mwh == ()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (publication(series_xml(((0, 1.0),))), "position 0 of 4 at price 1.0"),
        (publication(series_xml(((5, 1.0),))), "position 5 of 4"),
        (publication(series_xml(((1, "x"),))), "position 1 of 4 at price x|position 1 at"),
        (publication(series_xml((), resolution="P1D")), "a resolution of 'P1D' is none of"),
        (publication(series_xml((), hours=0)), "is none; ask again"),
        (publication(series_xml((), hours=9_000_000)), "a period of 375000 days"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "answered a page for people, or worse"),
        ("<GL_MarketDocument/>", "a GL_MarketDocument for prices"),
        ("<x", "which is no XML"),
    ],
)
def test_entsoe_documents_that_cannot_be_are_refused_in_a_line(body, complaint):
    with pytest.raises(DeviceReplyError, match=complaint) as refused:
        read(DIALECTS[3], body)

    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('{"unix_seconds": [1], "price": [1.0, 2.0], "unit": "EUR/MWh"}', "1 times and 2 prices"),
        ('{"unix_seconds": [1], "price": [1.0], "unit": "EUR/kWh"}', "in 'EUR/kWh', not EUR/MWh"),
        ('{"unix_seconds": ["a"], "price": [1], "unit": "EUR/MWh"}', "'a' among unix_seconds"),
        ('{"unix_seconds": [900], "price": ["a"], "unit": "EUR/MWh"}', "'a' among the prices"),
        ('{"price": [1.0], "unit": "EUR/MWh"}', "is no list"),
    ],
)
def test_energy_charts_documents_that_cannot_be_are_refused(body, complaint):
    with pytest.raises(DeviceReplyError, match=complaint):
        read(DIALECTS[0], body)


@pytest.mark.parametrize("time", ["0001-01-01T00:00+10:00", "9999-12-31T23:59-10:00"])
def test_a_time_at_the_calendars_ends_is_damage(time):
    rate = {"value_inc_vat": 1, "valid_from": time, "valid_to": None}
    row = {"startTime": time, "dataProvider": "APXMIDP", "price": 1, "volume": 1}
    period = re.sub("<start>.*?</start>", f"<start>{time}</start>", series_xml([(1, 5)]))

    for dialect, body in (
        (DIALECTS[1], json.dumps({"results": [rate], "next": None})),
        (DIALECTS[2], json.dumps({"data": [row]})),
        (DIALECTS[3], publication(period)),
    ):
        with pytest.raises(DeviceReplyError, match=re.escape(time)):
            read(dialect, body)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
@given(
    body=st.binary(max_size=200) | st.text(max_size=60).map(str.encode),
    status=st.integers(200, 499),
)
def test_whatever_comes_only_our_errors_come_out(dialect, body, status):
    with suppress(DeviceReplyError, DeviceRefusedError):
        dialect.page(FeedReply(status=status, body=body), end=END)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "data",
                        "results",
                        "next",
                        "price",
                        "unix_seconds",
                        "unit",
                        "startTime",
                        "dataProvider",
                        "volume",
                        "valid_from",
                        "valid_to",
                        "value_inc_vat",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_json_comes_only_our_errors_come_out(document):
    body = json.dumps(document).encode()
    for dialect in DIALECTS[:3]:
        with suppress(DeviceReplyError, DeviceRefusedError):
            dialect.page(FeedReply(status=200, body=body), end=END)


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        (None, None),
        ("120", 120.0),
        ("-5", 0.0),
        ("1e9", 21_600.0),
        ("nan", None),
        ("soon", None),
        ("Mon, 01 Jun 2026 22:10:00 GMT", 600.0),
    ],
)
def test_a_pause_is_as_long_as_the_service_asks_within_reason(header, pause_s):
    assert retry_after_s(header, END, longest_s=LONGEST_PAUSE_S) == pause_s
