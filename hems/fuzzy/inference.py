"""Zero-order Sugeno inference over a complete table of rules, for many homes and times at once."""

from collections.abc import Mapping
from math import prod

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ControlInputError
from hems.fuzzy.rule_base import RuleBase
from hems.fuzzy.variables import Ramps

BLOCK = 2_048
"""Values inferred together: what they need stays in a processor's second cache."""


class Sugeno:
    """Infers outputs from inputs by rules.

    Parameters
    ----------
    rules : RuleBase
        One rule for each combination of words.

    Notes
    -----
    Takagi and Sugeno 1985, with constant consequents: with w_r the degrees of a rule's words,
    multiplied or the least of them, an output is Σ w_r z_r / Σ w_r over the rules that say
    something about it. Where none of those holds at all the answer is 0, as libraries have it.

    The rules fill a table, so the sums are contractions: with the product, of one input's degrees
    after the other; with the minimum, of the table of all rules' weights.
    """

    __slots__ = ("_levels", "_ramps", "_said", "rules")

    def __init__(self, rules: RuleBase) -> None:
        self.rules = rules
        """What it infers by."""
        table = rules.table()
        self._ramps = tuple(Ramps(variable) for variable in rules.inputs)
        said = np.isfinite(table)
        self._levels = np.moveaxis(np.where(said, table, 0.0), -1, 0)
        self._said = np.moveaxis(said.astype(np.float64), -1, 0)

    def infer(self, inputs: Mapping[str, FloatArray]) -> FloatArray:
        """Return the outputs, shape (n, outputs).

        Parameters
        ----------
        inputs : Mapping[str, FloatArray]
            By the inputs' names, each of shape (n,); values beyond a range count as its end.

        Raises
        ------
        ControlInputError
            If a value is no number: no rule would hold, and no rule is no answer.
        """
        values = [np.asarray(inputs[variable.name]) for variable in self.rules.inputs]
        for variable, each in zip(self.rules.inputs, values, strict=True):
            if not np.isfinite(each).all():
                place = int(np.flatnonzero(~np.isfinite(each))[0])
                msg = f"fuzzy rules: {variable.name}[{place}] is {each[place]:g}; give a number"
                raise ControlInputError(msg)
        count = values[0].shape[0]
        outputs = np.empty((count, len(self.rules.outputs)))
        for first in range(0, count, BLOCK):
            some = slice(first, first + BLOCK)
            outputs[some] = self._infer_some([each[some] for each in values])
        return outputs

    def _infer_some(self, values: list[FloatArray]) -> FloatArray:
        degrees = [ramp.degrees(each) for ramp, each in zip(self._ramps, values, strict=True)]
        sums = _products if self.rules.conjunction == "product" else _minima
        both = np.concatenate([self._levels, self._said])
        top, bottom = np.split(sums(both, degrees), 2)
        result = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
        return result.T


def _products(tables: FloatArray, degrees: list[FloatArray]) -> FloatArray:
    """Return Σ over all rules of entry times product of degrees, shape (tables, n)."""
    first, *others = degrees
    weights = others[0]
    for each in others[1:]:
        weights = (weights[:, None] * each).reshape(-1, each.shape[1])
    count, terms = tables.shape[0], first.shape[0]
    sums = tables.reshape(count * terms, -1) @ weights
    each_term = sums.reshape(count, terms, -1)
    each_term *= first
    total: FloatArray = each_term.sum(axis=1)
    return total


def _minima(tables: FloatArray, degrees: list[FloatArray]) -> FloatArray:
    """Return the same with the least degree in place of the product."""
    weights = degrees[0]
    for each in degrees[1:]:
        weights = np.minimum(weights[:, None], each).reshape(-1, each.shape[1])
    return tables.reshape(tables.shape[0], prod(tables.shape[1:])) @ weights
