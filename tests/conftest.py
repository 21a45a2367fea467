"""What tests of several packages need and may not find: real series, a node."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from contracts.local.anvil import find_anvil
from contracts.local.ganache import find_ganache
from contracts.local.local_node import find_program

# CI tries the same examples every time; a developer's run looks for new ones. No deadline: a busy
# machine is no fault of the code.
settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("GRIDPACT_CI") == "1" else "developer")


COMPILED = {
    "dispatch": ("scenarios/dispatch", "scenarios/marchi"),
    "microgrid": ("scenarios/microgrid", "scenarios/habib", "scenarios/fuzzy"),
}
"""Folders whose tests run on one kernel, compiled in up to 20 s: one process does it for all."""

LONGEST = (
    "contracts/test_days_machine.py",
    "hems/agent/whole/test_degraded.py",
    "hems/agent/ledger/node/test_books_killed.py",
    "scenarios/simulation/test_fleet_day.py",
    "scenarios/simulation/test_ray_engine.py",
    "scenarios/bench/test_agent_bench.py",
    "scenarios/test_scenario_command.py",
    "scenarios/test_cli.py",
)
"""Files with single tests of 10 s and more: begun last, they would leave other processors idle."""


def _turn(item: pytest.Item) -> int:
    """Return the place of an item's file among the `LONGEST`, after all of which come the rest."""
    file = item.path.relative_to(Path(__file__).parent).as_posix()
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector away from what stays: imported modules and thousands of tests.

    It would look through all of them again and again, half a second each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests of one compiled kernel in one process, and begin with those that take longest."""
    items.sort(key=_turn)
    for item in items:
        folder = str(item.path.parent.relative_to(Path(__file__).parent))
        for group, folders in COMPILED.items():
            if folder in folders:
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def left_out() -> Callable[[str], None]:
    """Return what leaves a test out, by name; in CI, which has everything, it fails it (§10)."""

    def leave_out(reason: str) -> None:
        if os.environ.get("GRIDPACT_CI") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    return leave_out


@pytest.fixture(scope="session")
def real_folder(left_out) -> Path:
    """Return the folder of the real series."""
    given = os.environ.get("GRIDPACT_DATA", "")
    if not (given and Path(given).is_dir()):
        left_out(f"GRIDPACT_DATA={given!r} names no folder with the real data files")
    return Path(given)


@pytest.fixture(scope="session")
def needs_pyrevm(left_out) -> None:
    """Leave the test out where pyrevm has no wheel."""
    if find_spec("pyrevm") is None:
        left_out("pyrevm is needed, which has no wheel for this Python or machine")


@pytest.fixture(scope="session")
def needs_anvil(left_out) -> None:
    """Leave the test out where there is no Anvil to start."""
    if find_anvil() is None:
        left_out("Anvil is needed: install Node and run `npm ci`")


@pytest.fixture(scope="session")
def needs_ganache(left_out) -> None:
    """Leave the test out where there is no Ganache to start."""
    if find_ganache() is None:
        left_out("Ganache is needed: install Node and run `npm ci`")


@pytest.fixture(scope="session")
def needs_forge(left_out) -> Path:
    """Return where Foundry's forge is."""
    found = find_program("forge")
    if found is None:
        left_out("forge is needed: install Node and run `npm ci`")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def needs_mosquitto(left_out) -> str:
    """Return where the broker that speaks MQTT 5 is."""
    # Debian puts it where only root's PATH leads
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        left_out("mosquitto is needed: apt-get install mosquitto")
    return str(found)


@pytest.fixture(scope="session")
def browser(left_out) -> str:
    """Return the path of a Chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        left_out("a browser is needed: install chromium or google-chrome")
    return str(found)
