"""The adapter's name in the house's network: mDNS, as Burgio et al. 2023, §2.3 describe it."""

from collections.abc import Sequence
from typing import Final

from devices.announce import Announcement, Interfaces

SERVICE: Final = "_smqtt._tcp.local."
"""The service type under which adapters are found."""


def adapter_announcement(
    *,
    hostname: str,
    mac: str,
    port: int,
    addresses: Sequence[str],
    interfaces: Interfaces = None,
) -> Announcement:
    """Return the announcement of an adapter, whose MAC address tells two of them apart."""
    return Announcement(
        service=SERVICE,
        name=f"{hostname} [{mac}]",
        hostname=hostname,
        port=port,
        addresses=addresses,
        interfaces=interfaces,
    )
