"""What trading through the day adds: the same fleet without it, planning again, and trading."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aggregator.files import write_text
from scenarios.data.fleet_data import CURRENCY
from scenarios.errors import ScenarioInputError
from scenarios.intraday.firming import Intraday
from scenarios.simulation.fleet_run import FleetRun
from scenarios.sweep.run import run_points
from scenarios.sweep.sweeps import Point

NEVER_S: Final = 10 * 86_400
"""A gate that closes this early is never open. [s]"""
DAY_AHEAD, AGAIN, TRADED = "day-ahead", "planned-again", "traded"
"""The variants, and their folders: no intraday plan, plans without trades, plans and trades."""
MONEY: Final = ("bill_reduction", "day_ahead_revenue", "trade_revenue", "imbalance_cost", "total")
"""What the total is made of. [currency]"""
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The three variants, lived through."""

    figures: Mapping[str, Figures]
    """What each variant's run left, by its name; all with the figures of trading."""

    def added(self, name: str, *, over: str) -> dict[str, float]:
        """Return by how much a variant's money differs from another's. [currency]"""
        one, other = self.figures[name], self.figures[over]
        return {key: one[key] - other[key] for key in MONEY}

    def lines(self) -> list[str]:
        """Return a table, and what it says."""
        names = list(self.figures)
        head = "  ".join([f"{'':>24}", *(f"{name:>14}" for name in names)])
        rows = [_row(key, [self.figures[name] for name in names]) for key in _SHOWN]
        return [head, *rows, "", *self._said()]

    def _said(self) -> list[str]:
        base = self.figures[DAY_AHEAD]["total"]
        said = []
        for name, over, what in (
            (AGAIN, DAY_AHEAD, "planning again"),
            (TRADED, AGAIN, "trading on top"),
            (TRADED, DAY_AHEAD, "both together"),
        ):
            added = self.added(name, over=over)
            parts = ", ".join(f"{key.replace('_', ' ')} {added[key]:+.2f}" for key in MONEY[:-1])
            share = f" ({added['total'] / base:+.1%})" if base else ""
            said.append(f"{what}: total {added['total']:+.2f} {CURRENCY}{share}; {parts}")
        kept_wh = [self.figures[name]["stored_change_wh"] for name in (DAY_AHEAD, TRADED)]
        said.append(
            f"the batteries end {(kept_wh[1] - kept_wh[0]) / 1000:+.1f} kWh apart; totals do not "
            "value that"
        )
        return said


_SHOWN: Final[Mapping[str, tuple[str, float, str]]] = {
    "committed_wh": ("sold in the end", 1e-6, "MWh"),
    "bought_wh": ("bought back", 1e-6, "MWh"),
    "uncommitted_export_wh": ("exported unsold", 1e-6, "MWh"),
    "mean_export_error": ("mean export error", 100.0, "%"),
    "bill_reduction": ("bill reduction", 1.0, CURRENCY),
    "day_ahead_revenue": ("day-ahead revenue", 1.0, CURRENCY),
    "trade_revenue": ("trades", 1.0, CURRENCY),
    "imbalance_cost": ("imbalance cost", 1.0, CURRENCY),
    "total": ("total", 1.0, CURRENCY),
}
"""Rows of the table: what a figure is called, and in what it is shown."""


def variants(base: FleetRun, settings: Intraday) -> list[Point]:
    """Return the runs of a study.

    Parameters
    ----------
    base : FleetRun
        All but the trading.
    settings : Intraday
        Its terms; the second variant has the same with gates that are never open.

    Raises
    ------
    ScenarioInputError
        If the settings' gate is never open either.
    """
    if settings.gate_closure_s >= NEVER_S:
        msg = f"gate closure of {settings.gate_closure_s} s: nothing could be traded; choose less"
        raise ScenarioInputError(msg)
    chosen = {
        DAY_AHEAD: None,
        AGAIN: replace(settings, gate_closure_s=NEVER_S),
        TRADED: settings,
    }
    return [
        Point(values=(), seed=base.rules.seed, run=replace(base, intraday=intraday), folder=folder)
        for folder, intraday in chosen.items()
    ]


def study(
    base: FleetRun,
    settings: Intraday,
    out: Path,
    *,
    jobs: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Study:
    """Live through the variants, or what is left of them, and write what they leave.

    Parameters
    ----------
    base : FleetRun
        All but the trading.
    settings : Intraday
        Its terms.
    out : Path
        Folder of the results: ``results.json``, ``results.csv``, and each run's own.
    jobs : int
        Processes at once, >= 1.
    progress : Callable
        Told the simulated minutes done and those in all.
    """
    runs = variants(base, settings)
    lived = run_points(runs, out, jobs=jobs, progress=progress)
    found = Study(
        figures={run.folder: _whole(figures) for run, figures in zip(runs, lived, strict=True)}
    )
    write_text(out / "results.json", json.dumps(plain(found), indent=2) + "\n")
    write_text(out / "results.csv", _table(found))
    return found


def plain(found: Study) -> dict[str, object]:
    """Return what `results.json` holds."""
    return {
        "variants": {name: dict(figures) for name, figures in found.figures.items()},
        "added": {
            "planning_again": found.added(AGAIN, over=DAY_AHEAD),
            "trading_on_top": found.added(TRADED, over=AGAIN),
            "both_together": found.added(TRADED, over=DAY_AHEAD),
        },
    }


def _whole(figures: Figures) -> Figures:
    """Return a run's figures with those of trading, where it did not trade."""
    untraded = {
        "day_ahead_revenue": figures["market_revenue"],
        **dict.fromkeys(("trade_revenue", "trade_margin"), 0.0),
        **dict.fromkeys(("replans", "proved_replans", "trades", "sold_wh", "bought_wh"), 0),
    }
    return {**untraded, **figures}


def _table(found: Study) -> str:
    """Return the shown figures as CSV, a row per variant."""
    rows = [["variant", *_SHOWN]]
    rows += [
        [name, *(str(figures[key]) for key in _SHOWN)] for name, figures in found.figures.items()
    ]
    return "".join(",".join(row) + "\n" for row in rows)


def _row(key: str, variants: Sequence[Figures]) -> str:
    what, scale, unit = _SHOWN[key]
    numbers = [
        f"{'-':>14}" if each[key] is None else f"{scale * each[key]:>14.2f}" for each in variants
    ]
    return "  ".join([f"{what + (f' [{unit}]' if unit else ''):>24}", *numbers])
