"""The SunSpec adapter: its broker, its name in the network, and the desk that answers."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Self

from devices.adapter.announce import adapter_announcement
from devices.adapter.broker import AdapterBroker, end_task
from devices.adapter.desk import Desk
from devices.announce import Announcement, Interfaces, own_addresses, own_mac
from devices.clock import Clock
from devices.errors import DeviceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """How the adapter is found."""

    hostname: str = "sunadp"
    """Its host name, without a domain."""
    mac: str | None = None
    """Its MAC address; None for this machine's."""
    interfaces: Interfaces = None
    """Interfaces that mDNS uses; None for all."""


class SunSpecAdapter:
    """Serve one storage to the gateways of a house over MQTT (Burgio et al. 2023, §2.3).

    Parameters
    ----------
    desk : Desk
        Answers requests.
    clock : Clock
        For the pace of samples and reports.
    tls : ssl.SSLContext
        The broker's TLS; see `devices.adapter.broker.server_context`.
    host : str
        Address to listen at; ``0.0.0.0`` is all of the machine's.
    port : int
        Port; 0 takes a free one.
    announced : Announced, optional
        How it is found; None announces nothing.
    sample_s : float
        How often the storage is measured. [s]
    samples : int
        Samples of one report: with ``sample_s`` 5 s, three are the paper's 15 s.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        clock: Clock,
        tls: ssl.SSLContext,
        host: str = "0.0.0.0",  # noqa: S104 -- a device in a house is there for the house's network
        port: int = 8883,
        announced: Announced | None = None,
        sample_s: float = 5.0,
        samples: int = 3,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._host = host
        self._announced = announced
        self._sample_s = sample_s
        self._samples = samples
        self._broker = AdapterBroker(self._handle, host=host, port=port, tls=tls)
        self._announcement: Announcement | None = None
        self._busy = asyncio.Lock()
        self._reporter: asyncio.Task[None] | None = None
        self.fault: DeviceError | None = None
        """What went wrong when the storage was last measured; None if nothing did."""

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return self._broker.port

    async def start(self) -> None:
        """Begin to serve, to report and to be found.

        Raises
        ------
        DeviceConfigError
            If address, port or name are taken.
        """
        await self._broker.start()
        self._reporter = asyncio.create_task(self._report())
        if self._announced is None:
            return
        self._announcement = adapter_announcement(
            hostname=self._announced.hostname,
            mac=self._announced.mac or own_mac(),
            port=self.port,
            addresses=own_addresses(self._host),
            interfaces=self._announced.interfaces,
        )
        try:
            await self._announcement.start()
        except DeviceError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Return the storage to self-consumption, stop serving and take the name back.

        Raises
        ------
        DeviceError
            If the storage could not be brought back to self-consumption.
        """
        if self._announcement is not None:
            await self._announcement.stop()
        if self._reporter is not None:
            await end_task(self._reporter)
        await self._broker.stop()
        self._announcement = self._reporter = None
        await self._desk.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _handle(self, topic: str, payload: bytes) -> None:
        async with self._busy:
            answer = await self._desk.answer(topic, payload)
        await self._broker.publish(answer)

    async def _report(self) -> None:
        """Measure at an even pace and report every few samples."""
        while True:
            for _ in range(self._samples):
                await self._clock.sleep(self._sample_s)
                async with self._busy:
                    try:
                        await self._desk.sample()
                        self.fault = None
                    except DeviceError as error:
                        self.fault = error
            for report in self._desk.reports():
                await self._broker.publish(report)
