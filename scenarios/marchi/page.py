"""The report beside the paper as one HTML file that loads nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from scenarios.dispatch.sizing import Sizing
from scenarios.marchi import tables, words
from scenarios.marchi.sizing_page import sizing_charts, sizing_section
from scenarios.marchi.study import Found
from scenarios.report import markup
from scenarios.report.frame import framed, provenance
from scenarios.report.judged import Claim, Figure, claim_block, figure_block

FIRST = "saving"
"""The chart that stands above the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that the report shows."""

    found: Found
    """What the study came to."""
    claims: Sequence[Claim]
    """The paper's, judged."""
    figures: Sequence[Figure]
    """The paper's, on our data, and those beyond it."""
    sizing: Sizing | None
    """Other batteries, where they were asked for."""
    command: str
    """What makes it again."""


def report(shown: Findings) -> str:
    """Return the report's HTML."""
    found = shown.found
    first = [figure for figure in shown.figures if figure.chart.name == FIRST]
    rest = [figure for figure in shown.figures if figure.chart.name != FIRST]
    parts = {
        "source": found.study.source,
        "label": escape(words.label(found.study)),
        "lead": escape(words.lead(found, shown.claims)),
        "provenance": provenance(words.derivation(found.study)),
        "wins": escape(words.wins(found)),
        "split_table": tables.split_table(found),
        "shares_table": tables.shares_table(found),
        "why": tables.why_table(found),
        "saving": "\n".join(figure_block(figure) for figure in first),
        "table_1": tables.table_1(found),
        "table_2": tables.table_2(found),
        "table_4": tables.table_4(found),
        "claims": "\n".join(claim_block(claim) for claim in shown.claims),
        "figures": "\n".join(figure_block(figure) for figure in rest),
        "policies_table": tables.policies_table(found),
        "wish_note": escape(words.WISH_NOTE),
        "wishes_table": tables.wishes_table(found),
        "sizing": sizing_section(shown.sizing),
        "differs": markup.items(words.differences()),
        "definitions": markup.definitions(words.DEFINITIONS),
        "command": escape(shown.command),
    }
    return framed(
        "scenarios.marchi",
        "page.html",
        parts,
        heading="One campus battery, five policies",
        charts=[
            *(figure.chart for figure in shown.figures),
            *(sizing_charts(shown.sizing)),
        ],
    )
