"""What all reports have around their words: one HTML file with style, charts and scripts in it."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from plotly.offline import get_plotlyjs

from scenarios.report import markup
from scenarios.report.chart import Chart
from scenarios.report.palette import css


def framed(
    package: str, name: str, parts: Mapping[str, str], *, heading: str, charts: Sequence[Chart]
) -> str:
    """Return a report's HTML, which loads nothing else.

    Parameters
    ----------
    package, name : str
        Where the template of its body is.
    parts : Mapping[str, str]
        What to put into it, as HTML.
    heading : str
        Its title and ``heading``, as plain text.
    charts : Sequence[Chart]
        Its drawings, for which the body has places.
    """
    title = escape(heading)
    body = _filled(package, name, {**parts, "heading": title})
    return _filled(
        "scenarios.report",
        "frame.html",
        {
            "heading": title,
            "style": css() + _text("scenarios.report", "style.css"),
            "body": body,
            "plotly": get_plotlyjs(),
            "charts": _embedded(charts),
            "script": _text("scenarios.report", "theme.js"),
        },
    )


def provenance(lines: Sequence[str]) -> str:
    """Return where the data come from: the first line open, all of them on demand."""
    first = f"<p>{escape(lines[0])}</p>"
    rest = markup.folded("Where each series comes from", markup.items(lines[1:]))
    return f'<div class="provenance">{first}{rest if lines[1:] else ""}</div>'


def _embedded(charts: Sequence[Chart]) -> str:
    """Return the charts as the page's script finds them."""
    return markup.embedded_json(
        {chart.name: {"traces": chart.traces, "layout": chart.layout} for chart in charts}
    )


def _filled(package: str, name: str, parts: Mapping[str, str]) -> str:
    return Template(_text(package, name)).substitute(parts)


def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
