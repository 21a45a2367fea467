"""`gridpact agent run`."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import click

from devices.clock import Clock, SystemClock
from devices.commands.stopping import run_until_stopped
from hems.agent.agent import Agent
from hems.agent.commands.options import config_option
from hems.agent.config import read_config


@click.command("run")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Log lines as JSON.")
def run_command(*, config: Path, as_json: bool) -> None:
    """Run the home's agent until SIGTERM or Ctrl-C; the battery then serves its house.

    What is lost, and what is back, goes to stderr, a line each.
    """
    read = read_config(config)
    clock = SystemClock()
    agent = Agent(read, clock=clock, tell=logged(clock, as_json=as_json))
    run_until_stopped(lambda stopped: run_agent(agent, stopped))


def logged(clock: Clock, *, as_json: bool) -> Callable[[str], None]:
    """Return what writes a line of the log to stderr, with the time (UTC)."""

    def tell(line: str) -> None:
        utc = clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        text = json.dumps({"utc": utc, "line": line}) if as_json else f"{utc} {line}"
        click.echo(text, err=True)

    return tell


async def run_agent(agent: Agent, stopped: asyncio.Event) -> None:
    """Run until the agent ends or is told to."""
    running = asyncio.ensure_future(agent.run())
    stop = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    agent.stop()
    await running
