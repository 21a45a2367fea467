"""Pieces of HTML; every text that comes in is escaped here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from scenarios.report.chart import Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table."""

    label: str
    """Its heading."""
    cells: tuple[str, ...]
    """Its values."""
    kind: str = ""
    """``sum``, ``quiet``, ``kept`` or nothing: how it looks."""


def row(label: str, *cells: str, kind: str = "") -> Row:
    """Return a row of a table."""
    return Row(label=label, cells=cells, kind=kind)


def table(caption: str, rows: Iterable[Row], heads: Sequence[str] = ()) -> str:
    """Return a table; each row's label is its heading."""
    head = ""
    if heads:
        cells = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
        head = f"<thead><tr>{cells}</tr></thead>"
    body = "\n".join(_row(entry) for entry in rows)
    caption = f"<caption>{escape(caption)}</caption>"
    return f"<table>{caption}{head}<tbody>\n{body}\n</tbody></table>"


def _row(entry: Row) -> str:
    kind = f' class="{escape(entry.kind)}"' if entry.kind else ""
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in entry.cells)
    return f'<tr{kind}><th scope="row">{escape(entry.label)}</th>{cells}</tr>'


def tile(name: str, value: str, more: str, *, first: bool = False) -> str:
    """Return a tile with one key figure."""
    kind = "tile first" if first else "tile"
    return (
        f'<p class="{kind}"><span class="name">{escape(name)}</span> '
        f'<span class="value">{escape(value)}</span> '
        f'<span class="more">{escape(more)}</span></p>'
    )


def items(lines: Iterable[str]) -> str:
    """Return a list."""
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in lines) + "</ul>"


def folded(title: str, inner: str) -> str:
    """Return a block that opens on demand; ``inner`` is HTML."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def definitions(meanings: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms and what they mean."""
    pairs = (f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in meanings)
    return f"<dl>{''.join(pairs)}</dl>"


def figure(chart: Chart) -> str:
    """Return a chart's legend and the place it is drawn in."""
    keys = "".join(
        f'<li><button type="button" aria-pressed="true" data-chart="{escape(chart.name)}" '
        f'data-traces="{escape(json.dumps(key.traces))}">'
        f'<i class="{key.mark}" style="--role:var(--{key.role})"></i>{escape(key.label)}'
        "</button></li>"
        for key in chart.legend
    )
    return (
        f'<ul class="legend" aria-label="Legend: press to show or hide">{keys}</ul>'
        f'<div class="chart" id="{escape(chart.name)}" role="img" '
        f'aria-label="{escape(chart.description)}" style="height:{chart.height_px}px"></div>'
    )


def split_bar(parts: Sequence[tuple[str, str, int, str]]) -> str:
    """Return one bar of shares; a part is its name, its colour's role, its size and its amount."""
    spans = "".join(
        f'<span style="--role:var(--{role});flex:{max(size, 0)} 0 0"></span>'
        for _, role, size, _ in parts
    )
    keys = "".join(
        f'<li><i style="--role:var(--{role})"></i>{escape(name)} '
        f"<strong>{escape(amount)}</strong></li>"
        for name, role, _, amount in parts
    )
    return f'<div class="split" aria-hidden="true">{spans}</div><ul class="split-key">{keys}</ul>'


def embedded_json(value: object) -> str:
    """Return JSON that can stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
