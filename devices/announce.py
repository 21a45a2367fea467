"""A name in the house's network, kept from start to stop: mDNS."""

import ipaddress
import socket
import uuid
from collections.abc import Mapping, Sequence

import ifaddr
from zeroconf import Error, InterfaceChoice, NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from devices.errors import DeviceConfigError

Interfaces = Sequence[str] | None
"""Addresses of the interfaces that mDNS uses; None for all."""


def open_zeroconf(interfaces: Interfaces) -> AsyncZeroconf:
    """Return mDNS on some interfaces, or on all.

    Raises
    ------
    DeviceConfigError
        If an interface is none of this machine.
    """
    for each in interfaces or ():
        # asked first, because zeroconf leaves a socket open where an interface fails
        family = socket.AF_INET6 if ":" in each else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as tried:
                tried.bind((each, 0))
        except OSError as error:
            msg = f"mDNS on {each}: {error.strerror}; name another interface of this machine"
            raise DeviceConfigError(msg) from error
    return AsyncZeroconf(interfaces=InterfaceChoice.All if interfaces is None else list(interfaces))


def own_mac() -> str:
    """Return a MAC address of this machine."""
    digits = f"{uuid.getnode():012x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def own_addresses(host: str, *, whose: str = "adapter") -> tuple[str, ...]:
    """Return the addresses that clients can use: ``host``, or all of the machine's if it is all.

    Raises
    ------
    DeviceConfigError
        If ``host`` is no IP address.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        msg = f"{whose}: host is {host!r}; give an IP address of this machine, or 0.0.0.0 for all"
        raise DeviceConfigError(msg) from error
    if not address.is_unspecified:
        return (host,)
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return tuple(each for each in found if not ipaddress.ip_address(each).is_loopback)


class Announcement:
    """Keep a service's name in the network from `start` to `stop`.

    Parameters
    ----------
    service : str
        Its type, such as ``_smqtt._tcp.local.``.
    name : str
        What tells it from others of its type.
    hostname : str
        Host name, without a domain.
    port : int
        Its port; 0 where it only tells that it is there.
    addresses : sequence of str
        Its addresses.
    texts : Mapping[str, str], optional
        What else it tells of itself.
    interfaces : sequence of str, optional
        Interfaces that mDNS uses; None for all.
    """

    def __init__(
        self,
        *,
        service: str,
        name: str,
        hostname: str,
        port: int,
        addresses: Sequence[str],
        texts: Mapping[str, str] | None = None,
        interfaces: Interfaces = None,
    ) -> None:
        self._interfaces = interfaces
        self._zeroconf: AsyncZeroconf | None = None
        self._info = AsyncServiceInfo(
            service,
            f"{name}.{service}",
            port=port,
            parsed_addresses=list(addresses),
            properties=dict(texts or {}),
            server=f"{hostname}.local.",
        )

    async def start(self) -> None:
        """Announce it.

        Raises
        ------
        DeviceConfigError
            If another one has its name already, or it is no name.
        """
        self._zeroconf = open_zeroconf(self._interfaces)
        try:
            await (await self._zeroconf.async_register_service(self._info))
        except NonUniqueNameException as error:
            await self.stop()
            msg = f"{self._info.name} is announced by another device; give this one its own name"
            raise DeviceConfigError(msg) from error
        except Error as error:
            await self.stop()
            msg = f"{self._info.name} cannot be announced by mDNS ({error}); give it another name"
            raise DeviceConfigError(msg) from error

    async def stop(self) -> None:
        """Take the name back."""
        if self._zeroconf is not None:
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
        self._zeroconf = None
