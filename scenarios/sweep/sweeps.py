"""How a fleet's figures answer to one or two of its settings: sweeps as data.

A sweep is a list of `scenarios.simulation.fleet_run.FleetRun`: one for each value of its axes and
each seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from scenarios.errors import ScenarioInputError
from scenarios.simulation.fleet import PAPER_BATTERY
from scenarios.simulation.fleet_run import FleetRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a value of an axis sets one field of a run: field = offset + per_unit · value."""

    field: str
    """Its name from the run on, such as ``rules.report_s``."""
    per_unit: float = 1.0
    """What one unit of the axis is in the field's unit."""
    offset: float = 0.0
    """What 0 on the axis is in the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One setting that is varied."""

    name: str
    """Its name in tables and folders."""
    title: str
    """What it is, with its unit, for pictures."""
    values: tuple[float, ...]
    """Values, in the axis' own unit."""
    changes: tuple[Change, ...]
    """What a value changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs that differ in one or two settings."""

    line: str
    """What it shows, for the overview."""
    axes: tuple[Axis, ...]
    """One or two."""
    seeds: int = 3
    """How many draws each point is the mean of, unless it is said otherwise."""
    per_home: bool = False
    """Whether money is shown per home: the number of homes is what is varied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run of a sweep."""

    values: tuple[float, ...]
    """Its value on each axis."""
    seed: int
    """Its draw."""
    run: FleetRun
    """What is lived through."""
    folder: str
    """Name of its folder."""


SWEEPS: Final[Mapping[str, Sweep]] = {
    "forecast": Sweep(
        line="Accuracy and step of the day-ahead forecast: Couraud 2021, Fig. 7.",
        axes=(
            Axis(
                name="accuracy",
                title="Accuracy of the day-ahead forecast, 1 − error",
                values=(0.2, 0.4, 0.6, 0.75, 0.9, 1.0),
                changes=(Change(field="rules.forecast_error", per_unit=-1.0, offset=1.0),),
            ),
            Axis(
                name="step_h",
                title="Time between two points of the forecast [h]",
                values=(0.5, 1.0, 2.0, 4.0),
                changes=(Change(field="rules.forecast_step_s", per_unit=3600.0),),
            ),
        ),
        seeds=2,
    ),
    "t-sc": Sweep(
        line="Minutes between reports to the contract: Couraud 2021, Fig. 8.",
        axes=(
            Axis(
                name="t_sc_min",
                title="t_sc: time between two reports to the contract [min]",
                values=(1, 2, 3, 5, 6, 10, 15),
                changes=(Change(field="rules.report_s", per_unit=60.0),),
            ),
        ),
    ),
    "battery": Sweep(
        line="Size of the homes' batteries, their power in proportion.",
        axes=(
            Axis(
                name="capacity_kwh",
                title="Capacity of each home's battery [kWh]",
                values=(2.5, 5.0, 7.5, 10.3, 13.5, 20.0),
                changes=(
                    Change(field="battery.capacity_wh", per_unit=1000.0),
                    Change(
                        field="battery.power_w",
                        per_unit=1000.0 * PAPER_BATTERY.power_w / PAPER_BATTERY.capacity_wh,
                    ),
                ),
            ),
        ),
    ),
    "homes": Sweep(
        line="Number of homes, the aggregator's plant in proportion.",
        axes=(
            Axis(
                name="homes",
                title="Number of homes",
                values=(5, 10, 20, 35, 50, 70),
                changes=(Change(field="homes"),),
            ),
        ),
        per_home=True,
    ),
    "offline": Sweep(
        line="Share of the homes without a connection, each day others.",
        axes=(
            Axis(
                name="offline_share",
                title="Share of the homes without a connection",
                values=(0.0, 0.05, 0.1, 0.2, 0.3, 0.5),
                changes=(Change(field="rules.disturbances.offline_share"),),
            ),
        ),
    ),
    "volatility": Sweep(
        line="Day-ahead prices' deviations from the day's mean, multiplied.",
        axes=(
            Axis(
                name="volatility",
                title="Factor on the day-ahead prices' deviations from the day's mean",
                values=(0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
                changes=(Change(field="price_volatility"),),
            ),
        ),
    ),
}
"""By name: whoever adds a sweep adds it here."""


def points(sweep: Sweep, base: FleetRun, *, seeds: int) -> list[Point]:
    """Return a sweep's runs: every value of its axes with every seed.

    Parameters
    ----------
    sweep : Sweep
        What is varied.
    base : FleetRun
        All else; its seed is the first.
    seeds : int
        How many, >= 1: the base's and those after it.

    Raises
    ------
    ScenarioInputError
        If there is no seed.
    """
    if seeds < 1:
        msg = f"{seeds} seeds: a sweep needs one or more"
        raise ScenarioInputError(msg)
    first = base.rules.seed
    return [
        _point(sweep, base, values, seed=seed)
        for values in product(*(axis.values for axis in sweep.axes))
        for seed in range(first, first + seeds)
    ]


def _point(sweep: Sweep, base: FleetRun, values: tuple[float, ...], *, seed: int) -> Point:
    run = replace(base, rules=replace(base.rules, seed=seed))
    for axis, value in zip(sweep.axes, values, strict=True):
        for change in axis.changes:
            # 1 − 0.9 is to be 0.1 in the run's settings.
            amount = round(change.offset + change.per_unit * value, 9)
            run = changed(run, change.field, amount)
    named = [f"{axis.name}-{value:g}" for axis, value in zip(sweep.axes, values, strict=True)]
    return Point(values=values, seed=seed, run=run, folder="_".join([*named, f"seed-{seed}"]))


def changed(value: Any, field: str, amount: float) -> Any:  # noqa: ANN401 -- any dataclass
    """Return a dataclass with one number in it, or in a dataclass of its own, set.

    Parameters
    ----------
    value : dataclass
        Where the field is.
    field : str
        Its name, with a point before each name within.
    amount : float
        The number; a field that holds a whole number gets the nearest one.
    """
    name, _, below = field.partition(".")
    now = getattr(value, name)
    if below:
        return replace(value, **{name: changed(now, below, amount)})
    return replace(value, **{name: round(amount) if isinstance(now, int) else amount})
