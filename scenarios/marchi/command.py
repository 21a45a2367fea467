"""`gridpact scenario run marchi2022`: the paper's five policies, and the report beside it."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.demo import check_folder
from scenarios.options import data_option, json_option, out_option, seed_option

if TYPE_CHECKING:
    from scenarios.dispatch.ev_profiles import Reading


@click.command()
@click.option(
    "--cars",
    "reading",
    type=click.Choice(["curve", "soc"]),
    default="curve",
    show_default=True,
    help="What a car takes: the measured curve's 18.2 kWh, or 6.6 kWh from 50 to 80 %.",
)
@click.option(
    "--quick", is_flag=True, help="Only two years of life and the middle prices: a look, no study."
)
@click.option("--sizing", is_flag=True, help="Try batteries of other sizes, too.")
@data_option
@seed_option
@out_option("out/marchi", "Folder of the results.")
@json_option
def marchi(
    *,
    reading: "Reading",
    quick: bool,
    sizing: bool,
    data: Path | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Run Marchi 2022's five dispatch policies and set them beside the paper, and the optimum.

    Tables 1, 2 and 4, figures 1 to 3 and 5 to 10: a campus with PV, battery and chargers, under
    SAM's behaviour of 2020, which the paper ran, and of today. Less than a minute on a quiet core.
    """
    from scenarios.marchi.run import run, steps  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.marchi.sizing_page import SIZES, study_sizing  # noqa: PLC0415
    from scenarios.marchi.study import make_study  # noqa: PLC0415
    from scenarios.marchi.tell import REPORT, tell  # noqa: PLC0415

    check_folder(out)
    study = make_study(data, seed=seed, reading=reading, quick=quick)
    with bench_progress() as bar:
        task = bar.add_task("marchi2022", total=steps(study) + SIZES * sizing)
        found = run(study, lambda what: bar.update(task, advance=1, description=what))
        bar.update(task, description="batteries of other sizes" if sizing else "the report")
        sized = study_sizing(study, lambda _: bar.update(task, advance=1)) if sizing else None
        told = tell(
            found,
            out,
            sizing=sized,
            command=_again(reading, seed, data, quick=quick, sizing=sizing),
        )
    click.echo(json.dumps(told, indent=2) if as_json else _lines(told, out / REPORT))


def _again(reading: str, seed: int, data: Path | None, *, quick: bool, sizing: bool) -> str:
    """Return the command that makes a study again; the data's folder is the reader's own."""
    parts = ["gridpact", "scenario", "run", "marchi2022", "--cars", reading, "--seed", str(seed)]
    flags = " --quick" * quick + " --sizing" * sizing
    return shlex.join(parts) + flags + " --data YOUR_DATA" * (data is not None)


def _lines(told: dict[str, Any], report: Path) -> str:
    """Return the policies and the claims for a terminal."""
    head = (
        f"{'SAM':5} {'window':11} {'policy':31} {'peak kW':>8} {'(paper)':>8} {'MWh':>6} "
        f"{'(paper)':>8} {'left':>6}"
    )
    rows = [
        f"{row['generation']:5} {100 * row['soc_min']:3.0f} to {100 * row['soc_max']:3.0f} "
        f"{row['policy']} {row['name']:29} {row['peak_kw']:8.1f} {row['paper_peak_kw']:8.1f} "
        f"{row['battery_to_load_mwh']:6.2f} {row['paper_battery_to_load_mwh']:8.2f} "
        f"{row['capacity_left']:6.1%}"
        for row in told["policies"]
    ]
    judged = [
        f"{claim['verdict']}: {claim['text']} Paper: {claim['printed']}; here: {claim['ours']}."
        for claim in told["claims"]
    ]
    return "\n".join([head, *rows, "", *judged, "", f"report: {report}"])
