"""A small study of generated days, lived through once."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scenarios.habib.data import Asked, Buildings, month
from scenarios.habib.study import Found, run
from scenarios.scenario_command import scenario


@pytest.fixture(scope="session")
def days() -> Buildings:
    """Return four generated days of two buildings."""
    return month(Asked(folder=None, buildings=2, days=4, seed=2))


@pytest.fixture(scope="session")
def found(days: Buildings) -> Found:
    """Return the study of these days; they stand for the year, too."""
    return run(days, days)


@pytest.fixture(scope="session")
def told(tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the command's smallest study, and what it printed."""
    out = tmp_path_factory.mktemp("habib")
    asked = ["--days", "2", "--buildings", "1", "--year-buildings", "0", "--out", str(out)]
    done = CliRunner().invoke(
        scenario, ["run", "habib2023", *asked, "--json"], env={"GRIDPACT_DATA": None}
    )
    assert done.exit_code == 0, done.output
    return out, json.loads(done.stdout)
