"""The paper's tables 1, 2 and 4 beside ours, and what stands behind them, as HTML."""

from collections.abc import Callable, Mapping
from typing import Final

from scenarios.dispatch.plant import Generation
from scenarios.marchi import cases, paper
from scenarios.marchi.beside import winner
from scenarios.marchi.study import PAPERS, TODAYS, Best, Found, Year
from scenarios.marchi.why import why_peak
from scenarios.report import markup
from scenarios.report.quantity import decimal, percent

HEADS: Final = tuple(f"{number} {name}" for number, name in paper.POLICIES.items())
"""Headings of the policies' columns."""


def table_1(found: Found) -> str:
    """Return the highest import of the year, by configuration and policy."""
    without = decimal(max(found.peaks[PAPERS, 2]))
    return _by_window(
        found,
        f"Table 1: highest import of the year, kW; PV alone leaves {without}",
        lambda year: decimal(year.peak_kw),
        paper.TABLE_1_KW,
        last=("Lowest possible", lambda best: decimal(best.peak_kw)),
    )


def table_2(found: Found) -> str:
    """Return the energy from battery to load, by configuration and policy."""
    load_mwh = float(found.study.load_w.sum()) / 1e6
    return _by_window(
        found,
        "Table 2: load that the battery covered in a year, MWh and share",
        lambda year: (
            f"{decimal(year.delivered_mwh, 2)} ({percent(year.delivered_mwh / load_mwh, 2)})"
        ),
        paper.TABLE_2_MWH,
        last=("Bound", lambda best: decimal(best.delivered_mwh)),
    )


def _by_window(
    found: Found,
    caption: str,
    cell: Callable[[Year], str],
    printed: Mapping[int, tuple[float, ...]],
    *,
    last: tuple[str, Callable[[Best], str]],
) -> str:
    rows = []
    for window, (low, high) in cases.WINDOWS.items():
        name = f"{window}: {100 * low:.0f}–{100 * high:.0f} %"

        def ours(generation: Generation, window: int = window) -> list[str]:
            return [cell(found.matrix[generation, window, n]) for n in paper.POLICIES]

        best = found.best.get(window)
        bound = "" if best is None else last[1](best)
        digits = 2 if max(printed[window]) < 10 else 1
        theirs = [decimal(value, digits) for value in printed[window]]
        rows += [
            markup.row(f"{name}, SAM of 2020", *ours(PAPERS), bound),
            markup.row("the paper", *theirs, "", kind="quiet"),
            markup.row("SAM of 2025", *ours(TODAYS), ""),
        ]
    return markup.table(caption, rows, ("Configuration", *HEADS, last[0]))


def table_4(found: Found) -> str:
    """Return highest and mean of the monthly peaks, by scenario."""
    rows = []
    for number, scenario in cases.SCENARIOS.items():
        ours = found.peaks[PAPERS, number]
        printed = paper.TABLE_4_KW[number]
        lowest = found.best_peaks.get(number)
        rows.append(
            markup.row(
                f"{number} {scenario.name}",
                decimal(max(ours)),
                decimal(printed.highest),
                decimal(sum(ours) / 12),
                decimal(printed.mean),
                "" if lowest is None else decimal(sum(lowest) / 12),
            )
        )
    return markup.table(
        "Table 4: monthly peaks, kW; policy 3, 20 to 90 %, as SAM of 2020",
        rows,
        ("Scenario", "Highest", "the paper", "Mean", "the paper", "Mean, lowest possible"),
    )


def policies_table(found: Found) -> str:
    """Return each policy in configuration 3: efficiency, cycles and life."""
    rows = []
    for number, name in paper.POLICIES.items():
        ours, today = (
            found.matrix[generation, cases.SHOWN_WINDOW, number] for generation in cases.GENERATIONS
        )
        lost = paper.LOST_CAPACITY.get(number)
        rows.append(
            markup.row(
                f"{number} {name}",
                percent(ours.round_trip),
                percent(paper.ROUND_TRIP[number], 0),
                decimal(ours.cycles / found.study.years, 0),
                percent(1 - ours.left[-1]),
                percent(lost),
                percent(1 - today.left[-1]),
            )
        )
    return markup.table(
        "Efficiency and life, 20 to 90 %",
        rows,
        (
            "Policy",
            "Round trip",
            "the paper",
            "Full cycles a year",
            "Lost in 25 years",
            "the paper",
            "as SAM of 2025",
        ),
    )


