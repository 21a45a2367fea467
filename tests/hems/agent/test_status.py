"""`gridpact agent status` of an agent that has written nothing yet."""

import sqlite3
from contextlib import closing

import pytest

from hems.agent.status import STATE_FILE, read_status
from hems.errors import StoreError


def test_the_state_of_an_agent_that_never_got_to_its_first_status_says_so(tmp_path):
    with closing(sqlite3.connect(tmp_path / STATE_FILE)) as base:
        base.execute("CREATE TABLE writes (register TEXT)")

    with pytest.raises(StoreError, match="says nothing yet; start the agent"):
        read_status(tmp_path)


def test_a_state_file_that_is_none_of_ours_is_told_as_such(tmp_path):
    (tmp_path / STATE_FILE).write_text("no database at all", "utf-8")

    with pytest.raises(StoreError, match="file is not a database"):
        read_status(tmp_path)
