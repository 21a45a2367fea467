import json

import pytest

from aggregator.errors import FileError
from aggregator.fleet_file import read_fleet

HOME = {
    "capacity_wh": 10_000,
    "power_max_w": 5_000,
    "charge_efficiency": 0.9,
    "discharge_efficiency": 0.9,
    "soc_min": 0.1,
    "soc_max": 1.0,
    "soc": 0.5,
}


@pytest.fixture
def written(tmp_path):
    """Return a writer of a fleet file."""

    def write(body, name="fleet.json"):
        path = tmp_path / name
        path.write_text(body if isinstance(body, str) else json.dumps(body))
        return path

    return write


def test_homes_in_json_and_in_toml_make_the_same_battery(written, battery):
    toml = "\n".join(f"{name} = {value}" for name, value in HOME.items())

    from_json = read_fleet(written({"homes": [HOME, HOME]}))
    from_toml = read_fleet(written(f"[[homes]]\n{toml}\n" * 2, "fleet.toml"))

    assert from_json == from_toml
    assert from_json == battery(
        capacity_wh=20_000.0, stored_min_wh=2_000.0, stored_wh=10_000.0, power_max_w=10_000.0
    )


def test_one_battery_is_read_as_it_is(written, battery):
    rating = {name: getattr(battery(), name) for name in battery().__slots__}

    assert read_fleet(written({"battery": rating})) == battery()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "is not JSON"),
        ([], "neither battery nor homes"),
        ({"homes": []}, "homes is not a list of batteries"),
        ({"homes": [HOME, {}]}, "home 1: capacity_wh is missing"),
        ({"homes": [HOME | {"soc_mim": 0.1}]}, "home 0: soc_mim is unknown"),
        ({"homes": [HOME | {"soc": "half"}]}, "home 0: soc is 'half'; give a number"),
        ({"homes": [3]}, "home 0 is not a table"),
        ({"homes": [HOME | {"soc_min": 10}]}, "battery soc_max of home 0"),
        ({"homes": [HOME | {"soc": 50}]}, "battery stored_wh is 500000"),
        ({"battery": HOME}, "battery: soc is unknown"),
    ],
)
def test_bad_ratings_are_one_line_that_names_home_and_field(written, body, message):
    with pytest.raises(FileError, match=message) as caught:
        read_fleet(written(body))

    assert "fleet.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_toml_is_named(written):
    with pytest.raises(FileError, match="is not TOML"):
        read_fleet(written("homes = [", "fleet.toml"))
