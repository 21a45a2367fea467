"""`gridpact scenario run habib2023`: fuzzy rules and SoC rules in a microgrid with a relay."""

import json
import shlex
from pathlib import Path
from typing import Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.demo import check_folder
from scenarios.options import data_option, days_option, json_option, out_option, seed_option


@click.command()
@days_option(default=30, means="Days from 2020-05-11, at most 30; a test on each.")
@click.option(
    "--buildings",
    type=click.IntRange(1, 11),
    default=11,
    show_default=True,
    help="Buildings of six homes each.",
)
@click.option(
    "--year-buildings",
    type=click.IntRange(0, 11),
    default=2,
    show_default=True,
    help="Buildings that live through a generated year, too; 0: none.",
)
@click.option(
    "--charges-per-mwh",
    type=click.FloatRange(0),
    default=190.0,
    show_default=True,
    help="Charges on import beyond the market's price, before tax. [EUR/MWh]",
)
@data_option
@seed_option
@out_option("out/habib", "Folder of the results.")
@json_option
def habib(*, out: Path, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - click's options
    """Run the paper's eight-hour tests and many more days, and set them beside the paper.

    Fuzzy rules against rules by state of charge, in a microgrid that may leave the grid. Some
    forty seconds on a quiet machine, most of it the year; --year-buildings 0 leaves that out.
    """
    from scenarios.habib.data import MONTH_DAYS, Asked, month, year  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.habib.study import parts, run  # noqa: PLC0415
    from scenarios.habib.tell import REPORT, tell  # noqa: PLC0415

    if asked["days"] > MONTH_DAYS:
        msg = f"--days {asked['days']}: the month has {MONTH_DAYS}"
        raise click.UsageError(msg)
    check_folder(out)
    wanted = Asked(
        folder=asked["data"],
        buildings=asked["buildings"],
        days=asked["days"],
        seed=asked["seed"],
        charges_per_mwh=asked["charges_per_mwh"],
    )
    days = month(wanted)
    whole = year(wanted, asked["year_buildings"]) if asked["year_buildings"] else None
    with bench_progress() as bar:
        task = bar.add_task("habib2023", total=parts(whole))
        found = run(days, whole, lambda done: bar.update(task, advance=1, description=done))
    told: dict[str, Any] = tell(found, out, command=_again(asked))
    click.echo(json.dumps(told, indent=2) if as_json else lines(told, out / REPORT))


def _again(asked: dict[str, Any]) -> str:
    """Return the command that makes a study again; the data's folder is the reader's own."""
    parts = ["gridpact", "scenario", "run", "habib2023"]
    for name, value in asked.items():
        if name != "data":
            parts += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(parts) + (" --data YOUR_DATA" if asked["data"] else "")


def lines(told: dict[str, Any], report: Path) -> str:
    """Return the runs and the claims for a terminal.

    Parameters
    ----------
    told : dict[str, Any]
        What results.json holds.
    report : Path
        Where the report is.
    """
    head = (
        f"data: {told['data']}\n"
        f"{'stretch':7} {'controller':24} {'EUR':>7} {'market':>7} {'island':>6} {'|ΔSoC|':>7} "
        f"{'outside':>7} {'overload':>8} {'switched':>8}"
    )
    rows = [
        f"{row['stretch']:7} {row['label']:24} {row['cost']:7.2f} {row['cost_at_market']:7.3f} "
        f"{row['island_share']:6.0%} {row['soc_step']:7.2%} {row['outside_share']:7.1%} "
        f"{row['overload_share']:8.1%} {row['switchings']:8.1f}"
        for row in told["runs"]
    ]
    judged = [
        f"{claim['verdict']}: {claim['text']} Paper: {claim['printed']}; here: {claim['ours']}."
        for claim in told["claims"]
    ]
    return "\n".join([head, *rows, "", *judged, "", f"report: {report}"])
