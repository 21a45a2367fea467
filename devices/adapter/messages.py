"""What is asked of a SunSpec adapter, on its two topics for requests: decoded, without I/O.

Topics and configuration are those of Burgio et al. 2023, Table 2, §3.2 and §3.3; what a command
asks is in `devices.requests`. ``port`` and ``unit`` of a configuration are ours.
"""

import re
from dataclasses import dataclass
from typing import Final

from devices.errors import DeviceRefusedError
from devices.requests import decode_document, number

CONFIGURATION: Final = "/sunadp/configuration"
"""Topic on which the adapter is told which storage it serves."""
COMMAND: Final = "/sunadp/command"
"""Topic of reads and writes."""
MONITORING: Final = "/sunadp/monitoring"
"""Topic on which the adapter answers and reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """Which storage the adapter serves: the configuration message."""

    storage: str
    """Manufacturer, in small letters: it chooses the way to talk to the storage."""
    model: str
    """The storage's model; for people."""
    host: str
    """Address of the storage in the house's network."""
    port: int | None = None
    """Its port; None for the manufacturer's usual one."""
    unit: int | None = None
    """Its Modbus unit; None for the manufacturer's usual one."""
    rated_w: float
    """Rated power, ``crate.max``: what percentages are of. [W]"""
    soc_min: float = 0.0
    """State of charge below which it is not discharged on command, ``soc.mins``; 0..1."""


def decode_configuration(payload: bytes) -> StorageConfig:
    """Return the storage that a configuration message names.

    Raises
    ------
    DeviceRefusedError
        If something necessary is missing or out of range.
    """
    document = decode_document(payload, "configuration")
    host, port = _address(document.get("address"))
    rate, soc = (_table(document, key) for key in ("crate", "soc"))
    given_port, unit = document.get("port"), document.get("unit")
    if given_port is not None:
        port = int(number(given_port, "configuration: port", low=1, high=65_535))
    return StorageConfig(
        storage=_text(document, "storage").lower(),
        model=_text(document, "model"),
        host=host,
        port=port,
        unit=None if unit is None else int(number(unit, "configuration: unit", low=0, high=255)),
        rated_w=number(rate.get("max"), "configuration: crate.max", low=1, high=1e7),
        soc_min=number(soc.get("mins", 0), "configuration: soc.mins", low=0, high=100) / 100,
    )


def _address(value: object) -> tuple[str, int | None]:
    """Return host and port of an address, which §3.3 puts into a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value or len(value) > 253 or re.search(r"[\s/@]", value):
        msg = f"configuration: address is {value!r}; send the storage's host name or IP address"
        raise DeviceRefusedError(msg)
    host, colon, port = value.rpartition(":")
    if not colon or ":" in host:  # no port, or an IPv6 address
        return value, None
    return host, int(number(port, "configuration: port", low=1, high=65_535))


def _text(document: dict[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        msg = f"configuration: {key} is {value!r}; send a text"
        raise DeviceRefusedError(msg)
    return value


def _table(document: dict[str, object], key: str) -> dict[str, object]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
