"""A gateway at a clock of its own pace: ``python -m scenarios.soak.home CONFIG CLOCK``."""

import sys
from pathlib import Path

from devices.commands.stopping import run_until_stopped
from hems.agent.agent import Agent
from hems.agent.commands.run import logged, run_agent
from hems.agent.config import read_config
from scenarios.soak.clock import ScaledClock


def main() -> None:
    """Run the agent until SIGTERM; the log goes to stderr."""
    path, *clock_arguments = sys.argv[1:]
    clock = ScaledClock.from_arguments(*clock_arguments)
    agent = Agent(read_config(Path(path)), clock=clock, tell=logged(clock, as_json=False))
    run_until_stopped(lambda stopped: run_agent(agent, stopped))


if __name__ == "__main__":
    main()
