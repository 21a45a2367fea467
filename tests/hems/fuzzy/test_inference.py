"""Inference over a table: as rule by rule, at once for all values, and never without a rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.errors import ControlInputError
from hems.fuzzy.inference import BLOCK, Sugeno
from hems.fuzzy.rule_base import Output, Rule, RuleBase
from hems.fuzzy.rule_file import packaged
from hems.fuzzy.variables import Ramps, Term, Variable

PAPER = packaged("habib2023")
GAP = 1e-12
"""Sums in another order."""


@pytest.mark.parametrize("conjunction", ["product", "min"])
def test_table_infers_what_its_rules_do_one_by_one(inferred, conjunction):
    base = replace(PAPER, conjunction=conjunction)
    rng = np.random.default_rng(0)
    # past both ends of each range, and on corners
    inputs = {
        "power_balance": np.append(rng.uniform(-1.5, 1.5, 250), [-1.0, -0.5, 0.0, 0.5, 1.0]),
        "soc": np.append(rng.uniform(-0.1, 1.1, 250), [0.5, 0.7, 0.9, 0.0, 1.0]),
        "price": np.append(rng.uniform(-0.1, 1.1, 250), [0.25, 0.5, 0.75, 1.0, 0.0]),
    }

    found = Sugeno(base).infer(inputs)

    points = [
        dict(zip(inputs, map(float, point), strict=True))
        for point in zip(*inputs.values(), strict=True)
    ]
    assert np.abs(found - [inferred(base, point) for point in points]).max() <= GAP


@st.composite
def _bases(draw):
    """Return complete rules over two inputs with up to four words, some saying nothing."""

    def variable(name):
        peaks = draw(st.lists(st.integers(1, 19), min_size=1, max_size=3, unique=True))
        at = [0.0, *(peak / 20 for peak in sorted(peaks)), 1.0]
        spread = [at[0], *at, at[-1]]
        return Variable(
            name=name,
            low=0.0,
            high=1.0,
            terms=tuple(
                Term(
                    name=f"{name}{number}", corners=(spread[number], peak, peak, spread[number + 2])
                )
                for number, peak in enumerate(at)
            ),
        )

    inputs = (variable("a"), variable("b"))
    outputs = (
        Output(name="x", levels={"low": -3.0, "high": 5.0}, none="none"),
        Output(name="y", levels={"off": 0.0, "on": 1.0}),
    )
    rules = tuple(
        Rule(
            when={"a": one.name, "b": other.name},
            then={
                "x": draw(st.sampled_from(["low", "high", "none"])),
                "y": draw(st.sampled_from(["off", "on"])),
            },
        )
        for one in inputs[0].terms
        for other in inputs[1].terms
    )
    conjunction = draw(st.sampled_from(["product", "min"]))
    return RuleBase(inputs=inputs, outputs=outputs, rules=rules, conjunction=conjunction)


@given(base=_bases(), seed=st.integers(0, 2**32 - 1))
def test_any_complete_rules_are_inferred_within_their_levels(inferred, base, seed):
    rng = np.random.default_rng(seed)
    inputs = {"a": rng.uniform(0, 1, 8), "b": rng.uniform(0, 1, 8)}

    found = Sugeno(base).infer(inputs)

    assert (
        np.abs(
            found
            - [inferred(base, {"a": a, "b": b}) for a, b in zip(*inputs.values(), strict=True)]
        ).max()
        <= GAP
    )
    assert found.min(axis=0).tolist() >= [-3.0 - GAP, -GAP]
    assert (found.max(axis=0) <= [5.0 + GAP, 1.0 + GAP]).all()


def test_values_are_inferred_alike_alone_and_among_many():
    rng = np.random.default_rng(1)
    count = 2 * BLOCK + 7
    inputs = {
        "power_balance": rng.uniform(-1, 1, count),
        "soc": rng.uniform(0, 1, count),
        "price": rng.uniform(0, 1, count),
    }
    some = [0, BLOCK - 1, BLOCK, 2 * BLOCK + 6]

    together = Sugeno(PAPER).infer(inputs)
    alone = Sugeno(PAPER).infer({name: values[some] for name, values in inputs.items()})

    assert together.shape == (count, 2)
    assert np.abs(together[some] - alone).max() <= GAP


def test_a_value_beyond_a_range_counts_as_its_end():
    outside = {"power_balance": [9.0, -9.0], "soc": [2.0, -1.0], "price": [7.0, -7.0]}
    ends = {"power_balance": [1.0, -1.0], "soc": [1.0, 0.0], "price": [1.0, 0.0]}
    sugeno = Sugeno(PAPER)

    there, here = (
        sugeno.infer({name: np.array(values) for name, values in each.items()})
        for each in (outside, ends)
    )

    # P++ R1 and P-- R1, the corners of the table
    assert there.tolist() == here.tolist() == [[-1.0, 1.0], [1.0, 1.0]]


def test_an_output_that_no_rule_in_force_speaks_of_is_zero():
    # EP-H, SOC-M, dP0: "- R0", and no neighbour holds
    inputs = {"power_balance": [0.0], "soc": [0.7], "price": [0.9]}

    found = Sugeno(PAPER).infer({name: np.array(values) for name, values in inputs.items()})

    assert found.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_for_no_rule_would_hold(bad):
    inputs = {"power_balance": np.zeros(3), "soc": np.array([0.5, bad, 0.5]), "price": np.zeros(3)}

    with pytest.raises(
        ControlInputError, match=rf"fuzzy rules: soc\[1\] is {bad:g}; give a number"
    ):
        Sugeno(PAPER).infer(inputs)


def test_words_of_the_paper_share_each_value_out():
    for variable in PAPER.inputs:
        at = np.linspace(variable.low, variable.high, 101)
        assert np.abs(Ramps(variable).degrees(at).sum(axis=0) - 1.0).max() <= GAP
