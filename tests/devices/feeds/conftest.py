"""Emulated price services on real sockets, and sources that ask them."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_dialects import DIALECTS
from devices.feeds.settings import PriceSettings
from devices.hand_clock import HandClock

TOKEN = "7f2c-secret-token"
STEPS = {
    "energy-charts": timedelta(minutes=15),
    "octopus": timedelta(minutes=30),
    "elexon": timedelta(minutes=30),
    "entsoe": timedelta(minutes=15),
}


class SetClock(HandClock):
    """A clock whose time of day can be chosen."""

    def __init__(self, utc=datetime(2026, 6, 1, 12, tzinfo=UTC)):
        super().__init__()
        self._ahead = utc - super().utc()

    def utc(self):
        return super().utc() + self._ahead

    def set(self, utc):
        self._ahead += utc - self.utc()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def served(tmp_path, clock):
    """Return what runs a service, and gives it and the settings that reach it."""

    @asynccontextmanager
    async def serve(source, *, price_of=None, prices=None, dialect=None, **options):
        zone = ZoneInfo("Europe/London" if source in {"octopus", "elexon"} else "Europe/Berlin")
        known = {} if source != "elexon" else {"published": None}
        known |= {} if price_of is None else {"price_of": price_of}
        shown = prices or PublishedPrices(step=STEPS[source], zone=zone, **known)
        chosen = {"token": TOKEN} if source == "entsoe" else {}
        answers = DIALECTS[source](**chosen, **(dialect or {}))
        service = PriceService(answers, prices=shown, clock=clock, **options)
        await service.start()
        key_file = tmp_path / "entsoe.key"
        key_file.write_text(f"{TOKEN}\n")
        key_file.chmod(0o600)
        own = {
            "energy-charts": {"area": "DE-LU"},
            "octopus": {"product": "AGILE-24-10-01", "tariff": "E-1R-AGILE-24-10-01-C"},
            "elexon": {},
            "entsoe": {"area": "10Y1001A1001A82H", "key_file": key_file, "zone": "Europe/Berlin"},
        }[source]
        try:
            yield service, PriceSettings(source=source, url=service.url, timeout_s=20.0, **own)
        finally:
            await service.stop()

    return serve
