"""How fast fuzzy rules are inferred here, beside a library, and how far the two are apart."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Final, get_args

import numpy as np

from devices.arrays import FloatArray
from hems.fuzzy.habib import HabibFuzzy, paper_rules
from hems.fuzzy.inference import Sugeno
from hems.fuzzy.rule_base import And, RuleBase
from scenarios.fuzzy.library import Library

HOMES: Final = 10_000
"""Decided together."""
REPEATS: Final = 30
GRID: Final = (13, 9, 9)
"""Points along each input: 1,053, with every corner of the paper's words among them or between."""
TIMED: Final = 100
"""Points that the library is timed on."""


def fuzzy_figures(
    *, homes: int = HOMES, grid: tuple[int, ...] = GRID, timed: int = TIMED
) -> dict[str, float]:
    """Return what `gridpact bench fuzzy` prints.

    Parameters
    ----------
    homes : int
        Decided together.
    grid : tuple[int, ...]
        Points along each input on which surfaces are compared.
    timed : int
        Points that the library is timed on.

    Returns
    -------
    dict[str, float]
        ``fuzzy_us_per_home``: a decision of `HabibFuzzy.edge` on arrays, inference, limits and
        relay, median [µs]; ``fuzzy_inference_us_per_home``: the inference in it [µs];
        ``library_us``: one inference by simpful [µs]; ``worst_surface_gap``: greatest difference of
        any output on the grid, with the product and with the minimum.
    """
    rules = paper_rules().rules
    rng = np.random.default_rng(0)
    balance_w, soc, level = (
        rng.uniform(-6_000, 6_000, homes),
        rng.uniform(0, 1, homes),
        rng.uniform(0, 1, homes),
    )
    fuzzy = HabibFuzzy()
    inputs = {"power_balance": balance_w / 4_000, "soc": soc, "price": level}
    library = Library(rules)
    few = {name: values[:timed] for name, values in inputs.items()}
    return {
        "fuzzy_us_per_home": _median_us(lambda: fuzzy.edge(balance_w, soc, level)) / homes,
        "fuzzy_inference_us_per_home": _median_us(lambda: fuzzy.rules.infer(inputs)) / homes,
        "library_us": _once_us(lambda: library.infer(few)) / timed,
        "worst_surface_gap": max(
            surface_gap(replace(rules, conjunction=name), grid) for name in get_args(And)
        ),
    }


def surface_gap(rules: RuleBase, points: tuple[int, ...]) -> float:
    """Return the greatest difference of any output between the library and ours on a grid."""
    inputs = grid_inputs(rules, points)
    return float(np.abs(Sugeno(rules).infer(inputs) - Library(rules).infer(inputs)).max())


def grid_inputs(rules: RuleBase, points: tuple[int, ...]) -> Mapping[str, FloatArray]:
    """Return every combination of evenly spaced values of the inputs."""
    axes = (
        np.linspace(variable.low, variable.high, count)
        for variable, count in zip(rules.inputs, points, strict=True)
    )
    mesh = np.meshgrid(*axes, indexing="ij")
    return {
        variable.name: values.ravel() for variable, values in zip(rules.inputs, mesh, strict=True)
    }


def _median_us(work: Callable[[], object]) -> float:
    """Return the time of a piece of work, the median of some, after a first that warms up. [µs]"""
    work()
    return float(np.median([_once_us(work) for _ in range(REPEATS)]))


def _once_us(work: Callable[[], object]) -> float:
    begun_s = perf_counter()
    work()
    return (perf_counter() - begun_s) * 1e6
