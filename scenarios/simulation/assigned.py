"""Homes of one fleet under different controllers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import get_args

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.controller import Controller, Decision, Observation
from scenarios.errors import ScenarioInputError
from scenarios.simulation.controllers import Named, controller_named
from scenarios.simulation.day_prices import knowing

HOME = re.compile(r"hh_(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Lets some homes decide by controllers of their own; see `Controller`."""

    usual: Controller
    """Decides for the others."""
    own: Mapping[int, Controller]
    """Decides for single homes, by number."""

    def decide(self, seen: Observation) -> Decision:
        """Return every home's decision by its controller."""
        groups = {id(each): each for each in (self.usual, *self.own.values())}
        who = np.full(seen.bank.homes, id(self.usual), dtype=np.int64)
        for home, controller in self.own.items():
            who[home] = id(controller)
        together = _undecided(seen.bank.homes)
        for number, controller in groups.items():
            homes = np.flatnonzero(who == number)
            if homes.size:
                _take(together, homes, controller.decide(_picked(seen, homes)))
        return together

    def of_part(self, part: range) -> Controller:
        """Return what decides for consecutive homes, numbered anew."""
        own = {home - part.start: each for home, each in self.own.items() if home in part}
        return replace(self, own=own) if own else self.usual

    def knowing(self, price_per_mwh: FloatArray) -> Controller:
        """See `scenarios.simulation.day_prices.KnowsPrices`."""
        # One controller stays one: each of its homes is decided with the others.
        told = {id(each): knowing(each, price_per_mwh) for each in (self.usual, *self.own.values())}
        return Assigned(
            usual=told[id(self.usual)],
            own={home: told[id(each)] for home, each in self.own.items()},
        )


def of_part(controller: Controller, part: range) -> Controller:
    """Return what decides for some homes of a fleet."""
    return controller.of_part(part) if isinstance(controller, Assigned) else controller


def assigned(usual: Controller, own: Mapping[int, Named]) -> Controller:
    """Return a controller for homes of which some have their own."""
    if not own:
        return usual
    made = {name: controller_named(name) for name in sorted(set(own.values()))}
    return Assigned(usual=usual, own={home: made[name] for home, name in own.items()})


def members_named(controllers: Mapping[str, Named], homes: int) -> dict[int, Named]:
    """Return controllers by their homes' numbers.

    Parameters
    ----------
    controllers : Mapping[str, Named]
        By names as the data have them: ``hh_03``.
    homes : int
        How many there are that decide.

    Raises
    ------
    ScenarioInputError
        If a home or a controller is none.
    """
    numbered: dict[int, Named] = {}
    for name, controller in controllers.items():
        found = HOME.fullmatch(name)
        if found is None or int(found[1]) >= homes or int(found[1]) in numbered:
            msg = f"controller of {name!r}: name each of hh_00 to hh_{homes - 1:02d} at most once"
            raise ScenarioInputError(msg)
        if controller not in get_args(Named):
            choices = ", ".join(get_args(Named))
            msg = f"controller {controller!r} of {name}: choose one of {choices}"
            raise ScenarioInputError(msg)
        numbered[int(found[1])] = controller
    return numbered


def _undecided(homes: int) -> Decision:
    return Decision(
        follow=np.ones(homes, dtype=np.bool_),
        battery_power_w=np.zeros(homes),
        proved=np.zeros(homes, dtype=np.bool_),
        cap_excess_wh=np.zeros(homes),
        relay_closed=np.ones(homes, dtype=np.bool_),
    )


def _take(together: Decision, home: IntArray, decided: Decision) -> None:
    """Write the decision of some homes; a relay that is left alone stays closed."""
    for field in fields(Decision):
        values = getattr(decided, field.name)
        if values is not None:
            getattr(together, field.name)[home] = values


def _picked(seen: Observation, home: IntArray) -> Observation:
    """Return what some homes see."""
    names = (
        "stored_wh",
        "load_w",
        "pv_w",
        "import_limit_w",
        "export_limit_w",
        "remaining_export_wh",
        "steered",
        "soc_target",
    )
    return replace(
        seen, bank=seen.bank.pick(home), **{name: getattr(seen, name)[home] for name in names}
    )
