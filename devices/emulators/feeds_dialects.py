"""How each emulated price service answers: paths, statuses, documents and pages of the real one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from devices.emulators.feeds import Answers, PriceService
from devices.emulators.http_server import HttpAnswer, HttpRequest
from devices.feeds.local_days import day_of

_XML: Final = "text/xml"
_PUBLICATION: Final = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
_ACKNOWLEDGEMENT: Final = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
_RESOLUTIONS: Final = {
    timedelta(minutes=15): "PT15M",
    timedelta(minutes=30): "PT30M",
    timedelta(hours=1): "PT60M",
}


def energy_charts(area: str = "DE-LU") -> Answers:
    """Return the answers of energy-charts: 404 for a time without prices, null for a hole."""

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        if request.path != "/price":
            return _json({"detail": "Not Found"}, status=404)
        if request.query.get("bzn") != area:
            return _json({"detail": [{"loc": ["query", "bzn"], "msg": "invalid"}]}, status=422)
        begin, last = (datetime.fromisoformat(request.query[each]) for each in ("start", "end"))
        end = last + timedelta(seconds=1)  # the last moment is one that is asked for
        known = service.prices.known(begin, end, now=service.now)
        if not any(price is not None for _, price in known):
            return _json({"detail": "no content available"}, status=404)
        return _json(
            {
                "license_info": "CC BY 4.0 (creativecommons.org/licenses/by/4.0)",
                "unix_seconds": [int(each.timestamp()) for each, _ in known],
                "price": [price for _, price in known],
                "unit": "EUR / MWh",
                "deprecated": False,
            }
        )

    return answer


def octopus(
    product: str = "AGILE-24-10-01", tariff: str = "E-1R-AGILE-24-10-01-C", *, page_size: int = 100
) -> Answers:
    """Return the answers of Octopus: rates newest first, in pages that name the next one."""
    root = f"/v1/products/{product}/electricity-tariffs/{tariff}/standard-unit-rates/"

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        if request.path != root:
            return _json({"detail": "No Product matches the given query."}, status=404)
        begin, end = (
            datetime.fromisoformat(request.query[each]) for each in ("period_from", "period_to")
        )
        known = service.prices.known(begin, end, now=service.now)
        rates = [
            _rate(each, price, service) for each, price in reversed(known) if price is not None
        ]
        size = min(int(request.query.get("page_size", 100)), page_size)
        page = int(request.query.get("page", 1))

        def url(number: int) -> str:
            return f"{service.url}{root}?{urlencode({**request.query, 'page': number})}"

        return _json(
            {
                "count": len(rates),
                "next": url(page + 1) if page * size < len(rates) else None,
                "previous": url(page - 1) if page > 1 else None,
                "results": rates[(page - 1) * size : page * size],
            }
        )

    return answer


def elexon() -> Answers:
    """Return the answers of Elexon Insights: both providers' rows, N2EX without a trade."""

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        if request.path != "/balancing/pricing/market-index":
            return _json({"statusCode": 404, "message": "Resource not found"}, status=404)
        begin, last = (datetime.fromisoformat(request.query[each]) for each in ("from", "to"))
        if last - begin > timedelta(days=7):
            problem = {"errors": {"To": ["The date range must not exceed 7 days"]}, "status": 400}
            return _json(problem, status=400)
        known = service.prices.known(begin, last + timedelta(seconds=1), now=service.now)
        rows = [
            _index(each, provider, price)
            for each, price in reversed(known)
            for provider in ("APXMIDP", "N2EXMIDP")
        ]
        wanted = request.query.get("dataProviders")
        return _json({"data": [row for row in rows if wanted in {None, row["dataProvider"]}]})

    return answer


