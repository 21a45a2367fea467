"""What the image is made of, and that what it runs serves; `docs/deploy.md` says what built it."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from contracts.local.local_node import free_port
from scenarios.bench.service_world import GRIDPACT, Process, started_service

ROOT = Path(__file__).parents[2]
LONG_S = 60.0


def instructions():
    """Return (word, rest) of the Dockerfile, continued lines joined."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = lines.replace("\\\n", " ")
    return [line.split(None, 1) for line in joined.splitlines() if line.strip()]


def last(word):
    return [rest for each, rest in instructions() if each == word][-1]


def test_everything_that_is_copied_is_there_and_let_through():
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY"]
    ours = [each for words in copied if not words[0].startswith("--") for each in words]

    assert [each for each in ours if not (ROOT / each).exists()] == []
    assert {f"!{each}" for each in ours} == {each for each in ignored if each.startswith("!")}
    assert next(each for each in ignored if not each.startswith("#")) == "*"


def test_all_that_the_distribution_needs_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    copied = {each for word, rest in instructions() if word == "COPY" for each in rest.split()[:-1]}

    assert {*packages, *files} <= copied
    extras = re.search(r'"\.\[(.*)\]"', str(instructions())).group(1)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])


def test_it_runs_as_a_number_that_is_not_root_and_stops_by_sigterm():
    words = [word for word, _ in instructions()]

    assert last("USER") == "10001:10001"
    assert max(at for at, word in enumerate(words) if word == "FROM") < words.index("USER")
    assert last("STOPSIGNAL") == "SIGTERM"
    # of this form no shell stands between, which would swallow the signal
    assert isinstance(json.loads(last("ENTRYPOINT")), list)
    assert isinstance(json.loads(last("CMD")), list)


def test_it_holds_no_secret_and_names_no_registry():
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    set_there = [rest for word, rest in instructions() if word in {"ENV", "ARG", "LABEL"}]

    assert not [each for each in set_there if re.search(r"(?i)passw|secret|token|key", each)]
    assert "secrets" not in " ".join(rest for word, rest in instructions() if word == "COPY")
    stages = [rest.split() for word, rest in instructions() if word == "FROM"]
    images = {words[0] for words in stages} - {words[-1] for words in stages if "AS" in words}
    assert len(images) == 1
    assert not [each for each in images if "." in each.partition("/")[0] and "/" in each]
    assert not re.search(r"https?://(?!127\.0\.0\.1)", text)


@pytest.fixture
def running(tmp_path):
    """Return what the image runs, with other places and ports, and its health check."""
    port, broker = free_port(), free_port()
    config = tmp_path / "service.toml"
    config.write_text(f"[broker]\nport = {broker}\n[rest]\nport = {port}\n")
    entry, words = json.loads(last("ENTRYPOINT")), json.loads(last("CMD"))
    assert entry == ["gridpact"]
    places = {"/etc/gridpact/service.toml": config, "/var/lib/gridpact": tmp_path / "state"}
    process = Process([*GRIDPACT, *(places.get(each, each) for each in words)], tmp_path / "log")
    _, _, check = last("HEALTHCHECK").partition("CMD ")
    yield process, [each.replace(":8080/", f":{port}/") for each in json.loads(check)]
    process.kill()


def checked(words):
    assert words[0] == "python"
    return subprocess.run(
        [sys.executable, *words[1:]], capture_output=True, timeout=LONG_S, check=False
    ).returncode


def test_the_command_that_it_runs_serves_and_its_health_check_sees_it(running):
    process, check = running
    assert checked(check) == 1
    started_service(process)
    assert checked(check) == 0


def test_first_start_is_a_script_that_a_shell_can_read():
    for script in ("first-start.sh", "postgres/reader.sh"):
        path = ROOT / "deploy" / script
        assert path.stat().st_mode & 0o111
        assert shlex.split(path.read_text().splitlines()[0].removeprefix("#!")) == ["/bin/sh"]
        assert subprocess.run(["sh", "-n", path], timeout=LONG_S, check=False).returncode == 0
