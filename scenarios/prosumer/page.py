"""The report beside the paper as one HTML file that loads nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from scenarios.prosumer import table, words
from scenarios.prosumer.beside import Found
from scenarios.prosumer.speed import Speed
from scenarios.prosumer.study import Study
from scenarios.report import markup
from scenarios.report.frame import framed, provenance
from scenarios.report.judged import Claim, Figure, claim_block, figure_block
from scenarios.report.quantity import decimal, percent, plural

SHOWN_AHEAD = (1, 6, 12, 24, 48, 72)
"""Hours ahead whose forecast error is shown. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that the report shows."""

    study: Study
    """What was run."""
    found: Found
    """What it came to."""
    rows: Sequence[table.Row]
    """A row for each run."""
    claims: Sequence[Claim]
    """The paper's, judged."""
    figures: Sequence[Figure]
    """The paper's, on our data."""
    errors: Mapping[str, Sequence[float]]
    """Errors of the imperfect forecast by hours ahead, of ``load`` and ``pv``."""
    forecast: str
    """How it is made."""
    command: str
    """What makes it again."""


def report(shown: Findings) -> str:
    """Return the report's HTML."""
    study, found, series = shown.study, shown.found, shown.study.series
    days = plural(round(study.hours / 24), "day")
    parts = {
        "source": series.source,
        "label": "Real data, combined"
        if series.source == "real"
        else "Generated data: nothing was measured",
        "lead": escape(words.lead(found, shown.claims)),
        "provenance": provenance(series.provenance),
        "claims": "\n".join(claim_block(claim) for claim in shown.claims),
        "year_heading": f"All controllers, {days}",
        "year_note": escape(words.year_note(study)),
        "perfect_table": table.html(found, shown.rows, "perfect", "year"),
        "imperfect_table": table.html(found, shown.rows, "imperfect", "year"),
        "month": _month(shown),
        "figures": "\n".join(figure_block(figure) for figure in shown.figures),
        "speed_table": _speed_table(found.speed),
        "error_note": escape(
            f"{shown.forecast}: Σ|expected − real| / Σ real by hours ahead, over the whole stretch."
        ),
        "error_table": _error_table(shown.errors),
        "differs": markup.items(words.differences(study, found)),
        "definitions": markup.definitions(words.DEFINITIONS),
        "command": escape(shown.command),
    }
    return framed(
        "scenarios.prosumer",
        "page.html",
        parts,
        heading=f"One prosumer, seven ways: {days} of plans",
        charts=[figure.chart for figure in shown.figures],
    )


def _month(shown: Findings) -> str:
    """Return the section of the searches' stretch, nothing without one."""
    if not shown.found.searched:
        return ""
    days = plural(round(shown.study.month_hours / 24), "day")
    tables = (
        f'<div class="scroll">{table.html(shown.found, shown.rows, forecast, "month")}</div>'
        for forecast in ("perfect", "imperfect")
    )
    return (
        f"<section><h2>All methods, {days}</h2>"
        f'<p class="note">{escape(words.month_note(shown.study))}</p>{"".join(tables)}</section>'
    )


def _speed_table(speed: Speed) -> str:
    rows = (
        ("Rules, compiled: what studies use", speed.rules_ms),
        ("Rules, not compiled: what a gateway uses", speed.rules_numpy_ms),
        ("Rules, compiled, of 1,000 homes at once: each", speed.rules_batch_us / 1e3),
        ("Rules, not compiled, of 1,000 homes at once: each", speed.rules_numpy_batch_us / 1e3),
        ("MILP, relaxation first", speed.milp_ms),
        ("MILP, always with binaries", speed.milp_binaries_ms),
        ("GA", speed.ga_ms),
        ("PSO", speed.pso_ms),
    )
    return markup.table(
        "Time of a plan",
        [markup.row(name, decimal(ms, 4 if ms < 1 else 1)) for name, ms in rows],
        ("Method", "ms"),
    )


def _error_table(errors: Mapping[str, Sequence[float]]) -> str:
    heads = [str(hours) for hours in SHOWN_AHEAD]
    names = {"load": "Consumption", "pv": "Production"}
    return markup.table(
        "Error by hours ahead",
        [
            markup.row(names[name], *(percent(of[hours - 1], 0) for hours in SHOWN_AHEAD))
            for name, of in errors.items()
        ],
        ("Hours ahead", *heads),
    )
