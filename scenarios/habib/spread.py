"""Charts of all tests: how often limits break by the length of the cycle, and how days differ."""

from typing import Final

import numpy as np

from scenarios.habib.breaks import CYCLES_MIN, Break
from scenarios.habib.study import Found
from scenarios.report.chart import Chart, Json, Key, heading, layout, line, rounded, value_axis
from scenarios.report.judged import Figure

UPPER, LOWER = (0.58, 1.0), (0.0, 0.42)
"""Heights of two panels."""
ROLES: Final = {"rules": "forecast", "fuzzy": "accent"}
LABELS: Final = {"rules": "SoC rules", "fuzzy": "Fuzzy"}


def spread_figures(found: Found) -> list[Figure]:
    """Return both charts."""
    tests = found.held.buildings.around.homes
    return [
        Figure(
            title="How often a limit breaks inside a cycle",
            note=f"{tests} tests of eight hours. Of the cycles in which the limit held by what the "
            "controller knew, the share in which it was broken before the next decision; upright "
            "lines are 95 % intervals over redrawn days.",
            chart=_chances(found),
        ),
        Figure(
            title="The same tests, day by day: fuzzy less SoC rules",
            note="Each test's difference, sorted. Below zero the fuzzy rules cost less, or move "
            "the battery less.",
            chart=_differences(found, tests),
        ),
    ]


def _axis(name: str, values: list[float], texts: list[str], span: tuple[float, float]) -> Json:
    return {
        "type": "linear",
        "range": list(span),
        "tickmode": "array",
        "tickvals": values,
        "ticktext": texts,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "@rule",
        "showgrid": False,
        "zeroline": False,
        "linecolor": "@rule",
        "anchor": name,
        "fixedrange": True,
        "labelalias": dict(zip(map(str, values), texts, strict=True)),
    }


def _chances(found: Found) -> Chart:
    places = list(range(len(CYCLES_MIN)))
    texts = [f"{minutes} min" for minutes in CYCLES_MIN]
    traces: list[Json] = []
    for kind, axis in (("over-charge", {}), ("overload", {"xaxis": "x2", "yaxis": "y2"})):
        for method, role in ROLES.items():
            fared = [found.breaking(method, minutes)[kind] for minutes in CYCLES_MIN]
            traces += _with_interval(fared, method, role, axis)
    across = [float(place) for place in places]
    return Chart(
        name="breaks",
        description="Chance that a limit breaks inside a cycle by the cycle's length: over-charge "
        "above, overload below, in per cent.",
        height_px=360,
        legend=tuple(
            Key(
                label=LABELS[method],
                role=role,
                mark="line",
                traces=(2 * at, 2 * at + 1, 2 * at + 4, 2 * at + 5),
            )
            for at, (method, role) in enumerate(ROLES.items())
        ),
        traces=tuple(traces),
        layout=layout(
            [heading("Over-charge, % of cycles"), heading("Overload, % of cycles", LOWER[1])],
            xaxis=_axis("y", across, texts, (-0.3, len(places) - 0.7)) | {"showticklabels": False},
            yaxis=value_axis(domain=UPPER, rangemode="tozero"),
            xaxis2=_axis("y2", across, texts, (-0.3, len(places) - 0.7)),
            yaxis2=value_axis(domain=LOWER, rangemode="tozero"),
        ),
    )


def _with_interval(fared: list[Break], method: str, role: str, axis: Json) -> list[Json]:
    """Return the line of chances and the upright lines of their intervals."""
    ups: list[float | None] = []
    beside: list[float | None] = []
    for place, each in enumerate(fared):
        ups += [100 * each.chance.low, 100 * each.chance.high, None]
        beside += [place, place, None]
    chances = [round(100 * each.chance.value, 4) for each in fared]
    upright = line([], [], "95 %", role, line={"width": 3.5}, hoverinfo="skip", **axis)
    return [
        line(range(len(fared)), chances, LABELS[method], role, hovertemplate="%{y:.2f} %", **axis),
        upright | {"x": beside, "y": ups},
    ]


def _differences(found: Found, tests: int) -> Chart:
    gaps = {
        name: np.sort(
            getattr(found.outcomes["trials", "fuzzy"], name)
            - getattr(found.outcomes["trials", "rules"], name)
        )
        for name in ("cost", "cost_at_market", "soc_step")
    }
    marks = [0.0, tests / 2, float(tests)]
    texts = ["lowest", "half of the tests", "highest"]
    euros = {"hovertemplate": "%{y:.3f} EUR"}
    share = {"xaxis": "x2", "yaxis": "y2", "hovertemplate": "%{y:.2f} %"}
    return Chart(
        name="differences",
        description="Fuzzy less SoC rules for every test, sorted: cost in EUR above, mean change "
        "of the state of charge a cycle in per cent below.",
        height_px=340,
        legend=(
            Key(label="Cost with charges", role="accent", mark="line", traces=(0,)),
            Key(label="Cost at the market's price", role="saving", mark="line", traces=(1,)),
            Key(label="Mean |ΔSoC| a cycle", role="soc", mark="line", traces=(2,)),
        ),
        traces=(
            line(range(tests), rounded(gaps["cost"], 4), "With charges", "accent", **euros),
            line(range(tests), rounded(gaps["cost_at_market"], 4), "Market", "saving", **euros),
            line(range(tests), rounded(100 * gaps["soc_step"], 4), "|ΔSoC|", "soc", **share),
        ),
        layout=layout(
            [heading("EUR a test"), heading("% of charge a cycle", LOWER[1])],
            xaxis=_axis("y", marks, texts, (0, tests)) | {"showticklabels": False},
            yaxis=value_axis(domain=UPPER),
            xaxis2=_axis("y2", marks, texts, (0, tests)),
            yaxis2=value_axis(domain=LOWER),
        ),
    )
