"""The paper's figures on our data, and two beyond it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.campus_year import MONTH_DAYS
from scenarios.dispatch.ev_profiles import HYPOTHESES
from scenarios.dispatch.plant import Generation
from scenarios.marchi import cases, paper
from scenarios.marchi.bars import Panel, Row, bar_chart
from scenarios.marchi.day_figures import day_figures
from scenarios.marchi.study import PAPERS, TODAYS, Bill, Found
from scenarios.report.judged import Figure

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ROLES: Final = {1: "accent", 2: "fee", 3: "saving", 4: "forecast", 5: "soc"}
"""Colours of the policies, see `scenarios.report.palette`."""
SHORT: Final = {
    1: "1 day ahead",
    2: "2 day behind",
    3: "3 grid target",
    4: "4 input",
    5: "5 manual",
}
"""The policies in a word."""


def figures(found: Found) -> list[Figure]:
    """Return the figures, in the paper's order, then those beyond it."""
    return [
        _load(found),
        _cars(found),
        _life(found),
        _flows(found),
        *day_figures(found),
        _cost(found),
        _saving(found),
        _ageing(found),
    ]


def _load(found: Found) -> Figure:
    study = found.study
    days = np.array(MONTH_DAYS)
    mean_w = np.array([study.load_w[study.month == month].mean() for month in range(12)])
    return Figure(
        title="Fig. 1: the building's load",
        note="Stand-in for the building's own series, which is not public; how it was made is said "
        "below. With PV: what is left for the grid.",
        chart=bar_chart(
            "figure-1",
            "Bars of the highest hour of each month, without and with PV, in kW; below, the energy "
            "of each month in MWh.",
            MONTHS,
            (
                Panel(
                    unit="Highest hour, kW",
                    rows=(
                        Row(label="Load", role="load", values=found.peaks[PAPERS, 1]),
                        Row(label="Less PV", role="pv", values=found.peaks[PAPERS, 2]),
                    ),
                ),
                Panel(
                    unit="Energy, MWh",
                    rows=(
                        Row(
                            label="Energy of the load",
                            role="idle",
                            values=(mean_w * days * 24 / 1e6).tolist(),
                        ),
                    ),
                ),
            ),
            height_px=360,
        ),
    )


def _hypotheses() -> list[str]:
    return [f"({number})" for number in HYPOTHESES]


def _cars(found: Found) -> Figure:
    peaks = [found.cars[PAPERS, number].peaks_kw for number in HYPOTHESES]
    return Figure(
        title="Fig. 2: highest and lowest monthly peak by hypothesis of the cars",
        note="Policy 3, 20 to 90 % charge. (1) to (8): flat charging of 1, 1, 1, 2, 4, 4, 8 and 8 "
        "cars; (9): four cars by the measured curve. Eight cars in one hour (8) exceed all else.",
        chart=bar_chart(
            "figure-2",
            "Bars of the highest and the lowest monthly peak under each of nine hypotheses, in kW.",
            _hypotheses(),
            (
                Panel(
                    unit="kW",
                    rows=(
                        Row(label="Highest", role="accent", values=[max(kw) for kw in peaks]),
                        Row(label="Lowest", role="idle", values=[min(kw) for kw in peaks]),
                    ),
                ),
            ),
            height_px=280,
        ),
    )


def _life(found: Found) -> Figure:
    def left(generation: Generation) -> list[float | None]:
        return [100 * found.cars[generation, number].left[-1] for number in HYPOTHESES]

    printed = [
        100 * paper.LEFT_AFTER_25[number] if number in paper.LEFT_AFTER_25 else None
        for number in HYPOTHESES
    ]
    return Figure(
        title="Fig. 3: capacity left after 25 years by hypothesis of the cars",
        note="The paper prints two of them in its text. SAM of 2020 takes the worse of ageing by "
        "use and by time, today's adds them up.",
        chart=bar_chart(
            "figure-3",
            "Bars of the battery's capacity after 25 years under each of nine hypotheses, as SAM "
            "of 2020 and of 2025 count it, in per cent, and the two that the paper prints.",
            _hypotheses(),
            (
                Panel(
                    unit="% of the new battery's",
                    rows=(
                        Row(label="SAM of 2020", role="accent", values=left(PAPERS)),
                        Row(label="SAM of 2025", role="idle", values=left(TODAYS)),
                        Row(label="The paper", role="forecast", values=printed, kind="point"),
                    ),
                ),
            ),
            height_px=280,
        ),
    )


