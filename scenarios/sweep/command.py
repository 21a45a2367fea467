"""`gridpact sweep NAME`: how a fleet's figures answer to one or two of its settings."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scenarios.bench.progress import bench_progress
from scenarios.data.fleet_data import CURRENCY
from scenarios.demo import check_folder
from scenarios.errors import ScenarioInputError
from scenarios.options import (
    data_option,
    days_option,
    first_day_option,
    homes_option,
    jobs_option,
    json_option,
)
from scenarios.report.quantity import plural
from scenarios.simulation.fleet import Rules

if TYPE_CHECKING:
    from scenarios.simulation.fleet_run import FleetRun

NAMES: Final = ("forecast", "t-sc", "battery", "homes", "offline", "volatility")
"""The keys of `scenarios.sweep.sweeps.SWEEPS`, which takes seconds to import."""
_HEADS: Final = {
    "total": ("total", CURRENCY),
    "bill_reduction": ("bills less", CURRENCY),
    "market_revenue": ("market", CURRENCY),
    "imbalance_cost": ("imbalance", CURRENCY),
    "mean_export_error": ("error", "share"),
    "self_consumption_rate": ("self-cons.", "share"),
}
"""What the table calls a figure, and its unit."""


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@days_option(default=7, means="Days of each run.")
@homes_option()
@first_day_option()
@click.option(
    "--seeds",
    type=click.IntRange(1),
    help="Draws that each point is the mean of.  [default: 3, of forecast 2]",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="First draw.")
@jobs_option
@data_option
@click.option(
    "--beside",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of scenario couraud2021: its scenarios 2 and 3 are drawn too, if its days, homes, "
    "data and seed are the same.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    show_default="out/sweep-NAME",
    help="Folder of the results; a sweep that stopped there goes on.",
)
@json_option
def sweep(  # noqa: PLR0913 - one parameter per option
    *,
    name: str,
    days: int,
    homes: int,
    first: datetime,
    seeds: int | None,
    seed: int,
    jobs: int | None,
    data: Path | None,
    beside: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run a fleet again and again, with other settings each time.

    Sweeps: forecast (accuracy × step), t-sc (minutes between reports), battery (its size), homes
    (their number), offline (share of homes), volatility (of day-ahead prices).

    Every point is a run of its own, in a folder of its own: Ctrl-C stops, the same command goes on.
    Results are results.json, results.csv and a picture.
    """
    from scenarios.simulation.fleet_run import FleetRun  # noqa: PLC0415 -- pandas takes seconds

    base = FleetRun(
        first_day=first.date(), days=days, homes=homes, rules=Rules(seed=seed), folder=data
    )
    folder = out or Path("out") / f"sweep-{name}"
    check_folder(folder)
    results = _swept(
        name, base, seeds=seeds, jobs=jobs or os.cpu_count() or 1, beside=beside, out=folder
    )
    click.echo(json.dumps(results, indent=2) if as_json else "\n".join(_told(results, folder)))


def _swept(
    name: str, base: "FleetRun", *, seeds: int | None, jobs: int, beside: Path | None, out: Path
) -> dict[str, object]:
    """Run a sweep under a progress bar on stderr, and write what it found."""
    from scenarios.sweep.claims import claims, levels  # noqa: PLC0415
    from scenarios.sweep.picture import write_picture  # noqa: PLC0415
    from scenarios.sweep.results import found, results, write_results  # noqa: PLC0415
    from scenarios.sweep.run import run_points  # noqa: PLC0415
    from scenarios.sweep.sweeps import SWEEPS, points  # noqa: PLC0415 -- takes seconds

    chosen = SWEEPS[name]
    count = seeds or chosen.seeds
    runs = points(chosen, base, seeds=count)
    with bench_progress(f"{name}: {len(runs)} runs, simulated minutes") as bar:
        task = bar.add_task(name, total=1440 * base.days * len(runs))
        try:
            figures = run_points(
                runs,
                out,
                jobs=jobs,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt as stopped:
            msg = f"sweep {name} stopped; the same command goes on from there"
            raise click.ClickException(msg) from stopped
    means = found(chosen, runs, figures)
    beside_it = levels(beside, base.asked())
    if beside is not None and not beside_it:
        click.echo(f"{beside} has no scenario of the same homes, days, data and seed", err=True)
    said = claims(name, means, beside_it)
    whole = results(name, chosen, runs, figures, claims=said)
    write_results(out, chosen, runs, figures, whole=whole)
    source = "real data" if base.folder else "GENERATED data"
    band = "; bands reach from the least to the most" if len(chosen.axes) == 1 else ""
    draws = f"mean of {count} draws{band}" if count > 1 else "one draw"
    homes = "" if chosen.per_home else f"{plural(base.homes, 'home')}, "
    about = f"{plural(base.days, 'day')} from {base.first_day}, {homes}{source}, {draws}"
    write_picture(out / f"{name}.png", chosen, means, about=about, levels=beside_it)
    return whole


def _told(results: dict[str, object], out: Path) -> list[str]:
    """Return the results as a table of text, and what the paper says."""
    means, claims = results["means"], results["claims"]
    if not isinstance(means, list) or not isinstance(claims, list):
        msg = f"results of {out} hold no lists; they were changed"
        raise ScenarioInputError(msg)
    metrics = [key for key, value in means[0].items() if isinstance(value, dict | None)]
    axes = [key for key in means[0] if key not in metrics]
    heads = [_HEADS[each] for each in metrics]
    lines = [
        "  ".join([*(f"{axis:>13}" for axis in axes), *(f"{name:>10}" for name, _ in heads)]),
        "  ".join([*(" " * 13 for _ in axes), *(f"{unit:>10}" for _, unit in heads)]),
    ]
    for row in means:
        numbers = [row[each]["mean"] if row[each] else float("nan") for each in metrics]
        lines.append(
            "  ".join(
                [
                    *(f"{row[axis]:>13g}" for axis in axes),
                    *(f"{number:>10.4f}" for number in numbers),
                ]
            )
        )
    for claim in claims:
        lines += [
            "",
            f"paper: {claim['paper']}",
            f"here:  {claim['here']}",
            f"{claim['verdict']}{'; ' + str(claim['because']) if claim['because'] else ''}",
        ]
    return [*lines, "", f"money is {results['money']}", f"results: {out}"]
