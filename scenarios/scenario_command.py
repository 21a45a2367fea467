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

    That is a frozen dataclass with a method ``lines()``, or the module has ``lines(trace)``.
    """

    module: str
    """Where it is; imported when it is run."""
    line: str
    """What it shows, for the overview."""
    arguments: tuple[str, ...] = ()
    """What ``run`` is called with."""


SCENARIOS: Final[dict[str, Scenario]] = {
    **{
        f"burgio-{number}": Scenario(
            module="scenarios.burgio_tests",
            line=f"Burgio et al. 2023, section 3, validation test {number}: {device}.",
            arguments=(f"burgio-{number}",),
        )
        for number, device in ((1, "ABB REACT2"), (2, "SolarEdge"), (3, "sonnen"))
    },
    "habib-xtender-write": Scenario(
        module="scenarios.habib_write",
        line="Habib et al. 2023, section 3.2: a charge current written to a Studer Xtender.",
    ),
}
"""By name: whoever adds a scenario adds it here."""


@click.group()
def scenario() -> None:
    """Run what the papers did, against emulated devices, and print what went over the wire."""


@scenario.command("list")
def list_scenarios() -> None:
    """Name the scenarios."""
    for name, found in SCENARIOS.items():
        click.echo(f"{name:20} {found.line}")


@scenario.command("run")
@click.argument("name", type=click.Choice(list(SCENARIOS)))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run_scenario(*, name: str, as_json: bool) -> None:
    """Run a scenario and print its frames, registers and messages."""
    found = SCENARIOS[name]
    module = import_module(found.module)
    run: Callable[..., object] = module.run
    trace = run(*found.arguments)
    if as_json:
        click.echo(json.dumps(plain(trace), indent=2))
    else:
        click.echo("\n".join(_lines(module, trace)))


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
