"""`gridpact scenario`: what is listed runs, as text and as JSON."""

import dataclasses
import json
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import pytest

from scenarios.cli import main
from scenarios.scenario_command import SCENARIOS, plain


class Colour(Enum):
    """A value that JSON does not know."""

    RED = 1


@dataclasses.dataclass(frozen=True)
class Step:
    """Something that happened."""

    raw: bytes
    at: datetime
    colour: Colour
    where: Path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["scenario", *arguments])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


def test_every_scenario_is_listed(capsys):
    code, out, _ = run(capsys, "list")

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(SCENARIOS)


@pytest.mark.parametrize("name", [name for name, it in SCENARIOS.items() if it.command is None])
def test_every_scenario_runs_and_is_told_as_text_and_as_json(capsys, caplog, name):
    code, out, err = run(capsys, "run", name)
    assert (code, err) == (0, "")
    assert out.strip()

    code, out, err = run(capsys, "run", name, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)
    assert [record.getMessage() for record in caplog.records] == []


FLEETS = {"couraud2021", "intraday"}


@pytest.mark.parametrize("name", [name for name, it in SCENARIOS.items() if it.command])
def test_a_scenario_with_options_tells_them(capsys, name):
    code, out, _ = run(capsys, "run", name, "--help")

    assert code == 0
    of_fleets = ("--days", "--homes", "--data", "--out") if name in FLEETS else ()
    assert all(option in out for option in ("--json", *of_fleets))


def test_run_without_a_name_names_the_scenarios(capsys):
    _, out, _ = run(capsys, "run", "--help")

    assert all(name in out for name in SCENARIOS)


def test_an_unknown_scenario_is_wrong_use(capsys):
    code, _, err = run(capsys, "run", "couraud2020")

    assert code == 2
    assert "No such command 'couraud2020'" in err


def test_the_write_of_habib_shows_the_current_that_it_set(capsys):
    _, out, _ = run(capsys, "run", "habib-xtender-write")

    assert "1138 was 60 A and is 12 A" in out.splitlines()


def test_what_json_does_not_know_is_written_out():
    step = Step(b"\xaa\x01", datetime(2026, 6, 1, tzinfo=UTC), Colour.RED, Path("a/b"))

    assert plain({"steps": (step,), 5: {1.5}}) == {
        "steps": [
            {"raw": "AA 01", "at": "2026-06-01T00:00:00+00:00", "colour": "RED", "where": "a/b"}
        ],
        "5": [1.5],
    }
