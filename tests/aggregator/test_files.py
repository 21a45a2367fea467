import json
from dataclasses import fields

import numpy as np
import pytest

from aggregator.award import Award
from aggregator.errors import FileError
from aggregator.files import (
    read_award,
    read_plan,
    read_schedule,
    read_text,
    write_award,
    write_plan,
    write_schedule,
    write_text,
)
from aggregator.plan import plan_day
from aggregator.problem import PlanOptions
from aggregator.publish import schedule


@pytest.fixture
def plan(battery, day):
    # A breach and a bound, so that every field holds something.
    forecast = day(demand_wh=[1_000.0, 500.0], production_wh=[0.0, 4_000.0])
    return plan_day(battery(stored_wh=9_000.0), forecast, options=PlanOptions(export_limit_w=100.0))


@pytest.fixture
def award(plan):
    return Award(grid=plan.grid, quantity_wh=(0, 100), price_per_mwh=(41.25, 0.1))


def test_a_plan_comes_back_as_it_was_written(tmp_path, plan):
    write_plan(tmp_path / "plan.json", plan)

    found = read_plan(tmp_path / "plan.json")

    assert plan.broken
    for field in fields(plan):
        before, after = getattr(plan, field.name), getattr(found, field.name)
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after


def test_a_fallback_without_bound_comes_back(tmp_path, battery, day):
    write_plan(
        tmp_path / "plan.json", plan_day(battery(), day(demand_wh=[0.0, 3e3]), time_limit_s=0)
    )

    found = read_plan(tmp_path / "plan.json")

    assert (found.status.kind, found.bound) == ("fallback", None)
    assert found.reason


def test_award_and_schedule_come_back_as_they_were_written(tmp_path, plan, award):
    promised = schedule(plan, award)

    write_award(tmp_path / "award.json", award)
    write_schedule(tmp_path / "schedule.json", promised)

    assert read_award(tmp_path / "award.json") == award
    assert read_schedule(tmp_path / "schedule.json") == promised


def test_one_kind_is_not_taken_for_another(tmp_path, award):
    write_award(tmp_path / "award.json", award)

    with pytest.raises(FileError, match="holds 'award', not 'plan'; give the file of the plan"):
        read_plan(tmp_path / "award.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity_wh": [0, 1.5]}, "value 1.5 in slot 1 is not a whole number"),
        ({"quantity_wh": [0]}, r"award quantity_wh has shape \(1,\), the grid has 2 slots"),
        ({"quantity_wh": [0, -3]}, "award quantity_wh is -3 in slot 1"),
        ({"price_per_mwh": None}, "award.json: .*; write the award again"),
        ({"start": "2020-05-20T00:00:00"}, "is not in UTC"),
        ({"step_s": 0}, "positive step"),
    ],
)
def test_a_changed_award_is_refused_in_one_line(tmp_path, award, change, message):
    path = tmp_path / "award.json"
    write_award(path, award)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(FileError, match=message) as caught:
        read_award(path)
    assert "\n" not in str(caught.value)


def test_a_changed_plan_or_schedule_is_refused(tmp_path, plan, award):
    path = tmp_path / "day.json"

    write_plan(path, plan)
    path.write_text(path.read_text().replace('"EXPORT_HIGH"', '"EXPORT_HUGE"'))
    with pytest.raises(FileError, match="no field 'EXPORT_HUGE'; write the plan again"):
        read_plan(path)
    write_schedule(path, schedule(plan, award))
    path.write_text(path.read_text().replace('"soc_bp": [', '"soc_bp": [10001, '))
    with pytest.raises(FileError, match="soc_bp has 3 entries, the grid 2; write the schedule"):
        read_schedule(path)


def test_a_missing_field_a_nan_and_half_a_file_are_refused(tmp_path, award):
    path = tmp_path / "award.json"
    write_award(path, award)
    text = path.read_text()

    path.write_text(text.replace('"quantity_wh"', '"quantity_kwh"'))
    with pytest.raises(FileError, match="no field 'quantity_wh'"):
        read_award(path)
    path.write_text(text.replace("41.25", "NaN"))
    with pytest.raises(FileError, match="NaN is not a number"):
        read_award(path)
    path.write_text(text[: len(text) // 2])
    with pytest.raises(FileError, match=r"award.json, row \d+: is not JSON"):
        read_award(path)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "note.txt"
    write_text(path, "old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aggregator.files.os.fsync", fail)
    with pytest.raises(FileError, match="cannot be written \\(No space left on device\\)"):
        write_text(path, "new")

    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
    assert read_text(path) == "old"


def test_a_missing_folder_or_file_is_named(tmp_path):
    with pytest.raises(FileError, match="check the folder"):
        write_text(tmp_path / "nowhere" / "note.txt", "")
    with pytest.raises(FileError, match="check the path"):
        read_text(tmp_path / "nothing.csv")
