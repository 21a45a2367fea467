"""`gridpact plan | bid | publish | status`: the operator's day, a step each.

Steps pass their results on as files (`aggregator.files`); publish and status also talk to the
contracts, as does settle (`aggregator.settle_command`). What is sent is signed with the owner's
keystore, or by a node that holds the owner's account unlocked.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.table import Table

from aggregator.files import read_award, read_plan, write_award, write_plan
from aggregator.fleet_file import read_fleet
from aggregator.market import PriceTakerMarket, bids
from aggregator.plan import Plan, plan_day, replan
from aggregator.problem import PlanOptions
from aggregator.publish import SOC_MARGIN, schedule
from aggregator.tables import read_forecast, read_series, require_step
from contracts.client import Ledger
from contracts.commands.access import Access
from contracts.commands.options import (
    date_option,
    file_argument,
    json_option,
    ledger_options,
    market_day,
    sender_options,
    zone_option,
)


@click.command()
@click.argument("forecast", type=file_argument)
@click.option("--fleet", type=file_argument, required=True, help="TOML or JSON file of batteries.")
@click.option("--award", type=file_argument, help="Award to plan for again after clearing.")
@click.option("--end-soc", type=float, help="Least final state of charge.  [default: as at start]")
@click.option("--free-end", is_flag=True, help="Let the day end with an empty battery.")
@click.option("--export-limit-w", type=float, help="The fleet's greatest mean export.")
@click.option(
    "--time-limit-s", type=float, default=20.0, show_default=True, help="Time that the solver has."
)
@click.option(
    "--out", type=file_argument, default=Path("plan.json"), show_default=True, help="File to write."
)
@json_option
def plan(  # noqa: PLR0913 - one parameter per option
    *,
    forecast: Path,
    fleet: Path,
    award: Path | None,
    end_soc: float | None,
    free_end: bool,
    export_limit_w: float | None,
    time_limit_s: float,
    out: Path,
    as_json: bool,
) -> None:
    """Plan a market day from FORECAST (CSV), or plan it again for what was awarded."""
    if free_end and end_soc is not None:
        msg = "--end-soc and --free-end exclude each other; give one of them"
        raise click.UsageError(msg)
    battery, expected = read_fleet(fleet), read_forecast(forecast)
    start: Literal["start"] = "start"
    options = PlanOptions(
        end_soc=None if free_end else (start if end_soc is None else end_soc),
        export_limit_w=export_limit_w,
    )
    if award is None:
        planned = plan_day(battery, expected, options=options, time_limit_s=time_limit_s)
    else:
        planned = replan(
            battery, expected, read_award(award), options=options, time_limit_s=time_limit_s
        )
    write_plan(out, planned)
    _tell_plan(planned, out, as_json=as_json)


def _tell_plan(planned: Plan, out: Path, *, as_json: bool) -> None:
    """Say how good the plan is and what it breaks."""
    if as_json:
        told = {
            "plan": str(out),
            "status": str(planned.status),
            "cost": planned.cost,
            "export_wh": float(planned.export_wh.sum()),
            "broken": [
                {"limit": broken.limit.value, "interval": broken.interval, "wh": broken.amount_wh}
                for broken in planned.broken
            ],
        }
        click.echo(json.dumps(told, indent=2))
        return
    exported_kwh = planned.export_wh.sum() / 1000
    click.echo(f"{planned.status}: cost {planned.cost:.2f}, export {exported_kwh:.1f} kWh, {out}")
    for broken in planned.broken:
        start = datetime.fromtimestamp(broken.interval * planned.grid.step_s, UTC)
        shown = start.isoformat(timespec="minutes")
        click.echo(f"broken: {broken.limit}, from {shown}, {broken.amount_wh:.0f} Wh")


@click.command()
@click.argument("plan_file", metavar="PLAN", type=file_argument)
@click.option(
    "--prices", type=file_argument, required=True, help="CSV with a column price_per_mwh."
)
@click.option(
    "--award-share",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of each offer that the market takes.",
)
@click.option(
    "--limit-price",
    type=float,
    default=0.0,
    show_default=True,
    help="Least price that is sold at, per MWh.",
)
@click.option(
    "--out",
    type=file_argument,
    default=Path("award.json"),
    show_default=True,
    help="File to write.",
)
@json_option
def bid(
    *,
    plan_file: Path,
    prices: Path,
    award_share: float,
    limit_price: float,
    out: Path,
    as_json: bool,
) -> None:
    """Offer PLAN's exports to a price-taker market and write the award."""
    planned = read_plan(plan_file)
    _, series = read_series(prices, ("price_per_mwh",), grid=planned.grid)
    market = PriceTakerMarket(
        grid=planned.grid,
        clearing_price_per_mwh=series["price_per_mwh"],
        award_share=award_share,
    )
    award = market.clear(bids(planned, limit_price_per_mwh=limit_price))
    write_award(out, award)
    awarded = sum(1 for energy_wh in award.quantity_wh if energy_wh)
    told = {"award": str(out), "intervals": awarded, "quantity_wh": sum(award.quantity_wh)}
    line = f"awarded {told['quantity_wh']} Wh in {awarded} interval{'s'[: awarded != 1]}: {out}"
    click.echo(json.dumps(told, indent=2) if as_json else line)


