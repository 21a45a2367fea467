"""`gridpact scenario run my-home`: every controller on a user's own home."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.demo import check_folder, make_folder
from scenarios.options import json_option, out_option

if TYPE_CHECKING:
    from devices.battery_bank import BatteryBank
    from scenarios.prosumer.forecasts import Outlook
    from scenarios.prosumer.my_home import Home
    from scenarios.prosumer.my_home_files import Files
    from scenarios.prosumer.series import ProsumerSeries

PRICE_PER_KWH = 500.0
"""Price of a battery by capacity, unless told. [currency/kWh]"""
EMPTY_IN_H = 2.0
"""Hours in which a battery is emptied at full power, unless told. [h]"""

FILE = click.Path(path_type=Path, dir_okay=False)
POWER = click.Choice(["W", "kW", "Wh", "kWh"], case_sensitive=False)


@click.command()
@click.option("--load", type=FILE, required=True, help="CSV of consumption.")
@click.option("--pv", type=FILE, required=True, help="CSV of production.")
@click.option("--prices", type=FILE, required=True, help="CSV of prices.")
@click.option("--battery", required=True, metavar="ENERGY", help="Its capacity, as 6kWh.")
@click.option("--power", metavar="POWER", help="Its power, as 3kW.  [default: capacity in 2 h]")
@click.option(
    "--efficiency",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="Energy out of the battery over energy into it.",
)
@click.option(
    "--soc-min",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of the capacity that stays in it.",
)
@click.option(
    "--battery-price",
    type=click.FloatRange(0),
    help="What a new one costs.  [default: 500 per kWh]",
)
@click.option("--tz", metavar="ZONE", help="Zone of times without an offset, as Europe/Rome.")
@click.option("--feed-in", metavar="PRICE", help="What export earns, always, as 0.08/kWh.")
@click.option(
    "--charges", metavar="PRICE", help="On top of a market price for import, as 0.12/kWh."
)
@click.option("--currency", default="EUR", show_default=True, help="Of the prices.")
@click.option("--load-unit", type=POWER, help="Where the header has none; energies per row.")
@click.option("--pv-unit", type=POWER, help="Likewise.")
@click.option("--price-unit", metavar="UNIT", help="Likewise: EUR/MWh, EUR/kWh, ct/kWh.")
@click.option("--load-column", metavar="NAME", help="Where several could be meant.")
@click.option("--pv-column", metavar="NAME", help="Likewise.")
@click.option("--price-column", metavar="NAME", help="Likewise.")
@click.option("--customer", type=click.IntRange(1), help="Of a file of Ausgrid's 300 homes.")
@click.option(
    "--forecast",
    type=click.Choice(["linear", "knn", "persistence"]),
    default="linear",
    show_default=True,
    help="How the home forecasts.",
)
@click.option("--load-weights", type=FILE, help="Forecast load by a network; see train-forecast.")
@click.option("--pv-weights", type=FILE, help="Forecast production by a network.")
@click.option(
    "--horizon",
    type=click.IntRange(1, 168),
    default=72,
    show_default=True,
    help="Hours that a plan looks ahead.",
)
@click.option("--no-optimum", is_flag=True, help="Leave out the optimum, which takes minutes.")
@out_option("out/my-home", "Folder of report and results.")
@json_option
def my_home(*, out: Path, no_optimum: bool, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Say which controller earns most on your own home, and why.

    Three CSV files: consumption, production and prices, each with a column of times. See
    docs/my-home.md for what is read and what is refused.
    """
    from aggregator.files import write_text  # noqa: PLC0415 -- pandas takes seconds
    from scenarios.prosumer.my_home import compare, controllers, total_hours  # noqa: PLC0415
    from scenarios.prosumer.my_home_files import read_home  # noqa: PLC0415
    from scenarios.prosumer.my_home_page import page  # noqa: PLC0415
    from scenarios.prosumer.my_home_words import lines, verdict  # noqa: PLC0415

    bank = _battery(given)  # a battery that cannot be is refused before files are read
    series = read_home(_files(given))
    home = _home(given, series, bank)
    check_folder(out)
    make_folder(out)
    cases = controllers(optimum=not no_optimum)
    with bench_progress("my home, hours") as bar:
        task = bar.add_task("my home", total=total_hours(home, cases))
        found = compare(home, cases, lambda done: bar.update(task, completed=done))
    told = {
        "provenance": list(series.provenance),
        "currency": series.currency,
        "verdict": list(verdict(found, series.currency)),
        **asdict(found),
    }
    write_text(out / "results.json", json.dumps(told, indent=2) + "\n")
    write_text(out / "report.html", page(found, home))
    shown = json.dumps(told, indent=2) if as_json else "\n".join(lines(found, series))
    click.echo(shown if as_json else f"{shown}\n\nreport: {out / 'report.html'}")


