"""`gridpact dispatch`: one policy on a user's year of load and PV."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.dispatch.asked import Name, PolicyName, Share, Size, policy_of
from scenarios.dispatch.plant import Cell, Coupling, DispatchBattery, Generation, Limits
from scenarios.dispatch.series_file import YearFile, read_year, require_together
from scenarios.options import json_option

if TYPE_CHECKING:
    from scenarios.dispatch.run import Dispatched

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--load", type=FILE, required=True, help="Year of demand, CSV in kW.")
@click.option("--pv", type=FILE, required=True, help="Year of PV at the AC side, CSV in kW.")
@click.option(
    "--policy",
    type=PolicyName(),
    required=True,
    help="look-ahead, look-behind, grid-target, input or manual; or 1 to 5, their numbers in "
    "Marchi 2022.",
)
@click.option(
    "--battery",
    type=Size(),
    default="25.2kWh/13.8kW",
    show_default=True,
    help="Capacity and power of the cells: 60kWh/30kW; 60 alone has the power to fill it in 2 h.",
)
@click.option(
    "--power-kw", type=click.FloatRange(0, min_open=True), help="Power, over --battery's."
)
@click.option("--soc-min", type=Share(), default="0.15", show_default=True, help="Lower end.")
@click.option("--soc-max", type=Share(), default="0.95", show_default=True, help="Upper end.")
@click.option(
    "--target-kw",
    help="Import that grid-target holds: one, or twelve with commas.  [default: the paper's]",
)
@click.option(
    "--schedule",
    type=FILE,
    help="Power of input, CSV in kW, > 0 charges.  [default: the paper's (ii): 5 kW in from 7 to "
    "19 h, 5 kW out else]",
)
@click.option("--manual", type=FILE, help="Periods of manual, TOML.  [default: the paper's]")
@click.option(
    "--grid-charging/--no-grid-charging",
    default=False,
    show_default=True,
    help="The grid may charge it (manual's periods say so themselves).",
)
@click.option(
    "--coupling",
    type=click.Choice(["ac", "dc"]),
    default="ac",
    show_default=True,
    help="Where it joins the PV.",
)
@click.option(
    "--limits",
    type=click.Choice(["power", "current", "both"]),
    default="power",
    show_default=True,
    help="What bounds the cells: the power, or the current that it is at rated voltage.",
)
@click.option(
    "--room-c",
    type=click.FloatRange(-20, 60),
    default=20.0,
    show_default=True,
    help="Temperature of the battery's room: cold takes charge, warmth takes life.",
)
@click.option(
    "--generation",
    type=click.Choice(["2025", "2020"]),
    default="2025",
    show_default=True,
    help="Which SAM it does as: today's, or the one of the paper.",
)
@click.option("--years", type=click.IntRange(1, 100), default=1, show_default=True, help="Years.")
@click.option(
    "--pv-loss", type=Share(), default="0", show_default=True, help="PV lost each year, share."
)
@click.option("--replace-at", type=Share(), help="Capacity left at which a new one is put in.")
@click.option("--out", type=FILE, help="CSV of all flows to write.")
@json_option
def dispatch(  # noqa: PLR0913 -- one parameter per option
    *,
    load: Path,
    pv: Path,
    policy: Name,
    battery: tuple[float, float],
    power_kw: float | None,
    soc_min: float,
    soc_max: float,
    target_kw: str | None,
    schedule: Path | None,
    manual: Path | None,
    grid_charging: bool,
    coupling: Coupling,
    limits: Limits,
    room_c: float,
    generation: Generation,
    years: int,
    pv_loss: float,
    replace_at: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run a battery behind a meter, with PV and load, by one of five policies for years.

    Files hold a value a line, with or without a header, with or without a column of times before:
    8760 hours (a leap year: 8784) or a whole number of steps per hour. Settings of other policies
    than the chosen one are not looked at.

    The figures are of the first year, but for capacity_left: at the end of the last, share of the
    nominal. --json holds each year's as well.
    """
    from scenarios.dispatch.run import dispatch as run  # noqa: PLC0415 -- numba takes seconds

    load_year, pv_year = _years(load, pv)
    chosen = policy_of(policy, load_year, target=target_kw, schedule=schedule, manual=manual)
    ran = run(
        load_year.power_w,
        pv_year.power_w,
        step_s=load_year.step_s,
        battery=DispatchBattery(
            capacity_wh=battery[0],
            power_max_w=power_kw * 1000 if power_kw else battery[1],
            soc_min=soc_min,
            soc_max=soc_max,
            coupling=coupling,
            charge_from_grid=grid_charging,
            limits=limits,
            generation=generation,
            replace_at=replace_at or None,
            cell=Cell(room_c=room_c),
        ),
        policy=chosen,
        start=load_year.start if load_year.timed or not pv_year.timed else pv_year.start,
        years=years,
        pv_loss_per_year=pv_loss,
    )
    _tell(ran, policy, out=out, as_json=as_json)


def _years(load: Path, pv: Path) -> tuple[YearFile, YearFile]:
    """Return both years, which must go step by step together."""
    load_year, pv_year = read_year(load), read_year(pv)
    require_together(load_year, pv_year)
    return load_year, pv_year


def _tell(ran: "Dispatched", policy: Name, *, out: Path | None, as_json: bool) -> None:
    """Print what came out, and write the flows."""
    from scenarios.dispatch.told import figures, print_told, write_flows  # noqa: PLC0415

    if out is not None:
        write_flows(ran, out)
    found: dict[str, Any] = {"policy": policy, **figures(ran)}
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        print_told(found)
