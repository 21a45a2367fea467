"""`gridpact simu`."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import click
import numpy as np

from aggregator.service.first_start import prepared_store
from aggregator.service.serve import known_tables
from aggregator.service.settings import read_service
from aggregator.service.store.rollups import roll_up
from devices.battery_bank import BatteryBank
from devices.clock import SystemClock
from scenarios.options import homes_option, json_option, seed_option
from scenarios.report.quantity import plural
from scenarios.simu import Asked, enter_homes, live, write_lived


@click.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="service.toml.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("service"),
    show_default=True,
    help="The service's folder.",
)
@homes_option(default=20)
@click.option(
    "--days", type=click.IntRange(1, 400), default=14, show_default=True, help="Days of telemetry."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last local day.  [default: yesterday]",
)
@click.option(
    "--period-s",
    type=click.Choice(["60", "300", "900"]),
    default="900",
    show_default=True,
    help="Seconds that a row covers.",
)
@seed_option
@json_option
def simu(
    *,
    config: Path | None,
    folder: Path,
    homes: int,
    days: int,
    until: datetime | None,
    period_s: str,
    seed: int,
    as_json: bool,
) -> None:
    """Fill a service's store with homes made up for tests, and some days of their telemetry."""
    clock = SystemClock()
    settings = read_service(config, folder=folder, known=known_tables())
    last = (until or clock.utc() - timedelta(days=1)).date()
    asked = Asked(
        homes=homes,
        first=last - timedelta(days=days - 1),
        last=last,
        seed=seed,
        period_s=int(period_s),
    )
    bank = BatteryBank.uniform(homes)
    store = prepared_store(settings, clock=clock, tell=lambda line: click.echo(line, err=True))
    try:
        now_ms = round(clock.utc().timestamp() * 1000)
        numbers = enter_homes(store, asked, bank, at_ms=now_ms)
        lived = live(asked, bank, stored_wh=np.full(homes, 0.5) * bank.capacity_wh)
        rows = write_lived(store, numbers, lived)
        bins = roll_up(store, now_ms=now_ms)
    finally:
        store.close()
    told = {"homes": homes, "first": str(asked.first), "last": str(last), "rows": rows}
    told |= {"rolled_up": bins}
    line = (
        f"{plural(homes, 'home')} from {asked.first} to {last}: {rows} rows, {bins} bins rolled up"
    )
    click.echo(json.dumps(told, indent=2) if as_json else line)
