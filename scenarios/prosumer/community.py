"""A renewable energy community: what its members share, what that earns, and rules that know it."""

import json
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Self

import numpy as np

from devices.arrays import FloatArray
from hems.prosumer import Course, Planner, Prospect
from scenarios.errors import ScenarioInputError
from scenarios.prosumer.rules_compiled import CompiledRules

MICRO = 1e6
"""Micro-units in a unit of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incentive:
    """What a community gets for energy that its members share; numbers are data.

    Raises
    ------
    ScenarioInputError
        If a number is negative or not finite.

    Notes
    -----
    Italy's tariff for shared energy has a fixed part and one that rises as the market's price falls
    below a reference, up to a cap.
    """

    name: str
    """What it is called."""
    base_per_mwh: float
    """Fixed part, >= 0. [currency/MWh]"""
    cap_per_mwh: float
    """Greatest sum of both parts, >= ``base_per_mwh``. [currency/MWh]"""
    reference_price_per_mwh: float = 0.0
    """Market's price below which the second part begins. [currency/MWh]"""
    source: str = "given"
    """Where the numbers come from."""

    def __post_init__(self) -> None:
        if not 0 <= self.base_per_mwh <= self.cap_per_mwh < np.inf:
            msg = (
                f"incentive {self.name}: {self.base_per_mwh:g} to {self.cap_per_mwh:g} per MWh; "
                "give a base >= 0 and a cap not below it"
            )
            raise ScenarioInputError(msg)

    @classmethod
    def flat(cls, per_mwh: float) -> Self:
        """Return the same for every kWh. [currency/MWh]"""
        return cls(name="flat", base_per_mwh=per_mwh, cap_per_mwh=per_mwh)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return one of those that ship with this package, or raise `ScenarioInputError`."""
        known = _known()
        if name not in known:
            msg = f"incentive {name!r} is unknown; choose one of {', '.join(known)}"
            raise ScenarioInputError(msg)
        of = known[name]
        return cls(
            name=name,
            base_per_mwh=float(of["base_per_mwh"]),
            cap_per_mwh=float(of["cap_per_mwh"]),
            reference_price_per_mwh=float(of["reference_price_per_mwh"]),
            source=str(of["source"]),
        )

    def per_mwh(self, market_price_per_mwh: FloatArray) -> FloatArray:
        """Return what each hour's shared energy earns, same shape. [currency/MWh]"""
        lacking = np.maximum(self.reference_price_per_mwh - market_price_per_mwh, 0.0)
        return np.minimum(self.base_per_mwh + lacking, self.cap_per_mwh)


@cache
def _known() -> dict[str, dict[str, str | float]]:
    text = files("scenarios.prosumer").joinpath("community_incentives.json").read_text("utf-8")
    known: dict[str, dict[str, str | float]] = json.loads(text)
    return known


def shared_wh(grid_wh: FloatArray) -> FloatArray:
    """Return the energy that members share in each hour: the lesser of exports and imports.

    Parameters
    ----------
    grid_wh : FloatArray, shape (homes, hours)
        Exchange with the grid, > 0 imports. [Wh]

    Returns
    -------
    FloatArray, shape (hours,)
        [Wh]
    """
    imports = np.maximum(grid_wh, 0.0).sum(axis=0)
    exports = np.maximum(-grid_wh, 0.0).sum(axis=0)
    shared: FloatArray = np.minimum(imports, exports)
    return shared


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityAware:
    """Let a planner see what the community earns by each hour's energy; see `hems.prosumer`.

    Notes
    -----
    Beyond Becchi 2024, whose outlook this is. Where members are expected to export more than they
    import, one more kWh imported is shared and earns the incentive, one exported does not;
    where they lack energy it is the other way round. Each home's rules then plan with prices that
    hold this: its import is cheaper in the community's sunny hours, its export worth more in the
    others, and so its targets move. What the community will do comes from its members' own plans,
    in rounds: all moving at once would overshoot, so the incentive fades in with the surplus; what
    is done is the cheapest of all rounds for the community, each for itself among them.
    """

    planner: Planner = field(default_factory=CompiledRules)
    """Who plans for each home."""
    incentive: Incentive
    """What shared energy earns."""
    market_price_per_mwh: float | None = None
    """The market's price where export earns another; None: export's is the market's."""
    rounds: int = 2
    """Times that plans are made again with what the community then does, >= 1."""
    band: float = 1.0
    """Surplus over exchange at which the incentive is fully on one side, > 0."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the courses of all members, cost as their own bills have it."""
        found = self.planner.plan(prospect)
        market = prospect.export_price_per_mwh.mean(axis=0, keepdims=True)
        if self.market_price_per_mwh is not None:
            market = np.full_like(market, self.market_price_per_mwh)
        per_mwh = self.incentive.per_mwh(market)
        best, best_micro = found, self._cost_micro(prospect, found, per_mwh)
        seen = None
        for _ in range(self.rounds):
            sunny = self._sunny(found.grid_wh)
            # half the way from round to round: plans that answer each other settle
            seen = sunny if seen is None else (seen + sunny) / 2
            felt = replace(
                prospect,
                import_price_per_mwh=prospect.import_price_per_mwh - per_mwh * seen,
                export_price_per_mwh=prospect.export_price_per_mwh + per_mwh * (1 - seen),
            )
            found = self.planner.plan(felt)
            cost_micro = self._cost_micro(prospect, found, per_mwh)
            if cost_micro < best_micro:
                best, best_micro = found, cost_micro
        return replace(best, cost_micro=_bills_micro(prospect, best.grid_wh))

    def _cost_micro(self, prospect: Prospect, found: Course, per_mwh: FloatArray) -> float:
        """Return what the community expects to pay for all hours, wear included. [micro]"""
        bills_micro = _bills_micro(prospect, found.grid_wh) + found.wear_micro
        return float(bills_micro.sum() - shared_wh(found.grid_wh) @ per_mwh[0])

    def _sunny(self, grid_wh: FloatArray) -> FloatArray:
        """Return how far each hour is one of surplus, 0..1, shape (1, hours)."""
        imports = np.maximum(grid_wh, 0.0).sum(axis=0, keepdims=True)
        exports = np.maximum(-grid_wh, 0.0).sum(axis=0, keepdims=True)
        surplus = (exports - imports) / np.maximum(exports + imports, 1e-9)
        share: FloatArray = np.clip(0.5 + surplus / (2 * self.band), 0.0, 1.0)
        return share


