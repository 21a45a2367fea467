"""Rules inferred one by one, as a textbook has them: the oracle of the table."""

from math import prod

import pytest


def _degree(value, corners):
    """Return how far a trapezoid holds at a value."""
    begins, full, ceases, ends = corners
    if full <= value <= ceases:
        return 1.0
    if value <= begins or value >= ends:
        return 0.0
    return (value - begins) / (full - begins) if value < full else (ends - value) / (ends - ceases)


def _inferred(base, point):
    """Return the outputs of all rules at one point, by name."""
    together = prod if base.conjunction == "product" else min
    top, bottom = ({output.name: 0.0 for output in base.outputs} for _ in range(2))
    for rule in base.rules:
        weight = together(
            _degree(
                min(max(point[variable.name], variable.low), variable.high),
                next(t.corners for t in variable.terms if t.name == rule.when[variable.name]),
            )
            for variable in base.inputs
        )
        for output in base.outputs:
            level = output.levels.get(rule.then[output.name])
            if level is not None:
                top[output.name] += weight * level
                bottom[output.name] += weight
    return [top[o.name] / bottom[o.name] if bottom[o.name] else 0.0 for o in base.outputs]


@pytest.fixture(scope="session")
def inferred():
    """Return the rule-by-rule inference: ``inferred(base, point)``."""
    return _inferred
