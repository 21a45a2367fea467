"""`gridpact scenario run becchi2024`: the paper's prosumer under all controllers."""

import json
import shlex
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.demo import check_folder
from scenarios.options import data_option, json_option, out_option, seed_option

if TYPE_CHECKING:
    from scenarios.prosumer.study import Study

MONTH = "2022-04-01"
"""A day of spring: half a year of sun is before it, half behind."""
FORECASTS = ("linear", "knn", "persistence", "worsened")
DAY_H = 24


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 365), default=365, show_default=True, help="Days from January."
)
@click.option(
    "--month-days",
    type=click.IntRange(0, 365),
    default=30,
    show_default=True,
    help="Days in which GA and PSO are compared, too; 0: not at all.",
)
@click.option(
    "--month-from",
    type=click.DateTime(["%Y-%m-%d"]),
    default=MONTH,
    show_default=True,
    help="First of them, in 2022.",
)
@click.option(
    "--forecast",
    type=click.Choice(FORECASTS),
    default="linear",
    show_default=True,
    help="How imperfect forecasts are made.",
)
@click.option(
    "--prices",
    "known",
    type=click.Choice(["all", "published"]),
    default="all",
    show_default=True,
    help="Prices that plans know: of all their hours, or those published by then.",
)
@click.option(
    "--charges",
    type=click.Choice(["proportional", "flat"]),
    default="proportional",
    show_default=True,
    help="Charges on import: a share of each hour's price, or the same for each kWh.",
)
@click.option(
    "--charges-share",
    type=click.FloatRange(0, 0.9),
    default=0.45,
    show_default=True,
    help="Charges over the bill; the paper says 0.4 to 0.5.",
)
@click.option(
    "--evaluations",
    type=click.IntRange(4),
    default=1000,
    show_default=True,
    help="Budget of GA and PSO for a plan, in candidates.",
)
@click.option(
    "--budget-s",
    type=click.FloatRange(0, min_open=True),
    help="The same in seconds by the clock, instead.",
)
@data_option
@seed_option
@out_option("out/becchi", "Folder of the results.")
@json_option
def becchi(*, out: Path, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - click's options
    """Live through a prosumer's year under rules and optimisers, and set them beside the paper.

    Perfect and imperfect forecasts, with and without counter-measures, 24 and 72 hours ahead. Some
    ten minutes on a quiet machine, most of it GA and PSO; --month-days 0 leaves them out.
    """
    from scenarios.prosumer.beside import Found  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.prosumer.speed import speed  # noqa: PLC0415
    from scenarios.prosumer.study import cases, run  # noqa: PLC0415
    from scenarios.prosumer.tell import REPORT, tell  # noqa: PLC0415

    check_folder(out)
    study = _study(asked)
    chosen = cases(month=study.month_hours > 0)
    hours = {"year": study.hours, "month": study.month_hours}
    with bench_progress() as bar:
        task = bar.add_task("becchi2024", total=sum(hours[case.stretch] for case in chosen))
        outcomes = run(
            study,
            chosen,
            lambda case, _: bar.update(task, advance=1, description=case.name),
        )
        bar.update(task, description="how long a plan takes")
        found = Found(outcomes=outcomes, speed=speed(study), currency=study.series.currency)
    told: dict[str, Any] = tell(
        study, found, out, forecast=str(asked["forecast"]), command=_again(asked)
    )
    click.echo(json.dumps(told, indent=2) if as_json else _lines(told, out / REPORT))


def _study(asked: dict[str, Any]) -> "Study":
    """Return the study of some options."""
    from scenarios.prosumer.becchi_data import becchi_series, year_begin, year_hours  # noqa: PLC0415 -- see above
    from scenarios.prosumer.evolved import Budget  # noqa: PLC0415
    from scenarios.prosumer.foreseen import imperfect  # noqa: PLC0415
    from scenarios.prosumer.study import Study  # noqa: PLC0415

    series = becchi_series(
        asked["data"],
        seed=asked["seed"],
        charges=asked["charges"],
        charges_share=asked["charges_share"],
    )
    begin, hours = year_begin(series), year_hours(series)
    first: datetime = asked["month_from"]
    after_h = (first.date() - date.fromordinal(int(series.day[begin]))).days * DAY_H
    month_hours = asked["month_days"] * DAY_H
    if not 0 <= after_h <= hours - month_hours:
        msg = f"{asked['month_days']} days from {first.date()} do not lie within 2022"
        raise click.UsageError(msg)
    return Study(
        series=series,
        imperfect=imperfect(series, asked["forecast"], seed=asked["seed"]),
        begin=begin,
        hours=min(asked["days"] * DAY_H, hours),
        month_begin=begin + after_h,
        month_hours=month_hours,
        budget=Budget(evaluations=asked["evaluations"], seconds=asked["budget_s"]),
        known=asked["known"],
        seed=asked["seed"],
    )


def _again(asked: dict[str, Any]) -> str:
    """Return the command that makes a study again; the data's folder is the reader's own."""
    parts = ["gridpact", "scenario", "run", "becchi2024"]
    for name, value in asked.items():
        option = {"known": "prices"}.get(name, name.replace("_", "-"))
        if name != "data" and value is not None:
            shown = value.date() if isinstance(value, datetime) else value
            parts += [f"--{option}", str(shown)]
    return shlex.join(parts) + (" --data YOUR_DATA" if asked["data"] else "")


def _lines(told: dict[str, Any], report: Path) -> str:
    """Return the runs and the claims for a terminal."""
    head = (
        f"{'controller':46} {'forecast':10} {'stretch':7} {'ahead':>5} {'gain':>8} "
        f"{'of MILP':>7} {'ageing':>7} {'CPU ms':>8}"
    )
    currency = told["currency"]
    unit = f"{'':46} {'':10} {'':7} {'':5} {currency:>8} {'':7} {currency:>7}"
    rows = [
        f"{row['label']:46} {row['forecast']:10} {row['stretch']:7} {row['horizon_h']:3} h "
        f"{row['gain']:8.2f} {_share(row['share_of_milp']):>7} "
        f"{row['cycle_cost'] + row['calendar_cost']:7.1f} {row['decision_ms']:8.3f}"
        for row in told["runs"]
    ]
    judged = [
        f"{claim['verdict']}: {claim['text']} Paper: {claim['printed']}; here: {claim['ours']}."
        for claim in told["claims"]
    ]
    return "\n".join([head, unit, *rows, "", *judged, "", f"report: {report}"])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
