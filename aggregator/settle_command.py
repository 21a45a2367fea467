"""`gridpact settle`: post prices and readings, fund and settle what the fleet delivered."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from aggregator.award import micro_per_mwh
from aggregator.errors import FileError
from aggregator.settle import revenue_micro
from aggregator.settle_ledger import settle_one
from aggregator.tables import read_series, require_step
from contracts.commands.access import Access
from contracts.commands.options import file_argument, json_option, sender_options
from contracts.promise import Clearing, Delivery, Settlement
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

PRICE_COLUMNS = ("price_per_mwh", "imbalance_price_per_mwh")
"""What is read of prices."""
BOUNDARY_COLUMN = "net_export_wh"
"""What is read of the meter at the fleet's boundary."""
PRICE_MAX_PER_MWH = 1e9
"""Greatest magnitude of a price that the contract takes. [currency/MWh]"""
ENERGY_MAX_WH = 2.0**39 - 1
"""Greatest reading that the contract takes. [Wh]"""


@click.command()
@click.argument("prices", type=file_argument)
@click.option(
    "--boundary",
    type=file_argument,
    help="Readings of the meter at the fleet's boundary: a CSV with columns start, net_export_wh.",
)
@sender_options
@json_option
def settle(*, prices: Path, boundary: Path | None, access: Access, as_json: bool) -> None:
    """Post PRICES, fund and settle every promised interval that is over.

    PRICES is a CSV with columns start, price_per_mwh and imbalance_price_per_mwh. Run again, it
    goes on where it stopped.
    """
    grid, series = read_series(prices, PRICE_COLUMNS)
    clearings = _clearings(prices, grid, series)
    readings_wh = {} if boundary is None else _readings_wh(boundary, grid)
    ledger = access.as_owner()
    require_step(prices, grid, ledger.fleet.interval_s())
    console, settled = Console(stderr=True), list[Settlement]()
    before = not_over = otherwise = 0
    for clearing in track(
        clearings,
        "settling",
        console=console,
        transient=True,
        disable=not console.is_terminal,  # else it writes an empty line
    ):
        delivery = ledger.fleet.delivery(clearing.interval)
        if not delivery.commitment_wh:
            continue
        reading_wh = readings_wh.get(clearing.interval)
        stood = ledger.settlement.settlement(clearing.interval)
        done = settle_one(ledger, clearing, reading_wh) if stood is None else stood
        if done is None:
            not_over += 1
            continue
        before += stood is not None
        settled.append(done)
        otherwise += done.revenue_micro != _revenue_micro(delivery, clearing, done) or (
            reading_wh not in {None, done.boundary_wh}
        )
    _tell_settled(settled, before=before, not_over=not_over, otherwise=otherwise, as_json=as_json)


def _clearings(path: Path, grid: TimeGrid, series: dict[str, FloatArray]) -> list[Clearing]:
    """Return the prices as the contract takes them, all of them or none."""
    clearings = []
    for slot, (interval, start) in enumerate(zip(grid.intervals, grid.starts(), strict=True)):
        price_per_mwh, imbalance_per_mwh = (float(series[name][slot]) for name in PRICE_COLUMNS)
        worst = max(price_per_mwh, imbalance_per_mwh, key=abs)
        if abs(worst) > PRICE_MAX_PER_MWH:
            problem = f"price of {worst:g} per MWh in the slot from {start.isoformat()}"
            raise FileError(path, problem, "the contract takes up to ±1e9; check its unit")
        clearings.append(
            Clearing(
                interval=interval,
                price_micro_per_mwh=micro_per_mwh(price_per_mwh),
                imbalance_price_micro_per_mwh=micro_per_mwh(imbalance_per_mwh),
            )
        )
    return clearings


def _readings_wh(path: Path, grid: TimeGrid) -> dict[int, int]:
    """Return the boundary's readings by interval, all of them or none. [Wh]"""
    _, series = read_series(path, (BOUNDARY_COLUMN,), grid=grid)
    readings_wh = series[BOUNDARY_COLUMN]
    beyond = np.flatnonzero(np.abs(readings_wh) > ENERGY_MAX_WH)
    if beyond.size:
        start = list(grid.starts())[beyond[0]]
        problem = f"reading of {readings_wh[beyond[0]]:g} Wh in the slot from {start.isoformat()}"
        raise FileError(path, problem, "the contract takes up to ±5e11; check its unit")
    return dict(zip(grid.intervals, map(round, readings_wh.tolist()), strict=True))


def _revenue_micro(delivery: Delivery, clearing: Clearing, done: Settlement) -> int:
    """Return what an interval earns at these prices, by what was counted as delivered. [micro]"""
    scaled = done.scaled and done.boundary_wh is not None
    return revenue_micro(
        commitment_wh=delivery.commitment_wh,
        delivered_wh=int(done.boundary_wh or 0) if scaled else delivery.delivered_wh,
        price_micro_per_mwh=clearing.price_micro_per_mwh,
        imbalance_price_micro_per_mwh=clearing.imbalance_price_micro_per_mwh,
    )


def _tell_settled(
    settled: Sequence[Settlement], *, before: int, not_over: int, otherwise: int, as_json: bool
) -> None:
    """Sum up what was settled, now and before, what was not yet, and what was priced otherwise."""
    names = ("revenue_micro", "fee_micro", "pool_micro", "loss_micro")
    told = {name: sum(getattr(each, name) for each in settled) for name in names}
    told |= {"intervals": len(settled), "before": before}
    told |= {"not_over": not_over, "other_prices": otherwise}
    told["scaled"] = scaled = sum(each.scaled for each in settled)
    line = ", ".join(f"{name.removesuffix('_micro')} {told[name] / 1e6:.2f}" for name in names)
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{len(settled) - before} settled now, {before} before: {line}")
    if not_over:
        are = "interval is" if not_over == 1 else "intervals are"
        click.echo(f"{not_over} promised {are} not over yet")
    if not (settled or not_over):
        click.echo("nothing was promised in these intervals")
    if scaled:
        click.echo(f"{scaled} settled by the boundary's reading, from which the reports differed")
    if otherwise:
        click.echo(
            f"{otherwise} settled at other prices or readings, posted by an earlier run; they stand"
        )
