"""`gridpact scenario list | run NAME`: what a paper did, done again and shown."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

import click


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario: a module with ``run(*arguments)``, which returns what happened.

    That is a frozen dataclass with a method ``lines()``, or the module has ``lines(trace)``. One
    with options of its own is a command in its module instead.
    """

    module: str
    """Where it is; imported when it is run."""
    line: str
    """What it shows, for the overview."""
    arguments: tuple[str, ...] = ()
    """What ``run`` is called with."""
    command: str | None = None
    """Name of the `click.Command` in a module quick to import, for one with options."""

    def load(self, name: str) -> click.Command:
        """Return the command that runs it."""
        if self.command is None:
            as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")
            return click.Command(name, callback=self._run, params=[as_json], help=self.line)
        command: click.Command = getattr(import_module(self.module), self.command)
        return command

    def _run(self, *, as_json: bool) -> None:
        """Run it and print its frames, registers and messages."""
        module = import_module(self.module)
        run: Callable[..., object] = module.run
        trace = run(*self.arguments)
        if as_json:
            click.echo(json.dumps(plain(trace), indent=2))
        else:
            click.echo("\n".join(_lines(module, trace)))


SCENARIOS: Final[dict[str, Scenario]] = {
    **{
        f"burgio-{number}": Scenario(
            module="scenarios.wire.burgio_tests",
            line=f"Burgio et al. 2023, section 3, validation test {number}: {device}.",
            arguments=(f"burgio-{number}",),
        )
        for number, device in ((1, "ABB REACT2"), (2, "SolarEdge"), (3, "sonnen"))
    },
    "habib-xtender-write": Scenario(
        module="scenarios.wire.habib_write",
        line="Habib et al. 2023, section 3.2: a charge current written to a Studer Xtender.",
    ),
    "habib-edge": Scenario(
        module="scenarios.wire.habib_edge",
        line="Habib et al. 2023: the fuzzy manager at the edge, frame by frame.",
    ),
    "fleet": Scenario(
        module="scenarios.simulation.fleet_run_command",
        line="A fleet's days, single homes under controllers of their own: as `gridpact fleet`.",
        command="fleet",
    ),
    "couraud2021": Scenario(
        module="scenarios.couraud.command",
        line="Couraud et al. 2021, section IV: scenarios 0 to 5 over a month, beside the paper.",
        command="couraud",
    ),
    "becchi2024": Scenario(
        module="scenarios.prosumer.becchi_command",
        line="Becchi et al. 2024: a prosumer's year under rules and optimisers, beside the paper.",
        command="becchi",
    ),
    "habib2023": Scenario(
        module="scenarios.habib.command",
        line="Habib et al. 2023: fuzzy rules for battery and grid relay, beside the paper.",
        command="habib",
    ),
    "habib-tune": Scenario(
        module="scenarios.fuzzy.tune_command",
        line="The words of Habib's fuzzy rules, tuned on eight months and judged by four others.",
        command="habib_tune",
    ),
    "intraday": Scenario(
        module="scenarios.intraday.command",
        line="What planning again and trading through the day adds to selling the day before.",
        command="intraday",
    ),
    "community": Scenario(
        module="scenarios.prosumer.community_command",
        line="Prosumers who share: Becchi's rules in a renewable energy community.",
        command="community",
    ),
    "train-forecast": Scenario(
        module="scenarios.prosumer.train_command",
        line="Train the network that forecasts a home's load or production (needs PyTorch).",
        command="train_forecast",
    ),
    "marchi2022": Scenario(
        module="scenarios.marchi.command",
        line="Marchi et al. 2022: five dispatch policies of a campus battery, beside the paper.",
        command="marchi",
    ),
    "my-home": Scenario(
        module="scenarios.prosumer.my_home_command",
        line="Your own load, production and prices: which controller earns most, and why.",
        command="my_home",
    ),
}
"""By name: whoever adds a scenario adds it here."""


class Runs(click.Group):
    """A group whose sub-commands are the entries of `SCENARIOS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        del ctx
        return list(SCENARIOS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command that runs a scenario; it is imported only where it has options."""
        del ctx
        found = SCENARIOS.get(cmd_name)
        return None if found is None else found.load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, found.line) for name, found in SCENARIOS.items()])


@click.group()
def scenario() -> None:
    """Run what the papers did, and print what went over the wire or what came of it."""


@scenario.command("list")
def list_scenarios() -> None:
    """Name the scenarios."""
    for name, found in SCENARIOS.items():
        click.echo(f"{name:20} {found.line}")


@scenario.group("run", cls=Runs)
def run_scenario() -> None:
    """Run a scenario."""


def _lines(module: ModuleType, trace: object) -> Sequence[str]:
    if hasattr(trace, "lines"):
        own: Sequence[str] = trace.lines()
        return own
    told: Sequence[str] = module.lines(trace)
    return told


def plain(value: object) -> object:
    """Return a value as JSON carries it: dataclasses as objects, bytes in hexadecimal."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex(" ").upper()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
