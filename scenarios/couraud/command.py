"""`gridpact scenario run couraud2021`: the paper's six scenarios and the report beside it."""

import json
import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.data.fleet_data import CURRENCY
from scenarios.demo import check_folder
from scenarios.options import (
    data_option,
    days_option,
    first_day_option,
    homes_option,
    json_option,
    out_option,
    seed_option,
)

if TYPE_CHECKING:
    from scenarios.couraud.cases import Study

NUMBERS = 6


@click.command()
@days_option(default=30, means="Days of each scenario.")
@homes_option()
@first_day_option()
@click.option(
    "--only",
    type=click.IntRange(0, NUMBERS - 1),
    multiple=True,
    help="Number of a scenario; may be given again. Without: all, and the report.",
)
@data_option
@seed_option
@out_option("out/couraud", "Folder of the results; a study that stopped there goes on.")
@click.option(
    "--sweeps",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder above those of sweeps, which the report tells of, too.",
)
@json_option
def couraud(  # noqa: PLR0913 - one parameter per option
    *,
    days: int,
    homes: int,
    first: datetime,
    only: tuple[int, ...],
    data: Path | None,
    seed: int,
    out: Path,
    sweeps: Path,
    as_json: bool,
) -> None:
    """Live through Couraud 2021's scenarios 0 to 5 and set them beside the paper.

    0 demand only, 1 PV and battery alone, 2 central assets, 3 central assets with the homes'
    demand, 4 the framework, 5 PV alone. Ctrl-C stops it; the same command again goes on.
    """
    from scenarios.couraud.cases import Study  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.couraud.run import REPORT, live, tell  # noqa: PLC0415
    from scenarios.simulation.fleet import Rules  # noqa: PLC0415

    check_folder(out)
    study = Study(
        first_day=first.date(), days=days, homes=homes, folder=data, rules=Rules(seed=seed)
    )
    numbers = sorted(set(only)) or list(range(NUMBERS))
    with bench_progress() as bar:
        task = bar.add_task("", total=days * len(numbers))

        def show(number: int, done: float) -> None:
            place = days * numbers.index(number)
            bar.update(task, description=f"scenario {number}", completed=place + done)

        try:
            folders = live(study, out, only=numbers, progress=show)
        except KeyboardInterrupt as stopped:
            msg = "stopped; the same command goes on after the last whole day"
            raise click.ClickException(msg) from stopped
    if only:
        summaries = {
            str(number): json.loads((folder / "summary.json").read_text())
            for number, folder in folders.items()
        }
        click.echo(json.dumps(summaries, indent=2) if as_json else _few(summaries, out))
        return
    told: dict[str, Any] = tell(study, folders, out, sweeps=sweeps, command=_again(study))
    click.echo(
        json.dumps(told, indent=2)
        if as_json
        else _lines(told, out / REPORT, homes=homes, days=days)
    )


def _again(study: "Study") -> str:
    """Return the command that makes a study again; the data's folder is the reader's own."""
    parts = ["gridpact", "scenario", "run", "couraud2021", "--from", str(study.first_day)]
    parts += ["--days", str(study.days), "--homes", str(study.homes)]
    parts += ["--seed", str(study.rules.seed)]
    return shlex.join(parts) + (" --data YOUR_DATA" if study.folder else "")


def _few(summaries: dict[str, Any], out: Path) -> str:
    lines = [
        f"scenario {number}: bills less by {figures['bill_reduction']:.2f} {CURRENCY}, "
        f"market revenue {figures['market_revenue']:.2f}, "
        f"imbalance {figures['imbalance_cost']:.2f}"
        for number, figures in summaries.items()
    ]
    return "\n".join([*lines, f"results: {out}"])


def _lines(told: dict[str, Any], report: Path, *, homes: int, days: int) -> str:
    """Return table II and the claims for a terminal."""
    from scenarios.couraud.words import smaller_than_the_paper  # noqa: PLC0415 -- --help is quick

    small = smaller_than_the_paper(homes=homes, days=days)
    head = (
        f"{'scenario':34} {'bills less':>10} {'market':>9} {'total':>9} {'paper':>7} {'years':>6}"
    )
    units = f"{'':34} {CURRENCY:>10} {CURRENCY:>9} {CURRENCY:>9} {'GBP':>7}"
    rows = [
        f"{row['scenario']} {row['name']:32} {row['bill_reduction']:10.0f} "
        f"{row['market_net']:9.0f} {row['total']:9.0f} {row['paper_total']:7.0f} "
        f"{_years(row['roi_years_implied_cost']):>6}"
        for row in told["table"]
    ]
    judged = [
        f"{claim['verdict']}: {claim['text']} Paper {claim['printed']}; here {claim['ours']}."
        for claim in [*told["claims"], *told["sensitivity"]]
    ]
    note = [small, ""] if small else []
    return "\n".join([head, units, *rows, "", *judged, "", *note, f"report: {report}"])


def _years(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
