"""What Couraud 2021 says about a sweep, and whether it holds on these data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from scenarios.couraud.cases import CASES
from scenarios.sweep.results import MONEY, Found

PAPER_T_SC: Final = {1: 3798.0, 15: 3375.0}
"""The paper's total revenue of a month by minutes between reports, Fig. 8. [GBP]"""
PAPER_LEAST: Final = 2970.0
"""The paper's least total of a month at an accuracy of 20 %, Fig. 7. [GBP]"""
BESIDE: Final = (2, 3)
"""The paper's scenarios that the framework is held against here."""
SAME: Final = ("first_day", "days", "homes", "folder")
"""Settings in which two runs must agree to be set beside each other."""
Claim = dict[str, object]


def levels(beside: Path | None, asked: Mapping[str, Any]) -> dict[int, float]:
    """Return the totals of the paper's scenarios 2 and 3 that a folder holds. [currency]

    Parameters
    ----------
    beside : Path or None
        Folder of `gridpact scenario run couraud2021`, a folder a scenario within; None for none.
    asked : mapping
        What a run of the sweep was asked for: only scenarios of the same days, homes and data
        count, and of these those drawn with the same seed.
    """
    if beside is None:
        return {}
    totals = {}
    for path in sorted(beside.glob("*/summary.json")):
        figures = json.loads(path.read_text())
        theirs = figures["asked"]
        if any(theirs.get(name) != asked[name] for name in SAME):
            continue
        if theirs["rules"]["seed"] != asked["rules"]["seed"]:
            continue
        for number in BESIDE:
            if theirs.get("arrangement") == asdict(CASES[number].arrangement):
                totals[number] = float(figures["total"])
    return totals


def claims(name: str, found: Sequence[Found], levels: Mapping[int, float]) -> list[Claim]:
    """Return the paper's statements about a sweep with what is found here.

    Parameters
    ----------
    name : str
        The sweep's; the paper says nothing about most.
    found : Sequence[Found]
        Means and spreads of its points.
    levels : mapping
        Totals of scenarios 2 and 3 on the same days, where known. [currency]
    """
    if name == "t-sc":
        return [_falls(found), *_above(found, levels)]
    if name == "forecast":
        return [_accuracy_first(found), _least(found), *_above(_worst(found), levels)]
    return []


def _falls(found: Sequence[Found]) -> Claim:
    """Tell whether revenue falls as t_sc grows."""
    totals = [each.mean("total") for each in found]
    steps = sum(later < before for before, later in pairwise(totals))
    first, last = found[0], found[-1]
    draws = len(first.totals)
    lower = sum(late < early for early, late in zip(first.totals, last.totals, strict=True))
    always = steps == len(totals) - 1
    if always:
        verdict = "holds"
    elif lower == draws > 1:
        verdict = "holds from end to end"
    else:
        verdict = "cannot be told from the draws" if lower else "does not hold"
    return {
        "paper": f"the total falls as t_sc grows, from {PAPER_T_SC[1]:.0f} at 1 min to "
        f"{PAPER_T_SC[15]:.0f} at 15 min ({_ratio(PAPER_T_SC[15], PAPER_T_SC[1])})",
        "here": f"{totals[0]:.2f} at {_at(first)} min, {totals[-1]:.2f} at {_at(last)} min "
        f"({_ratio(totals[-1], totals[0])}); it falls in {steps} of {len(totals) - 1} steps, and "
        f"from end to end in {lower} of {draws} draws",
        "holds": always,
        "verdict": verdict,
        "because": _because(found[0], found[-1]),
    }


def _accuracy_first(found: Sequence[Found]) -> Claim:
    """Tell whether accuracy matters more than the step."""
    ranges = []
    for axis in (0, 1):
        values = sorted({each.values[axis] for each in found})
        means = [_mean([f.mean("total") for f in found if f.values[axis] == v]) for v in values]
        ranges.append(max(means) - min(means))
    holds = ranges[0] > ranges[1]
    return {
        "paper": "the forecast's accuracy has the greatest impact on the total, more than its step",
        "here": f"over the accuracies the mean total varies by {ranges[0]:.2f}, over the steps by "
        f"{ranges[1]:.2f}",
        "holds": holds,
        "verdict": "holds" if holds else "does not hold",
        "because": _because(_best(found), _worst(found)[0]),
    }


def _least(found: Sequence[Found]) -> Claim:
    """Set the least total of bad forecasts beside the best one."""
    best, worst = _best(found), _worst(found)[0]
    return {
        "paper": f"at an accuracy of 20 % the month's total is still above {PAPER_LEAST:.0f}, "
        f"{_ratio(PAPER_LEAST, PAPER_T_SC[1])} of the greatest that it names, {PAPER_T_SC[1]:.0f}",
        "here": f"least {worst.mean('total'):.2f} at {_at(worst)}, best {best.mean('total'):.2f} "
        f"at {_at(best)} ({_ratio(worst.mean('total'), best.mean('total'))})",
        "holds": None,
        "verdict": "sums of other data: beside each other, not compared",
        "because": _because(best, worst),
    }


def _above(found: Sequence[Found], levels: Mapping[int, float]) -> list[Claim]:
    """Return whether the total stays above those of scenarios 2 and 3."""
    worst = min(found, key=lambda each: each.mean("total"))
    return [
        {
            "paper": f"the total stays above scenario {number}'s",
            "here": f"least {worst.mean('total'):.2f} at {_at(worst)}; scenario {number} "
            f"({CASES[number].name.lower()}) has {level:.2f}",
            "holds": worst.mean("total") > level,
            "verdict": "holds" if worst.mean("total") > level else "does not hold",
            "because": "",
        }
        for number, level in sorted(levels.items())
    ]


def _because(first: Found, last: Found) -> str:
    """Say what a difference between two totals is made of."""
    parts = [
        f"{name.replace('_', ' ')} {last.mean(name) - first.mean(name):+.2f}" for name in MONEY[1:]
    ]
    errors = [100 * each.mean("mean_export_error") for each in (first, last)]
    return (
        f"from {_at(first)} to {_at(last)}: {', '.join(parts)}; "
        f"export error {errors[0]:.1f} to {errors[1]:.1f} %"
    )


def _best(found: Sequence[Found]) -> Found:
    return max(found, key=lambda each: each.mean("total"))


def _worst(found: Sequence[Found]) -> list[Found]:
    """Return the points of the least accuracy, that of the least total first."""
    least = min(each.values[0] for each in found)
    rows = [each for each in found if each.values[0] == least]
    return sorted(rows, key=lambda each: each.mean("total"))


def _at(point: Found) -> str:
    return " and ".join(f"{value:g}" for value in point.values)


def _ratio(amount: float, of: float) -> str:
    return f"{100 * amount / of:.1f} %"


def _mean(amounts: Sequence[float]) -> float:
    return sum(amounts) / len(amounts)