def entsoe(
    area: str = "10Y1001A1001A82H", *, token: str, currency: str = "EUR", second: bool = True
) -> Answers:
    """Return the answers of ENTSO-E: whole days in blocks of variable size, 401 without the token.

    ``second`` puts a second auction's series before the first one's, as Germany's documents do.
    """

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        query = request.query
        if query.get("securityToken") != token:
            return HttpAnswer(status=401, body=_reason("Unauthorized"), content_type=_XML)
        if query.get("in_Domain") != area or query.get("documentType") != "A44":
            body = _reason(f"Input parameter does not exist: {query.get('in_Domain')}")
            return HttpAnswer(status=400, body=body, content_type=_XML)
        days = _days(service, _digits(query["periodStart"]), _digits(query["periodEnd"]))
        if not days:
            body = _reason("No matching data found for Data item ENERGY_PRICES [12.1.D]")
            return HttpAnswer(body=body, content_type=_XML)
        series = [
            part
            for begin, prices in days
            for part in (
                *(
                    [_series(service, begin, [9.0] * len(prices), auction="2", currency=currency)]
                    if second
                    else []
                ),
                _series(service, begin, prices, auction="1", currency=currency),
            )
        ]
        text = (
            f'<?xml version="1.0" encoding="utf-8"?>\n'
            f'<Publication_MarketDocument xmlns="{_PUBLICATION}"><type>A44</type>'
            f"{''.join(series)}</Publication_MarketDocument>"
        )
        return HttpAnswer(body=text.encode(), content_type=_XML)

    return answer


def _json(document: object, *, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status=status, body=json.dumps(document).encode())


def _rate(begin: datetime, price: float, service: PriceService) -> dict[str, object]:
    return {
        "value_exc_vat": round(price / 10 / 1.05, 4),
        "value_inc_vat": price / 10,
        "valid_from": _zulu(begin),
        "valid_to": _zulu(begin + service.prices.step),
        "payment_method": None,
    }


def _index(begin: datetime, provider: str, price: float | None) -> dict[str, object]:
    traded = provider == "APXMIDP" and price is not None
    return {
        "startTime": _zulu(begin),
        "dataProvider": provider,
        "settlementDate": f"{begin:%Y-%m-%d}",
        "settlementPeriod": begin.hour * 2 + begin.minute // 30 + 1,
        "price": price if traded else 0.0,
        "volume": 812.5 if traded else 0.0,
    }


def _days(
    service: PriceService, begin: datetime, end: datetime
) -> list[tuple[datetime, list[float | None]]]:
    """Return begin and prices of the published days that a time touches."""
    found = []
    day_begin, day_end = day_of(begin, service.prices.zone)
    while day_begin < end:
        if day_end <= service.prices.known_until(service.now):
            known = service.prices.known(day_begin, day_end, now=service.now)
            found.append((day_begin, [price for _, price in known]))
        day_begin, day_end = day_of(day_end, service.prices.zone)
    return found


def _series(
    service: PriceService,
    begin: datetime,
    prices: list[float | None],
    *,
    auction: str,
    currency: str,
) -> str:
    """Return a series; a price that repeats is left out, as blocks of variable size do."""
    step = service.prices.step
    points, before = [], None
    for position, price in enumerate(prices, start=1):
        if price is not None and price != before:
            points.append(
                f"<Point><position>{position}</position><price.amount>{price}</price.amount></Point>"
            )
            before = price
    return (
        "<TimeSeries><auction.type>A01</auction.type>"
        "<contract_MarketAgreement.type>A01</contract_MarketAgreement.type>"
        f"<currency_Unit.name>{currency}</currency_Unit.name>"
        "<price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
        "<classificationSequence_AttributeInstanceComponent.position>"
        f"{auction}</classificationSequence_AttributeInstanceComponent.position>"
        "<curveType>A03</curveType><Period><timeInterval>"
        f"<start>{begin:%Y-%m-%dT%H:%MZ}</start><end>{begin + len(prices) * step:%Y-%m-%dT%H:%MZ}"
        f"</end></timeInterval><resolution>{_RESOLUTIONS[step]}</resolution>"
        f"{''.join(points)}</Period></TimeSeries>"
    )


def _reason(text: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Acknowledgement_MarketDocument '
        f'xmlns="{_ACKNOWLEDGEMENT}"><mRID>be3917c7-0704-4</mRID>'
        f"<Reason><code>999</code><text>{escape(text)}</text></Reason>"
        "</Acknowledgement_MarketDocument>"
    ).encode()


def _digits(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)


def _zulu(utc: datetime) -> str:
    return f"{utc:%Y-%m-%dT%H:%M:%SZ}"


DIALECTS: Final[dict[str, Callable[..., Answers]]] = {
    "energy-charts": energy_charts,
    "octopus": octopus,
    "elexon": elexon,
    "entsoe": entsoe,
}
"""How each source of `devices.feeds.settings.SOURCES` is answered."""
