"""The intraday market of a simulated day: forecasts firm up, prices move, gates shut.

Everything that an aggregator sees before an interval is over is drawn around what will happen, so
that what it sees tells it no more than a real forecast or price would: see `Firming`.
"""

from dataclasses import dataclass, field

import numpy as np

from aggregator.forecast import Forecast
from aggregator.intraday_terms import Quotes
from aggregator.settle import ImbalanceRule
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.data.fleet_data import FleetData
from scenarios.errors import ScenarioInputError
from scenarios.simulation.day_ahead import error_factor, fleet_energy_wh, point_edges
from scenarios.simulation.fleet import Rules

DAY_AHEAD, ENERGY, PRICE = slice(0, 2), slice(2, 4), 4
"""Which children of a day's seed draw what: `scenarios.simulation.fleet_day` has the first two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firming:
    """How what is not known of an interval shrinks as it comes nearer.

    Raises
    ------
    ScenarioInputError
        If a number is out of its range.

    Notes
    -----
    The share of the error's variance that is left at a lead h, counted to the interval's end, is
    ``left`` + (1 − ``left``) · min(1, h / ``full_lead_s``). The error walks at random from nothing
    known to all known: a Brownian bridge between the day-ahead error and none, so that a newer
    forecast is not better guessed by going on as the last two did (a martingale).
    """

    full_lead_s: int = 43_200
    """From here on a forecast is no better than the day-ahead one, > 0. [s]"""
    left: float = 0.0
    """What is still not known when the interval is over, as a share of the variance, 0..1."""

    def __post_init__(self) -> None:
        if self.full_lead_s <= 0 or not 0 <= self.left <= 1:
            msg = (
                f"firming over {self.full_lead_s} s to {self.left}: choose a time above 0 s and a "
                "share in 0..1"
            )
            raise ScenarioInputError(msg)

    def shares(self, step_s: int) -> FloatArray:
        """Return the variance's share at leads of 0, 1, 2, … steps; the last is 1."""
        steps = -(-self.full_lead_s // step_s)
        lead = np.minimum(np.arange(steps + 1) * step_s / self.full_lead_s, 1.0)
        return self.left + (1 - self.left) * lead

    def errors(self, end: FloatArray, step_s: int, rng: np.random.Generator) -> FloatArray:
        """Return errors by lead, shape (series, leads), the last column ``end``.

        Parameters
        ----------
        end : FloatArray, shape (series,)
            The day-ahead errors in units of their standard deviation.
        step_s : int
            Time between two leads. [s]
        rng : numpy.random.Generator
            Draws the walks.
        """
        share = self.shares(step_s)
        steps = rng.standard_normal((end.shape[0], share.shape[0]))
        walk = np.cumsum(steps * np.sqrt(np.diff(share, prepend=0.0)), axis=1)
        bridged: FloatArray = walk + share * (end - walk[:, -1])[:, np.newaxis]
        return bridged


@dataclass(frozen=True, slots=True, kw_only=True)
class Intraday:
    """How an aggregator trades through the day.

    Raises
    ------
    ScenarioInputError
        If a number is out of its range.
    """

    every_s: int = 7_200
    """Time between two plans, a multiple of the market interval. [s]"""
    gate_closure_s: int = 3_600
    """Trade ends this long before an interval begins; a day and more: plans, no trades. [s]"""
    keep_closed: bool = False
    """Whether plans keep what can no longer be traded as far as physics goes, whatever it costs."""
    spread_per_mwh: float = 4.0
    """From bid to ask, >= 0. [currency/MWh]"""
    premium_per_mwh: float = 5.0
    """How much dearer than the market a deviation is taken to be, > half the spread, so
    that no plan counts on a deviation that can be traded. [currency/MWh]"""
    energy: Firming = field(default_factory=Firming)
    """How load and production become known."""
    price: Firming = field(default_factory=lambda: Firming(left=0.5))
    """How the imbalance price becomes known to the market."""
    price_sd_per_mwh: float = 20.0
    """Standard deviation of the imbalance price around the day-ahead price. [currency/MWh]"""

    def __post_init__(self) -> None:
        if self.every_s <= 0 or self.gate_closure_s < 0:
            msg = f"intraday every {self.every_s} s, gate {self.gate_closure_s} s: choose > 0, >= 0"
            raise ScenarioInputError(msg)
        for name in ("spread_per_mwh", "premium_per_mwh", "price_sd_per_mwh"):
            if not 0 <= getattr(self, name) < np.inf:
                msg = f"intraday {name} of {getattr(self, name)}: choose 0 or more"
                raise ScenarioInputError(msg)
        if self.premium_per_mwh < self.spread_per_mwh / 2:
            msg = (
                f"intraday premium of {self.premium_per_mwh}: choose at least half the spread of "
                f"{self.spread_per_mwh}, or plans count on promises that are broken"
            )
            raise ScenarioInputError(msg)

    def is_due(self, minute: int, interval_s: int) -> bool:
        """Tell whether the rest of the day is planned again at a minute of it."""
        every_s = -(-self.every_s // interval_s) * interval_s
        return minute > 0 and minute * 60 % every_s == 0


def firmed_forecast(
    data: FleetData, rules: Rules, firming: Firming, *, slot: int, stream: tuple[int, ...]
) -> Forecast:
    """Return what is known at the beginning of a slot of the rest of the day.

    Parameters
    ----------
    data : FleetData
        The day as it will be.
    rules : Rules
        Its day-ahead forecast's error, step and seed.
    firming : Firming
        How the error shrinks.
    slot : int
        First interval of the rest.
    stream : tuple[int, ...]
        The day's draw, as for `scenarios.simulation.fleet_day.promise_day`.

    Notes
    -----
    A point's error factor is max(0, 1 + k·W), W the bridge of `Firming` from the day-ahead draw;
    its flat shape gives way to the real one as √share goes from 1 to 0. At a full lead this is the
    day-ahead forecast; an interval that ends now is known as far as ``left`` allows.
    """
    seeds = np.random.SeedSequence(rules.seed, spawn_key=stream).spawn(PRICE + 1)
    demand_wh, production_wh = (
        _firmed(actual_wh, rules, firming, grid=data.market_grid, slot=slot, seeds=(first, second))
        for actual_wh, first, second in zip(
            fleet_energy_wh(data), seeds[DAY_AHEAD], seeds[ENERGY], strict=True
        )
    )
    return Forecast(
        grid=rest_of(data.market_grid, slot),
        demand_wh=demand_wh,
        production_wh=production_wh,
        import_price_per_mwh=data.import_price_per_mwh[slot:],
        export_price_per_mwh=data.day_ahead_price_per_mwh[slot:],
    )


def _firmed(
    actual_wh: FloatArray,
    rules: Rules,
    firming: Firming,
    *,
    grid: TimeGrid,
    slot: int,
    seeds: tuple[np.random.SeedSequence, np.random.SeedSequence],
) -> FloatArray:
    """Return the forecast of one quantity for the slots from ``slot`` on. [Wh]"""
    edges = point_edges(grid, rules.forecast_step_s)
    z = np.random.default_rng(seeds[0]).standard_normal(len(edges))
    total_wh = np.add.reduceat(actual_wh, edges)
    k = error_factor(total_wh, z, rules.forecast_error)
    errors = firming.errors(z, grid.step_s, np.random.default_rng(seeds[1]))
    lengths = np.diff([*edges, len(actual_wh)])
    flat_wh = np.repeat(total_wh / lengths, lengths)[slot:]
    point = np.repeat(np.arange(len(edges)), lengths)[slot:]
    lead = _lead(firming, grid, slot)
    unknown = np.sqrt(firming.shares(grid.step_s)[lead])
    shape_wh = unknown * flat_wh + (1 - unknown) * actual_wh[slot:]
    firmed_wh: FloatArray = shape_wh * np.maximum(0.0, 1 + k * errors[point, lead])
    return firmed_wh


def intraday_price_per_mwh(
    data: FleetData, rules: Rules, settings: Intraday, *, slot: int, stream: tuple[int, ...]
) -> FloatArray:
    """Return the middle between bid and ask at the beginning of a slot, for it and the rest.

    Returns
    -------
    FloatArray, shape (slots left,)
        A price between the day-ahead price, at a full lead, and the imbalance price, as
        far as it is known; the rest is as for `firmed_forecast`. [currency/MWh]

    Notes
    -----
    No free source of real intraday prices covers these days. The price is the market's guess of the
    imbalance price: imbalance − σ·W, W the bridge of `Firming` from (imbalance − day-ahead) / σ.
    If that surprise is normal with σ, the price is its expectation given all earlier prices: it
    tells nothing about the imbalance price that it does not say itself.
    """
    seed = np.random.SeedSequence(rules.seed, spawn_key=stream).spawn(PRICE + 1)[PRICE]
    step_s, sd = data.market_grid.step_s, settings.price_sd_per_mwh
    surprise = data.imbalance_price_per_mwh - data.day_ahead_price_per_mwh
    if sd:
        left = sd * settings.price.errors(surprise / sd, step_s, np.random.default_rng(seed))
    else:
        left = surprise[:, np.newaxis] * settings.price.shares(step_s)
    lead = _lead(settings.price, data.market_grid, slot)
    known: FloatArray = (
        data.imbalance_price_per_mwh[slot:] - left[slot:][np.arange(len(lead)), lead]
    )
    return known


def quotes(price_per_mwh: FloatArray, settings: Intraday, *, rule: ImbalanceRule) -> Quotes:
    """Return bid, ask and what deviations are taken to cost.

    Parameters
    ----------
    price_per_mwh : FloatArray, shape (slots,)
        The middle. [currency/MWh]
    settings : Intraday
        Spread and premium.
    rule : ImbalanceRule
        How deviations are priced: by the paper's a surplus costs as much as a shortfall, by a
        single price it costs nothing here. No plan counts on being paid for a deviation.
    """
    half = settings.spread_per_mwh / 2
    short = np.maximum(price_per_mwh, 0.0) + settings.premium_per_mwh
    return Quotes(
        bid_per_mwh=price_per_mwh - half,
        ask_per_mwh=price_per_mwh + half,
        short_per_mwh=short,
        over_per_mwh=short if rule == "paper" else np.zeros_like(short),
    )


def rest_of(grid: TimeGrid, slot: int) -> TimeGrid:
    """Return a grid from a slot on."""
    return TimeGrid(start=grid.starts()[slot], step_s=grid.step_s, count=grid.count - slot)


def _lead(firming: Firming, grid: TimeGrid, slot: int) -> IntArray:
    """Return the steps from a slot's beginning to the end of it and of each later one, capped."""
    last = firming.shares(grid.step_s).shape[0] - 1
    steps: IntArray = np.minimum(np.arange(1, grid.count - slot + 1), last)
    return steps
