"""A study's files: tables, claims, pictures and the report."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from aggregator.files import write_bytes, write_text
from scenarios.habib import table
from scenarios.habib.beside import claims
from scenarios.habib.eight_hours import RULE, sky
from scenarios.habib.figures import day_figures
from scenarios.habib.page import Findings, report
from scenarios.habib.spread import spread_figures
from scenarios.habib.study import Found
from scenarios.habib.surfaces import surface_figure, surface_picture
from scenarios.report.chart_picture import chart_picture

REPORT: Final = "report.html"


def tell(found: Found, out: Path, *, command: str) -> dict[str, object]:
    """Write table.csv, breaks.csv, results.json, report.html and the figures' pictures.

    Parameters
    ----------
    found : Found
        What the study came to.
    out : Path
        Folder of the study.
    command : str
        What makes it again.

    Returns
    -------
    dict[str, object]
        What results.json holds.
    """
    rows, judged, broken = table.rows(found), claims(found), table.break_rows(found)
    drawn = [*day_figures(found), *spread_figures(found)]
    surfaces = surface_figure()
    told: dict[str, object] = {
        **_plain(found),
        "runs": rows,
        "breaks": broken,
        "claims": [asdict(claim) for claim in judged],
    }
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "table.csv", table.as_csv(rows))
    write_text(out / "breaks.csv", table.as_csv(broken))
    write_text(out / "results.json", json.dumps(told, indent=2) + "\n")
    for figure in drawn:
        write_bytes(out / f"{figure.chart.name}.png", chart_picture(figure.chart, figure.title))
    write_bytes(out / f"{surfaces.chart.name}.png", surface_picture())
    figures = [surfaces, *drawn]
    shown = Findings(found=found, rows=rows, claims=judged, figures=figures, command=command)
    write_text(out / REPORT, report(shown))
    return told


def _plain(found: Found) -> dict[str, object]:
    """Return what was run and how two controllers differ, as JSON carries it."""
    return {
        "data": found.month.source,
        "provenance": list(found.month.provenance),
        "year_provenance": [] if found.year is None else list(found.year.provenance),
        "days": _days(found),
        "decision_us": dict(found.decision_us),
        "fuzzy_less_rules": {
            name: asdict(found.gap(name, "fuzzy", "rules"))
            for name in ("cost", "cost_at_market", "soc_step", "outside_share", "switchings")
        },
    }


def _days(found: Found) -> dict[str, object]:
    """Return which days are shown, and how the sun shone on them."""
    about = sky(found.held)
    told: dict[str, object] = {"rule": RULE, "met": found.pair.met}
    for name, row in (("sunny", found.pair.sunny), ("cloudy", found.pair.cloudy)):
        told[name] = {
            "start": found.held.one(row).grid.start.isoformat(),
            "clearness": float(about.clearness[row]),
            "variability": float(about.variability[row]),
            "below_share": float(about.below_share[row]),
        }
    return told
