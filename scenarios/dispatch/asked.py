"""What a user asks `gridpact dispatch` for, as values: battery, policy, share."""

import re
from pathlib import Path
from typing import Final, Literal

import click
import numpy as np

from hems.dispatch.manual_file import read_manual
from hems.dispatch.paper import grid_target, input_dispatch, manual_dispatch
from hems.dispatch.policies import MONTHS, GridTarget, InputDispatch, PeakShaving, Policy
from scenarios.dispatch.series_file import YearFile, read_year, require_together
from scenarios.errors import DataFormatError

Name = Literal["look-ahead", "look-behind", "grid-target", "input", "manual"]
NAMES: Final[tuple[Name, ...]] = ("look-ahead", "look-behind", "grid-target", "input", "manual")
"""Marchi 2022's policies 1 to 5."""
ALSO: Final[dict[Name, str]] = {
    "look-ahead": "peak-shaving-look-ahead",
    "look-behind": "peak-shaving-look-behind",
    "grid-target": "grid-power-target",
    "input": "input-dispatch",
    "manual": "manual-dispatch",
}
"""Their longer names."""
HOURS_OF_POWER = 2.0
"""A battery whose power is not given fills in as many hours. [h]"""
_BATTERY = re.compile(r"([\d.]+)\s*(?:kwh)?(?:\s*/\s*([\d.]+)\s*(?:kw)?)?", re.IGNORECASE)


class PolicyName(click.ParamType[Name, Name]):
    """A policy by its name or its number in the paper."""

    name = "policy"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Name:
        """Return the policy's name."""
        chosen = value.lower().replace("_", "-")
        for number, name in enumerate(NAMES, start=1):
            if chosen in {name, str(number), ALSO[name]}:
                return name
        return self.fail(f"{value!r}; give {', '.join(NAMES)}, or 1 to 5", param, ctx)


class Size(click.ParamType[tuple[float, float], tuple[float, float]]):
    """A battery's capacity and power: ``60kWh/30kW``."""

    name = "size"

    def convert(
        self,
        value: str | tuple[float, float],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[float, float]:
        """Return capacity and power. [Wh, W]"""
        if isinstance(value, tuple):
            return value
        found = _BATTERY.fullmatch(value.strip())
        try:
            capacity = float(found[1]) if found else 0.0
            power = float(found[2]) if found and found[2] else capacity / HOURS_OF_POWER
        except ValueError:
            capacity = power = 0.0
        if not (capacity > 0 and power > 0):
            self.fail(f"{value!r}; give kWh and kW: 60kWh/30kW, or 60", param, ctx)
        return capacity * 1000, power * 1000


class Share(click.ParamType[float, float]):
    """A share: 0.15, 15% or 15."""

    name = "share"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return it as 0..1."""
        if isinstance(value, float):
            return value
        try:
            number = float(value.rstrip("% "))
        except ValueError:
            number = -1.0
        number = number / 100 if number > 1 or value.endswith("%") else number
        if not 0 <= number <= 1:
            self.fail(f"{value!r}; give 0 to 1, or a percentage", param, ctx)
        return number


def policy_of(
    name: Name, load: YearFile, *, target: str | None, schedule: Path | None, manual: Path | None
) -> Policy:
    """Return the policy that was asked for; where nothing more was said, as the paper set it.

    Raises
    ------
    DataFormatError
        If a file or the targets cannot be used.
    """
    if name == "look-ahead":
        return PeakShaving(look="ahead")
    if name == "look-behind":
        return PeakShaving(look="behind")
    if name == "grid-target":
        return grid_target() if target is None else GridTarget(target_w=_targets_w(target))
    if name == "input":
        return _input(load, schedule)
    return manual_dispatch() if manual is None else read_manual(manual)


def _input(load: YearFile, schedule: Path | None) -> InputDispatch:
    if schedule is None:
        days = round(load.power_w.size * load.step_s / 86_400)
        return input_dispatch(step_s=load.step_s, days=days)
    given = read_year(schedule, signed=True)
    require_together(load, given)
    return InputDispatch(power_w=given.power_w)


def _targets_w(text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return twelve targets from one or twelve numbers of kW."""
    try:
        given = [float(part) * 1000 for part in text.replace(",", " ").split()]
    except ValueError:
        given = []
    if len(given) not in {1, MONTHS}:
        msg = f"--target-kw {text!r}: give one number of kW, or twelve with commas between"
        raise DataFormatError(msg)
    return np.array(given * (MONTHS // len(given)))
