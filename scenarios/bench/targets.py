"""Figures of a measurement beside what they should be."""

from collections.abc import Mapping
from typing import NamedTuple

from rich.table import Table


class Target(NamedTuple):
    """What a figure is, and what it should be."""

    what: str
    """In words, with its unit."""
    wanted: float
    """Its bound."""
    least: bool = False
    """True: it should be at least ``wanted``; False: at most."""

    def met_by(self, found: float) -> bool:
        """Return whether a figure is as it should be."""
        return found >= self.wanted if self.least else found <= self.wanted


def target_table(
    title: str,
    targets: Mapping[str, Target],
    figures: Mapping[str, object],
    *,
    number: str = ",.3g",
) -> Table:
    """Return the figures that were measured beside their targets, met in green, missed in red.

    Parameters
    ----------
    title : str
        What was measured.
    targets : Mapping[str, Target]
        By the figure's key.
    figures : Mapping[str, object]
        What was found; a key that is not there, or no number, has no row.
    number : str
        How Python formats a figure.
    """
    table = Table(title=title)
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("target", justify="right")
    for key, target in targets.items():
        found = figures.get(key)
        if isinstance(found, int | float):
            colour = "green" if target.met_by(found) else "red"
            sign = "≥" if target.least else "≤"
            table.add_row(
                target.what, f"[{colour}]{found:{number}}[/]", f"{sign} {target.wanted:,g}"
            )
    return table
