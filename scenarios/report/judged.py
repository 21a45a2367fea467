"""A paper's claims and figures on a page: each beside what came out here."""

from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from scenarios.report import markup
from scenarios.report.chart import Chart

Verdict = Literal["holds", "holds in part", "does not hold"]
"""``holds in part``: the direction is the paper's, its size is not reached."""
_BADGES: Final[dict[str, str]] = {"holds": "real"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of a paper, and ours."""

    text: str
    """What it says."""
    printed: str
    """Its figure."""
    ours: str
    """Ours."""
    verdict: str
    """Whether it holds on these data: a `Verdict`, or a sweep's own words."""
    reason: str
    """Why it does not, or what lies behind the figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with a title and what there is to see."""

    title: str
    """What it is, with the paper's number."""
    note: str
    """What there is to see."""
    chart: Chart
    """The drawing."""


def claim_block(claim: Claim) -> str:
    """Return a claim's HTML."""
    badge = _BADGES.get(claim.verdict, "generated")
    return (
        f'<div class="claim"><p><span class="badge {badge}">'
        f"{escape(claim.verdict)}</span> <strong>{escape(claim.text)}</strong></p>"
        f"<p>The paper: {escape(claim.printed)}. Here: {escape(claim.ours)}.</p>"
        f'<p class="note">{escape(claim.reason)}</p></div>'
    )


def figure_block(figure: Figure) -> str:
    """Return a figure's HTML."""
    return (
        f"<section><h2>{escape(figure.title)}</h2>"
        f'<p class="note">{escape(figure.note)}</p>{markup.figure(figure.chart)}</section>'
    )
