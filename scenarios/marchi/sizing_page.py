"""The study's battery in other sizes: the sweep, and its place on the page."""

from collections.abc import Callable
from typing import Final

from scenarios.dispatch.sizing import OPTIMUM, Site, Sizing, sweep
from scenarios.dispatch.sizing_picture import heat_chart, heats
from scenarios.marchi import cases, paper
from scenarios.marchi.study import MIDDLE, PAPERS, STEP_S, Study, prices_of
from scenarios.report.chart import Chart
from scenarios.report.judged import Figure, figure_block
from scenarios.report.quantity import money, percent

CAPACITIES_WH: Final = (5e3, 10e3, 15e3, 25.2e3, 40e3, 60e3, 100e3)
"""Capacities tried; the campus' own is among them. [Wh]"""
POWERS_W: Final = (3e3, 7e3, 13.8e3, 25e3, 50e3)
"""Powers tried; the campus' own is among them. [W]"""
CURRENCY: Final = "EUR"
SIZES: Final = len(CAPACITIES_WH) * len(POWERS_W)
"""How many sizes are tried."""


def study_sizing(study: Study, progress: Callable[[int], None] = lambda _: None) -> Sizing:
    """Return what other batteries would save the study's building at the middle prices."""
    site = Site(
        load_w=study.load_w,
        pv_w=study.pv_w,
        step_s=STEP_S,
        period=study.month,
        prices=prices_of(MIDDLE),
        battery=cases.battery(cases.SHOWN_WINDOW, PAPERS),
    )
    named = {
        f"{number} {paper.POLICIES[number]}": policy for number, policy in cases.policies().items()
    }
    return sweep(site, named, capacities_wh=CAPACITIES_WH, powers_w=POWERS_W, progress=progress)


def sizing_charts(sizing: Sizing | None) -> list[Chart]:
    """Return the heat maps, none without a sweep."""
    if sizing is None:
        return []
    return [heat_chart(heat, sizing) for heat in heats(sizing, CURRENCY)]


def sizing_section(sizing: Sizing | None) -> str:
    """Return the page's section on sizes, nothing without a sweep."""
    if sizing is None:
        return ""
    return "\n".join(
        figure_block(
            Figure(
                title=f"Beyond the paper: {heat.title[0].lower()}{heat.title[1:]}",
                note=sizing_note(sizing) if not number else "The same sizes.",
                chart=heat_chart(heat, sizing),
            )
        )
        for number, heat in enumerate(heats(sizing, CURRENCY))
    )


def sizing_about() -> str:
    """Return what the heat maps are drawn for, in a line."""
    energy, peak = MIDDLE
    return (
        f"First year against PV alone at {energy / 1000:g} EUR/kWh and {peak:g} EUR/kW a year, 20 "
        "to 90 % charge; without what the battery costs"
    )


def sizing_note(sizing: Sizing) -> str:
    """Return what there is to see in the heat maps."""
    best, most = sizing.best_saving, sizing.saving[OPTIMUM]
    row, column = divmod(int(best.argmax()), best.shape[1])
    power_kw, capacity_kwh = sizing.powers_w[row] / 1000, sizing.capacities_wh[column] / 1000
    return (
        f"{sizing_about()}. The policies save most, "
        f"{money(float(best[row, column]), CURRENCY, 0)}, with {capacity_kwh:g} kWh and "
        f"{power_kw:g} kW (policy {sizing.best_policy[row][column].split()[0]}), "
        f"{percent(float(best[row, column] / most[row, column]), 0)} of what the optimum saves "
        "with the same battery."
    )