def _files(given: dict[str, Any]) -> "Files":
    from scenarios.prosumer.my_home_files import Files  # noqa: PLC0415
    from scenarios.prosumer.own_series import Reading  # noqa: PLC0415
    from scenarios.prosumer.own_series_units import price  # noqa: PLC0415

    def reading(name: str) -> Reading:
        return Reading(zone=given["tz"], unit=given[f"{name}_unit"], column=given[f"{name}_column"])

    def per_mwh(name: str) -> float | None:
        text = given[name.replace("-", "_")]
        return None if text is None else price(text, name=f"--{name}")

    return Files(
        load=given["load"],
        pv=given["pv"],
        prices=given["prices"],
        load_reading=reading("load"),
        pv_reading=reading("pv"),
        price_reading=reading("price"),
        zone=given["tz"],
        customer=given["customer"],
        feed_in_per_mwh=per_mwh("feed-in"),
        charges_per_mwh=per_mwh("charges"),
        currency=given["currency"],
    )


def _battery(given: dict[str, Any]) -> "BatteryBank":
    from devices.battery_bank import BatteryBank  # noqa: PLC0415
    from scenarios.prosumer.own_series_units import ENERGY_UNITS, POWER_UNITS, quantity  # noqa: PLC0415

    capacity_wh = quantity(given["battery"], ENERGY_UNITS, name="--battery")
    if capacity_wh <= 0:
        msg = f"--battery is {given['battery']}; give the capacity of the one you have or think of"
        raise click.UsageError(msg)
    power_w = capacity_wh / EMPTY_IN_H
    if given["power"] is not None:
        power_w = quantity(given["power"], POWER_UNITS, name="--power")
    return BatteryBank.uniform(
        1,
        capacity_wh=capacity_wh,
        power_max_w=power_w,
        efficiency=float(given["efficiency"]) ** 0.5,
        soc_min=float(given["soc_min"]),
    )


def _home(given: dict[str, Any], series: "ProsumerSeries", bank: "BatteryBank") -> "Home":
    from scenarios.prosumer.my_home import Home  # noqa: PLC0415

    price = given["battery_price"]
    if price is None:
        price = PRICE_PER_KWH * float(bank.capacity_wh[0]) / 1e3
    return Home(
        series=series,
        bank=bank,
        battery_price=price,
        outlook=_outlook(given, series),
        horizon_h=given["horizon"],
    )


def _outlook(given: dict[str, Any], series: "ProsumerSeries") -> "Outlook":
    """Return what the home expects: by networks where weights are given."""
    from scenarios.prosumer.foreseen import Remembered, imperfect  # noqa: PLC0415
    from scenarios.prosumer.lstm import Lstm, Weights  # noqa: PLC0415

    networks = {
        name: Remembered(
            asked=Lstm(weights=Weights.load(given[f"{name}_weights"])),
            last_hour=series.first_hour + series.hours - 1,
        )
        for name in ("load", "pv")
        if given[f"{name}_weights"] is not None
    }
    return replace(imperfect(series, given["forecast"]), **networks)
