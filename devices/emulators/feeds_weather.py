"""How emulated weather services answer: paths, statuses and documents of the real ones.

Serve them by `devices.emulators.feeds.PriceService`, whose prices they do not look at.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from devices.emulators.feeds import Answers, PriceService
from devices.emulators.http_server import HttpAnswer, HttpRequest

WeatherOf = Callable[[datetime], tuple[float, float]]
"""Irradiance and temperature at a time. [W/m², °C]"""
_TYPICAL_YEAR: Final = 2015
"""A year without a leap day."""


def open_meteo(weather_of: WeatherOf, *, days_ahead: int = 15) -> Answers:
    """Return the answers of Open-Meteo: whole days, nothing beyond its forecast's end."""

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        query = request.query
        if request.path != "/v1/forecast":
            return _json({"error": True, "reason": "Not Found"}, status=404)
        if abs(float(query["latitude"])) > 90:
            reason = f"Latitude must be in range of -90 to 90°. Given: {query['latitude']}."
            return _json({"error": True, "reason": reason}, status=400)
        first, last = (
            datetime.fromisoformat(query[each]).replace(tzinfo=UTC)
            for each in ("start_date", "end_date")
        )
        if last > service.now + timedelta(days=days_ahead):
            reason = f"Parameter 'end_date' is out of allowed range to {service.now:%Y-%m-%d}"
            return _json({"error": True, "reason": reason}, status=400)
        count = 24 * ((last - first).days + 1)
        times = [first + timedelta(hours=hour) for hour in range(count)]
        return _json(
            {
                "latitude": float(query["latitude"]),
                "longitude": float(query["longitude"]),
                "utc_offset_seconds": 0,
                "hourly_units": {
                    "time": "unixtime",
                    "shortwave_radiation": "W/m²",
                    "temperature_2m": "°C",
                },
                "hourly": {
                    "time": [int(each.timestamp()) for each in times],
                    # of the hour before
                    "shortwave_radiation": [
                        weather_of(each - timedelta(hours=1))[0] for each in times
                    ],
                    "temperature_2m": [weather_of(each)[1] for each in times],
                },
            }
        )

    return answer


def pvgis(weather_of: WeatherOf) -> Answers:
    """Return the answers of PVGIS: a typical year, its months out of different years."""

    def answer(service: PriceService, request: HttpRequest) -> HttpAnswer:
        del service
        if request.path != "/api/v5_3/tmy":
            return _json({"message": "Not found", "status": 404}, status=404)
        if abs(float(request.query["lat"])) > 90:
            why = "lat: Incorrect value. Please, enter a float between -90 and 90."
            return _json({"message": why, "status": 400}, status=400)
        start = datetime(_TYPICAL_YEAR, 1, 1, tzinfo=UTC)
        times = [start + timedelta(hours=hour) for hour in range(8_760)]
        return _json({"outputs": {"tmy_hourly": [_hour(each, weather_of) for each in times]}})

    return answer


def _hour(time: datetime, weather_of: WeatherOf) -> dict[str, object]:
    sun, air = weather_of(time)
    shown = time.replace(year=_TYPICAL_YEAR - time.month % 4 * 2)
    return {"time(UTC)": f"{shown:%Y%m%d:%H%M}", "T2m": air, "RH": 71.0, "G(h)": sun}


def _json(document: object, *, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status=status, body=json.dumps(document).encode())
