"""What can go wrong in the fleet's planning (§7); the class says what to do.

::

    PlanError
    ├── PlanInputError (ValueError)    a value cannot be planned with: mend it
    │   └── FileError                  a file cannot be read: mend the named row
    └── PlanUnavailableError           the solver gave no plan: retry with more time, or fall back
"""

from pathlib import Path


class PlanError(Exception):
    """Base of all errors of this package."""


class PlanInputError(PlanError, ValueError):
    """A value is missing, not finite or out of range."""


class FileError(PlanInputError):
    """An operator's file is missing, malformed or inconsistent.

    Parameters
    ----------
    path : Path
        The file.
    problem : str
        What is wrong, with the value.
    remedy : str
        What to do about it.
    row : int, optional
        Line of the file, the first is 1.
    """

    def __init__(self, path: Path, problem: str, remedy: str, *, row: int | None = None) -> None:
        where = f"{path}" if row is None else f"{path}, row {row}"
        super().__init__(f"{where}: {problem}; {remedy}")
        self.path = path
        self.row = row


class PlanUnavailableError(PlanError):
    """The solver stopped without a usable plan."""
