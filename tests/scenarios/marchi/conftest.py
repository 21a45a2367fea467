"""One quick study, by its command."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from scenarios.scenario_command import scenario


class Told(NamedTuple):
    """What the command left."""

    out: Path
    results: dict
    printed: str


@pytest.fixture(scope="session")
def told(tmp_path_factory) -> Told:
    """Return a quick study on drawn data: two years of life, the middle prices."""
    out = tmp_path_factory.mktemp("marchi")
    command = ["run", "marchi2022", "--quick", "--out", str(out), "--json"]
    # drawn also where the real series are at hand
    drawn = {"GRIDPACT_DATA": None}
    done = CliRunner().invoke(scenario, command, catch_exceptions=False, env=drawn)
    assert done.exit_code == 0, done.output
    return Told(
        out=out, results=json.loads((out / "results.json").read_text()), printed=done.stdout
    )
