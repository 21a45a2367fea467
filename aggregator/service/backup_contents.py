"""What is in a backup."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a backup."""

    revision: str
    """Of its tables; see `aggregator.service.store.migrate`."""
    rows: dict[str, int]
    """How many each table has."""

    @property
    def line(self) -> str:
        """What people are told."""
        rows, tables = sum(self.rows.values()), len(self.rows)
        return f"{rows} rows of {tables} tables, revision {self.revision}"
