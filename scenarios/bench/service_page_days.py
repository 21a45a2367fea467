"""What the day cycle leaves of a few days, as the page shows it: runs, papers, scores, money."""

import math
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, insert

from aggregator.service.day.made import FLEET, ms
from aggregator.service.store.store import Store
from aggregator.service.store.tables import (
    forecast_scores,
    forecasts,
    papers,
    reliability,
    revenues,
    runs,
)
from contracts.timegrid import TimeGrid

ACCOUNTED: Final = 40
"""Days that were accounted."""
BROKEN: Final = "prices"
"""The step that failed of the day after."""
_STEPS: Final = (
    ("prices", "48 prices of energy-charts"),
    ("forecast", "demand 4210.5 kWh by knn, production 6120.2 kWh by linear"),
    ("plan", "proved: cost -112.40, export 2911.0 kWh"),
    ("offer", "6 bids of 2911.0 kWh; up to 1800.0 kW up, 2400.0 kW down"),
    ("award", "awarded 2911000 Wh in 6 intervals; proved"),
    ("publish", "published: 2911000 Wh in 48 intervals"),
)
_SOLD: Final = range(34, 40)
"""Slots of the evening that are sold."""
_Row = dict[str, Any]


def fill_days(store: Store, *, homes_count: int, today: date, zone: str = "Europe/London") -> None:
    """Write what was made of today, of the days before it, and of tomorrow, whose prices failed.

    Parameters
    ----------
    store : Store
        With its tables and homes.
    homes_count : int
        Homes, numbered from 1.
    today : date
        The local day under way.
    zone : str
        Its zone.
    """
    grid = TimeGrid.local_day(today, zone=zone)
    with store.write() as connection:
        connection.execute(insert(runs), [*_today(today), _failed(today + timedelta(days=1))])
        connection.execute(insert(papers), _papers(grid, today))
        connection.execute(insert(forecasts), _forecasts(grid))
        connection.execute(insert(forecast_scores), _scores(today))
        _write_homes(connection, homes_count, today - timedelta(days=1))


def _run(step: str, day: date, began: datetime, **more: object) -> _Row:
    began_ms = ms(began)
    return {
        "step": step,
        "day": day.isoformat(),
        "state": "done",
        "began_ms": began_ms,
        "ended_ms": began_ms + 1_400,
        "asked_by": "schedule",
        "input_hash": sha256(f"{day} {step}".encode()).hexdigest(),
    } | more


def _today(day: date) -> list[_Row]:
    before = datetime.combine(day - timedelta(days=1), time(12, 30), UTC)
    made = [
        _run(step, day, before + timedelta(minutes=10 * place), line=line)
        for place, (step, line) in enumerate(_STEPS)
    ]
    watched = datetime.combine(day, time(16, 40), UTC)
    line = "34 of 48 intervals over, delivered 871300 Wh"
    return [*made, _run("watch", day, watched, state="unfinished", line=line)]


def _failed(day: date) -> _Row:
    at = datetime.combine(day - timedelta(days=1), time(12, 30), UTC)
    line = "energy-charts does not answer: 503"
    return _run(BROKEN, day, at, state="failed", line=line, input_hash=None)