def _flows(found: Found) -> Figure:
    def mwh(cars: bool) -> list[float]:
        return [
            (
                found.with_cars[PAPERS, number]
                if cars
                else found.matrix[PAPERS, cases.SHOWN_WINDOW, number]
            ).delivered_mwh
            for number in paper.POLICIES
        ]

    return Figure(
        title="Fig. 5: what the battery gives to building and cars",
        note="In the first year, 20 to 90 % charge, as SAM of 2020 ran; with four cars from 12 to "
        "14 h (hypothesis 5), and without.",
        chart=bar_chart(
            "figure-5",
            "Bars of the energy that the battery gives in a year under each policy, without and "
            "with four cars, in MWh.",
            list(SHORT.values()),
            (
                Panel(
                    unit="MWh a year",
                    rows=(
                        Row(label="Four cars", role="accent", values=mwh(True)),
                        Row(label="No cars", role="idle", values=mwh(False)),
                    ),
                    digits=2,
                ),
            ),
            height_px=280,
        ),
    )


def _pairs(found: Found) -> list[str]:
    return [f"{energy / 1000:g} / {peak:g}" for energy, peak in found.study.pairs]


def _bills(found: Found) -> list[Bill]:
    return [found.bills[pair] for pair in found.study.pairs]


def _cost(found: Found) -> Figure:
    bills = _bills(found)

    def thousands(values: Sequence[float]) -> list[float]:
        return [value / 1000 for value in values]

    shown = [bill.by_policy[PAPERS][cases.SHOWN_POLICY] for bill in bills]
    return Figure(
        title="Fig. 10: the year's cost by prices",
        note="Below each group: price of energy in EUR/kWh / price of peaks in EUR/kW a year. "
        "Battery by policy 3, 20 to 90 % charge.",
        chart=bar_chart(
            "figure-10",
            "Bars of the year's cost from the grid alone, with PV, and with PV and battery, for "
            "nine pairs of prices, in thousands of EUR; points for the optimum.",
            _pairs(found),
            (
                Panel(
                    unit="Thousand EUR a year",
                    rows=(
                        Row(
                            label="Grid alone",
                            role="idle",
                            values=thousands([b.grid for b in bills]),
                        ),
                        Row(label="With PV", role="pv", values=thousands([b.pv for b in bills])),
                        Row(label="PV and battery", role="saving", values=thousands(shown)),
                        Row(
                            label="PV and battery, optimum",
                            role="ink",
                            values=thousands([b.best for b in bills]),
                            kind="point",
                        ),
                    ),
                    digits=2,
                ),
            ),
            height_px=320,
        ),
    )


def _saving(found: Found) -> Figure:
    bills = _bills(found)
    rows = [
        Row(
            label=SHORT[number],
            role=ROLES[number],
            values=[bill.pv - bill.by_policy[PAPERS][number] for bill in bills],
        )
        for number in paper.POLICIES
    ]
    return Figure(
        title="Beyond the paper: what the battery saves, and could",
        note="Against PV alone, in the first year; prices as above. The daily plan is made each "
        "midnight and knows that day's load and sun, as policy 1 does; the optimum knows the year.",
        chart=bar_chart(
            "saving",
            "Bars of what each policy and a daily plan save against PV alone for nine pairs of "
            "prices, in EUR a year; points for the optimum.",
            _pairs(found),
            (
                Panel(
                    unit="EUR a year",
                    rows=(
                        *rows,
                        Row(
                            label="daily plan",
                            role="pv",
                            values=[bill.pv - bill.carried for bill in bills],
                        ),
                        Row(
                            label="optimum",
                            role="ink",
                            values=[bill.pv - bill.best for bill in bills],
                            kind="point",
                        ),
                    ),
                    digits=0,
                ),
            ),
            height_px=340,
        ),
    )


def _ageing(found: Found) -> Figure:
    years = [str(year) if not year % 5 else "" for year in range(found.study.years + 1)]

    def rows(generation: Generation) -> tuple[Row, ...]:
        return tuple(
            Row(
                label=SHORT[number],
                role=ROLES[number],
                values=_percent(found.matrix[generation, cases.SHOWN_WINDOW, number].left),
                kind="line",
            )
            for number in paper.POLICIES
        )

    least = min(
        found.matrix[generation, cases.SHOWN_WINDOW, number].left[-1]
        for generation in cases.GENERATIONS
        for number in paper.POLICIES
    )
    span = (10 * np.floor(10 * least), 100.0)
    return Figure(
        title="Capacity left over 25 years",
        note="20 to 90 % charge, no cars. Above as SAM of 2020 counts, below as that of 2025.",
        chart=bar_chart(
            "ageing",
            "Lines of the battery's capacity over 25 years under each policy, as SAM of 2020 and "
            "of 2025 count it, in per cent.",
            years,
            (
                Panel(unit="SAM of 2020, %", rows=rows(PAPERS), span=span),
                Panel(unit="SAM of 2025, %", rows=rows(TODAYS), span=span),
            ),
            height_px=420,
        ),
    )


def _percent(left: Sequence[float]) -> list[float]:
    values: FloatArray = 100 * np.array([1.0, *left])
    return [float(value) for value in values]
