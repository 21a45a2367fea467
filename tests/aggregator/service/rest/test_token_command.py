"""`gridpact serve token`: the secret is printed once."""

import json

import pytest
from click.testing import CliRunner

from aggregator.service.first_start import prepared_store
from aggregator.service.registry.bodies import HomeBody
from aggregator.service.registry.errors import RegistryAbsentError
from aggregator.service.registry.registry import Registry
from aggregator.service.registry.writing import Edit
from aggregator.service.rest.token_command import token
from aggregator.service.settings import read_service
from devices.clock import SystemClock


@pytest.fixture
def run(tmp_path):
    settings = read_service(None, folder=tmp_path / "service")

    def call(*words):
        return CliRunner().invoke(token, words, obj=settings)

    call.settings = settings
    return call


def test_a_token_is_made_listed_and_revoked(run):
    made = run("new", "page", "--days", "30", "--json")
    told = json.loads(made.stdout)
    assert told["secret"].startswith("gridpact_")

    assert run("revoke", told["id"]).stdout == f"token {told['id']} is refused from now on\n"
    listed = run("list", "--json").stdout
    rows = {row["name"]: (row["scope"], row["state"]) for row in json.loads(listed)}
    assert rows == {"admin": ("operator", "valid"), "page": ("viewer", "refused")}
    assert told["secret"] not in listed + run("list").stdout


def test_a_homes_token_names_its_home(run):
    store = prepared_store(run.settings, clock=SystemClock(), tell=lambda _: None)
    Registry(store).put("home-1", HomeBody(), Edit(who="test", at_ms=1, version=None))
    store.close()

    plain = run("new", "its", "--home", "home-1")

    assert plain.stdout.startswith("gridpact_")
    assert "home home-1" in run("list").stdout


def test_an_unknown_token_is_one_line(run):
    assert isinstance(run("revoke", "x").exception, RegistryAbsentError)
