"""A complete table of fuzzy rules, with its words and levels, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ControlInputError
from hems.fuzzy.variables import Variable

And = Literal["product", "min"]
"""How degrees of the words of one rule come together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What rules say something about, at fixed levels."""

    name: str
    """What it is called."""
    levels: Mapping[str, float]
    """Value of each level's name."""
    none: str | None = None
    """Name by which a rule says nothing about it; None where all must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """If every input is as its word says, then each output is at its level."""

    when: Mapping[str, str]
    """Word by input."""
    then: Mapping[str, str]
    """Level by output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBase:
    """Rules for every combination of words.

    Raises
    ------
    ControlInputError
        If words leave a value undescribed, a rule is missing or there twice, or a name is unknown:
        a line for each fault.
    """

    inputs: tuple[Variable, ...]
    """Inputs, in the order of the table's axes."""
    outputs: tuple[Output, ...]
    """Outputs, in the order of the results."""
    rules: tuple[Rule, ...]
    """All rules."""
    conjunction: And = "product"
    """How a rule's words come together."""

    def __post_init__(self) -> None:
        faults = [fault for variable in self.inputs for fault in variable.faults()]
        if self.conjunction not in get_args(And):
            faults.append(f"and is {self.conjunction!r}; choose one of {', '.join(get_args(And))}")
        faults += [*self._bad_names(), *self._bad_levels()]
        unknown = [fault for rule in self.rules for fault in self._unknown(rule)]
        faults += unknown or self._miscounted()
        if faults:
            raise ControlInputError("\n".join(f"fuzzy rules: {fault}" for fault in faults))

    def _bad_names(self) -> list[str]:
        names = [variable.name for variable in self.inputs]
        names += [output.name for output in self.outputs]
        twice = sorted({name for name in names if names.count(name) > 1})
        return [f"{name} names two inputs or outputs; name each once" for name in twice]

    def _bad_levels(self) -> list[str]:
        return [
            f"{output.name} {name}: level {level}; give a number"
            for output in self.outputs
            for name, level in output.levels.items()
            if not np.isfinite(level)
        ]

    def _unknown(self, rule: Rule) -> list[str]:
        """Return the names in a rule that nothing has."""
        known = {variable.name: [term.name for term in variable.terms] for variable in self.inputs}
        for output in self.outputs:
            known[output.name] = [*output.levels, *([output.none] if output.none else [])]
        said = {**rule.when, **rule.then}
        strange = [
            f"rule {told(rule)}: {name} knows no {word!r}; choose one of {', '.join(known[name])}"
            for name, word in said.items()
            if name in known and word not in known[name]
        ]
        if said.keys() != known.keys():
            strange.append(f"rule {told(rule)}: name each of {', '.join(known)} once")
        return strange

    def _miscounted(self) -> list[str]:
        """Return the combinations without a rule, and those with several."""
        names = [variable.name for variable in self.inputs]
        wanted = product(*([term.name for term in variable.terms] for variable in self.inputs))
        given = [tuple(rule.when[name] for name in names) for rule in self.rules]
        faults = []
        for combination in wanted:
            count = given.count(combination)
            if count != 1:
                verdict = "no rule; add one" if not count else f"{count} rules; keep one"
                faults.append(f"{' and '.join(combination)}: {verdict}")
        return faults

    def table(self) -> FloatArray:
        """Return the levels, shape (terms of each input, outputs); NaN: not said."""
        sizes = [len(variable.terms) for variable in self.inputs]
        table = np.full((*sizes, len(self.outputs)), np.nan)
        places = [
            {term.name: place for place, term in enumerate(variable.terms)}
            for variable in self.inputs
        ]
        for rule in self.rules:
            cell = tuple(
                place[rule.when[variable.name]]
                for place, variable in zip(places, self.inputs, strict=True)
            )
            table[cell] = [
                output.levels.get(rule.then[output.name], np.nan) for output in self.outputs
            ]
        return table


def told(rule: Rule) -> str:
    """Return a rule in a line."""
    return f"if {' and '.join(rule.when.values())} then {' '.join(rule.then.values())}"
