"""The study's runs: every case of the paper lived through, and the best that could be done."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from devices.arrays import FloatArray
from hems.dispatch.policies import GridTarget, InputDispatch, Policy
from scenarios.dispatch.ev_profiles import HYPOTHESES
from scenarios.dispatch.optimum import (
    Optimum,
    Prices,
    most_delivered_wh,
    optimum,
    peaks,
    rolling,
)
from scenarios.dispatch.optimum_battery import IdealBattery
from scenarios.dispatch.plant import Generation
from scenarios.dispatch.run import Dispatched, dispatch
from scenarios.marchi import cases, paper
from scenarios.marchi.study import (
    MIDDLE,
    PAPERS,
    STEP_S,
    Best,
    Bill,
    Found,
    PricePair,
    Study,
    Year,
    prices_of,
)

ONLY_PEAKS: Final = Prices(import_price_per_mwh=0.01, peak_price_per_kw=1000.0)
"""Prices at which only peaks are worth lowering; of equal peaks, the one with least import."""
Tell = Callable[[str], None]
"""Told what is done next, as often as `steps` says."""
Matrix = Mapping[tuple[Generation, int, int], Year]


def steps(study: Study) -> int:
    """Return how often `run` tells."""
    each = len(cases.WINDOWS) * len(paper.POLICIES) + len(HYPOTHESES)
    return len(cases.GENERATIONS) * each + len(study.bounded) + len(study.pairs)


def run(study: Study, tell: Tell = lambda _: None) -> Found:
    """Return all that the study comes to.

    Parameters
    ----------
    study : Study
        The building.
    tell : Callable[[str], None]
        Told what comes next, as often as `steps` says.
    """
    matrix = _matrix(study, tell)
    cars = _cars(study, tell)
    four_w = study.with_cars_w(cases.SHOWN_CARS)
    policies = cases.policies()
    optima = {pair: _optimum(study, prices_of(pair)) for pair in study.pairs}
    return Found(
        study=study,
        matrix=matrix,
        wishes={
            (generation, name): _lived(study, generation, wish.policy(), years=1)
            for generation in cases.GENERATIONS
            for name, wish in cases.WISHES.items()
        },
        best={window: _best(study, window, tell) for window in study.bounded},
        peaks=_table_4(study, matrix, cars),
        best_peaks={
            4: _best_peaks_kw(study, study.load_w),
            6: _best_peaks_kw(study, four_w),
        },
        cars=cars,
        with_cars={
            (generation, number): _lived(study, generation, policy, load_w=four_w, years=1)
            for generation in cases.GENERATIONS
            for number, policy in policies.items()
        },
        bills={pair: _bill(study, matrix, pair, best, tell=tell) for pair, best in optima.items()},
        best_year=optima[MIDDLE],
    )


def _matrix(study: Study, tell: Tell) -> Matrix:
    """Return all policies in all windows, as both generations run them."""
    found = {}
    for generation in cases.GENERATIONS:
        for window in cases.WINDOWS:
            for number, policy in cases.policies().items():
                tell(f"SAM {generation}, configuration {window}, policy {number}")
                found[generation, window, number] = _lived(study, generation, policy, window=window)
    return found


def _cars(study: Study, tell: Tell) -> dict[tuple[Generation, int], Year]:
    """Return the paper's policy and window with the cars of each hypothesis."""
    policy = cases.policies()[cases.SHOWN_POLICY]
    found = {}
    for generation in cases.GENERATIONS:
        for number in HYPOTHESES:
            tell(f"SAM {generation}, cars by hypothesis {number}")
            load_w = study.with_cars_w(number)
            found[generation, number] = _lived(study, generation, policy, load_w=load_w)
    return found


def _lived(
    study: Study,
    generation: Generation,
    policy: Policy,
    *,
    load_w: FloatArray | None = None,
    window: int = cases.SHOWN_WINDOW,
    years: int | None = None,
) -> Year:
    """Return a run's first year, and the battery's life in all of them."""
    load_w = study.load_w if load_w is None else load_w
    lived = dispatch(
        load_w,
        study.pv_w,
        step_s=STEP_S,
        battery=cases.battery(window, generation),
        policy=policy,
        years=years or study.years,
        pv_loss_per_year=paper.PV_LOSS_PER_YEAR,
    )
    return _year(lived, load_w.size)


