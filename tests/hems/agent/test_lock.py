"""One agent for one home."""

import subprocess
import sys

import pytest

from hems.agent.lock import only_agent, running_pid
from hems.errors import AgentRunningError, StoreError

HOLD = """
import pathlib, sys
from hems.agent.lock import only_agent
with only_agent(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_agent_is_refused_with_the_first_ones_number_until_that_is_killed(tmp_path):
    folder = tmp_path / "state"
    assert running_pid(folder) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        try:
            assert first.stdout.readline() == b"held\n"
            assert running_pid(folder) == first.pid
            with (
                pytest.raises(AgentRunningError, match=rf"process {first.pid}\); stop"),
                only_agent(folder),
            ):
                pass
        finally:
            first.kill()
            first.wait(20)

    with only_agent(folder):
        assert running_pid(folder) is not None
    assert running_pid(folder) is None


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"state folder .*file/state cannot be used"):  # noqa: SIM117
        with only_agent(tmp_path / "file" / "state"):
            pass
