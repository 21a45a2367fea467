"""The report beside the paper as one HTML file that loads nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from scenarios.habib import table, words
from scenarios.habib.study import Found
from scenarios.microgrid.model import CYCLE_S
from scenarios.report import markup
from scenarios.report.frame import framed, provenance
from scenarios.report.judged import Claim, Figure, claim_block, figure_block

HEADING = "A building that may leave the grid: fuzzy rules and rules by charge"
CAPTIONS = {
    "trials": "All tests of eight hours: the mean of a test",
    "month": "The month, day and night: the mean of a day",
    "year": "A generated year, day and night: the mean of a day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that the report shows."""

    found: Found
    """What the study came to."""
    rows: Sequence[table.Row]
    """A row for each run."""
    claims: Sequence[Claim]
    """The paper's, judged."""
    figures: Sequence[Figure]
    """The paper's, on our data."""
    command: str
    """What makes it again."""


def report(shown: Findings) -> str:
    """Return the report's HTML."""
    found = shown.found
    real = found.month.source == "real"
    parts = {
        "source": found.month.source,
        "label": "Real data, combined" if real else "Generated data: nothing was measured",
        "lead": escape(words.lead(found, shown.claims)),
        "provenance": provenance(_provenance(found)),
        "claims": "\n".join(claim_block(claim) for claim in shown.claims),
        "days_note": escape(words.days_note(found)),
        "sunny_table": table.html(shown.rows, "sunny", "Sunny day, 10:00 to 18:00"),
        "cloudy_table": table.html(shown.rows, "cloudy", "Partly cloudy day, 10:00 to 18:00"),
        "long_note": escape(words.long_note(found)),
        "long_tables": "\n".join(
            f'<div class="scroll">{table.html(shown.rows, stretch, CAPTIONS[stretch])}</div>'
            for stretch in found.stretches
        ),
        "figures": "\n".join(figure_block(figure) for figure in shown.figures),
        "breaks_note": escape(words.breaks_note(found)),
        "breaks_table": table.breaks_html(found, CYCLE_S // 60),
        "differs": markup.items(words.differences(found)),
        "definitions": markup.definitions(words.DEFINITIONS),
        "command": escape(shown.command),
    }
    return framed(
        "scenarios.habib",
        "page.html",
        parts,
        heading=HEADING,
        charts=[figure.chart for figure in shown.figures],
    )


def _provenance(found: Found) -> list[str]:
    """Return where the data come from, the year's too."""
    told = list(found.month.provenance)
    if found.year is not None:
        told += [f"the year's {line}" for line in found.year.provenance]
    return told