def why_table(found: Found) -> str:
    """Return when each policy's highest import falls, and why."""
    rows = []
    for number, name in paper.POLICIES.items():
        year = found.matrix[PAPERS, cases.SHOWN_WINDOW, number]
        rows.append(f"{number} {name}. {why_peak(found, number, year)}")
    return markup.items(rows)


def shares_table(found: Found) -> str:
    """Return which part of the greatest saving each policy reaches, by prices."""
    rows = []
    for pair in found.study.pairs:
        bill = found.bills[pair]
        best = winner(found, pair)
        costs = bill.by_policy[PAPERS]
        rows.append(
            markup.row(
                f"{pair[0] / 1000:g} / {pair[1]:g}",
                decimal(bill.pv, 0),
                decimal(bill.pv - bill.best, 0),
                *(
                    percent(bill.share(costs[number]), 0) + (" ★" if number == best else "")
                    for number in paper.POLICIES
                ),
                percent(bill.share(bill.tuned), 0),
                percent(bill.share(bill.carried), 0),
            )
        )
    return markup.table(
        "Part of the optimum's saving in the first year, 20 to 90 %; ★ cheapest of the five",
        rows,
        (
            "EUR/kWh / EUR/kW a year",
            "Cost with PV, EUR",
            "Optimum saves, EUR",
            *HEADS,
            "3 with the optimum's peaks",
            "Daily plan",
        ),
    )


def split_table(found: Found) -> str:
    """Return what each policy saves in energy and in peaks, against PV alone."""
    net_mwh = float((found.study.load_w - found.study.pv_w).clip(min=0.0).sum()) / 1e6
    surplus_mwh = float((found.study.pv_w - found.study.load_w).clip(min=0.0).sum()) / 1e6
    mean_kw = sum(found.peaks[PAPERS, 2]) / 12
    winners = [winner(found, pair) for pair in found.study.pairs]
    rows = []
    for number, name in paper.POLICIES.items():
        year = found.matrix[PAPERS, cases.SHOWN_WINDOW, number]
        rows.append(
            markup.row(
                f"{number} {name}",
                decimal(mean_kw - sum(year.peaks_kw) / 12, plus=True),
                decimal(net_mwh - float(year.import_w.sum()) / 1e6, 2, plus=True),
                percent(1 - float(year.export_w.sum()) / 1e6 / surplus_mwh, 0),
                str(winners.count(number)),
            )
        )
    best = found.best_year
    rows.append(
        markup.row(
            "Optimum at the middle prices",
            decimal(mean_kw - float(best.peak_w.mean()) / 1000, plus=True),
            decimal(net_mwh - float(best.grid_import_w.sum()) / 1e6, 2, plus=True),
            percent(1 - float(best.grid_export_w.sum()) / 1e6 / surplus_mwh, 0),
            "",
            kind="sum",
        )
    )
    return markup.table(
        "What the battery does against PV alone, 20 to 90 %, as SAM of 2020",
        rows,
        (
            "Policy",
            "Monthly peak lowered by, kW",
            "Import saved, MWh a year",
            "Surplus kept",
            "Cheapest, of nine prices",
        ),
    )


def wishes_table(found: Found) -> str:
    """Return policy 4's five power series."""
    rows = []
    for name, wish in cases.WISHES.items():
        hours = "12 to 16 h" if wish.noon else "7 to 19 h"
        ours, today = (found.wishes[generation, name] for generation in cases.GENERATIONS)
        rows.append(
            markup.row(
                f"({name}) charge {decimal(wish.charge_w / 1000, 0)} kW from {hours}, else "
                f"discharge {decimal(wish.discharge_w / 1000, 0)} kW",
                decimal(ours.peak_kw),
                decimal(ours.delivered_mwh, 2),
                decimal(today.peak_kw),
                decimal(today.delivered_mwh, 2),
                kind="kept" if name == cases.SHOWN_WISH else "",
            )
        )
    return markup.table(
        f"Policy 4's power series, 20 to 90 %; the tables show ({cases.SHOWN_WISH})",
        rows,
        ("Series", "Peak, kW", "Energy, MWh", "as SAM of 2025: kW", "MWh"),
    )
