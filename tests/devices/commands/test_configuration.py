"""A configuration's files: beside it, unless their paths say otherwise."""

import importlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from devices.commands.configuration import read_configuration
from devices.registry import DRIVERS


def test_relative_files_start_at_the_configurations_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "home.toml").write_text(
        """
        [battery]
        driver = "sonnen-v2"
        host = "name"
        token_file = "secrets/token"
        ca_file = "/etc/ca.pem"
        key_file = 5
        """
    )
    monkeypatch.chdir(tmp_path / "here")

    assert read_configuration(Path("../home.toml")) == {
        "battery": {
            "driver": "sonnen-v2",
            "host": "name",
            "token_file": "../secrets/token",
            "ca_file": "/etc/ca.pem",
            "key_file": 5,
        }
    }


@pytest.mark.parametrize("name", DRIVERS)
def test_every_path_among_a_drivers_settings_has_a_name_that_says_so(name):
    module = importlib.import_module(DRIVERS[name].partition(":")[0])
    tables = [each for each in vars(module).values() if isinstance(each, type)]
    paths = {
        field.name
        for table in tables
        if is_dataclass(table) and table.__name__.endswith("Settings")
        for field in fields(table)
        if Path in (hint := get_type_hints(table)[field.name], *get_args(hint))
    }

    assert all(path.endswith("_file") for path in paths)
