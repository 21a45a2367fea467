"""The paper's six scenarios, lived through by three generated homes in two days."""

from datetime import date
from pathlib import Path

import pytest

from scenarios.couraud.cases import Study
from scenarios.couraud.run import live
from scenarios.simulation.fleet import Rules

QUICK = Rules(report_s=900, decide_s=900, seed=3)
STUDY = Study(first_day=date(2021, 6, 16), days=2, homes=3, rules=QUICK)


@pytest.fixture(scope="session")
def lived(needs_pyrevm, tmp_path_factory) -> tuple[Study, Path, dict[int, Path]]:
    """Return study, folder and folders of the scenarios."""
    out = tmp_path_factory.mktemp("couraud")
    return STUDY, out, live(STUDY, out)
