"""What can go wrong in a step of the day (§7); the class says what to do.

::

    StepError (ServiceError)
    ├── StepInputError (ValueError)   something that the step needs is missing: run that step first
    └── StepConflictError             another process went on meanwhile: run the step again
"""

from aggregator.service.errors import ServiceError


class StepError(ServiceError):
    """Base of what keeps a step from being done."""


class StepInputError(StepError, ValueError):
    """Rows that the step is made of are missing or cannot be used."""


class StepConflictError(StepError):
    """Another process changed the ledger meanwhile; nothing of this run was kept."""
