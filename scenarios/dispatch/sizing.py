"""What batteries of other sizes would save a site: each policy, and the optimum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.dispatch.policies import Policy
from scenarios.dispatch.optimum import Prices, optimum
from scenarios.dispatch.optimum_battery import IdealBattery
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.run import dispatch
from scenarios.errors import ScenarioInputError

OPTIMUM = "optimum"
"""Name of the best that any dispatch comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is the same whatever the battery."""

    load_w: FloatArray
    """A year's demand, shape (steps,). [W]"""
    pv_w: FloatArray
    """A year's production at the AC side, shape (steps,). [W]"""
    step_s: float
    """Length of a step. [s]"""
    period: IntArray
    """Billing period of each step, from 0, shape (steps,)."""
    prices: Prices
    """What is charged."""
    battery: DispatchBattery
    """The battery, but for capacity and power."""

    def cost(self, grid_import_w: FloatArray, grid_export_w: FloatArray) -> float:
        """Return what a year's import and export come to. [currency]"""
        return self.prices.cost(
            grid_import_w, grid_export_w, step_s=self.step_s, period=self.period
        )

    @property
    def cost_without(self) -> float:
        """What a year costs without battery. [currency]"""
        net_w = self.load_w - self.pv_w
        return self.cost(np.maximum(net_w, 0.0), np.maximum(-net_w, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What each size comes to; arrays of shape (powers, capacities)."""

    capacities_wh: tuple[float, ...]
    """Nominal capacities, rising. [Wh]"""
    powers_w: tuple[float, ...]
    """Powers, rising. [W]"""
    cost_without: float
    """What a year costs without battery. [currency]"""
    saving: Mapping[str, FloatArray]
    """Saved against that, by policy and for the `OPTIMUM`. [currency]"""
    peak_w: Mapping[str, FloatArray]
    """Highest import of the year, by the same. [W]"""

    @property
    def best_saving(self) -> FloatArray:
        """What the best policy of each size saves. [currency]"""
        most: FloatArray = np.stack([self.saving[name] for name in self.policies]).max(axis=0)
        return most

    @property
    def best_policy(self) -> tuple[tuple[str, ...], ...]:
        """Which policy that is, a row per power."""
        which = np.stack([self.saving[name] for name in self.policies]).argmax(axis=0)
        return tuple(tuple(self.policies[number] for number in row) for row in which)

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the policies."""
        return tuple(name for name in self.saving if name != OPTIMUM)


def sweep(
    site: Site,
    policies: Mapping[str, Policy],
    *,
    capacities_wh: Sequence[float],
    powers_w: Sequence[float],
    progress: Callable[[int], None] = lambda _: None,
) -> Sizing:
    """Run every size of battery by every policy, and at its best.

    Parameters
    ----------
    site : Site
        What is the same.
    policies : Mapping[str, Policy]
        By name.
    capacities_wh, powers_w : Sequence[float]
        Sizes, each > 0. [Wh], [W]
    progress : Callable[[int], None]
        Told after each size how many there were.

    Raises
    ------
    ScenarioInputError
        If there is no size, or one is not > 0.
    """
    if not capacities_wh or not powers_w:
        msg = "sizing: no capacity or no power; give one of each at least"
        raise ScenarioInputError(msg)
    sizes = list(product(sorted(powers_w), sorted(capacities_wh)))
    costs: dict[str, list[float]] = {name: [] for name in (*policies, OPTIMUM)}
    peaks_w: dict[str, list[float]] = {name: [] for name in costs}
    for done, (power_w, capacity_wh) in enumerate(sizes, start=1):
        battery = replace(site.battery, capacity_wh=capacity_wh, power_max_w=power_w)
        for name, (import_w, export_w) in _flows(site, battery, policies).items():
            costs[name].append(site.cost(import_w, export_w))
            peaks_w[name].append(float(import_w.max()))
        progress(done)
    shape, without = (len(powers_w), len(capacities_wh)), site.cost_without
    return Sizing(
        capacities_wh=tuple(sorted(capacities_wh)),
        powers_w=tuple(sorted(powers_w)),
        cost_without=without,
        saving={name: without - np.array(each).reshape(shape) for name, each in costs.items()},
        peak_w={name: np.array(each).reshape(shape) for name, each in peaks_w.items()},
    )


def _flows(
    site: Site, battery: DispatchBattery, policies: Mapping[str, Policy]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return import and export under each policy, and at best. [W]"""
    found = {}
    for name, policy in policies.items():
        lived = dispatch(site.load_w, site.pv_w, step_s=site.step_s, battery=battery, policy=policy)
        found[name] = (lived.grid_import_w, lived.grid_export_w)
    best = optimum(
        site.load_w,
        site.pv_w,
        step_s=site.step_s,
        period=site.period,
        battery=IdealBattery.of(battery, step_s=site.step_s),
        prices=site.prices,
    )
    return found | {OPTIMUM: (best.grid_import_w, best.grid_export_w)}