@click.command()
@click.argument("plan_file", metavar="PLAN", type=file_argument)
@click.argument("award_file", metavar="AWARD", type=file_argument)
@sender_options
@click.option(
    "--soc-margin",
    type=click.FloatRange(0, 1),
    default=SOC_MARGIN,
    show_default=True,
    help="How far below the plan homes may go for a promise.",
)
@json_option
def publish(
    *,
    plan_file: Path,
    award_file: Path,
    access: Access,
    soc_margin: float,
    as_json: bool,
) -> None:
    """Promise PLAN with its AWARD on the fleet contract."""
    promised = schedule(read_plan(plan_file), read_award(award_file), soc_margin=soc_margin)
    ledger = access.as_owner()
    require_step(plan_file, promised.grid, ledger.fleet.interval_s())
    receipt = ledger.fleet.publish(promised)
    told = {
        "first_interval": promised.grid.first_interval,
        "intervals": promised.grid.count,
        "commitment_wh": sum(promised.commitment_wh),
        "gas_used": receipt.gas_used,
    }
    line = f"published {told['intervals']} intervals from {promised.grid.start.isoformat()}"
    click.echo(json.dumps(told, indent=2) if as_json else line)


@click.command()
@date_option
@zone_option
@ledger_options
@json_option
def status(*, day: datetime, zone: str, access: Access, as_json: bool) -> None:
    """Show what was promised, delivered and settled on a day."""
    _, ledger = access.read()
    grid = market_day(day, zone, step_s=ledger.fleet.interval_s())
    rows = [_status_row(ledger, interval, grid.step_s) for interval in grid.intervals]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(title=f"{day.date()}, {zone}")
    for name in rows[0]:
        table.add_column("start (UTC)" if name == "start" else name, justify="right", no_wrap=True)
    for start, row in zip(grid.starts(), rows, strict=True):
        row["start"] = f"{start:%Y-%m-%d %H:%M}"
        row["final"] = "yes" if row["final"] else "no"
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    Console().print(table)


def _status_row(ledger: Ledger, interval: int, interval_s: int) -> dict[str, object]:
    delivery = ledger.fleet.delivery(interval)
    settled = ledger.settlement.settlement(interval)
    start = datetime.fromtimestamp(interval * interval_s, UTC)
    return {
        "start": start.isoformat(),
        "commitment_wh": delivery.commitment_wh,
        "delivered_wh": delivery.delivered_wh,
        "final": ledger.fleet.is_final(interval),
        "revenue_micro": None if settled is None else settled.revenue_micro,
    }
