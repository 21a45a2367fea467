"""The study: its scenarios lived through one after the other, then table, claims and figures."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from aggregator.files import write_bytes, write_text
from scenarios.couraud import table
from scenarios.couraud.beside import claims, sensitivity
from scenarios.couraud.cases import CASES, Study
from scenarios.couraud.figures import figures
from scenarios.couraud.page import Findings, report
from scenarios.couraud.results import Result, read_result
from scenarios.couraud.words import read_prices
from scenarios.data.fleet_data import FleetData
from scenarios.report.chart_picture import chart_picture
from scenarios.simulation.day_source import DaySource
from scenarios.simulation.fleet_run import run_fleet

Progress = Callable[[int, float], None]
"""Told the scenario and the days of it that are done."""
REPORT = "report.html"


def live(
    study: Study, out: Path, *, only: Iterable[int] = CASES, progress: Progress = lambda *_: None
) -> dict[int, Path]:
    """Live through scenarios, each in a folder of its own; what is done is not done again.

    Parameters
    ----------
    study : Study
        What they have in common.
    out : Path
        Folder of the study.
    only : Iterable[int]
        Numbers of the scenarios.
    progress : Progress
        Called after each simulated minute.

    Returns
    -------
    dict[int, Path]
        The scenarios' folders.
    """
    folders = {number: out / f"scenario-{number}" for number in only}
    for number, folder in folders.items():
        run_fleet(
            study.run(number),
            folder,
            progress=lambda done, _, number=number: progress(number, done / 1440),  # type: ignore[misc] # mypy knows no lambda with a default
        )
        progress(number, study.days)
    return folders


def tell(
    study: Study, folders: Mapping[int, Path], out: Path, *, sweeps: Path, command: str
) -> dict[str, object]:
    """Write table.csv, results.json, report.html and the figures' pictures.

    Parameters
    ----------
    study : Study
        What was run.
    folders : Mapping[int, Path]
        All scenarios' folders.
    out : Path
        Folder of the study.
    sweeps : Path
        Folder of sweeps, whose claims are told, too; it need not be there.
    command : str
        What makes it again, for the report.

    Returns
    -------
    dict[str, object]
        What results.json holds.
    """
    results = {number: read_result(folder, number) for number, folder in folders.items()}
    first = DaySource(homes=study.homes, seed=study.rules.seed, folder=study.folder)
    data = first.day(study.first_day)
    rows = _rows(study, results, data)
    judged, swept = claims(results, data.currency), sensitivity(sweeps)
    drawn = figures(study, folders, results, data.currency)
    told: dict[str, object] = {
        "first_day": str(study.first_day),
        "days": study.days,
        "homes": study.homes,
        "data": data.source,
        "currency": data.currency,
        "provenance": list(data.provenance),
        "table": rows,
        "claims": [asdict(claim) for claim in judged],
        "sensitivity": [asdict(claim) for claim in swept],
    }
    write_text(out / "table.csv", table.as_csv(rows))
    write_text(out / "results.json", json.dumps(told, indent=2) + "\n")
    for figure in drawn:
        write_bytes(out / f"{figure.chart.name}.png", chart_picture(figure.chart, figure.title))
    page = report(
        Findings(
            results=results,
            table=rows,
            claims=judged,
            sensitivity=swept,
            figures=drawn,
            prices=read_prices(folders[0]),
            data=data,
            command=command,
        )
    )
    write_text(out / REPORT, page)
    return told


def _rows(study: Study, results: Mapping[int, Result], data: FleetData) -> list[table.Row]:
    return table.rows(
        results,
        panels_w=float(data.pv_rating_w.sum()),
        batteries_wh=study.homes * study.run(4).battery.capacity_wh,
        currency=data.currency,
    )
