"""Homes by the thousand: a file is taken whole or not at all."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from aggregator.service.registry.audit import read_deeds
from aggregator.service.registry.bodies import HomeBody
from aggregator.service.registry.errors import RegistryConflictError, RegistryInputError
from aggregator.service.registry.homes_command import homes as command
from aggregator.service.registry.homes_file import Imported, export_homes, import_homes
from aggregator.service.registry.kinds import HOME, Entry
from aggregator.service.registry.registry import Registry
from aggregator.service.registry.writing import Edit
from aggregator.service.settings import read_service
from aggregator.service.store.tables import configurations, homes

HEAD = "id,version,retired,name,zone,group_name,account,latitude_deg,longitude_deg,tariff_id\n"
ACCOUNT = "0x" + "aB" * 20
NEW = Edit(who="anna", at_ms=1, version=None)


def entered(store, text, **more):
    return import_homes(store, text, who="bert", at_ms=2, **more)


@pytest.fixture
def two(store):
    registry = Registry(store)
    body = HomeBody(
        name='Row "7", Mill Lane', zone="Europe/Rome", account=ACCOUNT, latitude_deg=51.5
    )
    registry.put("home-1", body, NEW)
    registry.put("home-2", HomeBody(), NEW)
    registry.retire(HOME, "home-2", Edit(who="anna", at_ms=1, version=1))
    return registry


def test_what_was_exported_changes_nothing_where_it_is_imported_again(store, two):
    text = export_homes(store)

    assert text == (
        f'{HEAD}home-1,1,false,"Row ""7"", Mill Lane",Europe/Rome,,{ACCOUNT},51.5,,\n'
        "home-2,2,true,,,,,,,\n"
    )
    assert entered(store, text) == Imported(new=0, changed=0, unchanged=2)
    assert [each.version for each in two.homes(limit=9)] == [1, 2]


def test_a_file_makes_new_homes_and_new_versions_and_leaves_other_columns_alone(store, two):
    text = (
        "\ufeffid,group_name,retired\r\nhome-1,street,\r\n\r\nhome-2,,false\r\nhome-3,street,\r\n"
    )

    assert entered(store, text, keep=False) == Imported(new=1, changed=2, unchanged=0)
    assert [each.version for each in two.homes(limit=9)] == [1, 2]

    assert entered(store, text, comment="moved") == Imported(new=1, changed=2, unchanged=0)
    body = two.get(HOME, "home-1").body
    assert (body.group_name, body.name, body.account) == ("street", 'Row "7", Mill Lane', ACCOUNT)
    assert [(each.key, each.version, each.retired) for each in two.homes(limit=9)] == [
        ("home-1", 2, False),
        ("home-2", 3, False),
        ("home-3", 1, False),
    ]
    latest = two.history(HOME, "home-1", limit=1)[0]
    assert (latest.changed_by, latest.changed_ms, latest.comment) == ("bert", 2, "moved")
    assert [deed.target for deed in read_deeds(store, before=None, limit=3)] == [
        "home home-3",
        "home home-2",
        "home home-1",
    ]


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", RegistryInputError, "line 1: the columns are ''; give id and any of version, "),
        ("id,colour\n", RegistryInputError, "line 1: the columns are 'id, colour'; "),
        ("id,id\n", RegistryInputError, "line 1: the columns are 'id, id'; "),
        ("id\na,b\n", RegistryInputError, "line 2: 2 cells under 1 columns; "),
        ("id\na\nb\na\n", RegistryInputError, "line 4: home 'a' is in line 2 already; "),
        ('id\n"a\n', RegistryInputError, "line 2: is no CSV "),
        ("id\nok\na b\n", RegistryInputError, "line 3: home 'a b' is no name; "),
        ("id,zone\nok,\na,Mars\n", RegistryInputError, "line 3: home 'a': zone is 'Mars': "),
        ("id,latitude_deg\na,91\n", RegistryInputError, "line 2: home 'a': latitude_deg is '91': "),
        ("id,tariff_id\na,day\n", RegistryInputError, "line 2: home 'a': tariff 'day' is unknown"),
        ("id,retired\na,yes\n", RegistryInputError, "line 2: home 'a': retired is 'yes'; "),
        (
            "id,version\nnew,\nhome-2,1\n",
            RegistryConflictError,
            "line 3: home 'home-2': the file's version is 1, the registry's is 2; ",
        ),
        (
            "id,version\nhome-1,\n",
            RegistryConflictError,
            "line 2: home 'home-1': the file's version is none, for a new home, the ",
        ),
        (
            "id,version\nnew,1\n",
            RegistryConflictError,
            "line 2: home 'new': the file's version is 1, the registry's is not there; ",
        ),
    ],
)
def test_a_line_that_cannot_be_is_named_and_nothing_is_written(store, two, text, error, says):
    with pytest.raises(error) as refused:
        entered(store, text)

    assert str(refused.value).startswith(says)
    if "line 1" not in says:
        assert str(refused.value).endswith("; nothing was imported")
    with store.read() as connection:
        counted = [
            connection.scalar(select(func.count()).select_from(table))
            for table in (homes, configurations)
        ]
    assert counted == [2, 3]


def test_the_command_line_exports_imports_and_says_what_would_change(tmp_path):
    settings = read_service(None, folder=tmp_path / "service")
    wanted, told = tmp_path / "wanted.csv", tmp_path / "told.csv"
    wanted.write_text("id,name\nhome-1,Ünï\nhome-2,\n")

    def run(*words):
        answer = CliRunner().invoke(command, list(map(str, words)), obj=settings)
        assert answer.exception is None
        return answer.stdout

    assert run("import", wanted, "--dry-run") == "2 would be new, 0 would be changed, 0 unchanged\n"
    assert json.loads(run("import", wanted, "--json")) == {"new": 2, "changed": 0, "unchanged": 0}
    assert run("export", told) == ""
    assert (
        told.read_text()
        == run("export")
        == (f"{HEAD}home-1,1,false,Ünï,,,,,,\nhome-2,1,false,,,,,,,\n")
    )


def test_a_home_that_was_only_heard_of_is_configured_by_a_file(sqlite_store):
    with sqlite_store.write() as connection:
        connection.execute(homes.insert().values(id="home-9", created_ms=1))

    assert entered(sqlite_store, "id,version\nhome-9,0\n") == Imported(
        new=0, changed=0, unchanged=1
    )
    assert entered(sqlite_store, "id,version,name\nhome-9,0,Nine\n").changed == 1
    assert Registry(sqlite_store).get(HOME, "home-9") == Entry(
        key="home-9", version=1, retired=False, body=HomeBody(name="Nine")
    )
