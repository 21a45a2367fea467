"""CI has everything: what a module may do without elsewhere is there."""

import os
from importlib.util import find_spec

import pytest


@pytest.mark.skipif(os.environ.get("GRIDPACT_CI") != "1", reason="asks of CI only")
def test_ci_has_what_whole_modules_are_left_out_without():
    assert find_spec("pyrevm") is not None
