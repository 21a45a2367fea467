"""The study's files: results, tables, pictures and the report."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any, Final

from aggregator.files import write_bytes, write_text
from scenarios.dispatch.sizing import Sizing
from scenarios.dispatch.sizing_picture import heats, sizing_picture
from scenarios.marchi import cases, paper
from scenarios.marchi.beside import claims
from scenarios.marchi.figures import figures
from scenarios.marchi.page import Findings, report
from scenarios.marchi.sizing_page import CURRENCY, sizing_about
from scenarios.marchi.study import Found, PricePair, Year
from scenarios.marchi.words import derivation
from scenarios.report.chart_picture import chart_picture

REPORT: Final = "report.html"
TABLE: Final = "policies.csv"


def tell(found: Found, out: Path, *, sizing: Sizing | None, command: str) -> dict[str, Any]:
    """Write policies.csv, results.json, report.html and the figures' pictures.

    Parameters
    ----------
    found : Found
        What the study came to.
    out : Path
        Folder of the study.
    sizing : Sizing or None
        Other batteries, where they were asked for.
    command : str
        What makes it again.

    Returns
    -------
    dict[str, Any]
        What results.json holds.
    """
    judged, drawn = claims(found), figures(found)
    rows = _rows(found)
    told: dict[str, Any] = {
        "data": found.study.source,
        "cars": found.study.reading,
        "provenance": derivation(found.study),
        "policies": rows,
        "best": {window: asdict(best) for window, best in found.best.items()},
        "table_4": _table_4(found),
        "cars_by_hypothesis": [
            {"generation": generation, "hypothesis": number, **_plain(year)}
            for (generation, number), year in found.cars.items()
        ],
        "bills": [_bill(found, pair) for pair in found.bills],
        "claims": [asdict(claim) for claim in judged],
    }
    out.mkdir(parents=True, exist_ok=True)
    if sizing is not None:
        told["sizing"] = _sizing(sizing)
        picture = sizing_picture(sizing, heats(sizing, CURRENCY), sizing_about())
        write_bytes(out / "sizing.png", picture)
    write_text(out / TABLE, _csv(rows))
    write_text(out / "results.json", json.dumps(told, indent=2) + "\n")
    for figure in drawn:
        write_bytes(out / f"{figure.chart.name}.png", chart_picture(figure.chart, figure.title))
    page = report(
        Findings(found=found, claims=judged, figures=drawn, sizing=sizing, command=command)
    )
    write_text(out / REPORT, page)
    return told


def _rows(found: Found) -> list[dict[str, Any]]:
    """Return a row for each run of tables 1 and 2."""
    rows = []
    for (generation, window, number), year in found.matrix.items():
        low, high = cases.WINDOWS[window]
        rows.append(
            {
                "generation": generation,
                "configuration": window,
                "soc_min": low,
                "soc_max": high,
                "policy": number,
                "name": paper.POLICIES[number],
                **_plain(year),
                "paper_peak_kw": paper.TABLE_1_KW[window][number - 1],
                "paper_battery_to_load_mwh": paper.TABLE_2_MWH[window][number - 1],
            }
        )
    return rows


def _plain(year: Year) -> dict[str, Any]:
    return {
        "peak_kw": round(year.peak_kw, 3),
        "mean_monthly_peak_kw": round(sum(year.peaks_kw) / 12, 3),
        "battery_to_load_mwh": round(year.delivered_mwh, 4),
        "round_trip_efficiency": round(year.round_trip, 4),
        "cycles_25_years": round(year.cycles, 1),
        "capacity_left": round(year.left[-1], 4),
    }


def _table_4(found: Found) -> list[dict[str, Any]]:
    return [
        {
            "generation": generation,
            "scenario": number,
            "highest_kw": max(peaks),
            "mean_kw": sum(peaks) / 12,
            "paper": asdict(paper.TABLE_4_KW[number]),
        }
        for (generation, number), peaks in found.peaks.items()
    ]


def _bill(found: Found, pair: PricePair) -> dict[str, Any]:
    bill = found.bills[pair]
    shares: dict[str, Mapping[int, float]] = {
        generation: {number: bill.share(cost) for number, cost in costs.items()}
        for generation, costs in bill.by_policy.items()
    }
    return {
        "import_price_per_mwh": pair[0],
        "peak_price_per_kw_year": pair[1],
        **asdict(bill),
        "share_of_optimum": shares
        | {
            name: bill.share(getattr(bill, name))
            for name in ("tuned", "rolling", "carried", "best_carried")
        },
    }


def _sizing(sizing: Sizing) -> dict[str, Any]:
    return {
        "capacities_wh": sizing.capacities_wh,
        "powers_w": sizing.powers_w,
        "cost_without": sizing.cost_without,
        "saving": {name: each.tolist() for name, each in sizing.saving.items()},
        "peak_w": {name: each.tolist() for name, each in sizing.peak_w.items()},
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    target = StringIO()
    writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()
