"""Grouped bars, points and lines over a few named places, as charts of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scenarios.report.chart import Chart, Json, Key, Mark, heading, layout, value_axis

GROUP: Final = 0.8
"""Part of the way from one place to the next that its bars take."""
Kind = Literal["bar", "point", "line"]
_MARKS: Final[dict[Kind, Mark]] = {"bar": "fill", "point": "point", "line": "line"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value at every place."""

    label: str
    """What it is."""
    role: str
    """Its colour, see `scenarios.report.palette`."""
    values: Sequence[float | None]
    """A value for each place; None: there is none."""
    kind: Kind = "bar"
    """How it is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One drawing of a chart."""

    unit: str
    """Heading: what is drawn, and its unit."""
    rows: Sequence[Row]
    """What is drawn."""
    digits: int = 1
    """Digits when a value is pointed at."""
    span: tuple[float, float] | None = None
    """Ends of the upright axis; None: it fits the values, from 0."""

    def upright(self, **extra: object) -> Json:
        """Return its upright axis."""
        return value_axis(**({} if self.span is None else {"range": list(self.span)}), **extra)


def bar_chart(
    name: str, description: str, places: Sequence[str], panels: Sequence[Panel], *, height_px: int
) -> Chart:
    """Return a chart of one panel, or of two above each other.

    Parameters
    ----------
    name, description : str
        Its element's id, and what it shows in words.
    places : Sequence[str]
        Names along the axis.
    panels : Sequence[Panel]
        One or two.
    height_px : int
        Its height.
    """
    traces: list[Json] = []
    drawn: dict[str, tuple[Row, list[int]]] = {}
    for number, panel in enumerate(panels):
        bars = [row for row in panel.rows if row.kind == "bar"]
        for row in panel.rows:
            place = bars.index(row) if row.kind == "bar" else 0
            trace = _trace(row, place, max(len(bars), 1), panel.digits)
            if number:
                trace |= {"xaxis": "x2", "yaxis": "y2"}
            drawn.setdefault(row.label, (row, []))[1].append(len(traces))
            traces.append(trace)
    return Chart(
        name=name,
        description=description,
        height_px=height_px,
        legend=tuple(_key(row, numbers) for row, numbers in drawn.values()),
        traces=tuple(traces),
        layout=_layout(places, panels),
    )


def _key(row: Row, places: Sequence[int]) -> Key:
    """Return the legend's entry of rows of one name."""
    return Key(label=row.label, role=row.role, mark=_MARKS[row.kind], traces=tuple(places))


def _trace(row: Row, place: int, bars: int, digits: int) -> Json:
    """Return a row's trace; bars of a place stand beside each other."""
    width = GROUP / bars
    offset = (place + 0.5) * width - GROUP / 2 if row.kind == "bar" else 0.0
    digits_shown = f"{row.label}: %{{y:,.{digits}f}}<extra></extra>"
    shared: Json = {
        "x": [round(at + offset, 4) for at in range(len(row.values))],
        "y": [None if value is None else round(value, 4) for value in row.values],
        "name": row.label,
        "hovertemplate": digits_shown,
    }
    colour = f"@{row.role}"
    if row.kind == "bar":
        marker: Json = {"color": colour, "line": {"width": 0}}
        return shared | {"type": "bar", "width": round(0.92 * width, 4), "marker": marker}
    if row.kind == "point":
        marker = {"color": colour, "size": 9, "symbol": "diamond"}
        return shared | {"type": "scatter", "mode": "markers", "marker": marker}
    return shared | {"type": "scatter", "mode": "lines", "line": {"color": colour, "width": 2}}


def _layout(places: Sequence[str], panels: Sequence[Panel]) -> Json:
    axis: Json = {
        "type": "linear",
        "range": [-0.5, len(places) - 0.5],
        "tickmode": "array",
        "tickvals": list(range(len(places))),
        "ticktext": list(places),
        "tickangle": 0,
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "linecolor": "@rule",
    }
    if len(panels) == 1:
        return layout(
            [heading(panels[0].unit)],
            barmode="overlay",
            hovermode="closest",
            xaxis=axis,
            yaxis=panels[0].upright(),
        )
    upper, lower = [0.56, 1.0], [0.0, 0.4]
    return layout(
        [heading(panels[0].unit), heading(panels[1].unit, lower[1])],
        barmode="overlay",
        hovermode="closest",
        xaxis=axis | {"anchor": "y", "showticklabels": False},
        yaxis=panels[0].upright(domain=upper),
        xaxis2=axis | {"anchor": "y2"},
        yaxis2=panels[1].upright(domain=lower),
    )