def _year(lived: Dispatched, steps: int) -> Year:
    told = lived.summary()

    def first(flow: FloatArray) -> FloatArray:
        return flow[:steps].copy()  # a view would keep all 25 years

    return Year(
        import_w=first(lived.grid_import_w),
        export_w=first(lived.grid_export_w),
        charged_w=first(lived.pv_to_battery_w),
        delivered_w=first(lived.battery_to_load_w),
        soc=first(lived.soc),
        peaks_kw=told.demand_peak_kw[0].by_month,
        round_trip=told.round_trip_efficiency[-1],
        cycles=sum(told.cycles),
        left=told.capacity_left,
    )


def _best(study: Study, window: int, tell: Tell) -> Best:
    """Return what nothing does better in a window."""
    tell(f"the optimum in configuration {window}")
    one_year = np.zeros(study.load_w.size, dtype=np.int64)
    ideal = _ideal(window)
    lowest = optimum(
        study.load_w, study.pv_w, step_s=STEP_S, period=one_year, battery=ideal, prices=ONLY_PEAKS
    )
    most_wh = most_delivered_wh(study.load_w, study.pv_w, step_s=STEP_S, battery=ideal)
    return Best(peak_kw=float(lowest.peak_w[0]) / 1000, delivered_mwh=most_wh / 1e6)


def _table_4(
    study: Study, matrix: Matrix, cars: Mapping[tuple[Generation, int], Year]
) -> dict[tuple[Generation, int], tuple[float, ...]]:
    """Return each scenario's monthly peaks. [kW]"""
    shown = cases.SHOWN_WINDOW, cases.SHOWN_POLICY
    return {
        (generation, number): _without(study, each)
        if not each.battery
        else (
            cars[generation, cases.SHOWN_CARS] if each.cars else matrix[(generation, *shown)]
        ).peaks_kw
        for generation in cases.GENERATIONS
        for number, each in cases.SCENARIOS.items()
    }


def _without(study: Study, scenario: cases.Scenario) -> tuple[float, ...]:
    """Return the monthly peaks of a scenario without battery. [kW]"""
    load_w = study.with_cars_w(cases.SHOWN_CARS) if scenario.cars else study.load_w
    net_w = np.maximum(load_w - study.pv_w, 0.0) if scenario.pv else load_w
    return _kw(peaks(net_w, study.month))


def _best_peaks_kw(study: Study, load_w: FloatArray) -> tuple[float, ...]:
    """Return the monthly peaks whose sum is lowest. [kW]"""
    found = optimum(
        load_w,
        study.pv_w,
        step_s=STEP_S,
        period=study.month,
        battery=_ideal(cases.SHOWN_WINDOW),
        prices=ONLY_PEAKS,
    )
    return _kw(found.peak_w)


def _bill(study: Study, matrix: Matrix, pair: PricePair, best: Optimum, *, tell: Tell) -> Bill:
    """Return what the year costs without and with everything."""
    tell(f"a daily plan at {pair[0] / 1000:g} EUR/kWh and {pair[1]:g} EUR/kW")
    prices = prices_of(pair)
    none_w = np.zeros_like(study.load_w)
    net_w = study.load_w - study.pv_w
    day = rolling(
        study.load_w,
        study.pv_w,
        step_s=STEP_S,
        period=study.month,
        battery=_ideal(cases.SHOWN_WINDOW),
        prices=prices,
    )
    played: dict[str, Policy] = {
        "tuned": GridTarget(target_w=best.peak_w),
        "carried": InputDispatch(power_w=day.battery_power_w),
        "best_carried": InputDispatch(power_w=best.battery_power_w),
    }
    return Bill(
        grid=prices.cost(study.load_w, none_w, step_s=STEP_S, period=study.month),
        pv=prices.cost(np.maximum(net_w, 0.0), none_w, step_s=STEP_S, period=study.month),
        by_policy={
            generation: {
                number: matrix[generation, cases.SHOWN_WINDOW, number].cost(study, prices)
                for number in paper.POLICIES
            }
            for generation in cases.GENERATIONS
        },
        **{
            name: _lived(study, PAPERS, policy, years=1).cost(study, prices)
            for name, policy in played.items()
        },
        rolling=day.cost,
        best=best.cost,
    )


def _optimum(study: Study, prices: Prices) -> Optimum:
    return optimum(
        study.load_w,
        study.pv_w,
        step_s=STEP_S,
        period=study.month,
        battery=_ideal(cases.SHOWN_WINDOW),
        prices=prices,
    )


def _ideal(window: int) -> IdealBattery:
    return IdealBattery.of(cases.battery(window, cases.GENERATIONS[0]), step_s=STEP_S)


def _kw(power_w: FloatArray) -> tuple[float, ...]:
    return tuple((power_w / 1000).tolist())
