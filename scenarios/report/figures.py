"""The summary's figures, read back with their types."""

from collections.abc import Mapping

from scenarios.errors import ScenarioInputError

Figures = Mapping[str, object]
"""What `scenarios.simulation.summary.summary` returns, with ``gas_per_report``."""


def number(figures: Figures, key: str) -> float:
    """Return a figure that every day has."""
    value = maybe_number(figures, key)
    if value is None:
        msg = f"figures have no number {key!r}; pass those of scenarios.simulation.summary.summary"
        raise ScenarioInputError(msg)
    return value


def whole(figures: Figures, key: str) -> int:
    """Return a figure that counts something; money in micro-units keeps every digit."""
    value = figures.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"figure {key!r} is {value!r}, not a whole number; pass what summary() returned"
        raise ScenarioInputError(msg)
    return value


def maybe_number(figures: Figures, key: str) -> float | None:
    """Return a figure that a day may lack."""
    value = figures.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def text(figures: Figures, key: str) -> str:
    """Return a figure that is a word."""
    return str(figures.get(key, "–"))
