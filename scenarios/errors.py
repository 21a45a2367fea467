"""What can go wrong with a scenario and its data (§7).

::

    DataError
    ├── DataUnavailableError        a folder or file is not there: fetch it, or use the generator
    ├── DataRequestError            more was asked than the data hold: ask for another day or fleet
    └── DataFormatError             a file or value is not as promised: mend it
        └── DataGapError            a hole where a value is needed: mend it, or ask for another day

    ScenarioInputError              a rule or size that no day can be run with: choose another
    WorkerLostError                 a process that homes lived in is gone: start the run again

Nothing here is retried. All are also `ValueError`, but the first, which is a
`FileNotFoundError`, and the last, which is a `ConnectionError`.
"""


class DataError(Exception):
    """Base of all errors of `scenarios.data`."""


class DataUnavailableError(DataError, FileNotFoundError):
    """Say that a folder or file is missing."""


class DataRequestError(DataError, ValueError):
    """Say that the data do not reach as far as was asked."""


class DataFormatError(DataError, ValueError):
    """Say that a file or a value breaks its format: shape, column, unit, zone, sign."""


class DataGapError(DataFormatError):
    """Say that a value is missing inside the span that was asked for."""


class ScenarioInputError(ValueError):
    """Say that a scenario was asked for with a value that it cannot run with."""


class WorkerLostError(ConnectionError):
    """Say that a process of a distributed run ended before the run did."""
