"""The paper's figures 2 to 5 on our data: cash flow over the days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from scenarios.prosumer.beside import Found
from scenarios.prosumer.study import DAY_H, Case, Forecast
from scenarios.report.chart import (
    Chart,
    Json,
    Key,
    Mark,
    heading,
    layout,
    line,
    rounded,
    value_axis,
)
from scenarios.report.judged import Figure
from scenarios.report.quantity import plural

MONTH_MARKS: Final = 45
"""Up to so many days each week is marked, beyond each month. [d]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a figure."""

    label: str
    """What it is."""
    role: str
    """Its colour, see `scenarios.report.palette`."""
    case: Case
    """The run whose cash flow it is."""
    mark: Mark = "line"
    """How it is drawn."""


NONE: Final = Curve(label="No controller", role="saving", case=Case(method="none"))
RULES, SHORT, MILP = "accent", "forecast", "ink"
"""Colours by role."""


def figures(found: Found, first_day: date, month_first_day: date) -> list[Figure]:
    """Return the figures, in the paper's order.

    Parameters
    ----------
    found : Found
        What the study came to.
    first_day, month_first_day : date
        First days of the year and of the searches' stretch.
    """
    drawn = _forecasts(found, first_day)
    if found.searched:
        days = round(found.of("none", stretch="month").days)
        drawn.append(
            Figure(
                title=f"Fig. 5a: all methods in {plural(days, 'day')}",
                note="Perfect forecasts; all with the rights of the rules: no charging from the "
                "grid, no selling of what is stored.",
                chart=_chart("figure-5a", found, month_first_day, _month()),
            )
        )
    return [
        *drawn,
        Figure(
            title="Fig. 5b: the best methods in the year",
            note="Perfect forecasts. Trading: may charge from the grid and sell what is stored.",
            chart=_chart("figure-5b", found, first_day, _best("perfect")),
        ),
        Figure(
            title="Beyond the paper: the best methods with imperfect forecasts",
            note="As before. The optimiser's plan holds whatever comes; "
            "the rules follow the real surplus as far as their plan leaves them free.",
            chart=_chart("figure-6", found, first_day, _best("imperfect")),
        ),
    ]


def _forecasts(found: Found, first_day: date) -> list[Figure]:
    """Return what perfect and imperfect forecasts come to."""
    return [
        Figure(
            title="Fig. 2: perfect forecasts, and without controller",
            note="Cash flow since the first day: export sold less import paid for.",
            chart=_chart("figure-2", found, first_day, (NONE, *_horizons("perfect"))),
        ),
        Figure(
            title="Fig. 3: imperfect forecasts and no counter-measures",
            note="The same, planned from forecasts that are wrong.",
            chart=_chart("figure-3", found, first_day, (NONE, _bare())),
        ),
        Figure(
            title="Fig. 4: imperfect forecasts, with counter-measures",
            note="The same forecasts; all five counter-measures in force.",
            chart=_chart(
                "figure-4", found, first_day, (NONE, *_horizons("imperfect"), _bare(mark="dot"))
            ),
        ),
    ]


def _horizons(forecast: Forecast) -> tuple[Curve, ...]:
    return (
        Curve(
            label="Rules, 24 hours ahead",
            role=SHORT,
            case=Case(method="rules", forecast=forecast, horizon_h=DAY_H),
        ),
        Curve(
            label="Rules, 72 hours ahead", role=RULES, case=Case(method="rules", forecast=forecast)
        ),
    )


def _bare(mark: Mark = "line") -> Curve:
    case = Case(method="rules_no_countermeasures", forecast="imperfect")
    return Curve(label="Rules without counter-measures", role=SHORT, case=case, mark=mark)


def _month() -> tuple[Curve, ...]:
    rows: tuple[tuple[str, str, str, Mark], ...] = (
        ("No controller", "saving", "none", "line"),
        ("Rules of the paper", RULES, "rules", "line"),
        ("MILP", MILP, "milp_no_trade", "line"),
        ("Rules by worth", "soc", "rules_worth", "dash"),
        ("GA", "pv", "ga_no_trade", "line"),
        ("PSO", SHORT, "pso_no_trade", "line"),
    )
    return tuple(
        Curve(label=label, role=role, case=Case(method=method, stretch="month"), mark=mark)
        for label, role, method, mark in rows
    )


def _best(forecast: Forecast) -> tuple[Curve, ...]:
    rows: tuple[tuple[str, str, str, Mark], ...] = (
        ("Rules of the paper", RULES, "rules", "line"),
        ("MILP without trade", MILP, "milp_no_trade", "line"),
        ("Rules by worth", "pv", "rules_worth", "dash"),
        ("MILP, trading", SHORT, "milp", "line"),
        ("Rules by worth, trading", "soc", "rules_trade", "dash"),
    )
    return (
        NONE,
        *(
            Curve(label=label, role=role, case=Case(method=method, forecast=forecast), mark=mark)
            for label, role, method, mark in rows
        ),
    )


def _chart(name: str, found: Found, first_day: date, curves: Sequence[Curve]) -> Chart:
    """Return the cash flow of some runs over the days."""
    return Chart(
        name=name,
        description="Lines of the cash flow since the first day, in "
        f"{found.currency}: {', '.join(curve.label for curve in curves)}.",
        height_px=320,
        legend=tuple(
            Key(label=curve.label, role=curve.role, mark=curve.mark, traces=(place,))
            for place, curve in enumerate(curves)
        ),
        traces=tuple(_trace(found, curve) for curve in curves),
        layout=layout(
            [heading(found.currency)],
            xaxis=_day_axis(first_day, len(found.outcomes[curves[0].case.name].daily)),
            yaxis=value_axis(),
        ),
    )


def _trace(found: Found, curve: Curve) -> Json:
    daily = found.outcomes[curve.case.name].daily
    dash = {"dash": {"dash": "dash"}, "dot": {"dash": "dot"}}.get(curve.mark, {})
    return line(
        range(len(daily) + 1),
        [0.0, *rounded(daily, 2)],
        curve.label,
        curve.role,
        line=dash,
        hovertemplate="%{y:.1f}",
    )


def _day_axis(first_day: date, days: int) -> Json:
    """Return an axis of days since midnight of the first."""
    dates = [first_day + timedelta(days=day) for day in range(days + 1)]
    if days > MONTH_MARKS:
        marks = {place: f"{day:%b}" for place, day in enumerate(dates) if day.day == 1}
    else:
        marks = {place: f"{day.day} {day:%b}" for place, day in enumerate(dates) if not place % 7}
    return {
        "type": "linear",
        "range": [0, days],
        "tickmode": "array",
        "tickvals": list(marks),
        "ticktext": list(marks.values()),
        "tickangle": 0,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "@rule",
        "hoverformat": "d",
        "labelalias": {str(place): f"{day:%d %b %Y}" for place, day in enumerate(dates)},
        "showgrid": False,
        "zeroline": False,
        "linecolor": "@rule",
    }
