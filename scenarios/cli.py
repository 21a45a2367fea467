"""`gridpact`: one command, a sub-command per step; each is loaded when it is called.

A gateway has neither pandas nor pyomo, so nothing that needs them may be imported before its
command is asked for.
"""

import sys
from collections.abc import Sequence

import click

from aggregator.errors import PlanError
from contracts.errors import LedgerError
from devices.commands.lazy import Lazy
from devices.errors import DeviceError
from hems.errors import ControlError
from hems.interrupts import interrupts_told
from scenarios.errors import DataError, ScenarioInputError

COMMANDS = {
    "demo": ("scenarios.demo_command", "One day of a fleet, from plan to payment."),
    "fleet": (
        "scenarios.simulation.fleet_run_command",
        "Many days of a fleet, resumed where they stood.",
    ),
    "sweep": ("scenarios.sweep.command", "A fleet run again and again, a setting varied."),
    "plan": ("aggregator.cli", "Plan a market day, or plan it again for what was awarded."),
    "bid": ("aggregator.cli", "Offer a plan to a price-taker market and write the award."),
    "publish": ("aggregator.cli", "Publish a plan and its award to the fleet contract."),
    "settle": (
        "aggregator.settle_command",
        "Post prices, fund and settle what the fleet delivered.",
    ),
    "status": ("aggregator.cli", "Show what was promised, delivered and settled."),
    "chain": ("contracts.cli", "Put the contracts on a chain and admit members."),
    "serve": (
        "aggregator.service.command",
        "Run the aggregator's service: telemetry, books, page.",
    ),
    "simu": ("scenarios.simu_command", "Fill a service's store with homes made up for tests."),
    "agent": ("hems.agent.cli", "Run a home's gateway: read, decide, steer and report."),
    "device": ("devices.cli", "Find, read, steer and emulate batteries, meters and chargers."),
    "dispatch": ("scenarios.dispatch.command", "A battery behind a meter, run by one policy."),
    "scenario": ("scenarios.scenario_command", "Run what the papers did, and set it beside them."),
    "bench": ("scenarios.bench.command", "Measure how fast parts of gridpact are here."),
}
"""Command, module that holds a `click.Command` of that name, and its line in the overview."""
EXPECTED = (PlanError, LedgerError, DeviceError, ControlError, DataError, ScenarioInputError)
"""Errors whose message is meant for the user."""
OURS = ("contracts", "devices", "hems", "aggregator", "scenarios")
"""Packages of gridpact itself."""
EXTRAS = {
    "adapter": ("amqtt", "cryptography", "ifaddr"),
    "service": (
        *("alembic", "apscheduler", "fastapi", "limits", "msgspec", "prometheus_client"),
        *("sqlalchemy", "uvicorn"),
    ),
    "postgres": ("psycopg",),
    "lstm": ("torch",),
    "cluster": ("ray",),
}
"""Packages that an extra brings; the aggregator's brings all others."""


@click.group(cls=Lazy, lazy=COMMANDS)
@click.version_option(package_name="gridpact")
def cli() -> None:
    """Run a fleet of home batteries that keeps its promise to the market, on a chain."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: exit code 1 with one line on errors, 2 for wrong use."""
    try:
        with interrupts_told():
            code = cli.main(args=arguments, prog_name="gridpact", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = _complain(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        code = _complain("interrupted; nothing more was written")
    except EXPECTED as error:
        code = _complain(str(error))
    except ModuleNotFoundError as error:
        package, _, _ = str(error.name).partition(".")
        if package in OURS:
            sys.exit(_complain(f"{error.name} is missing from this installation; install it again"))
        extra = next((name for name, brings in EXTRAS.items() if package in brings), "aggregator")
        code = _complain(f"{package} is not installed; install gridpact[{extra}]")
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str) -> int:
    """Write one line to stderr and return exit code 1."""
    click.echo(f"gridpact: {' '.join(message.split())}", err=True)
    return 1
