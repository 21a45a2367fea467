"""A fleet in the middle of its day, as the page shows it: homes, a market day, alarms, an order."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, insert

from aggregator.service.rest.day import FleetDay
from aggregator.service.store.channels import BATTERY_POWER, GRID, LOAD, PV, SOC
from aggregator.service.store.store import Store
from aggregator.service.store.tables import (
    alarms,
    commands,
    devices,
    homes,
    homes_now,
    settlements,
    telemetry_1min,
    telemetry_15min,
)
from aggregator.service.store.telemetry import DAY_MS, MINUTE_MS, QUARTER_MS

HALF_HOUR_MS: Final = 1_800_000
"""Length of a market interval. [ms]"""
CAPACITY_WH: Final = 10_000
"""Of each battery. [Wh]"""
MEASURED: Final = 7
"""Number of the home of which a day of measurements is written."""
GROUP_HOMES: Final = 250
"""Homes of a group."""
ORDER: Final = "evening-peak"
"""Id of the order that is written."""
_SILENT, _OFFLINE, _NEVER = 97, 211, 997
"""Each so many-th home is so."""


def fill_page(store: Store, *, homes_count: int, now_ms: int) -> None:
    """Write a fleet as it is at ``now_ms``.

    Parameters
    ----------
    store : Store
        With its tables, empty.
    homes_count : int
        Homes, at least `MEASURED`.
    now_ms : int
        The present. [ms]
    """
    with store.write() as connection:
        _write_homes(connection, homes_count, now_ms)
        _write_alarms(connection, homes_count, now_ms)
        _write_order(connection, min(homes_count, GROUP_HOMES), now_ms)
        _write_settlements(connection, homes_count, now_ms)
        _write_measured(connection, now_ms)


def home_id(number: int) -> str:
    """Return the id of the home of a number."""
    return f"home-{number:05}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDay:
    """A market day that has a morning and an evening peak; the batteries sell in the evening."""

    homes: int
    """Homes that export."""
    now_ms: int
    """Until when it was delivered. [ms]"""
    zone: str = "Europe/London"
    """The market's."""

    def day(self, day: date) -> FleetDay:
        """Return a day.

        Parameters
        ----------
        day : date
            Local market day.
        """
        zone = ZoneInfo(self.zone)
        first, last = (
            int(datetime(each.year, each.month, each.day, tzinfo=zone).timestamp() * 1000)
            for each in (day, day + timedelta(days=1))
        )
        start_ms = list(range(first, last, HALF_HOUR_MS))
        hours = [(start - first) / 3_600_000 for start in start_ms]
        over = [start + HALF_HOUR_MS <= self.now_ms for start in start_ms]
        begun = [start <= self.now_ms for start in start_ms]
        prices = [round(62 + 30 * _bump(h, 8, 1.6) + 95 * _bump(h, 18.5, 2), 2) for h in hours]
        planned = [
            self.homes * (-420 * _bump(h, 13, 2.5) + 900 * _bump(h, 18.5, 1.6)) for h in hours
        ]
        committed = [max(0, round(each)) if each > self.homes * 80 else 0 for each in planned]
        charge = [0.3 + 0.55 * _rise(h, 13) - 0.6 * _rise(h, 18.5) for h in hours]
        return FleetDay(
            day=day,
            zone=self.zone,
            start_ms=start_ms,
            price_per_mwh=list(prices),
            imbalance_price_per_mwh=[round(each * 1.35, 2) for each in prices],
            planned_export_wh=list(planned),
            committed_wh=list(committed),
            delivered_wh=[
                round(_delivered(place, plan, promised) * self._share(start)) if known else None
                for place, (start, plan, promised, known) in enumerate(
                    zip(start_ms, planned, committed, begun, strict=True)
                )
            ],
            soc=[
                round(each - 0.015 * math.sin(place), 4) if known else None
                for place, (each, known) in enumerate(zip(charge, begun, strict=True))
            ],
            soc_planned=[round(each, 4) for each in charge],
            revenue_micro=[
                round(promised * price) if done else None
                for promised, price, done in zip(committed, prices, over, strict=True)
            ],
        )

    def _share(self, start_ms: int) -> float:
        """Return how much of an interval is over."""
        return min(1.0, max(0.0, (self.now_ms - start_ms) / HALF_HOUR_MS))


def _bump(hour: float, middle: float, width: float) -> float:
    return math.exp(-(((hour - middle) / width) ** 2))


def _rise(hour: float, middle: float) -> float:
    return 1 / (1 + math.exp(-1.1 * (hour - middle)))


def _delivered(place: int, planned_wh: float, promised_wh: int) -> float:
    return promised_wh * (1 - 0.06 * (place % 4)) if promised_wh else planned_wh * 1.05


