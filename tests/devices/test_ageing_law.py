"""Laws of ageing: their data files, and reading between their numbers."""

import copy
import json

import numpy as np
import pytest

from devices.ageing_law import DATA, AgeingLaw, Growth, Surface

LFP = json.loads((DATA / "lfp.json").read_text(encoding="utf-8"))


def test_every_shipped_law_loads_and_names_its_sources():
    law = AgeingLaw.lfp()

    assert law.name == "lfp"
    assert set(law.sources) == {"calendar", "cycle_life", "cycle_temperature"}
    assert all("doi:" in source for source in law.sources.values())


def test_the_calendar_table_is_the_cited_formula():
    table = LFP["calendar"]
    for celsius, row in zip(table["temperature_c"], table["loss_per_year"], strict=True):
        warmth = np.exp(-17126 / 8.314462618 * (1 / (celsius + 273.15) - 1 / 298.15))
        charge = 2.8575 * (np.array(table["soc"]) - 0.5) ** 3 + 0.60225
        square = (1.2571e-5 * warmth * charge) ** 2

        assert row == pytest.approx(square * 31_557_600 / 0.2, rel=1e-3)


def test_the_cycle_table_is_the_cited_formula():
    table = LFP["cycle_life"]
    for depth, row in zip(table["depth"], table["cycles"], strict=True):
        rate = np.array(table["c_rate"])
        percent = (0.0630 * rate + 0.0971) * (4.0253 * (depth - 0.6) ** 3 + 1.0923)

        assert row == pytest.approx((20 / percent) ** 2 / depth, rel=1e-3)


def test_a_surface_is_read_along_straight_lines_and_flat_beyond_its_ends():
    surface = Surface(
        name="test",
        rows=np.array([0.0, 10.0]),
        columns=np.array([0.0, 1.0, 3.0]),
        values=np.array([[0.0, 1.0, 5.0], [10.0, 11.0, 15.0]]),
    )

    read = surface.at(np.array([0.0, 5.0, 10.0, -9.0, 99.0]), np.array([0.5, 2.0, 3.0, -1.0, 9.0]))

    assert read.tolist() == [0.5, 8.0, 15.0, 0.0, 15.0]


def test_a_surface_of_one_row_or_column_is_a_curve():
    rows = Surface(
        name="test", rows=np.array([0.0, 2.0]), columns=np.zeros(1), values=np.array([[1.0], [3.0]])
    )
    columns = Surface(
        name="test", rows=np.zeros(1), columns=np.array([0.0, 2.0]), values=np.array([[1.0, 3.0]])
    )

    assert rows.at(np.array([1.0]), np.array([7.0])).tolist() == [2.0]
    assert columns.at(np.array([7.0]), np.array([1.0])).tolist() == [2.0]


def test_root_and_straight_growth_meet_at_the_end_of_life():
    straight, root = AgeingLaw.lfp(), AgeingLaw.lfp(Growth.ROOT)
    lost = np.array([0.0, 0.05, 0.2])

    assert straight.grown(lost).tolist() == [0.0, 0.05, 0.2]
    assert root.grown(lost) == pytest.approx([0.0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("end_of_life_loss",), 1.5, "end of life at a loss of 1.5, must be in 0..1"),
        (("calendar", "soc"), [0.0] * 11, "calendar loss must rise"),
        (("calendar", "loss_per_year"), [[0.1]], r"calendar loss has shape \(1, 1\)"),
        (("cycle_life", "cycles"), [[0.0] * 4] * 11, "cycle life is 0"),
        (("cycle_temperature",), {}, "'temperature_c'"),
        (("name",), None, None),
    ],
)
def test_a_law_that_cannot_be_used_is_refused_by_file_and_reason(tmp_path, place, value, says):
    law = copy.deepcopy(LFP)
    part = law
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    if says is None:
        del part[place[-1]]
        says = "'name'"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(law), encoding="utf-8")

    with pytest.raises(ValueError, match=rf"ageing law mine\.json: .*{says}.*docs/ageing\.md"):
        AgeingLaw.load(path)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(ValueError, match=r"ageing law mine\.json: "):
        AgeingLaw.load(path)
