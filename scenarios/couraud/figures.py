"""All figures of the study, in the paper's order, with their titles."""

from collections.abc import Mapping
from pathlib import Path

from scenarios.couraud import charts
from scenarios.couraud.cases import Study
from scenarios.couraud.days import Day, read_day, telling_day
from scenarios.couraud.results import Result
from scenarios.report.clock import day_name
from scenarios.report.judged import Figure


def figures(
    study: Study, folders: Mapping[int, Path], results: Mapping[int, Result], currency: str
) -> list[Figure]:
    """Return figures 5, 6, 9 and 10.

    Parameters
    ----------
    study : Study
        What was run.
    folders : Mapping[int, Path]
        Results of the scenarios, by the paper's number; 4 and 5 are needed.
    results : Mapping[int, Result]
        Their figures.
    currency : str
        Of the prices.
    """
    date = telling_day(folders[charts.AFTER])
    days = {number: read_day(folders[number], date) for number in (charts.BEFORE, charts.AFTER)}
    day = days[charts.AFTER]
    name = day_name(day.grid)
    run = study.run(charts.AFTER)
    watched = [home for home in run.watch if home < study.homes]
    return [
        *_figure_5(day, currency),
        *(
            Figure(
                title=f"Figure 6: home {home + 1}, {name}",
                note="Demand, production and the charge that follows from the control.",
                chart=charts.home_chart(day, home, run.battery.capacity_wh),
            )
            for home in watched
        ),
        Figure(
            title=f"Figure 9.a: the fleet's power, {name}",
            note="The framework's line includes the plant. It is flat where the batteries match "
            "what the homes and the plant leave, and leaves zero where export was sold or the plan "
            "charges from the grid.",
            chart=charts.fleet_chart(days),
        ),
        Figure(
            title="Figure 9.b: peak-to-average ratio of every home, all days",
            note="Import only: greatest minute over mean.",
            chart=charts.peaks_chart(results),
        ),
        Figure(
            title=f"Figure 10: the meter of home {watched[0] + 1}, {name}",
            note="Batteries move production to when the market pays, and store what the fleet has "
            "too much of.",
            chart=charts.home_power_chart(days, watched[0]),
        ),
    ]


def _figure_5(day: Day, currency: str) -> list[Figure]:
    """Return the day's price, what was expected and sold, and what was delivered."""
    name = day_name(day.grid)
    return [
        Figure(
            title=f"Figure 5.a: the market's price, {name}",
            note="A usual day: its committed energy is the median of the days on which no import "
            "is paid for. Shaded: half-hours with a commitment.",
            chart=charts.price_chart(day, currency),
        ),
        Figure(
            title=f"Figure 5.b: forecast and commitment, {name}",
            note="What the aggregator expected the day before, with the error it was given, and "
            "what it sold.",
            chart=charts.forecast_chart(day),
        ),
        Figure(
            title=f"Figure 5.c: committed and delivered, {name}",
            note="Net export as the contract recorded it from the reports.",
            chart=charts.delivery_chart(day),
        ),
    ]
