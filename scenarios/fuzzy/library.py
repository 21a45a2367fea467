"""The same rules inferred by simpful, an independent library: what ours is held against."""

from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from typing import Any, Final

import numpy as np

from devices.arrays import FloatArray
from hems.fuzzy.rule_base import Rule, RuleBase
from scenarios.errors import ScenarioInputError

WORDS: Final = {"-": "m", "+": "p"}
"""Letters that stand for signs: the library's names have none."""


class Library:
    """Infers one point at a time by simpful.

    Parameters
    ----------
    rules : RuleBase
        What it is to infer by.

    Raises
    ------
    ScenarioInputError
        If simpful is not installed.

    Notes
    -----
    A rule here says something about several outputs, one there about one: each becomes as many.
    Levels are named by output, for two outputs may have one of the same name.
    """

    def __init__(self, rules: RuleBase) -> None:
        if find_spec("simpful") is None:
            msg = "simpful is not installed, which the rules are held against; pip install simpful"
            raise ScenarioInputError(msg)
        import simpful  # noqa: PLC0415 -- seconds, and only here

        operators = ["AND_PRODUCT"] if rules.conjunction == "product" else None
        self._outputs = [output.name for output in rules.outputs]
        self._system = simpful.FuzzySystem(operators=operators, show_banner=False, verbose=False)
        for variable in rules.inputs:
            sets = [
                simpful.TrapezoidFuzzySet(*term.corners, term=_word(term.name))
                for term in variable.terms
            ]
            about = simpful.LinguisticVariable(
                sets, universe_of_discourse=[variable.low, variable.high]
            )
            self._system.add_linguistic_variable(variable.name, about)
        for output in rules.outputs:
            for name, level in output.levels.items():
                # It says what kind of model it takes this for, on standard output.
                with redirect_stdout(StringIO()):
                    self._system.set_crisp_output_value(f"{output.name}_{_word(name)}", level)
        self._system.add_rules([line for rule in rules.rules for line in _lines(rules, rule)])

    def infer(self, inputs: Mapping[str, FloatArray]) -> FloatArray:
        """Return the outputs, shape (n, outputs); see `hems.fuzzy.inference.Sugeno.infer`."""
        rows = []
        for number in range(len(next(iter(inputs.values())))):
            for name, values in inputs.items():
                self._system.set_variable(name, float(values[number]))
            found: dict[str, Any] = self._system.Sugeno_inference(
                self._outputs, ignore_warnings=True
            )
            rows.append([float(found[name]) for name in self._outputs])
        return np.array(rows)


def _lines(rules: RuleBase, rule: Rule) -> list[str]:
    """Return a rule as the library reads it, once for each output that it says something about."""
    clauses = [f"({name} IS {_word(word)})" for name, word in rule.when.items()]
    when = clauses[0]
    for clause in clauses[1:]:
        when = f"({when} AND {clause})"
    return [
        f"IF {when} THEN ({output.name} IS {output.name}_{_word(rule.then[output.name])})"
        for output in rules.outputs
        if rule.then[output.name] in output.levels
    ]


def _word(name: str) -> str:
    """Return a name of letters and digits alone."""
    return "".join(WORDS.get(letter, letter) for letter in name)
