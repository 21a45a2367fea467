"""`gridpact bench NAME`: how fast it is here; each measurement is loaded when it is called."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

import click

Figures = Mapping[str, float | int | str]
"""Figures by key, with the unit in the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One measurement."""

    place: str
    """``module:function``; the function takes nothing and returns `Figures`, or is a command."""
    line: str
    """What it measures, for the overview."""
    has_options: bool = False
    """Whether the function is a command with options of its own, in a module quick to import."""

    def load(self) -> object:
        """Import and return what measures."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)


BENCHES: Final[dict[str, Bench]] = {
    "devices": Bench(
        place="scenarios.bench.device_figures:device_figures",
        line="Codecs, a battery's read, polling 500 Modbus batteries.",
    ),
    "ledger": Bench(
        place="scenarios.bench.ledger_bench_command:ledger",
        line="Gas of the contracts for fleets of any size, and reports a second.",
        has_options=True,
    ),
    "agent": Bench(
        place="scenarios.bench.agent_bench_command:agent",
        line="A gateway's memory, processor, speed, and a day of its life while things break.",
        has_options=True,
    ),
    "fleet": Bench(
        place="scenarios.bench.fleet_bench_command:fleet",
        line="Decisions, plans, a month of 70 homes and a day of 10,000, on one core.",
        has_options=True,
    ),
    "service": Bench(
        place="scenarios.bench.service_bench_command:service",
        line="The aggregator's service: telemetry from 10,000 gateways, and requests.",
        has_options=True,
    ),
    "dispatch": Bench(
        place="scenarios.marchi.bench_command:dispatch",
        line="A year and a battery's life under five dispatch policies, and Marchi's study.",
        has_options=True,
    ),
    "prosumer": Bench(
        place="scenarios.prosumer.bench_command:prosumer",
        line="Plans by rules and optimisers, and what a year of each brings a prosumer.",
        has_options=True,
    ),
    "fuzzy": Bench(
        place="scenarios.fuzzy.bench:fuzzy_figures",
        line="Fuzzy rules for 10,000 homes, beside another library.",
    ),
}
"""By name: whoever adds a measurement adds it here."""


class Benches(click.Group):
    """A group whose sub-commands are the entries of `BENCHES`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        del ctx
        return list(BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command that measures; nothing is imported before it does."""
        del ctx
        if cmd_name not in BENCHES:
            return None
        found = BENCHES[cmd_name]
        if found.has_options:
            return cast("click.Command", found.load())
        as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")

        def measure(*, as_json: bool) -> None:
            figures = cast("Callable[[], Figures]", found.load())()
            _show(figures, as_json=as_json)

        return click.Command(cmd_name, callback=measure, params=[as_json], help=found.line)


@click.group(cls=Benches)
def bench() -> None:
    """Measure how fast parts of gridpact are on this machine."""


def _show(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(figures), indent=2))
        return
    for key, value in figures.items():
        click.echo(f"{key:>28} {value:,.6g}" if isinstance(value, float) else f"{key:>28} {value}")
