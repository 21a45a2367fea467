"""The gateway's name in the house's network: mDNS, as Burgio et al. 2023, §2.2 describe it.

Devices of a house find the gateway by its name; it serves nothing at a port, so its port is 0.
"""

import socket
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from devices.clock import Clock
from devices.errors import DeviceConfigError
from hems.agent.health import Health
from hems.agent.mqtt.backoff import LONGEST_S

if TYPE_CHECKING:
    from devices.announce import Announcement, Interfaces

SERVICE: Final = "_gridpact._tcp.local."
"""The service type under which gateways are found."""
THING: Final = "name in the house's network"
"""What the log calls it."""
LOOK_S: Final = 300.0
"""How often it is seen whether the gateway's addresses have changed. [s]"""


class Announcer:
    """Announce the gateway while `run` runs.

    Parameters
    ----------
    name : str
        What people call the home.
    device_id : str
        The gateway's id.
    clock : Clock
        For pauses.
    health : Health
        Is told once when it cannot be announced.
    interfaces : sequence of str, optional
        Interfaces that mDNS uses; None for all.
    """

    def __init__(
        self,
        *,
        name: str,
        device_id: str,
        clock: Clock,
        health: Health,
        interfaces: "Interfaces" = None,
    ) -> None:
        self._name = name
        self._device_id = device_id
        self._clock = clock
        self._health = health
        self._interfaces = interfaces

    async def run(self) -> None:
        """Announce it until cancelled, trying again where the network is not up yet."""
        while True:
            announcement = None
            try:
                addresses = self._addresses()
                announcement = self._announcement(addresses)
                await announcement.start()
                self._health.back(THING)
                while self._addresses() == addresses:
                    await self._clock.sleep(LOOK_S)
            except (DeviceConfigError, OSError) as error:
                self._health.lost(THING, str(error))
                await self._clock.sleep(LONGEST_S)
            finally:
                if announcement is not None:
                    await announcement.stop()

    def _addresses(self) -> tuple[str, ...]:
        from devices.announce import own_addresses  # noqa: PLC0415 -- loads zeroconf

        return tuple(self._interfaces or own_addresses("0.0.0.0"))  # noqa: S104 -- all of them

    def _announcement(self, addresses: tuple[str, ...]) -> "Announcement":
        from devices.announce import Announcement  # noqa: PLC0415 -- loads zeroconf

        return Announcement(
            service=SERVICE,
            name=self._device_id[:63],
            hostname=socket.gethostname().split(".")[0],
            port=0,
            addresses=addresses,
            texts={"id": self._device_id, "name": self._name, "version": version("gridpact")},
            interfaces=self._interfaces,
        )
