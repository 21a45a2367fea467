"""What the registry keeps: the kinds of things, an entry and a version of one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, Table

from aggregator.service.registry.bodies import Body, DeviceBody, HomeBody, TariffBody
from aggregator.service.store.tables import devices, homes, tariffs


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is configured of a thing now."""

    key: str
    """Its name."""
    version: int
    """Rises by one with each change; 0 was heard of and never configured."""
    retired: bool
    """Whether it is out of use."""
    body: Body
    """What is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What was configured of a thing, who did it and when."""

    kind: str
    """What it is."""
    key: str
    """Its name."""
    version: int
    """Which of its versions."""
    body: Mapping[str, object]
    """What was configured, whole, with ``retired``."""
    changed_ms: int
    """When. [ms]"""
    changed_by: str
    """Who: a token's id."""
    comment: str
    """Why."""

    def row(self) -> dict[str, Any]:
        """Return it as the store's row."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing that is configured."""

    name: str
    """``home``, ``device`` or ``tariff``."""
    table: Table
    """Where it is now."""
    body: type[HomeBody] | type[DeviceBody] | type[TariffBody]
    """What can be configured of it."""

    def entry(self, key: str, row: RowMapping) -> Entry:
        """Return a row of the table as an entry.

        Parameters
        ----------
        key : str
            Its name.
        row : RowMapping
            Its row.
        """
        told = {name: row[name] for name in self.body.model_fields}
        body = self.body.model_validate(told)
        return Entry(key=key, version=row["version"], retired=row["retired"], body=body)


HOME: Final = Kind(name="home", table=homes, body=HomeBody)
"""A home, by its gateway's id."""
DEVICE: Final = Kind(name="device", table=devices, body=DeviceBody)
"""A device of a home."""
TARIFF: Final = Kind(name="tariff", table=tariffs, body=TariffBody)
"""A tariff."""
