"""What a sweep found: every run, the mean and spread of each point, as JSON and CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

from aggregator.files import write_text
from scenarios.sweep.sweeps import Point, Sweep

METRICS: Final = (
    *("total", "bill_reduction", "market_revenue", "imbalance_cost"),
    *("mean_export_error", "self_consumption_rate"),
)
"""Figures whose mean and spread are shown; see `scenarios.simulation.fleet_total`."""
MONEY: Final = METRICS[:4]
"""Those that are per home where the number of homes varies. [currency]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure of one point over its seeds; None where no seed has it."""

    mean: float
    """Mean."""
    least: float
    """Smallest."""
    most: float
    """Greatest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One point of a sweep."""

    values: tuple[float, ...]
    """Its value on each axis."""
    spread: Mapping[str, Spread | None]
    """Its `METRICS`."""
    totals: tuple[float, ...]
    """The total of each seed, in the order of the seeds. [currency]"""

    def mean(self, metric: str) -> float:
        """Return the mean of a metric, NaN where no seed has it: nothing was sold."""
        spread = self.spread[metric]
        return float("nan") if spread is None else spread.mean


def found(
    sweep: Sweep, points: Sequence[Point], figures: Sequence[Mapping[str, Any]]
) -> list[Found]:
    """Return mean and spread of each point, in the order of the axes' values."""
    by_values: dict[tuple[float, ...], list[Mapping[str, Any]]] = {}
    for point, each in zip(points, figures, strict=True):
        by_values.setdefault(point.values, []).append(each)
    return [
        Found(
            values=values,
            spread={name: _spread(sweep, name, runs) for name in METRICS},
            totals=tuple(_amounts(sweep, "total", runs)),
        )
        for values, runs in by_values.items()
    ]


def _spread(sweep: Sweep, metric: str, runs: Sequence[Mapping[str, Any]]) -> Spread | None:
    amounts = _amounts(sweep, metric, runs)
    if not amounts:
        return None
    return Spread(mean=sum(amounts) / len(amounts), least=min(amounts), most=max(amounts))


def _amounts(sweep: Sweep, metric: str, runs: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return a metric of each run that has it."""
    return [
        run[metric] / (run["asked"]["homes"] if sweep.per_home and metric in MONEY else 1)
        for run in runs
        if run[metric] is not None
    ]


def results(
    name: str,
    sweep: Sweep,
    points: Sequence[Point],
    figures: Sequence[Mapping[str, Any]],
    *,
    claims: Sequence[Mapping[str, object]],
) -> dict[str, object]:
    """Return what `results.json` holds: settings, means and spreads, every run whole.

    Parameters
    ----------
    name : str
        The sweep's.
    sweep : Sweep
        What was varied.
    points : Sequence[Point]
        The runs.
    figures : Sequence of mappings
        What each run's `summary.json` holds.
    claims : Sequence of mappings
        What the paper says, and whether that holds here.
    """
    return {
        "sweep": name,
        "about": sweep.line,
        "axes": [
            {"name": axis.name, "title": axis.title, "values": list(axis.values)}
            for axis in sweep.axes
        ],
        "money": "per home" if sweep.per_home else "of the fleet",
        "means": [
            {
                **dict(zip((axis.name for axis in sweep.axes), each.values, strict=True)),
                **{
                    metric: None
                    if spread is None
                    else {"mean": spread.mean, "least": spread.least, "most": spread.most}
                    for metric, spread in each.spread.items()
                },
            }
            for each in found(sweep, points, figures)
        ],
        "claims": list(claims),
        "points": [
            {
                **dict(zip((axis.name for axis in sweep.axes), point.values, strict=True)),
                "seed": point.seed,
                "figures": dict(each),
            }
            for point, each in zip(points, figures, strict=True)
        ],
    }


def write_results(
    out: Path,
    sweep: Sweep,
    points: Sequence[Point],
    figures: Sequence[Mapping[str, Any]],
    *,
    whole: Mapping[str, object],
) -> None:
    """Write ``results.json``, and ``results.csv`` with a row per run."""
    write_text(out / "results.json", json.dumps(whole, indent=2) + "\n")
    numbers = [key for key, value in figures[0].items() if key != "asked" and _plain(value)]
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*(axis.name for axis in sweep.axes), "seed", *numbers])
    for point, each in zip(points, figures, strict=True):
        table.writerow([*point.values, point.seed, *(each[key] for key in numbers)])
    write_text(out / "results.csv", text.getvalue())


def _plain(value: object) -> bool:
    return value is None or isinstance(value, int | float | str)
