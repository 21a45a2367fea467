"""Our inference beside simpful's, on grids and at random, with both conjunctions."""

from dataclasses import replace

import numpy as np
import pytest

from hems.fuzzy.inference import Sugeno
from hems.fuzzy.rule_file import packaged
from scenarios.fuzzy.bench import fuzzy_figures, surface_gap
from scenarios.fuzzy.library import Library

PAPER = packaged("habib2023")


@pytest.mark.parametrize("conjunction", ["product", "min"])
def test_surfaces_are_those_of_an_independent_library(conjunction, capsys):
    base = replace(PAPER, conjunction=conjunction)
    rng = np.random.default_rng(0)
    inputs = {
        "power_balance": rng.uniform(-1, 1, 60),
        "soc": rng.uniform(0, 1, 60),
        "price": rng.uniform(0, 1, 60),
    }

    assert surface_gap(base, (5, 4, 4)) <= 1e-9
    assert np.abs(Sugeno(base).infer(inputs) - Library(base).infer(inputs)).max() <= 1e-9
    # it would like to say what kind of rules it found
    assert capsys.readouterr().out == ""


def test_conjunctions_differ_so_that_each_was_really_held_against_its_own():
    inputs = {"power_balance": np.array([0.3]), "soc": np.array([0.6]), "price": np.array([0.4])}

    product, least = (
        Library(replace(PAPER, conjunction=name)).infer(inputs)[0, 0] for name in ("product", "min")
    )

    assert abs(product - least) > 1e-3


def test_bench_prints_what_the_issue_asks_for():
    figures = fuzzy_figures(homes=50, grid=(3, 3, 3), timed=3)

    assert list(figures) == [
        "fuzzy_us_per_home",
        "fuzzy_inference_us_per_home",
        "library_us",
        "worst_surface_gap",
    ]
    assert figures["worst_surface_gap"] <= 1e-9
    assert all(value > 0 for name, value in figures.items() if name != "worst_surface_gap")