def _bills_micro(prospect: Prospect, grid_wh: FloatArray) -> FloatArray:
    """Return what each member pays the grid, shape (homes,). [micro]"""
    price = np.where(grid_wh > 0, prospect.import_price_per_mwh, prospect.export_price_per_mwh)
    bills: FloatArray = np.einsum("hs,hs->h", grid_wh, price)
    return bills


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a community did in some hours. Money in the series' currency."""

    bills: float
    """Import paid for less export sold, of all members. [currency]"""
    shared_kwh: float
    """Energy shared. [kWh]"""
    incentive: float
    """What that earned. [currency]"""
    import_kwh: float
    """Of all members' meters. [kWh]"""
    export_kwh: float
    """Of all members' meters. [kWh]"""
    collective_self_consumption: float
    """Production that did not leave the community, hour by hour, over production."""
    collective_self_supply: float
    """Consumption that did not come from outside, hour by hour, over consumption."""
    peak_import_w: float
    """Greatest hourly mean from outside. [W]"""
    peak_export_w: float
    """Greatest hourly mean to outside. [W]"""


def account(
    grid_wh: FloatArray,
    load_wh: FloatArray,
    pv_wh: FloatArray,
    *,
    prices: tuple[FloatArray, FloatArray],
    incentive_per_mwh: FloatArray,
) -> Account:
    """Return what a community's hours came to.

    Parameters
    ----------
    grid_wh, load_wh, pv_wh : FloatArray, shape (homes, hours)
        Exchange (> 0 imports), consumption and production. [Wh]
    prices : tuple[FloatArray, FloatArray]
        Of import and export, shape (homes, hours) or (1, hours). [currency/MWh]
    incentive_per_mwh : FloatArray, shape (hours,)
        What shared energy earns. [currency/MWh]
    """
    shared, net_wh = shared_wh(grid_wh), grid_wh.sum(axis=0)
    price = np.where(grid_wh > 0, *prices)
    used_wh, made_wh = float(load_wh.sum()), float(pv_wh.sum())
    outside_in, outside_out = np.maximum(net_wh, 0.0), np.maximum(-net_wh, 0.0)
    return Account(
        bills=float((grid_wh * price).sum()) / MICRO,
        shared_kwh=float(shared.sum()) / 1e3,
        incentive=float(shared @ incentive_per_mwh) / MICRO,
        import_kwh=float(np.maximum(grid_wh, 0.0).sum()) / 1e3,
        export_kwh=float(np.maximum(-grid_wh, 0.0).sum()) / 1e3,
        collective_self_consumption=1 - float(outside_out.sum()) / made_wh if made_wh else 0.0,
        collective_self_supply=1 - float(outside_in.sum()) / used_wh if used_wh else 0.0,
        peak_import_w=float(outside_in.max()),
        peak_export_w=float(outside_out.max()),
    )