def _papers(grid: TimeGrid, day: date) -> list[_Row]:
    slots = range(grid.count)
    sold = [480_000.0 if slot in _SOLD else 0.0 for slot in slots]
    charged = [210_000.0 if slot in range(20, 32) else 0.0 for slot in slots]
    plan = {
        "charge_wh": charged,
        "discharge_wh": [energy * 0.8 for energy in sold],
        "import_wh": [0.0 if energy else 30_000.0 for energy in sold],
        "export_wh": sold,
        "soc": [0.2 + 0.6 / (1 + math.exp((26 - slot) / 2)) for slot in slots],
        "cost": -112.4,
        "status": {"kind": "proved", "gap": 0.0},
        "broken": [],
        "reason": "",
    }
    intervals = list(grid.intervals)
    bodies: dict[str, _Row] = {
        "forecast": {"sources": {"demand_wh": "knn", "production_wh": "linear"}},
        "plan": plan,
        "replan": plan | {"cost": -110.2, "status": {"kind": "gap", "gap": 0.004}},
        "offer": {
            "bids": [
                {
                    "interval": intervals[slot],
                    "quantity_wh": 485_000,
                    "limit_price_per_mwh": 20.0,
                }
                for slot in _SOLD
            ],
            "flexibility": [
                {
                    "interval": interval,
                    "up_w": 1_800_000.0,
                    "down_w": 2_400_000.0,
                    "up_price_per_mwh": 95.5,
                    "down_price_per_mwh": 41.25,
                }
                for interval in intervals
            ],
        },
        "award": {
            "quantity_wh": [480_000 if energy else 0 for energy in sold],
            "price_per_mwh": [60 + 40 * math.sin(slot / 7) for slot in slots],
        },
    }
    return [
        {"kind": kind, "day": day.isoformat(), "run_number": 1, "body": body}
        for kind, body in bodies.items()
    ]


def _forecasts(grid: TimeGrid) -> list[_Row]:
    rows = []
    for slot, start in enumerate(grid.starts()):
        sun = max(0.0, math.sin(math.pi * (slot - 10) / 30))
        for quantity, source, value in (
            ("demand_wh", "knn", 70_000 + 30_000 * math.sin(slot / 6)),
            ("demand_wh", "linear", 72_000 + 26_000 * math.sin(slot / 6)),
            ("production_wh", "knn", 300_000 * sun),
            ("production_wh", "linear", 320_000 * sun),
        ):
            key = {"source": source, "quantity": quantity, "start_ms": ms(start)}
            made = {"made_ms": ms(grid.start), "step_ms": grid.step_s * 1000, "value": value}
            rows.append(key | made)
    return rows


def _scores(day: date) -> list[_Row]:
    names = ("quantity", "source", "mean_absolute", "bias", "relative")
    scored = (
        ("demand_wh", "knn", 8_420.5, 1_200.0, 0.1218),
        ("demand_wh", "linear", 9_010.0, -300.0, 0.1304),
        ("production_wh", "knn", 31_200.0, 4_000.0, 0.2411),
        ("production_wh", "linear", 28_900.0, 2_100.0, 0.2209),
    )
    told = {"day": day.isoformat(), "slots": 34}
    return [dict(zip(names, row, strict=True)) | told for row in scored]


def _write_homes(connection: Connection, homes_count: int, day: date) -> None:
    """Write money and reliability: of homes the last day, of the fleet and home 7 all days."""
    accounts: list[_Row] = []
    numbers = range(1, homes_count + 1)
    for back in range(ACCOUNTED):
        of = {"day": (day - timedelta(days=back)).isoformat()}
        homes = [of | _earned(number, back) for number in (numbers if back == 0 else (7,))]
        revenue = round(homes_count * 180_000 * (1 + 0.5 * math.sin(back / 3)))
        fleet = {"revenue_micro": revenue, "cost_micro": revenue * 9 // 10 + 1_000_000 * (back % 3)}
        counted = {"baseline_micro": None, "exported_wh": homes_count * (2_100 + 300 * (back % 4))}
        accounts += [*homes, of | {"home_number": FLEET} | fleet | counted]
    connection.execute(insert(revenues), accounts)
    scores = [
        {
            "day": (day + timedelta(days=1)).isoformat(),
            "home_number": number,
            "score": 1 - (number % 13 == 0) * (number % 97) / 200,
            "failures": (number % 26 == 0) * 2,
            "disconnected_ms": (number % 13 == 0) * 60_000 * (number % 97),
            "missed": int(number % 39 == 0),
        }
        for number in numbers
    ]
    connection.execute(insert(reliability), scores)


def _earned(number: int, back: int) -> _Row:
    return {
        "home_number": number,
        "revenue_micro": 120_000 + number * 7 % 90_000 + back * 1_000,
        "cost_micro": 400_000 + number * 31 % 500_000,
        "baseline_micro": 1_900_000 + number * 17 % 700_000,
        "exported_wh": 1_900 + number % 500,
    }
