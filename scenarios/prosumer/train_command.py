"""`gridpact scenario run train-forecast`: make the weights of a forecast."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.errors import ScenarioInputError

if TYPE_CHECKING:
    from scenarios.prosumer.lstm import Weather
    from scenarios.prosumer.own_series import Hourly

FILE = click.Path(path_type=Path, dir_okay=False)
SHOWN_H = (1, 2, 6, 12, 24, 48, 72)
"""Hours ahead whose accuracy is printed, where there are so many."""


@click.command()
@click.option("--series", type=FILE, required=True, help="CSV of load or production.")
@click.option(
    "--quantity",
    type=click.Choice(["load", "pv"]),
    default="load",
    show_default=True,
    help="What it is.",
)
@click.option("--unit", help="W, kW, Wh or kWh per row, where the header has none.")
@click.option("--column", metavar="NAME", help="Where several could be meant.")
@click.option("--customer", type=click.IntRange(1), help="Of a file of Ausgrid's 300 homes.")
@click.option("--weather", type=FILE, help="CSV of irradiance and temperature of the same hours.")
@click.option("--tz", metavar="ZONE", help="Zone of times without an offset, as Europe/Rome.")
@click.option("--epochs", type=click.IntRange(1), default=60, show_default=True, help="At most.")
@click.option(
    "--test",
    type=click.FloatRange(0, 0.5),
    default=0.2,
    show_default=True,
    help="Share of the hours, the newest, kept out of the training to tell how good it is.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same weights."
)
@click.option(
    "--out", type=FILE, default=Path("weights.npz"), show_default=True, help="File of weights."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def train_forecast(*, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Train a small LSTM network on one home's past and say how good it is.

    It is judged on hours that it was not trained on, beside persistence, linear regression and
    nearest neighbours. The weights forecast without PyTorch.
    """
    if find_spec("torch") is None:
        msg = "torch is not installed; install gridpact[lstm]"
        raise ScenarioInputError(msg)
    from aggregator.files import write_bytes  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.prosumer.lstm import Lstm  # noqa: PLC0415
    from scenarios.prosumer.train import Training, train  # noqa: PLC0415

    series, weather = _read(given)
    cut = int(series.values.size * (1 - given["test"]))
    with bench_progress("training, passes") as bar:
        task = bar.add_task("training", total=given["epochs"])
        done = train(
            series.values[None, :cut],
            first_hour=series.first_hour,
            weather=weather,
            how=Training(seed=given["seed"], epochs=given["epochs"]),
            progress=lambda epoch, _: bar.update(task, completed=epoch),
        )
    write_bytes(given["out"], done.weights.to_bytes())
    found = _errors(series, cut, Lstm(weights=done.weights, weather=weather))
    told = {
        "weights": str(given["out"]),
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
        "validation_error": done.validation_error,
        "relative_error_by_hours_ahead": found,
    }
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(_lines(told, found)))


def _read(given: dict[str, Any]) -> "tuple[Hourly, Weather | None]":
    """Return the series, and the weather of the same hours."""
    from scenarios.prosumer.lstm import Weather  # noqa: PLC0415
    from scenarios.prosumer.own_series import Reading, read_weather  # noqa: PLC0415
    from scenarios.prosumer.own_series_ausgrid import read_any  # noqa: PLC0415

    reading = Reading(zone=given["tz"], unit=given["unit"], column=given["column"])
    series = read_any(given["series"], given["quantity"], reading, customer=given["customer"])
    if given["weather"] is None:
        return series, None
    return series, Weather.of(read_weather(given["weather"], reading), series.hours)


def _errors(series: "Hourly", cut: int, network: object) -> dict[str, dict[int, float]]:
    """Return Σ|expected − real| / Σ real by hours ahead, of each method, on the hours kept out."""
    from scenarios.prosumer.forecasts import (  # noqa: PLC0415
        HORIZON_H,
        Persistence,
        accuracy,
        nearest_days,
    )
    from scenarios.prosumer.forecasts_linear import LinearDays  # noqa: PLC0415

    if cut + HORIZON_H > series.values.size:
        return {}
    methods: dict[str, Any] = {
        "lstm": network,
        "persistence": Persistence(),
        "linear": LinearDays(),
        "knn": nearest_days(),
    }
    return {
        name: {
            hours: float(error)
            for hours, error in enumerate(
                accuracy(
                    each, series.values, first_hour=series.first_hour, begin=cut, every=3
                ).relative,
                start=1,
            )
        }
        for name, each in methods.items()
    }


def _lines(told: dict[str, Any], found: dict[str, dict[int, float]]) -> list[str]:
    lines = [f"{told['epochs']} passes, the best {told['best_epoch']}; weights: {told['weights']}"]
    if found:
        lines.append(f"{'hours ahead':12}" + "".join(f"{hours:>8}" for hours in SHOWN_H))
        lines += [
            f"{name:12}" + "".join(f"{errors[hours]:8.1%}" for hours in SHOWN_H)
            for name, errors in found.items()
        ]
    return lines
