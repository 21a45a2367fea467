"""A study's files: table, curves, claims, pictures and the report."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

from aggregator.files import write_bytes, write_text
from scenarios.prosumer import table
from scenarios.prosumer.beside import Found, claims
from scenarios.prosumer.figures import figures
from scenarios.prosumer.foreseen import errors
from scenarios.prosumer.page import Findings, report
from scenarios.prosumer.speed import Speed
from scenarios.prosumer.study import Study
from scenarios.report.chart_picture import chart_picture

REPORT: Final = "report.html"
JUDGED_EVERY_H: Final = 7
"""Hours from one forecast that is judged to the next. [h]"""


def tell(
    study: Study, found: Found, out: Path, *, forecast: str, command: str
) -> dict[str, object]:
    """Write table.csv, curves.csv, results.json, report.html and the figures' pictures.

    Parameters
    ----------
    study : Study
        What was run.
    found : Found
        What it came to.
    out : Path
        Folder of the study.
    forecast : str
        How the imperfect forecast is made.
    command : str
        What makes it again.

    Returns
    -------
    dict[str, object]
        What results.json holds.
    """
    rows, judged = table.rows(found), claims(found)
    first, month = (_day(study, hour) for hour in (study.begin, study.month_begin))
    drawn = figures(found, first, month)
    wrong = errors(
        study.imperfect,
        study.series,
        begin=study.begin,
        hours=study.hours,
        horizon_h=72,
        every=JUDGED_EVERY_H,
    )
    told = {
        **_plain(study, found),
        "imperfect_forecast": forecast,
        "forecast_error_by_hours_ahead": wrong,
        "runs": rows,
        "claims": [asdict(claim) for claim in judged],
    }
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "table.csv", table.as_csv(rows))
    write_text(out / "curves.csv", table.curves_csv(found))
    write_text(out / "results.json", json.dumps(told, indent=2) + "\n")
    for figure in drawn:
        write_bytes(out / f"{figure.chart.name}.png", chart_picture(figure.chart, figure.title))
    page = report(
        Findings(
            study=study,
            found=found,
            rows=rows,
            claims=judged,
            figures=drawn,
            errors=wrong,
            forecast=forecast,
            command=command,
        )
    )
    write_text(out / REPORT, page)
    return told


def _plain(study: Study, found: Found) -> dict[str, object]:
    """Return what was asked, and how long plans take, as JSON carries it."""
    return {
        "first_day": str(_day(study, study.begin)),
        "days": study.hours / 24,
        "data": study.series.source,
        "currency": study.series.currency,
        "provenance": list(study.series.provenance),
        "budget": asdict(study.budget),
        "speed": plain_speed(found.speed),
    }


def plain_speed(speed: Speed) -> dict[str, float]:
    """Return the times and what they come to, by name."""
    return asdict(speed) | {
        "speedup_rules_milp": speed.speedup_rules_milp,
        "speedup_rules_numpy_milp": speed.speedup_rules_numpy_milp,
        "speedup_rules_milp_binaries": speed.speedup_rules_milp_binaries,
    }


def _day(study: Study, hour: int) -> date:
    return date.fromordinal(int(study.series.day[hour]))
