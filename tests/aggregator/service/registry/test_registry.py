"""Versions: nothing is overwritten, and nobody's change is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from aggregator.service.registry.audit import Deed, read_deeds
from aggregator.service.registry.bodies import DeviceBody, HomeBody, TariffBody
from aggregator.service.registry.errors import (
    RegistryAbsentError,
    RegistryConflictError,
    RegistryInputError,
)
from aggregator.service.registry.kinds import DEVICE, HOME, TARIFF, Entry, Version
from aggregator.service.registry.registry import Registry, changed_fields
from aggregator.service.registry.writing import Edit
from aggregator.service.store.tables import audit, configurations, homes

DAY = TariffBody(
    name="day",
    terms={
        "periods": [
            {"start_minute": 0, "import_price_per_mwh": 200.0, "export_price_per_mwh": 50.0}
        ]
    },
)
NEW = Edit(who="anna", at_ms=1000, version=None, comment="first")


def of(version, *, who="bert", at_ms=2000):
    return Edit(who=who, at_ms=at_ms, version=version)


def test_every_version_stays_with_who_made_it_and_when(store):
    registry = Registry(store)
    registry.put("home-1", HomeBody(name="Old"), NEW)
    registry.put("home-1", HomeBody(name="New", group_name="street"), of(1))
    registry.retire(HOME, "home-1", of(2, at_ms=3000))

    entry = registry.get(HOME, "home-1")
    versions = registry.history(HOME, "home-1", limit=10)

    body = HomeBody(name="New", group_name="street")
    assert entry == Entry(key="home-1", version=3, retired=True, body=body)
    assert versions == [
        Version(
            kind="home",
            key="home-1",
            version=number,
            body=told.model_dump() | {"retired": retired},
            changed_ms=at_ms,
            changed_by=who,
            comment=comment,
        )
        for number, told, retired, at_ms, who, comment in (
            (3, body, True, 3000, "bert", ""),
            (2, body, False, 2000, "bert", ""),
            (1, HomeBody(name="Old"), False, 1000, "anna", "first"),
        )
    ]
    assert changed_fields(versions) == [["retired"], ["group_name", "name"]]
    assert registry.history(HOME, "home-1", before=3, limit=1) == [versions[1]]
    in_force = [
        [each.version for each in registry.history(HOME, "home-1", at_ms=at_ms, limit=1)]
        for at_ms in (999, 1000, 1999, 2000, 9999)
    ]
    assert in_force == [[], [1], [1], [2], [3]]


def test_who_read_an_older_version_is_refused_and_nothing_is_written(store):
    registry = Registry(store)
    registry.put("home-1", HomeBody(), NEW)
    registry.put("home-1", HomeBody(name="hers"), of(1, who="anna"))
    before = read_deeds(store, before=None, limit=10)

    with pytest.raises(
        RegistryConflictError,
        match=r"^home 'home-1' is of version 2, not 1; read it again, then decide$",
    ):
        registry.put("home-1", HomeBody(name="his"), of(1))
    with pytest.raises(RegistryConflictError, match=r"^home 'home-1' is there already; "):
        registry.put("home-1", HomeBody(name="his"), NEW)

    assert registry.get(HOME, "home-1").body == HomeBody(name="hers")
    assert read_deeds(store, before=None, limit=10) == before
    assert len(registry.history(HOME, "home-1", limit=10)) == 2


def test_of_changes_at_the_same_time_one_is_made(store):
    registry = Registry(store)
    registry.put("home-1", HomeBody(), NEW)

    def change(number):
        try:
            return registry.put("home-1", HomeBody(name=f"{number}"), of(1)).body["name"]
        except RegistryConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [name for name in pool.map(change, range(8)) if name is not None]

    assert [registry.get(HOME, "home-1").body] == [HomeBody(name=name) for name in made]
    assert registry.get(HOME, "home-1").version == 2


def test_a_change_is_in_the_audit_log(store):
    registry = Registry(store)
    registry.put("day", DAY, NEW)
    registry.retire(TARIFF, "day", of(1))

    assert read_deeds(store, before=None, limit=10) == [
        Deed(
            at_ms=2000,
            who="bert",
            action="retire",
            target="tariff day",
            detail={"version": 2, "comment": ""},
            number=2,
        ),
        Deed(
            at_ms=1000,
            who="anna",
            action="configure",
            target="tariff day",
            detail={"version": 1, "comment": "first"},
            number=1,
        ),
    ]


def test_a_home_that_was_only_heard_of_is_configured_from_version_0(sqlite_store):
    registry = Registry(sqlite_store)
    with sqlite_store.write() as connection:
        connection.execute(insert(homes).values(id="home-9", created_ms=1))

    assert registry.get(HOME, "home-9").version == 0
    registry.put("home-9", HomeBody(name="Nine"), of(0))
    assert registry.get(HOME, "home-9").version == 1


def test_a_retired_home_is_back_when_it_is_configured_again(sqlite_store):
    registry = Registry(sqlite_store)
    registry.put("home-1", HomeBody(), NEW)
    registry.retire(HOME, "home-1", of(1))

    registry.put("home-1", HomeBody(), of(2))

    assert registry.get(HOME, "home-1").retired is False


def test_pages_go_on_where_the_last_ended(sqlite_store):
    registry = Registry(sqlite_store)
    for name in ("b", "a", "c"):
        registry.put(name, HomeBody(), NEW)
        registry.put(f"a-{name}", DAY, NEW)
    for name in ("y", "x"):
        registry.put(f"a/{name}", DeviceBody(kind="meter"), NEW)

    assert [each.key for each in registry.homes(limit=2)] == ["a", "b"]
    assert [each.key for each in registry.homes(after="b", limit=2)] == ["c"]
    assert [each.key for each in registry.tariffs(after="a-a", limit=9)] == ["a-b", "a-c"]
    assert [each.key for each in registry.devices("a", after="x", limit=9)] == ["a/y"]


@pytest.mark.parametrize(
    ("key", "body", "error", "says"),
    [
        ("ho/me", HomeBody(), RegistryInputError, "home 'ho/me' is no name; "),
        ("", HomeBody(), RegistryInputError, "home '' is no name; "),
        ("x" * 65, HomeBody(), RegistryInputError, "is no name; "),
        ("home-1", DeviceBody(kind="meter"), RegistryInputError, "device 'home-1' is no name; "),
        ("who/x", DeviceBody(kind="meter"), RegistryAbsentError, "home 'who' is unknown; "),
        ("home-1", HomeBody(tariff_id="day"), RegistryInputError, "tariff 'day' is unknown or "),
    ],
)
def test_what_cannot_be_configured_is_refused(sqlite_store, key, body, error, says):
    with pytest.raises(error, match=says):
        Registry(sqlite_store).put(key, body, NEW)


def test_what_is_not_there_is_neither_changed_nor_retired_nor_read(sqlite_store):
    registry = Registry(sqlite_store)

    for act in (
        lambda: registry.put("home-1", HomeBody(), of(1)),
        lambda: registry.retire(HOME, "home-1", of(1)),
        lambda: registry.get(HOME, "home-1"),
        lambda: registry.devices("home-1", limit=1),
        lambda: registry.get(DEVICE, "home-1/storage"),
    ):
        with pytest.raises(RegistryAbsentError, match=r"^home 'home-1' is unknown; "):
            act()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, 1, 2, 3]),
        st.booleans(),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_steps_leave_what_a_list_of_versions_would(sqlite_store, steps):
    registry = Registry(sqlite_store)
    with sqlite_store.write() as connection:
        for table in (homes, configurations, audit):
            connection.execute(table.delete())
    expected = {}

    for key, version, retire, name in steps:
        versions = expected.setdefault(key, [])
        edit = Edit(who="anna", at_ms=1, version=version)
        try:
            if retire and version is not None:
                registry.retire(HOME, key, edit)
                assert version == len(versions)
                versions.append((versions[-1][0], True))
            else:
                registry.put(key, HomeBody(name=name), edit)
                assert (version or 0) == len(versions)
                versions.append((name, False))
        except (RegistryConflictError, RegistryAbsentError):
            assert (version or 0) != len(versions) or not versions

    for key, versions in expected.items():
        found = registry.history(HOME, key, limit=99)
        assert [(each.body["name"], each.body["retired"]) for each in reversed(found)] == versions
    with sqlite_store.read() as connection:
        deeds = connection.scalar(select(func.count()).select_from(audit))
    assert deeds == sum(len(versions) for versions in expected.values())
