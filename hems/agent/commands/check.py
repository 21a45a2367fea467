"""`gridpact agent check`."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from devices.clock import SystemClock
from devices.commands.configuration import json_option
from hems.agent.commands.options import config_option
from hems.agent.config import read_config
from hems.agent.setup.check import check


@click.command("check")
@config_option
@json_option
def check_command(*, config: Path, as_json: bool) -> None:
    """Check the file, then reach devices, ledger and broker: a line each, exit code 1 if any fails.

    Nothing is written to any device and nothing is sent to the ledger.
    """
    findings = asyncio.run(check(read_config(config), clock=SystemClock()))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    for each in () if as_json else findings:
        click.echo(f"{'ok   ' if each.ok else 'WRONG'} {each.thing}: {each.line}")
    wrong = [each.thing for each in findings if not each.ok]
    if wrong:
        msg = f"{config}: {', '.join(wrong)} will not do; see above"
        raise click.ClickException(msg)
