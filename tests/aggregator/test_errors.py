from pathlib import Path

import pytest

from aggregator.errors import FileError, PlanError, PlanInputError, PlanUnavailableError


@pytest.mark.parametrize("error", [PlanInputError, PlanUnavailableError, FileError])
def test_every_error_is_a_plan_error(error):
    assert issubclass(error, PlanError)


def test_bad_input_is_a_value_error_and_a_missing_plan_is_not():
    assert issubclass(PlanInputError, ValueError)
    assert not issubclass(PlanUnavailableError, ValueError)


def test_a_file_error_is_one_line_of_file_row_problem_and_remedy():
    error = FileError(Path("day.csv"), "demand_wh is 'x'", "give a number", row=7)

    assert str(error) == "day.csv, row 7: demand_wh is 'x'; give a number"
    assert (error.path, error.row) == (Path("day.csv"), 7)