def _write_homes(connection: Connection, homes_count: int, now_ms: int) -> None:
    """Write homes and how they are now; some are silent, offline or were never heard."""
    rng = np.random.default_rng(0)
    numbers = range(1, homes_count + 1)
    connection.execute(
        insert(homes),
        [
            {
                "number": number,
                "id": home_id(number),
                "name": f"{number} Harbour Road",
                "group_name": f"street-{(number - 1) // GROUP_HOMES + 1}",
                "created_ms": now_ms,
                "version": 1,
            }
            for number in numbers
        ],
    )
    connection.execute(
        insert(devices),
        {
            "home_number": MEASURED,
            "id": "storage",
            "kind": "battery",
            "model": "sonnenBatterie 10",
            "capacity_wh": CAPACITY_WH,
            "power_max_w": 3_400.0,
            "settings": {},
        },
    )
    soc, load_w = rng.beta(5, 3, homes_count), rng.gamma(2, 250, homes_count)
    pv_w, power_w = rng.gamma(2, 400, homes_count), rng.normal(-900, 700, homes_count)
    street = 0.85 + 0.3 * rng.random(homes_count // GROUP_HOMES + 1)
    rows = []
    for number, *figures in zip(numbers, soc, load_w, pv_w, power_w, strict=True):
        if number % _NEVER == 0:
            continue
        share, load, pv, power = (float(each) for each in figures)
        ago_ms = 3_600_000 if number % _SILENT == 0 else number * 7_919 % 60_000
        rows.append(
            {
                "home_number": number,
                "online": number % _OFFLINE != 0,
                "status_ms": now_ms - 7_200_000,
                "heard_ms": now_ms - ago_ms,
                "end_ms": now_ms - ago_ms,
                "soc": min(1.0, share * float(street[(number - 1) // GROUP_HOMES])),
                "battery_power_w": power,
                "load_w": load,
                "pv_w": pv,
                "grid_power_w": load + power - pv,
            }
        )
    connection.execute(insert(homes_now), rows)


def _write_alarms(connection: Connection, homes_count: int, now_ms: int) -> None:
    """Write alarms of each state."""
    lines = (
        ("temperature", "critical", "battery at 52 °C, limit 50 °C", "raised"),
        ("meter", "warning", "meter and battery differ by 410 W for 15 minutes", "raised"),
        ("soc", "warning", "state of charge 4 % is below its window from 10 %", "acknowledged"),
        ("silent", "warning", "not heard of for 62 minutes", "resolved"),
    )
    connection.execute(
        insert(alarms),
        [
            {
                "kind": kind,
                "home_number": place * 7 % homes_count + 3,
                "state": state,
                "severity": severity,
                "line": line,
                "raised_ms": now_ms - 3_600_000 + place * 600_000,
                "acknowledged_ms": now_ms - 60_000 if state != "raised" else None,
                "resolved_ms": now_ms - 30_000 if state == "resolved" else None,
            }
            for place, (kind, severity, line, state) in enumerate(lines)
        ],
    )


def _write_order(connection: Connection, homes_count: int, now_ms: int) -> None:
    """Write an order to a group that most of its homes have carried out."""
    connection.execute(
        insert(commands),
        [
            {
                "correlation_id": f"{ORDER}-{number}",
                "request_id": ORDER,
                "home_number": number,
                "target": "group:street-1",
                "body": {"write": "discharge", "power": 60, "interval": 30},
                "asked_by": "admin",
                "state": "done" if number % 9 else "refused",
                "asked_ms": now_ms - 1_200_000,
                "sent_ms": now_ms - 1_199_000,
                "expires_ms": now_ms - 900_000,
                "finished_ms": now_ms - 1_190_000,
                "code": None if number % 9 else "budget-spent",
                "late": False,
            }
            for number in range(1, homes_count + 1)
        ],
    )


def _write_settlements(connection: Connection, homes_count: int, now_ms: int) -> None:
    """Write what was settled in the two days before."""
    newest = now_ms // HALF_HOUR_MS - 1
    rows: list[dict[str, Any]] = []
    for number in range(newest, newest - 96, -1):
        promised = homes_count * (300 + number * 37 % 500)
        rows.append(
            {
                "interval_number": number,
                "start_ms": number * HALF_HOUR_MS,
                "commitment_wh": promised,
                "delivered_wh": promised - homes_count * (number % 40),
                "price_micro_per_mwh": 85_000_000,
                "imbalance_price_micro_per_mwh": 120_000_000,
                "revenue_micro": promised * 84,
                "fee_micro": promised * 4,
                "loss_micro": 0,
                "transaction": "0x" + sha256(f"{number}".encode()).hexdigest(),
            }
        )
    connection.execute(insert(settlements), rows)


def _write_measured(connection: Connection, now_ms: int) -> None:
    """Write a day of one home in minutes and quarter-hours."""
    for table, size_ms in ((telemetry_1min, MINUTE_MS), (telemetry_15min, QUARTER_MS)):
        bins = range((now_ms - DAY_MS) // size_ms, now_ms // size_ms)
        starts = [each * size_ms for each in bins]
        rows = [row for start_ms in starts for row in _measured(start_ms, size_ms)]
        connection.execute(insert(table), rows)


def _measured(start_ms: int, size_ms: int) -> list[dict[str, float]]:
    """Return what was measured in a bin."""
    hour = start_ms / 3_600_000 % 24
    pv = max(0.0, 3_200 * math.sin(math.pi * (hour - 6) / 14)) if 6 < hour < 20 else 0.0
    load = 350 + 900 * _bump(hour, 8, 1) + 1_400 * _bump(hour, 19, 1.5)
    power = 2_400 * _bump(hour, 12.5, 2.5) - 2_000 * _bump(hour, 18.5, 2)
    soc = 100 * min(1.0, 0.25 + 0.65 * _rise(hour, 12.5) - 0.55 * _rise(hour, 18.5))
    figures = (
        (BATTERY_POWER, power, 250.0),
        (LOAD, load, 180.0),
        (PV, pv, 300.0 if pv else 0.0),
        (GRID, load + power - pv, 200.0),
        (SOC, soc, 1.0),
    )
    return [
        {
            "home_number": MEASURED,
            "channel_number": channel,
            "start_ms": start_ms,
            "covered_ms": size_ms,
            "last_ms": start_ms + size_ms,
            "low": mean - spread,
            "high": mean + spread,
            "mean": mean,
            "last": mean,
        }
        for channel, mean, spread in figures
    ]
